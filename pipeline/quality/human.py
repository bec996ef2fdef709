"""Held-out human text of like length to a sample set: what each of its figures stands beside.

Distinct n-grams, repetition and copying all depend on length, so a figure of a model says little
without the same figure of human text of that length. Passages come from the test split, which no
training has seen; they begin where a document or a sentence begins, spread over the works, and no
two share a word. What a sample goes on from, its prompt, has a counterpart: as many words at the
passage's beginning, which are no part of the text measured.
"""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from heapq import nsmallest
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.corpus import read_split
from pipeline.model_spec import ModelError
from pipeline.sentences import sentence_ends, whole_sentences

#: Passages, however many samples there are.
PASSAGES = 200
#: Documents held in memory, and characters of each.
DOCUMENTS, CHARACTERS = 1000, 50_000

_WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class HumanText:
    """A passage of a held-out document."""

    prompt: str  # what stands before it from its sentence's beginning; empty as a sample's may be
    text: str
    genre: str | None
    work_id: str


@dataclass(frozen=True)
class _Length:
    """What is asked of a passage, in words: runs of non-space characters."""

    prompt: int
    text: int
    whole_sentences: bool


@dataclass
class _Document:
    """What is left of a held-out document."""

    text: str
    genre: str | None
    work_id: str
    rank: bytes  # in which it is drawn
    at: int = 0  # from here on
    words: int = 0  # left


def human_texts(corpus: Path, samples: pa.Table, seed: int) -> list[str]:
    """The texts alone of `human_passages`."""
    return [passage.text for passage in human_passages(corpus, samples, seed)]


def human_passages(
    corpus: Path, samples: pa.Table, seed: int, count: int = PASSAGES
) -> list[HumanText]:
    """At most `count` passages of the test split, the same for the same arguments.

    Each is as long as a sample of the last step drawn from `samples` (SAMPLES), in words, and cut
    after a whole sentence where that sample is. Where no held-out document has so many words left
    it is shorter, but at least half as long; where there is no such text either, there are fewer
    passages. None where every sample is empty, or more than twice as long as any held-out document.
    Raises ModelError where the test split is empty.
    """
    lengths = _lengths(samples)
    works = _held_out(corpus, seed)
    rng = np.random.default_rng(seed)
    drawn = rng.integers(max(1, len(lengths)), size=count if lengths else 0)
    passages = []
    for length in (lengths[row] for row in drawn):
        document = _with_room(works, length)
        if document is not None:
            passage = _cut(document, length)
            if 2 * len(passage.text.split()) >= length.text:  # else its last sentence was too long
                passages.append(passage)
    return passages


def _lengths(samples: pa.Table) -> list[_Length]:
    last = samples.filter(pc.equal(samples["step"], pc.max(samples["step"])))
    columns = (last[name].to_pylist() for name in ("prompt", "text", "whole_sentences"))
    return [
        _Length(len(prompt.split()), len(text.split()), whole)
        for prompt, text, whole in zip(*columns, strict=True)
        if any(map(str.isalnum, text))
    ]


def _held_out(corpus: Path, seed: int) -> deque[list[_Document]]:
    """Documents of the test split by work, both in an order that the seed decides."""

    def documents() -> Iterator[_Document]:
        for document in read_split(corpus, "test"):
            text = document.text[:CHARACTERS]
            rank = blake2b(f"{seed}\0{document.doc_id}".encode(), digest_size=8).digest()
            words = len(text.split())
            if words:
                yield _Document(text, document.genre, document.work_id, rank, 0, words)

    works: dict[str, list[_Document]] = {}
    for document in nsmallest(DOCUMENTS, documents(), key=lambda document: document.rank):
        works.setdefault(document.work_id, []).append(document)
    if not works:
        raise ModelError(
            f"the test split of {corpus} is empty, so there is no human text that stories could "
            "be held against; give the corpus more works or a larger held-out share"
        )
    return deque(works.values())


def _with_room(works: deque[list[_Document]], length: _Length) -> _Document | None:
    """A document of the next work with so much left; else the one with most, if it is half."""
    for _ in range(len(works)):
        works.rotate(-1)
        for document in works[-1]:
            if document.words >= length.prompt + length.text:
                return document
    longest = max((one for work in works for one in work), key=lambda document: document.words)
    return longest if 2 * (longest.words - length.prompt) >= length.text else None


def _cut(document: _Document, length: _Length) -> HumanText:
    """The passage at the document's place, which moves on to the sentence after it."""
    rest = document.text[document.at :]
    ends = [found.end() for found in islice(_WORD.finditer(rest), length.prompt + length.text)]
    start, end = (ends[length.prompt - 1] if length.prompt else 0), ends[-1]
    following = next((place for place in sentence_ends(rest) if place >= end), len(rest))
    document.at += following + len(rest[following:]) - len(rest[following:].lstrip())
    document.words = len(rest[following:].split())
    text = rest[start:end]
    if length.whole_sentences:
        text = whole_sentences(text)
    return HumanText(rest[:start], text, document.genre, document.work_id)
