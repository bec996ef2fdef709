"""Pretrained vectors of words as a model's embedding: trained by gensim, or read from a file.

word2vec (Mikolov et al. 2013) on the train split knows the names of a franchise, which no published
file does; a GloVe or word2vec file (Pennington et al. 2014) knows the language. Entries without a
vector get values of the known ones' mean and variance, so that no layer meets another scale.
"""

import tempfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from transformers import PreTrainedTokenizerBase

from pipeline.model_spec import ModelError, WordVectors
from pipeline.models.spelled import BYTES, into_words
from pipeline.models.tokenizers import special_tokens
from pipeline.models.vector_file import Vector, read_vectors

_SENTENCE_ENDS = frozenset(".!?…")


def word_vectors(
    settings: WordVectors,
    width: int,
    texts: Iterable[str],
    tokenizer: PreTrainedTokenizerBase,
    seed: int,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """The embedding, shape (entries, width), and which of its rows are words' own, (entries,).

    A word is looked up without the blank before it, then in lower case. `texts` are those to train
    on; a file needs none. The same texts, file and seed give the same bits on a machine; another
    processor's kernels round in another way. Raises ModelError where gensim is missing, the file
    cannot be read, or no entry has a vector.
    """
    wanted = _words(tokenizer)
    if settings.file is None:
        vectors = _trained(settings, width, texts, seed)
    else:
        looked_for = {form for word in wanted.values() for form in (word, word.lower())}
        vectors = read_vectors(Path(settings.file).expanduser(), width, looked_for)
    matrix = np.zeros((len(tokenizer), width), np.float32)
    known = np.zeros(len(tokenizer), np.bool_)
    for number, word in wanted.items():
        vector = vectors.get(word, vectors.get(word.lower()))
        if vector is not None:
            matrix[number], known[number] = vector, True
    if not known.any():
        raise ModelError(
            f"none of the model's {len(wanted)} words has a vector in "
            f"{settings.file or 'the train split'}; is it of another language?"
        )
    mean, deviation = matrix[known].mean(axis=0), matrix[known].std(axis=0)
    drawn = np.random.default_rng(seed).normal(mean, deviation, size=((~known).sum(), width))
    matrix[~known] = drawn
    return matrix, known


def _words(tokenizer: PreTrainedTokenizerBase) -> dict[int, str]:
    """By id the entries that are words, numbers or marks, each without the blank before it."""
    none = {*special_tokens(tokenizer), *BYTES}
    return {
        number: token.removeprefix(" ")
        for token, number in tokenizer.get_vocab().items()
        if token not in none and not token.isspace()
    }


def _trained(
    settings: WordVectors, width: int, texts: Iterable[str], seed: int
) -> dict[str, Vector]:
    try:
        from gensim.models import Word2Vec
    except ImportError as error:
        raise ModelError(
            "word vectors are trained by gensim, which is not installed: pip install "
            "'loremill[vectors]', or give vectors.file a word2vec or GloVe file"
        ) from error
    with tempfile.TemporaryDirectory(prefix="loremill-vectors-") as folder:
        # On disk, since it is read again in every epoch, and as words takes ten times the room.
        path = Path(folder) / "sentences.txt"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(" ".join(words) + "\n" for words in _sentences(texts))
        try:
            model = Word2Vec(
                corpus_file=str(path),
                vector_size=width,
                window=settings.window,
                min_count=settings.min_count,
                epochs=settings.epochs,
                workers=1,  # more of them overwrite each other's work in any order
                seed=seed % 2**32,
                hashfxn=_hash,
            )
        except RuntimeError as error:
            raise ModelError(
                f"no word of the train split occurs vectors.min_count ({settings.min_count}) "
                "times; lower it or add text"
            ) from error
    found = model.wv
    return {word: found.vectors[number] for word, number in found.key_to_index.items()}


def _sentences(texts: Iterable[str]) -> Iterator[list[str]]:
    """The words and marks of each sentence; a blank line ends one too."""
    pieces = into_words()
    for text in texts:
        words: list[str] = []
        for piece, _ in pieces.pre_tokenize_str(text):
            word = piece.strip()
            # gensim reads a line's words between whatever Python takes for white space.
            if word.split() == [word]:
                words.append(word)
            if words and (piece.count("\n") > 1 or (word and _SENTENCE_ENDS.issuperset(word))):
                yield words
                words = []
        if words:
            yield words


def _hash(text: str) -> int:
    """Python's own differs from process to process."""
    return zlib.crc32(text.encode())
