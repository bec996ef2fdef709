"""Which of two models is better, from the sums of each over works."""

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline import intervals
from pipeline.perplexity.compare import compare_models
from pipeline.schema import DIFFERENCES, WORKS


def works(name: str, nats: dict[str, float], **changes: Any) -> pa.Table:
    """The works of a model by name, of 100 to 400 bytes each, with the nats that each took."""
    rows = [
        {"model": name, "stage": "trained", "split": "test", "work_id": work}
        | {"franchise": "tales", "source": "wiki" if number % 2 else "books", "genre": None}
        | {"licence": "CC0-1.0", "documents": 1, "bytes": 100 * (1 + number % 4), "words": 20}
        | {"tokens": 30, "nats": took}
        | changes
        for work, took in nats.items()
        for number in [ord(work[-1])]
    ]
    return pa.Table.from_pylist(rows, schema=WORKS)


def test_each_pair_is_compared_over_the_works_that_both_scored() -> None:
    rng = np.random.default_rng(5)
    hard = {f"work {number}": 100.0 + 60 * rng.random() for number in range(12)}
    better = {work: nats - 5 - rng.random() for work, nats in hard.items() if work != "work 3"}
    table = compare_models(
        {"plain": works("plain", hard), "fine": works("fine", better), "same": works("same", hard)}
    )
    assert table.schema.equals(DIFFERENCES)
    rows = {(r["model"], r["than"], r["group_by"], r["group"]): r for r in table.to_pylist()}
    assert {key[:2] for key in rows} == {("plain", "fine"), ("plain", "same"), ("fine", "same")}
    assert {key[2:] for key in rows} == {
        *(("all", "all"), ("franchise", "tales"), ("licence", "CC0-1.0")),
        *(("source", "tales/wiki"), ("source", "tales/books")),
    }
    sizes = [100 * (1 + ord(work[-1]) % 4) for work in better]
    bits = [[of[work] / math.log(2) for work in better] for of in (hard, better)]
    expected = intervals.paired_difference(bits[0], bits[1], sizes)
    whole = rows["plain", "fine", "all", "all"]
    assert whole["works"] == 11
    assert (whole["value"], whole["low"], whole["high"]) == pytest.approx(
        (expected.value, expected.low, expected.high)
    )
    assert whole["low"] > 0  # the finer one is better, surely
    alike = rows["plain", "same", "all", "all"]
    # Twelve works that show the same difference, none, say nothing of a thirteenth.
    assert (alike["works"], alike["value"], alike["low"], alike["high"]) == (12, 0, None, None)


def test_only_held_out_text_of_the_trained_models_is_compared_and_only_where_it_is_the_same() -> (
    None
):
    one = {"a": 100.0, "b": 120.0, "c": 90.0}
    seen = works("one", {"d": 1.0}, split="train")
    before = works("one", one, stage="initial")
    mine = pa.concat_tables([works("one", one), seen, before])
    other = works("other", {**one, "d": 50.0})
    longer = works("other", {"c": 200.0}, bytes=300, words=40)  # more of the work is held out there
    others = pa.concat_tables([other.slice(0, 2), longer, other.slice(3)])
    (whole,) = (r for r in compare_models({"one": mine, "other": others}).to_pylist()
                if r["group_by"] == "all")  # fmt: skip
    assert (whole["works"], whole["value"]) == (2, 0)


def test_of_one_work_there_is_a_difference_without_interval_and_of_none_no_row() -> None:
    one, other = works("one", {"a": 100.0}), works("other", {"a": 80.0})
    whole = compare_models({"one": one, "other": other}).to_pylist()[0]
    assert whole["value"] == pytest.approx(20 / math.log(2) / 200)
    assert (whole["low"], whole["high"]) == (None, None)
    assert compare_models({"one": one, "else": works("else", {"z": 1.0})}).num_rows == 0
    assert compare_models({"one": one}).schema.equals(DIFFERENCES)
