"""How well a model foretells a text that a person brings, whatever its length.

A text is one document, after the control tokens that a document begins with, and every byte of it
counts: control tokens that stand in it are text. It is read, encoded and scored in pieces, so that
memory does not grow with it, and the figure is the one that it would have at once.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline import intervals
from pipeline.intervals import Interval
from pipeline.model_spec import ModelError
from pipeline.models.framing import frame_of
from pipeline.perplexity.groups import perplexity
from pipeline.perplexity.long_text import encode_pieces
from pipeline.perplexity.stream import Reading, spans

#: Bytes of a passage, the last one fewer, over which the interval of a single text is drawn: so
#: long that neighbours have little to do with each other, and a book has some hundreds.
PASSAGE = 2000
#: Fewer passages say nothing of how passages vary.
_FEWEST = 10
#: More are joined two by two, so that neither memory nor the resampling grows with the text.
_MOST = 4096


@dataclass(frozen=True)
class TextScore:
    """A text, or several, under a model."""

    bytes: int  # UTF-8
    words: int  # runs of non-space characters
    tokens: int
    windows: int  # or chunks of a recurrent model, which carries its state
    nats: float  # summed negative log-likelihood
    bits_per_byte: Interval  # over passages of one text, or over texts
    over: int  # how many of them

    def figures(self) -> dict[str, Any]:
        """As JSON has them, which knows no infinity."""
        return {
            "bytes": self.bytes,
            "words": self.words,
            "tokens": self.tokens,
            "windows": self.windows,
            "nats": self.nats,
            "bits_per_byte": self.bits_per_byte.value,
            "low": self.bits_per_byte.low,
            "high": self.bits_per_byte.high,
            "interval_over": self.over,
            "perplexity_per_token": _finite(self.perplexity_per_token),
            "perplexity_per_word": _finite(self.perplexity_per_word),
        }

    @property
    def perplexity_per_token(self) -> float:
        """exp(nats a token)."""
        return perplexity(self.nats, self.tokens)

    @property
    def perplexity_per_word(self) -> float:
        """exp(nats a word)."""
        return perplexity(self.nats, self.words)


def score_text(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    pieces: Iterable[str],
    reading: Reading,
    *,
    genre: str | None = None,
    report: Callable[[int], None] = lambda scored: None,
) -> TextScore:
    """The text that `pieces` are of, in order, under a model on its device.

    `report` is told the bytes scored so far. Raises ModelError for a genre that the model does not
    know, for a text without tokens, and where the model's output is no number.
    """
    begin = frame_of(tokenizer).asked(genre)
    read, passages = _Read(), _Passages()
    tokens = windows = 0
    for span in spans(model, encode_pieces(tokenizer, read.counted(pieces)), begin, reading):
        passages.add(span.start, span.nats)
        tokens, windows = tokens + span.tokens, windows + 1
        report(span.start)
    if not tokens:
        raise ModelError("the text has no token, so there is nothing to measure")
    report(read.bytes)
    nats, sizes = passages.whole(read.bytes)
    bits = [each / math.log(2) for each in nats]
    many = len(nats) >= _FEWEST
    figure = intervals.ratio(bits, sizes) if many else Interval(sum(bits) / read.bytes)
    return TextScore(
        read.bytes, read.words, tokens, windows, sum(nats), figure, len(nats) if many else 0
    )


def together(scores: Sequence[TextScore]) -> TextScore:
    """Several texts as one figure, with its interval over the texts."""
    sizes = [score.bytes for score in scores]
    nats = [score.nats for score in scores]
    return TextScore(
        sum(sizes),
        sum(score.words for score in scores),
        sum(score.tokens for score in scores),
        sum(score.windows for score in scores),
        sum(nats),
        intervals.ratio([each / math.log(2) for each in nats], sizes),
        len(scores),
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


class _Read:
    """What has been read of a text."""

    def __init__(self) -> None:
        self.bytes = 0
        self.words = 0

    def counted(self, pieces: Iterable[str]) -> Iterator[str]:
        """The same pieces."""
        within = False  # whether the last piece ended in a word
        for piece in filter(None, pieces):
            self.bytes += len(piece.encode())
            self.words += len(piece.split()) - (within and not piece[0].isspace())
            within = not piece[-1].isspace()
            yield piece


class _Passages:
    """Nats by passage: spans one after the other, of as many bytes at least."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._nats: list[float] = []
        self._bytes = PASSAGE

    def add(self, start: int, nats: float) -> None:
        """A span that begins at this byte."""
        if self._starts and start - self._starts[-1] < self._bytes:
            self._nats[-1] += nats
            return
        if len(self._starts) == _MOST:
            self._starts, self._bytes = self._starts[::2], 2 * self._bytes
            pairs = np.asarray(self._nats).reshape(-1, 2)
            self._nats = pairs.sum(1).tolist()
        self._starts.append(start if self._starts else 0)
        self._nats.append(nats)

    def whole(self, size: int) -> tuple[list[float], list[int]]:
        """Nats and bytes of each passage of a text of `size` bytes."""
        return self._nats, np.diff([*self._starts, size]).tolist()
