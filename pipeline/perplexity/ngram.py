"""A byte n-gram model of the training text: what a model must beat to have learned more than
spelling and stock phrases.

Interpolated modified Kneser-Ney smoothing (Chen & Goodman 1999, section 4), over bytes, so that its
bits per byte stand beside any model's. An n-gram of bytes up to order 8 is a 64-bit number, and
counting is sorting: a table is two sorted arrays, looked up by bisection.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

#: Bytes of an n-gram, of which all but one are context: as many as 64 bits hold. Bits per byte of
#: held-out text fall up to here, or stand still (of orders 5, 6, 7 and 8: films' plots, 1.1 MB to
#: learn from, 2.09, 1.98, 1.94, 1.93; novels, 4.2 MB, 2.09, 1.98, 1.95, 1.96).
ORDER = 8
#: Bytes packed, sorted and counted at a time; they take some 30 bytes each on the way.
BYTES_AT_ONCE = 8 * 2**20

#: Stands before a document, as often as there is context. No UTF-8 text has this byte.
_BEGIN = b"\xff"
#: Of n-grams counted once, twice and more, where there are too few to tell (as KenLM falls back).
_FALLBACK = (0.0, 0.5, 1.0, 1.5)

_Packed = npt.NDArray[np.uint64]
_Counts = npt.NDArray[np.int64]
_Shares = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Table:
    """Of one order, what was seen."""

    ngrams: _Packed  # sorted
    shares: _Shares  # of each, its discounted count over that of its context
    contexts: _Packed  # sorted; an n-gram without its last byte
    rests: _Shares  # of each, what the discounts leave to shorter contexts


class NgramModel:
    """Foretells each byte of a document from the bytes before it in that document."""

    def __init__(self, tables: list[_Table]):
        self._tables = tables  # of orders 1, 2, …
        self.order = len(tables)
        self.name = f"{self.order}-gram of bytes"

    @classmethod
    def learn(cls, texts: Iterable[str], order: int = ORDER) -> "NgramModel":
        """Count the n-grams of `texts`, each a document by itself; they are read once.

        Memory grows with the distinct n-grams, not with the text (100 MB of program text: 1 GB
        and ten seconds on one core). Raises ValueError where there is
        no text, and for an order that is not within 1 and 8.
        """
        if not 1 <= order <= ORDER:
            raise ValueError(f"an order of {order} is not within 1 and {ORDER}")
        ngrams, counts = _count(texts, order)
        if not len(ngrams):
            raise ValueError("there is no text to learn n-grams from")
        tables = [_table(ngrams, counts)]
        for shorter in range(order - 1, 0, -1):
            # Below the highest order what counts is how many bytes a shorter one has followed.
            ngrams, counts = _runs(np.sort(ngrams & _mask(shorter)))
            tables.append(_table(ngrams, counts))
        return cls(tables[::-1])

    def nats(self, text: str) -> float:
        """Negative log-likelihood of all UTF-8 bytes of a document; its end is not counted."""
        return float(
            sum(
                -np.log(self._probabilities(packed)).sum()
                for packed in _pack(_framed([text], self.order), self.order)
            )
        )

    def next_byte(self, context: bytes) -> _Shares:
        """Shape (256,): how likely each byte is to come after those with which a document begins.

        They sum to 1.
        """
        framed = _BEGIN * self.order + context
        last = int.from_bytes(framed[len(framed) - self.order + 1 :], "big")
        return self._probabilities(np.uint64(last << 8) | np.arange(256, dtype=np.uint64))

    def _probabilities(self, packed: _Packed) -> _Shares:
        """Of each n-gram's last byte after the others."""
        likely = np.full(len(packed), 1 / 256)
        for order, table in enumerate(self._tables, 1):
            ngrams = packed & _mask(order)
            sorting = np.argsort(ngrams)  # neighbours in a table are then found one after another
            ngrams = ngrams[sorting]
            rest = _find(table.contexts, table.rests, ngrams >> np.uint64(8), 1.0)
            share = _find(table.ngrams, table.shares, ngrams, 0.0)
            likely[sorting] = share + rest * likely[sorting]
        return likely


