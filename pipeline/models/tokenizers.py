"""Tokenizers of fresh models, their control tokens, and encoding in which text stays text.

None has an unknown word, so that bits per byte charge a model for every byte. A page that contains
the characters `<|endoftext|>` or `<EOS>` must not end the story: control tokens in text are split
like any other text. Blanks beside a control token belong to it, so that a line of the corpus's file
and a prompt that is typed like one encode as the documents do in training.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from tokenizers import AddedToken, Tokenizer
from transformers import (
    AutoTokenizer,
    BatchEncoding,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)

from pipeline.corpus.layout import BEGIN, END
from pipeline.model_spec import ModelError, TokenizerSettings
from pipeline.models.bpe import END_OF_TEXT, train_bpe
from pipeline.models.framing import GENRE_TOKENS, frame_of
from pipeline.models.source import Source, find_source
from pipeline.models.spelled import learn_characters, learn_words

#: Entries of a learned byte-level BPE where the spec leaves it open.
DEFAULT_VOCABULARY = 8192

#: Where a tokenizer's configuration names the commit of the hub that it was taken from.
SOURCE_COMMIT = "source_commit"


def learn_tokenizer(
    settings: TokenizerSettings,
    texts: Iterable[str],
    context: int | None,
    control_tokens: Sequence[str] = (),
) -> PreTrainedTokenizerBase:
    """The tokenizer that `settings` describe; the same texts give the same one.

    `context`: tokens that the model attends to; None where nothing bounds them. `control_tokens`
    are those of the corpus's layout. Raises ModelError where `settings.source` cannot be read.
    """
    if settings.source is not None:
        source = find_source("tokenizer", settings.source, settings.revision)
        tokenizer = load_tokenizer(source)
        if source.commit is not None:
            tokenizer.init_kwargs[SOURCE_COMMIT] = source.commit
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
    else:
        match settings.kind:
            case "bpe":
                learned = train_bpe(texts, settings.vocabulary or DEFAULT_VOCABULARY)
            case "characters":
                learned = learn_characters(texts, settings.vocabulary)
            case "words":
                learned = learn_words(texts, settings.vocabulary, settings.min_count)
        tokenizer = _wrapped(learned)
    if context is not None:
        tokenizer.model_max_length = context
    add_control_tokens(tokenizer, control_tokens)
    return tokenizer


def load_tokenizer(source: Source) -> PreTrainedTokenizerBase:
    """The tokenizer of a folder or of the hub as it is. Raises ModelError where it has none."""
    whole = source.what == "tokenizer"
    named = f"{source.what} {source.name!r}" + ("" if whole else ": its tokenizer")
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            source.name, trust_remote_code=False, **source.where
        )
    except Exception as error:  # a foreign file: libraries raise whatever they stumble on
        part = "" if whole else "its tokenizer: "
        raise source.refused(f"{part}{type(error).__name__}: {error}") from error
    # transformers 5 makes an empty one of files that it does not find, and says nothing.
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise ModelError(f"{named} has no tokenizer.json, which is needed here")
    if len(tokenizer) <= len(special_tokens(tokenizer)):
        raise ModelError(f"{named} is empty; is its tokenizer.json missing?")
    end_token(tokenizer)
    return tokenizer


def add_control_tokens(tokenizer: PreTrainedTokenizerBase, control_tokens: Sequence[str]) -> int:
    """Make `<BOS>` and `<EOS>` the tokenizer's bos and eos, and genres of the other tokens.

    Returns how many entries it grew by; without control tokens the tokenizer stays as it is.
    Raises ModelError where a genre's token has another meaning in the tokenizer already.
    """
    if not control_tokens:
        return 0
    before = len(tokenizer)
    genres = [token for token in control_tokens if token not in (BEGIN, END)]
    known = set(tokenizer.init_kwargs.get(GENRE_TOKENS, ()))
    for genre in genres:
        taken = genre in tokenizer.get_vocab() and genre not in known
        if taken and genre in special_tokens(tokenizer):
            raise ModelError(
                f"the genre {genre} is a control token of the tokenizer already, with a meaning of "
                "its own; give the genre another name in the franchise's file"
            )
    # Where a text's first word is read with a blank before it in any case (Llama's ▁), a blank that
    # is written there is left to it.
    first, second = encode(tokenizer, ["a", " a"])
    rstrip = first.tolist() != second.tolist()
    begin, end, *rest = (
        AddedToken(token, lstrip=True, rstrip=rstrip, special=True, normalized=False)
        for token in (BEGIN, END, *genres)
    )
    tokenizer.add_special_tokens({"bos_token": begin, "eos_token": end})
    tokenizer.add_tokens(rest, special_tokens=True)
    tokenizer.init_kwargs[GENRE_TOKENS] = sorted(known.union(genres))
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    if tokenizer.num_special_tokens_to_add():  # a base's own would stand before the `<BOS>`
        tokenizer.add_bos_token = tokenizer.add_eos_token = False
        tokenizer.init_kwargs |= {"add_bos_token": False, "add_eos_token": False}
    return len(tokenizer) - before


def special_tokens(tokenizer: PreTrainedTokenizerBase) -> dict[str, int]:
    """All control tokens, by id: those with a role, genres, and what else a base marks as such."""
    added = tokenizer.added_tokens_decoder.items()
    return {token.content: int(number) for number, token in added if token.special}


def end_token(tokenizer: PreTrainedTokenizerBase) -> int:
    """The id that ends a document. Raises ModelError where there is none."""
    return frame_of(tokenizer).end


def encode(tokenizer: PreTrainedTokenizerBase, texts: list[str]) -> list[npt.NDArray[np.int32]]:
    """Token ids of each text, without any control token, on all cores."""
    if not texts:
        return []
    batch = _batch(tokenizer, texts)
    return [np.asarray(ids, dtype=np.int32) for ids in batch["input_ids"]]


def encode_with_places(
    tokenizer: PreTrainedTokenizerBase, text: str
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Token ids of a text as `encode` has them, and the characters where each begins and ends.

    Shapes (tokens,) and (tokens, 2).
    """
    batch = _batch(tokenizer, [text], return_offsets_mapping=True)
    places = np.asarray(batch["offset_mapping"][0], dtype=np.int64).reshape(-1, 2)
    return np.asarray(batch["input_ids"][0], dtype=np.int32), places


def _batch(tokenizer: PreTrainedTokenizerBase, texts: list[str], **more: bool) -> BatchEncoding:
    return tokenizer(
        texts,
        add_special_tokens=False,
        split_special_tokens=True,
        return_attention_mask=False,
        return_token_type_ids=False,
        verbose=False,
        **more,
    )


def _wrapped(learned: Tokenizer) -> PreTrainedTokenizerBase:
    return PreTrainedTokenizerFast(
        tokenizer_object=learned,
        bos_token=END_OF_TEXT,
        eos_token=END_OF_TEXT,
        pad_token=END_OF_TEXT,
        clean_up_tokenization_spaces=False,
    )
