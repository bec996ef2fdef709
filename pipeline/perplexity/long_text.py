"""The tokens of a text too long to be encoded at once: the same as if it were.

What a tokenizer makes of a place depends on the words around it, not on what is far away. So pieces
are encoded with an overlap and joined amid it, where both encodings agree; where they do not, as in
one word without an end, the pieces are encoded together.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from transformers import PreTrainedTokenizerBase

from pipeline.models.tokenizers import encode_with_places

#: Characters encoded at a time; their tokens take some 300 bytes each on the way.
CHARACTERS = 1 << 19
#: Characters that two pieces share. They must agree over the half in the middle of them.
OVERLAP = 1 << 12


@dataclass(frozen=True)
class Encoded:
    """Tokens one after the other, and the byte of the text's UTF-8 at which each begins."""

    ids: npt.NDArray[np.int32]
    starts: npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Piece:
    text: str
    byte: int  # of the whole text, at which this one begins
    ids: npt.NDArray[np.int32]
    places: npt.NDArray[np.int64]  # characters, (tokens, 2)
    first: int = 0  # the first token that is not told yet

    def told(self, stop: int) -> Encoded:
        chosen = slice(self.first, stop)
        return Encoded(self.ids[chosen], self.byte + _bytes(self.text)[self.places[chosen, 0]])


def encode_pieces(tokenizer: PreTrainedTokenizerBase, pieces: Iterable[str]) -> Iterator[Encoded]:
    """All tokens of the text that `pieces` are of, in order, as `encode` would have them."""
    held: _Piece | None = None
    for text in _of_length(pieces, CHARACTERS):
        if held is None:
            held = _encoded(tokenizer, text, 0)
            continue
        begin = max(0, len(held.text) - OVERLAP)
        byte = held.byte + int(_bytes(held.text)[begin])
        fresh = _encoded(tokenizer, held.text[begin:] + text, byte)
        join = _join(held, fresh, begin)
        if join is None:
            whole = _encoded(tokenizer, held.text + text, held.byte)
            held = _Piece(whole.text, whole.byte, whole.ids, whole.places, held.first)
            continue
        yield held.told(join[0])
        held = _Piece(fresh.text, fresh.byte, fresh.ids, fresh.places, join[1])
    if held is not None:
        yield held.told(len(held.ids))


def _encoded(tokenizer: PreTrainedTokenizerBase, text: str, byte: int) -> _Piece:
    return _Piece(text, byte, *encode_with_places(tokenizer, text))


def _join(held: _Piece, fresh: _Piece, begin: int) -> tuple[int, int] | None:
    """A token of each that begins at the same place, amid tokens that are the same in both."""
    quarter = (len(held.text) - begin) // 4
    low, high = begin + quarter, len(held.text) - quarter
    of_held = _between(held.places[:, 0], low, high)
    of_fresh = _between(fresh.places[:, 0], low - begin, high - begin)
    same = np.array_equal(held.ids[of_held], fresh.ids[of_fresh]) and np.array_equal(
        held.places[of_held], fresh.places[of_fresh] + begin
    )
    if not same:
        return None
    for place in range((of_held.start + of_held.stop) // 2, of_held.stop):
        # Some tokens are bytes of one character: none of it may be told twice, or not at all.
        if place > held.first and held.places[place, 0] >= held.places[place - 1, 1]:
            return place, place - of_held.start + of_fresh.start
    return None


def _between(starts: npt.NDArray[np.int64], low: int, high: int) -> slice:
    first, last = np.searchsorted(starts, [low, high])
    return slice(int(first), int(last))


def _bytes(text: str) -> npt.NDArray[np.int64]:
    """The byte at which each character begins, and the bytes of all: shape (characters + 1,)."""
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    lengths = 1 + (codes > 0x7F).astype(np.int64) + (codes > 0x7FF) + (codes > 0xFFFF)
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])


def _of_length(pieces: Iterable[str], length: int) -> Iterator[str]:
    """The same text in pieces of this length, the last one shorter."""
    parts: list[str] = []
    size = 0
    for piece in pieces:
        for start in range(0, len(piece), length):
            parts.append(piece[start : start + length])
            size += len(parts[-1])
            if size >= length:
                held = "".join(parts)
                yield held[:length]
                parts, size = [held[length:]], size - length
    if size:
        yield "".join(parts)
