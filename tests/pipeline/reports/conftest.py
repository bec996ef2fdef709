"""A small training that never was: the tables of one, to make reports from."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.corpus.figures import Figures
from pipeline.ratings.tally import Tally
from pipeline.reports import write_report
from pipeline.reports.definitions import DEFINITIONS
from pipeline.reports.material import Inputs, read_material
from pipeline.reports.model_card import model_card
from pipeline.reports.page import render
from pipeline.reports.sections import headline
from pipeline.schema import (
    CONTEXT,
    DIFFERENCES,
    LOSS,
    MANIFEST,
    MEMORISATION,
    NOVELTY,
    PASSAGES,
    QUALITY,
    QUALITY_MEANS,
    SAMPLES,
    SCORES,
    WORKS,
)
from tests.pipeline.reports import measured

WHO = ["the miller's daughter", "a lame fox", "the ferryman", "Old Brandt", "the queen's clerk"]
DID = ["hid the brass key", "counted the lanterns twice", "lied to the tax collector", "slept"]
WHY = ["because the river had asked her to", "and nobody thanked him", "before the bells rang"]


def tell(seed: int, sentences: int) -> str:
    """A story of so many sentences."""
    rng = random.Random(seed)
    told = [
        f"{rng.choice(WHO).capitalize()} {rng.choice(DID)} {rng.choice(WHY)}."
        for _ in range(sentences)
    ]
    return " ".join(told)


def loss_rows(steps: int = 200) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for step in range(10, steps + 1, 10):
        loss = 2.5 + 6 * 40 / (40 + step)
        rows.append({"step": step, "split": "train", "loss": loss, "learning_rate": 1e-3})
        if step % 50 == 0:
            rows.append(
                {"step": step, "split": "validation", "loss": loss + 0.1, "learning_rate": None}
            )
    return rows


def sample(step: int, prompt_index: int, prompt: str, text: str, **other: Any) -> dict[str, Any]:
    row = {
        "model": "demo-gpt2", "sample": 0, "weights": "0" * 64, "include_prompt": True,
        "step": step, "prompt_index": prompt_index, "prompt": prompt,
        "setting": "calm", "temperature": 0.8, "top_k": 50, "top_p": 0.95,
        "repetition_penalty": 1.1, "max_length": 200, "whole_sentences": False, "seed": 7,
        "text": text, "tokens": len(text.split()), "finished": True,
    }  # fmt: skip
    return row | other


def score(stage: str, group_by: str, group: str, bits: float, **other: Any) -> dict[str, Any]:
    row = {
        "model": "demo-gpt2", "stage": stage, "split": "test", "group_by": group_by,
        "group": group, "works": 3, "documents": 6, "bytes": 24_000, "tokens": 6_000,
        "words": 4_000,
        "nats": bits * 24_000 * 0.6931, "bits_per_byte": bits, "low": bits - 0.1,
        "high": bits + 0.1,
        "perplexity_per_token": 2 ** (bits * 4), "perplexity_per_word": 2 ** (bits * 6),
    }  # fmt: skip
    return row | other


def both(group_by: str, group: str, before: float, after: float, **other: Any) -> list[Any]:
    return [
        score("initial", group_by, group, before, **other),
        score("trained", group_by, group, after, **other),
    ]


def document(number: int, split: str, source: str, licence: str, **other: Any) -> dict[str, Any]:
    url = f"https://{source}.example/{number}"
    row = {
        "split": split, "doc_id": f"d{number}", "work_id": f"w{number}", "franchise": "demo",
        "source": source, "url": url, "revision": str(number), "title": f"Tale {number}",
        "section": "Plot", "genre": "fable", "licence": licence, "attribution_url": url,
        "text": tell(number, 12),
    }  # fmt: skip
    return row | other


@dataclass(frozen=True)
class Step:
    """What a step left."""

    folder: Path
    figures: dict[str, Any] = field(default_factory=dict)


@dataclass
class Made:
    """The inputs of a report, to be changed by a test before they are written."""

    root: Path
    name: str = "demo-gpt2"
    training: dict[str, Any] = field(default_factory=dict)
    loss: list[dict[str, Any]] = field(default_factory=loss_rows)
    samples: list[dict[str, Any]] = field(default_factory=list)
    scores: list[dict[str, Any]] = field(default_factory=list)
    documents: list[dict[str, Any]] = field(default_factory=list)  # manifest columns and text
    # None: what `measured` has for these scores and samples.
    works: list[dict[str, Any]] | None = None
    differences: list[dict[str, Any]] | None = None
    context: list[dict[str, Any]] = field(default_factory=measured.context)
    perplexity_figures: dict[str, Any] = field(default_factory=lambda: dict(measured.PERPLEXITY))
    qualities: list[dict[str, Any]] | None = None
    means: list[dict[str, Any]] | None = None
    quality_figures: dict[str, Any] = field(default_factory=lambda: dict(measured.QUALITY))
    passages: list[dict[str, Any]] | None = None
    novelty: list[dict[str, Any]] | None = None
    memorisation: list[dict[str, Any]] | None = None
    copying_figures: dict[str, Any] = field(default_factory=lambda: dict(measured.MEMORISATION))
    notice: str | None = None
    tallies: Sequence[Tally] = ()

    split_by_work: bool = True
    corpus_figures: dict[str, Any] = field(default_factory=dict)

    # The builders of rows, for tests (pytest's importlib mode lets them import no conftest).
    tell = staticmethod(tell)
    loss_rows = staticmethod(loss_rows)
    sample = staticmethod(sample)
    score = staticmethod(score)
    both = staticmethod(both)
    document = staticmethod(document)

    def write(self) -> dict[str, Any]:
        """Write the tables and the report; return its figures."""
        self.write_tables()
        return write_report(self.name, self.inputs, self.root / "report", self.notice, self.tallies)

    def show(self, *names: str) -> str:
        """The page of these sections alone: of all, the plots take most of the time."""
        self.write_tables()
        material = read_material(self.name, self.inputs, self.notice, self.tallies)
        made = [import_module(f"pipeline.reports.sections.{name}") for name in names]
        sections = [one.section(material) for one in made]
        return render(self.name, headline.section(material), sections, DEFINITIONS)

    def card(self) -> str:
        """The model card alone, from the same figures."""
        self.write_tables()
        material = read_material(self.name, self.inputs, self.notice)
        return model_card(material, headline.section(material).figures)

    @property
    def inputs(self) -> Inputs:
        """The folders as steps left them."""
        return Inputs(
            model=Step(self.root / "model"),
            samples=Step(self.root / "samples"),
            perplexity=Step(self.root / "perplexity", self.perplexity_figures),
            quality=Step(self.root / "quality", self.quality_figures),
            memorisation=Step(self.root / "memorisation", self.copying_figures),
            corpus=Step(self.root / "corpus", self.corpus_figures),
        )

    def write_tables(self) -> None:
        """Samples are numbered in their order; what a test left None follows from the others."""
        samples = self.samples = [row | {"sample": n} for n, row in enumerate(self.samples)]
        steps = sorted({row["step"] for row in samples})

        def given(rows: list[dict[str, Any]] | None, make: Any, *of: Any) -> list[dict[str, Any]]:
            return make(*of) if rows is None else rows

        tables = {
            "model/loss": (self.loss, LOSS),
            "samples/samples": (samples, SAMPLES),
            "perplexity/works": (self.works or [], WORKS),
            "perplexity/scores": (self.scores, SCORES),
            "perplexity/differences": (
                given(self.differences, measured.differences, self.scores),
                DIFFERENCES,
            ),
            "perplexity/context": (self.context, CONTEXT),
            "quality/quality": (given(self.qualities, measured.qualities, samples), QUALITY),
            "quality/means": (given(self.means, measured.means, samples), QUALITY_MEANS),
            "memorisation/passages": (given(self.passages, measured.passages, samples), PASSAGES),
            "memorisation/novelty": (given(self.novelty, measured.novelty, steps), NOVELTY),
            "memorisation/memorisation": (
                given(self.memorisation, measured.memorisation, steps),
                MEMORISATION,
            ),
        }
        for name, (rows, schema) in tables.items():
            (self.root / name).parent.mkdir(exist_ok=True)
            _table(self.root / f"{name}.parquet", rows, schema)
        (self.root / "model" / "training.json").write_text(json.dumps(self.training))
        (self.root / "corpus").mkdir(exist_ok=True)
        self._write_corpus()

    @property
    def page(self) -> Path:
        return self.root / "report" / "report.html"

    def _write_corpus(self) -> None:
        rows: list[dict[str, Any]] = []
        figures = Figures(duplicates=0, split_by=self.split_by_work)
        position = dict.fromkeys(("train", "validation", "test"), 0)
        for document in self.documents:
            split, text = document["split"], document["text"]
            size = len(text.encode())
            counts = {"characters": len(text), "words": len(text.split()), "language": "en"}
            figures.add(split, document | counts, size)
            start = position[split]
            end = position[split] = start + size
            named = {key: value for key, value in document.items() if key != "text"}
            # Each document is a line, and a blank one follows.
            place = {"split": split, "line": 1 + sum(row["split"] == split for row in rows)}
            rows.append(named | place | {"kind": "document", "start": start, "end": end})
            position[split] += 2
            rows.append(place | {"kind": "separator", "start": end, "end": end + 2})
        self.corpus_figures = figures.as_dict()
        _table(self.root / "corpus" / "manifest.parquet", rows, MANIFEST)


def _table(path: Path, rows: Sequence[dict[str, Any]], schema: pa.Schema) -> None:
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), path)


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """A model trained for 200 steps on two sources, sampled at two checkpoints."""
    return Made(
        tmp_path,
        training={
            "spec": {"preset": "gpt2-mini", "base": None, "learning_rate": 0.001},
            "name": "demo-gpt2",
            "device": {"kind": "cpu", "name": "a CPU, 2 cores", "bf16": False},
            "seed": 1729,
            "parameters": 3_412_992,
            "steps": 200,
            "tokens_seen": 409_600,
            "tokens_per_second": 5211.4,
            "minutes": 1.31,
            "peak_memory_bytes": 812_000_000,
            "versions": {"torch": "2.13.0", "transformers": "5.23.0"},
        },
        samples=[
            sample(step, index, prompt, " " + tell(step + index, 4))
            for index, prompt in enumerate(["Once upon a time", "The fox looked up"])
            for step in (100, 200)
        ],
        scores=[
            *both("all", "all", 8.02, 2.31, documents=12, bytes=48_000, words=8_000),
            *both("franchise", "demo", 8.02, 2.31, documents=12, bytes=48_000, words=8_000),
            *both("source", "wikipedia", 8.05, 2.11),
            *both("source", "gutenberg", 7.99, 2.51, bytes=23_000),
            score("ngram", "all", "all", 3.4, documents=12, bytes=48_000, words=8_000, tokens=None),
            score(
                "xz",
                "all",
                "all",
                3.1,
                documents=12,
                bytes=48_000,
                tokens=None,
                low=None,
                high=None,
            ),
            score("trained", "all", "all", 2.1, split="train"),
        ],
        documents=[
            *(document(n, "train", "wikipedia", "CC-BY-SA-4.0") for n in range(8)),
            *(document(n, "train", "bulbapedia", "CC-BY-NC-SA-2.5") for n in range(8, 11)),
            document(11, "validation", "wikipedia", "CC-BY-SA-4.0"),
            document(12, "test", "wikipedia", "CC-BY-SA-4.0"),
            document(13, "test", "bulbapedia", "CC-BY-NC-SA-2.5"),
        ],
    )
