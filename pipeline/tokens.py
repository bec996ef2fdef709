"""How many tokens a corpus has: counted on a random draw of its text by a BPE of its own.

A count needs a tokenizer, and which one a model will use is not known here. So a byte-level BPE, as
a fresh GPT-2 gets it, is trained on a draw of the training text, and each split's bytes a token are
measured on a draw of that split. Passages rather than documents are drawn, so that one long book is
not all there is; the draw is by hash, so that the same corpus gives the same figures.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256

from pipeline.corpus.split import TRAIN
from pipeline.models.bpe import GPT2_VOCABULARY, train_bpe

#: Bytes of each split that are drawn, about: some seconds' work. Shorter splits are counted whole.
DRAWN = {TRAIN: 10_000_000, "validation": 2_000_000, "test": 2_000_000}
#: Bytes of text for each entry of the vocabulary: a small corpus is not learnt by heart.
_BYTES_AN_ENTRY = 100
_SMALLEST = 512
_PASSAGE = 4096  # characters
_BATCH = 256  # passages


@dataclass(frozen=True)
class TokenCount:
    """The tokens of a split."""

    bytes: int  # of its documents' text
    drawn: int  # of these, what was read by the tokenizer
    drawn_tokens: int

    @property
    def bytes_a_token(self) -> float | None:
        """None where there is no text."""
        return self.drawn / self.drawn_tokens if self.drawn_tokens else None

    @property
    def tokens(self) -> int:
        """Of the whole split, by the share of it that was read."""
        return round(self.bytes * self.drawn_tokens / self.drawn) if self.drawn else 0


@dataclass
class TokenDraw:
    """Passages drawn from the splits, whose sizes in bytes are known beforehand."""

    sizes: dict[str, int]
    _passages: dict[str, list[str]] = field(default_factory=dict)
    _bytes: dict[str, int] = field(default_factory=dict)

    def add(self, split: str, name: str, text: str) -> None:
        """Draw from a document, of this name in the corpus."""
        self._bytes[split] = self._bytes.get(split, 0) + len(text.encode())
        share = DRAWN[split] / max(1, self.sizes[split])
        drawn = self._passages.setdefault(split, [])
        for number, passage in enumerate(_passages(text)):
            if share >= 1 or _position(f"{name}\0{number}") < share:
                drawn.append(passage)

    def count(self) -> tuple[dict[str, TokenCount], int]:
        """The tokens of each split, and the entries of the vocabulary they are counted in."""
        read = {
            split: sum(len(passage.encode()) for passage in passages)
            for split, passages in self._passages.items()
        }
        entries = max(_SMALLEST, read.get(TRAIN, 0) // _BYTES_AN_ENTRY)
        bpe = train_bpe(self._passages.get(TRAIN, []), min(GPT2_VOCABULARY, entries))
        bpe.encode_special_tokens = True  # a control token in a page is text like any other
        counts = {}
        for split, passages in self._passages.items():
            tokens = 0
            for start in range(0, len(passages), _BATCH):
                batch = passages[start : start + _BATCH]
                tokens += sum(len(found) for found in bpe.encode_batch_fast(batch))
            counts[split] = TokenCount(self._bytes[split], read[split], tokens)
        return counts, bpe.get_vocab_size()


def _passages(text: str) -> Iterator[str]:
    """The text in pieces, cut before a space where there is one: there a token begins anyway."""
    start = 0
    while start < len(text):
        end = start + _PASSAGE
        space = text.rfind(" ", start + 1, end) if end < len(text) else -1
        end = space if space > 0 else end
        yield text[start:end]
        start = end


def _position(name: str) -> float:
    """Where in [0, 1) a passage's hash falls."""
    return int.from_bytes(sha256(name.encode()).digest()[:8]) / 2**64
