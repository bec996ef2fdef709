"""The stories that are rated, and how those of two writers are paired.

Two stories are a pair where they answer the same prompt in the same genre and setting, the n-th of
the one with the n-th of the other, so that nothing but the writer differs. People's text
(`pipeline.quality.human`) answers no prompt: it is paired by its length.
"""

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from pipeline.model_spec import ModelError

#: The writer of held-out text.
HUMAN = "human"
#: What decides how a story is drawn, but for its length: tokens of two models are not alike.
_DRAWN_BY = ("prompt", "genre", "temperature", "top_k", "top_p", "repetition_penalty")
#: The values of these.
Kind = tuple[Any, ...]


@dataclass(frozen=True, order=True)
class Writer:
    """Who wrote: a model as of a training step, or people."""

    name: str
    step: int | None = None

    def __str__(self) -> str:
        return "people" if self.step is None else f"{self.name}, step {self.step:,}"


@dataclass(frozen=True)
class Side:
    """One story of a pair without its text: its writer, its number, and in which version."""

    writer: Writer
    version: str  # data version of the sample set; of people's text, of the corpus
    sample: int


@dataclass(frozen=True)
class Story:
    """A story to be read."""

    side: Side
    prompt: str  # empty where it is not shown
    genre: str
    text: str


@dataclass(frozen=True)
class Pair:
    """Two stories to be held against each other."""

    first: Story
    second: Story

    @property
    def key(self) -> frozenset[Side]:
        """The same whichever stands first."""
        return frozenset((self.first.side, self.second.side))


def steps_of(samples: pa.Table) -> list[int]:
    """The checkpoints that were sampled, in their order."""
    return sorted(set(samples["step"].to_pylist()))


def pairs_of_models(
    first: tuple[Writer, str, pa.Table], second: tuple[Writer, str, pa.Table]
) -> list[Pair]:
    """The pairs of two writers: (writer, data version of its samples, SAMPLES).

    Raises ModelError where they share no prompt, genre and setting.
    """
    ours, theirs = _by_kind(*first), _by_kind(*second)
    shared = [kind for kind in ours if kind in theirs]
    if not shared:
        raise ModelError(
            f"{first[0]} and {second[0]} have no prompt, genre and setting (temperature, top_k, "
            "top_p, repetition_penalty) in common; give both the same under samples: and "
            "materialize their samples"
        )
    return [Pair(*both) for kind in shared for both in zip(ours[kind], theirs[kind], strict=False)]


def pairs_with_people(
    model: tuple[Writer, str, pa.Table], texts: Sequence[str], version: str
) -> list[Pair]:
    """Each story of a writer with the text nearest to it in length; `version` is the corpus's.

    Nothing tells which one answers a prompt: it is a part of the story where it is shown at all.
    Raises ModelError where there is no text.
    """
    stories = [story for kind in _by_kind(*model).values() for story in kind]
    left = {number: (len(text.split()), text) for number, text in enumerate(texts) if text.strip()}
    pairs = []
    for story in sorted(stories, key=lambda story: story.side.sample):
        if not left:
            break
        told = story.prompt + story.text
        words = len(told.split())
        number = min(left, key=lambda number: (abs(left[number][0] - words), number))
        people = Story(Side(Writer(HUMAN), version, number), "", "", left.pop(number)[1])
        pairs.append(Pair(replace(story, prompt="", genre="", text=told), people))
    if not pairs:
        raise ModelError(f"{model[0]}: there is no story, or no held-out text, to make a pair of")
    return pairs


def in_order(pairs: Sequence[Pair], seed: int) -> list[Pair]:
    """The pairs in the order that the seed draws; the same for every rater, who may stop early."""
    drawn = list(pairs)
    random.Random(seed).shuffle(drawn)  # noqa: S311 - not a secret
    return drawn


def is_swapped(pair: Pair, rater: str, seed: int) -> bool:
    """Whether the second story stands on the left for this rater: a coin of its own for each."""
    sides = (pair.first.side, pair.second.side)
    said = "|".join([str(seed), rater, *(f"{one.version}/{one.sample}" for one in sides)])
    return bool(hashlib.sha256(said.encode()).digest()[0] & 1)


def by_kind(rows: Sequence[Mapping[str, Any]]) -> dict[Kind, list[Mapping[str, Any]]]:
    """What a story is drawn by -> the rows of SAMPLES drawn so, in the order of their seeds."""
    kinds: dict[Kind, list[Mapping[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: (row["seed"], row["sample"])):
        kinds.setdefault(tuple(row[column] for column in _DRAWN_BY), []).append(row)
    return kinds


def _by_kind(writer: Writer, version: str, samples: pa.Table) -> dict[Kind, list[Story]]:
    rows = [row for row in samples.to_pylist() if row["step"] == writer.step]
    if not rows:
        steps = ", ".join(f"{step:,}" for step in steps_of(samples)) or "none"
        raise ModelError(f"{writer.name} has no stories of step {writer.step}; there are: {steps}")
    return {
        kind: [_story(writer, version, row) for row in some] for kind, some in by_kind(rows).items()
    }


def _story(writer: Writer, version: str, row: Mapping[str, Any]) -> Story:
    side = Side(writer, version, row["sample"])
    prompt = row["prompt"] if row["include_prompt"] else ""
    return Story(side, prompt, row["genre"] or "", row["text"])