def _framed(texts: Iterable[str], order: int) -> Iterator[bytes]:
    """The documents' bytes in pieces, each document after as many begin marks as it has context."""
    for text in texts:
        yield _BEGIN * (order - 1)
        for start in range(0, len(text), BYTES_AT_ONCE):
            yield text[start : start + BYTES_AT_ONCE].encode()


def _pack(pieces: Iterable[bytes], order: int) -> Iterator[_Packed]:
    """The n-gram that ends with each byte of the documents, in order, some at a time."""
    held = bytearray()
    for piece in pieces:
        held += piece
        if len(held) >= BYTES_AT_ONCE:
            yield _ngrams(held, order)
            del held[: len(held) - (order - 1)]
    if len(held) >= order:
        yield _ngrams(held, order)


def _ngrams(held: bytearray, order: int) -> _Packed:
    stream = np.frombuffer(bytes(held), np.uint8)
    ends = len(stream) - order + 1
    packed = np.zeros(ends, np.uint64)
    for place in range(order):
        packed <<= np.uint64(8)
        packed |= stream[place : place + ends]
    of_text: _Packed = packed[stream[order - 1 :] != _BEGIN[0]]
    return of_text


def _count(texts: Iterable[str], order: int) -> tuple[_Packed, _Counts]:
    """Distinct n-grams, sorted, and how often each stands in the texts."""
    parts: list[tuple[_Packed, _Counts]] = []
    for packed in _pack(_framed(texts, order), order):
        packed.sort()
        parts.append(_runs(packed))
        # As the digits of a binary counter: like with like, so that each is merged a few times.
        while len(parts) > 1 and len(parts[-2][0]) < 2 * len(parts[-1][0]):
            parts.append(_merged([parts.pop(), parts.pop()]))
    return _merged(parts)


def _merged(parts: list[tuple[_Packed, _Counts]]) -> tuple[_Packed, _Counts]:
    if not parts:
        return np.empty(0, np.uint64), np.empty(0, np.int64)
    ngrams = np.concatenate([part[0] for part in parts])
    counts = np.concatenate([part[1] for part in parts])
    sorting = np.argsort(ngrams, kind="stable")  # merges what is sorted
    ngrams, counts = ngrams[sorting], counts[sorting]
    first = _firsts(ngrams)
    return ngrams[first], np.add.reduceat(counts, first)


def _runs(ngrams: _Packed) -> tuple[_Packed, _Counts]:
    """The distinct ones of what is sorted, and how often each stands there."""
    first = _firsts(ngrams)
    return ngrams[first], np.diff(np.append(first, len(ngrams)))


def _firsts(ngrams: _Packed) -> npt.NDArray[np.intp]:
    """Where each distinct one of what is sorted stands first."""
    new = np.ones(len(ngrams), np.bool_)
    np.not_equal(ngrams[1:], ngrams[:-1], out=new[1:])
    return np.flatnonzero(new)


def _table(ngrams: _Packed, counts: _Counts) -> _Table:
    discounts = _discounts(counts)[np.minimum(counts, 3)]
    contexts = ngrams >> np.uint64(8)
    first = _firsts(contexts)
    totals = np.add.reduceat(counts, first).astype(np.float64)
    rests = np.add.reduceat(discounts, first) / totals
    of_context = np.diff(np.append(first, len(ngrams)))
    shares = (counts - discounts) / np.repeat(totals, of_context)
    return _Table(ngrams, shares, contexts[first], rests)


def _discounts(counts: _Counts) -> _Shares:
    """By count, 0 to 3 and more: Chen & Goodman's estimate from how many have each count."""
    _, once, twice, thrice, four, _ = np.bincount(np.minimum(counts, 5), minlength=6).tolist()
    if not (once and twice and thrice):
        return np.array(_FALLBACK)
    share = once / (once + 2 * twice)
    found = np.array(
        [
            0.0,
            1 - 2 * share * twice / once,
            2 - 3 * share * thrice / twice,
            3 - 4 * share * four / thrice,
        ]
    )
    return found if (found[1:] > 0).all() else np.array(_FALLBACK)


def _find(keys: _Packed, values: _Shares, asked: _Packed, default: float) -> _Shares:
    """The value of each key that is there, and `default` for the others."""
    place = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
    return np.where(keys[place] == asked, values[place], default)


def _mask(order: int) -> np.uint64:
    return np.uint64((1 << 8 * order) - 1)
