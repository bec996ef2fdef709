"""Tokenizers of characters and of words, as bare `tokenizers` objects: nothing here needs torch.

An entry is a character or a word seen in training. What is unknown is spelled: a word in its
characters, a character in its UTF-8 bytes (byte fallback, as in Kudo & Richardson 2018), each at
its cost in bits. So no text is lost, and a model of words compares with one of bytes.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from pipeline.models.bpe import END_OF_TEXT

#: What spells an unknown character. No text is taken for one: an entry of characters is one
#: character, and WORD parts `<` from letters and letters from digits.
BYTES = tuple(f"<0x{byte:02X}>" for byte in range(256))

#: A word, a number, or a mark that may repeat (`...`, `--`), each with the blank before it; or
#: white space, of which the last blank goes to the word after it, as in GPT-2's pattern
#: (Radford et al. 2019). Apostrophes stand inside a word, and the marks of a combining script.
WORD = (
    r" ?[\p{L}\p{M}]+(?:['’][\p{L}\p{M}]+)*| ?\p{N}+| ?([^\s\p{L}\p{M}\p{N}])\1*"
    r"|\s+(?!\S)|\s+"
)
_ALL = 2**31 - 1  # entries, where nothing bounds them


def learn_characters(texts: Iterable[str], vocabulary: int | None) -> Tokenizer:
    """A tokenizer whose entries are the characters of `texts`, the most frequent first.

    At most `vocabulary` entries, bytes and end-of-text token included; None: all characters. The
    same texts give the same tokenizer.
    """
    characters: Counter[str] = Counter()
    for text in texts:
        characters.update(text)
    return _spelled(_by_count(characters), vocabulary)


def learn_words(texts: Iterable[str], vocabulary: int | None, min_count: int) -> Tokenizer:
    """A tokenizer whose entries are the characters and then the words of `texts`, by frequency.

    A word seen less than `min_count` times is spelled in training already, so that spelling is
    learned. At most `vocabulary` entries; None: no bound. The same texts give the same tokenizer.
    """
    characters: Counter[str] = Counter()

    def counted() -> Iterator[str]:
        for text in texts:
            characters.update(text)
            yield text

    words = Tokenizer(models.WordLevel())
    words.pre_tokenizer = into_words()
    words.train_from_iterator(
        counted(),
        trainers.WordLevelTrainer(
            vocab_size=_ALL, min_frequency=min_count, special_tokens=[], show_progress=False
        ),
    )
    found = words.get_vocab()  # ids go by count, then by text
    tokenizer = _spelled(
        [*_by_count(characters), *sorted(found, key=found.__getitem__)], vocabulary
    )
    tokenizer.model.ignore_merges = True  # a piece that is an entry is not spelled
    tokenizer.pre_tokenizer = into_words()
    return tokenizer


def _spelled(entries: list[str], vocabulary: int | None) -> Tokenizer:
    """Each of `entries` and every byte; a BPE that merges nothing spells all others in them."""
    distinct = list(dict.fromkeys((END_OF_TEXT, *BYTES, *entries)))[:vocabulary]
    tokenizer = Tokenizer(
        models.BPE({entry: i for i, entry in enumerate(distinct)}, merges=[], byte_fallback=True)
    )
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    return tokenizer


def into_words() -> pre_tokenizers.PreTokenizer:
    """Parts a text into what WORD matches, one after the other: joined, they are the text."""
    return pre_tokenizers.Split(Regex(WORD), behavior="isolated")


def _by_count(counts: Counter[str]) -> list[str]:
    return sorted(counts, key=lambda entry: (-counts[entry], entry))
