"""The measures of texts as means over groups of them, each with its interval.

What is drawn anew for an interval is what can be thought to be drawn: of human text works, whose
passages are alike; of a model's stories prompts, where there are enough of them, since stories that
go on from the same words are alike; else stories, and the interval then speaks of these prompts
alone. A share of texts has Wilson's interval, each of those one trial, so that a loop which was
never seen is not said to be impossible; nor is a repetition, which is a share of each text.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pipeline.intervals import Interval, clustered_share, ratio, share

#: Prompts below which stories are what is drawn: of so few clusters the bootstrap's intervals are
#: too narrow (Cameron, Gelbach & Miller 2008 find that of five to thirty).
FEWEST_PROMPTS = 10

#: Averaged over texts, the second of what is 0 to 1 of each; and shares of texts. Bits per byte are
#: those of all texts together over all their bytes, as of held-out text.
_SIZES = ("characters", "words")
_PARTS = ("distinct_1", "distinct_2", "distinct_3", "repetition", "self_bleu", "genre_probability")
MEANS = (*_SIZES, *_PARTS)
SHARES = ("empty", "looping", "genre_met")


@dataclass(frozen=True)
class Group:
    """Texts that a mean is of."""

    writer: Literal["model", "human"]
    step: int | None = None  # None: of human text
    setting: str | None = None  # None: of all, as of genre
    genre: str | None = None

    def wider(self) -> Iterator["Group"]:
        """Those that its texts count in: all of the step, of its setting, of its genre."""
        yield Group(self.writer, self.step)
        if self.setting is not None:
            yield Group(self.writer, self.step, self.setting)
        if self.genre is not None:
            yield Group(self.writer, self.step, None, self.genre)


@dataclass(frozen=True)
class Measured:
    """A text's measures, by name, with `bits` under the judge and `bytes`; None: it has none."""

    group: Group
    unit: Hashable  # a prompt, or a work
    figures: dict[str, Any]


def means_of(texts: Iterable[Measured], seed: int) -> list[dict[str, Any]]:
    """Rows of QUALITY_MEANS without the model: for each group a row a measure that a text has."""
    groups: dict[Group, list[Measured]] = defaultdict(list)
    for text in texts:
        for group in text.group.wider():
            groups[group].append(text)
    return [
        asdict(group) | row for group, some in groups.items() for row in _rows(group, some, seed)
    ]


def _rows(group: Group, texts: Sequence[Measured], seed: int) -> Iterator[dict[str, Any]]:
    units = [text.unit for text in texts]
    if group.writer == "model" and len(set(units)) < FEWEST_PROMPTS:
        units = list(range(len(texts)))
    for name in (*MEANS, "bits_per_byte", *SHARES):
        whole = name == "bits_per_byte"
        some = [
            (unit, float(value), text.figures["bytes"] if whole else 1)
            for unit, text in zip(units, texts, strict=True)
            if (value := text.figures["bits" if whole else name]) is not None
        ]
        if some:
            interval = _share(some) if name in SHARES else _ratio(some, name in _PARTS, seed)
            yield {"measure": name, "texts": len(some), **asdict(interval)}


def _ratio(some: Sequence[tuple[Hashable, float, int]], part: bool, seed: int) -> Interval:
    values: dict[Hashable, float] = defaultdict(float)
    weights: dict[Hashable, float] = defaultdict(float)
    for unit, value, weight in some:
        values[unit] += value
        weights[unit] += weight
    drawn = clustered_share if part else ratio
    return drawn(list(values.values()), list(weights.values()), seed=seed)


def _share(some: Sequence[tuple[Hashable, float, int]]) -> Interval:
    trials = len({unit for unit, _, _ in some})
    value = sum(value for _, value, _ in some) / len(some)
    return share(value * trials, trials)
