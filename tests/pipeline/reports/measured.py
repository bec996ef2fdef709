"""What was measured of a model that never was: rows of every table of `pipeline.schema.measures`.

Figures are set, not measured, so that a test knows what the page must say; the marks lie on words
of the samples that they are given for.
"""

import re
from collections.abc import Sequence
from itertools import islice
from typing import Any

Row = dict[str, Any]

MODEL = "demo-gpt2"
#: Measures of QUALITY_MEANS with a figure of the first checkpoint, of the last, and of people.
MEANS = {
    "distinct_1": (0.31, 0.52, 0.61),
    "distinct_2": (0.52, 0.81, 0.93),
    "distinct_3": (0.61, 0.92, 0.99),
    "repetition": (0.42, 0.12, 0.02),
    "self_bleu": (0.52, 0.33, 0.21),
    "bits_per_byte": (2.61, 2.22, 2.35),
    "words": (44.0, 61.0, 60.0),
    "genre_met": (0.25, 0.58, 0.71),
}
WIDTH = 0.04  # of an interval, each way


def figure(value: float, width: float = WIDTH) -> Row:
    return {"value": value, "low": value - width, "high": value + width}


def differences(scores: Sequence[Row], width: float = 0.05) -> list[Row]:
    """Of the trained stage and each other, group by group."""
    found = {(r["stage"], r["split"], r["group_by"], r["group"]): r for r in scores}
    rows = []
    for (stage, split, group_by, group), row in found.items():
        trained = found.get(("trained", split, group_by, group))
        if stage not in ("initial", "ngram") or trained is None:
            continue
        value = trained["bits_per_byte"] - row["bits_per_byte"]
        rows.append(
            {
                "model": MODEL,
                "than": stage,
                "split": row["split"],
                "group_by": group_by,
                "group": group,
                "works": row["works"],
                **figure(value, width),
            }
        )
    return rows


def work(stage: str, number: int, nats: float, **other: Any) -> Row:
    row = {
        "model": MODEL, "stage": stage, "split": "test", "work_id": f"w{number}",
        "franchise": "demo", "source": "wikipedia", "genre": "fable", "licence": "CC-BY-SA-4.0",
        "documents": 2, "bytes": 4000, "words": 700, "tokens": 1000, "nats": nats,
    }  # fmt: skip
    return row | other


def context(lengths: Sequence[int] = (8, 16, 32, 64)) -> list[Row]:
    return [
        {
            "model": MODEL, "context": length, "tokens": 5_000, "bytes": 20_000,
            "nats": 40_000.0, "bits_per_byte": bits, "low": bits - 0.08, "high": bits + 0.08,
        }
        for length in lengths
        for bits in [2.3 + 4 / length]
    ]  # fmt: skip


def qualities(samples: Sequence[Row]) -> list[Row]:
    """A row a sample, of the same number."""
    return [
        {
            "model": MODEL, "sample": sample["sample"], "step": sample["step"],
            "setting": sample["setting"], "characters": len(sample["text"]),
            "words": sample["text"].count(" ") + 1, "distinct_1": 0.61, "distinct_2": 0.84,
            "distinct_3": 0.93, "repetition": 0.07, "self_bleu": 0.31, "bits_per_byte": 2.22,
            "judge": "the n-gram model of demo", "genre": sample.get("genre"),
            "genre_found": "fable", "genre_probability": 0.72, "empty": not sample["text"].strip(),
            "looping": False,
        }
        for sample in samples
    ]  # fmt: skip


def means(samples: Sequence[Row]) -> list[Row]:
    """Each measure at each step and setting, all settings together, and of people."""
    kinds = sorted({(sample["step"], sample["setting"]) for sample in samples})
    steps = sorted({step for step, _ in kinds})
    rows = []
    for measure, (first, last, human) in MEANS.items():
        for step, setting in [*kinds, *((step, None) for step in steps)]:
            way = steps.index(step) / max(1, len(steps) - 1)
            value = first + (last - first) * way
            rows.append(_mean("model", step, setting, measure, value, human))
        if rows:
            rows.append(_mean("human", None, None, measure, human, human))
    return rows


def _mean(
    writer: str, step: int | None, setting: str | None, measure: str, value: float, human: float
) -> Row:
    return {
        "model": MODEL, "writer": writer, "step": step, "setting": setting, "genre": None,
        "measure": measure, "texts": 12, **figure(value, 0.06 * human),
    }  # fmt: skip


def passage(sample: Row, first: int, words: int, **other: Any) -> Row:
    """So many words of a sample from the `first` on, as a page has them."""
    found = list(islice(re.finditer(r"\S+", sample["text"]), first + words))
    row = {
        "model": MODEL, "sample": sample["sample"], "step": sample["step"],
        "start": found[first].start(), "end": found[first + words - 1].end(), "words": words,
        "longest": True, "places": 1, "doc_id": "d3", "work_id": "w3", "franchise": "demo",
        "source": "wikipedia", "url": "https://wikipedia.example/3", "revision": "3",
        "title": "Tale 3", "section": "Plot", "licence": "CC-BY-SA-4.0",
        "attribution_url": "https://wikipedia.example/3?oldid=3",
    }  # fmt: skip
    return row | other


def passages(samples: Sequence[Row]) -> list[Row]:
    """Of each sample that has the words: ten as the longest, and eight more."""
    rows = []
    for sample in samples:
        there = len(sample["text"][:4000].split())
        if there:
            rows.append(passage(sample, 0, min(10, there)))
        if there >= 20:
            rows.append(passage(sample, 12, 8, longest=False))
    return rows


def novelty(steps: Sequence[int]) -> list[Row]:
    """For n = 1…10, of each step and of people."""
    rows = []
    for writer, step in [*(("model", step) for step in steps), ("human", None)]:
        for n in range(1, 11):
            share = min(1.0, max(0.0, (n - 1) / (7 if writer == "model" else 5)))
            low, high = max(0.0, share - 0.03), min(1.0, share + 0.03)
            rows.append(
                {
                    "model": MODEL, "writer": writer, "step": step, "n": n, "ngrams": 900,
                    "value": share, "low": low, "high": high,
                }
            )  # fmt: skip
    return rows


def memorisation(steps: Sequence[int]) -> list[Row]:
    """Copied, longest and extractable at each step, and the first two of people."""
    rows = []
    for nth, step in enumerate(steps, 1):
        rows.append(_copying("model", step, "copied", 0.004 * nth, 24))
        rows.append(_copying("model", step, "longest", 4.0 + nth, 24))
        rows.append(_copying("model", step, "extractable", 0.001 * nth, 1000))
    rows.append(_copying("human", None, "copied", 0.011, 24))
    rows.append(_copying("human", None, "longest", 5.5, 24))
    return rows


def _copying(writer: str, step: int | None, measure: str, value: float, texts: int) -> Row:
    return {
        "model": MODEL, "writer": writer, "step": step, "measure": measure, "texts": texts,
        "value": value, "low": 0.5 * value, "high": 1.5 * value,
    }  # fmt: skip


PERPLEXITY: Row = {
    "interval": {"value": 2.31, "low": 2.2, "high": 2.42},
    "gap": {"value": 0.21, "low": 0.1, "high": 0.32},
    "baselines": {"ngram": 3.4, "xz": 3.1},
}
QUALITY: Row = {
    "genre_classifier": {
        "accuracy": 0.81, "low": 0.7, "high": 0.9, "genres": 4, "majority": 0.4, "works": 37,
    },
    "genre_blind": 0.39,
    "judge": "the n-gram model of demo",
    "empty": 0,
    "looping": 0,
}  # fmt: skip
MEMORISATION: Row = {
    "copied": 0.008,
    "human_copied": 0.011,
    "bound": 0.011,
    "passed": True,
    "verdict": "0.8 % of its words are copied, no more than the 1.1 % of held-out human text.",
    "advice": [],
    "extractable": 0.002,
    "extractable_reason": None,
    "longest_words": 10,
    "passage": 8,
}
