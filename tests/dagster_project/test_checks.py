"""A check fails where what it names is gone."""

from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crawlers.outcome import CrawlOutcome
from dagster_project import checks
from pipeline.schema import MANIFEST


def _manifest(folder: Path, *rows: tuple[str, str, str]) -> Path:
    table = pa.Table.from_pylist(
        [
            {"split": split, "start": 0, "end": 1, "line": 1, "kind": "document"}
            | {"doc_id": d, "work_id": w}
            for split, d, w in rows
        ],
        schema=MANIFEST,
    )
    pq.write_table(table, folder / "manifest.parquet")
    return folder / "manifest.parquet"


@pytest.mark.parametrize(("split_by", "passed"), [("work", False), ("document", True)])
def test_a_work_in_two_splits_is_seen(tmp_path, split_by, passed):
    manifest = _manifest(tmp_path, ("train", "a", "book"), ("test", "b", "book"))
    assert checks.split_disjoint(manifest, split_by).passed is passed


def test_works_apart_pass(tmp_path):
    manifest = _manifest(
        tmp_path, ("train", "a", "one"), ("train", "b", "one"), ("test", "c", "two")
    )
    assert checks.split_disjoint(manifest, "work").passed


@pytest.mark.parametrize(("fetched", "passed"), [(10, True), (9, True), (8, False), (0, False)])
def test_pages_that_did_not_arrive_are_seen(fetched, passed):
    outcome = CrawlOutcome("crawl", "wikipedia", "heroes", "2026-01-01", listed=10, fetched=fetched)
    assert checks.pages_arrived(fetched, outcome).passed is passed


@pytest.mark.parametrize(
    ("low", "high", "passed"),
    [(-0.9, -0.1, True), (-0.9, 0.1, False), (0.1, 0.2, False), (None, None, False)],
)
def test_training_is_better_only_where_its_whole_interval_says_so(low, high, passed):
    figures = {"bits_per_byte_initial": 3.0, "bits_per_byte": 2.5, "works": 4 if high else 1}
    difference = {"value": -0.5, "low": low, "high": high}
    found = checks.tuned_better({**figures, "difference": {"initial": difference}})
    assert found.passed is passed
    assert ("hold out more works" in found.description) == (high is None)


def test_a_broken_promise_to_a_site_is_seen_and_named():
    kept = checks.politeness_kept({"kept": True, "sent": 9, "broken": []})
    assert kept.passed
    broken = checks.politeness_kept({"kept": False, "sent": 9, "broken": ["h: too fast"]})
    assert not broken.passed
    assert broken.severity is dg.AssetCheckSeverity.ERROR
    assert broken.description == "h: too fast"


def test_a_work_in_two_splits_is_named(tmp_path):
    manifest = _manifest(tmp_path, ("train", "a", "book"), ("test", "b", "book"))
    found = checks.split_disjoint(manifest, "work")
    assert found.metadata["in_two_splits"].value == 1
    assert "book" in found.description


def test_a_held_out_passage_in_train_is_seen_and_named():
    clean = {"train": 9, "held_out": 2, "leaking": 0, "first": []}
    assert checks.no_leak(clean).passed
    found = checks.no_leak(clean | {"leaking": 1, "first": ["a shares 60 words in a row with b"]})
    assert not found.passed
    assert found.severity is dg.AssetCheckSeverity.ERROR
    assert found.description == "a shares 60 words in a row with b"
    assert found.metadata["leaking"].value == 1


def test_where_no_document_is_left_it_says_why_and_what_to_do():
    figures = {"documents": 0, "characters": 0, "pages": 2, "dropped_by_reason": {"too short": 2}}
    result = checks.not_empty(figures)
    assert not result.passed
    assert "of 2 pages; left out: too short 2; add text" in (result.description or "")
    assert checks.not_empty(figures | {"documents": 1, "characters": 9}).passed


def test_a_model_that_copies_above_its_bound_is_told_what_to_do():
    figures = {
        "passed": False,
        "copied": 0.4,
        "human_copied": 0.01,
        "intervals": {
            "copied": {"value": 0.4, "low": 0.3, "high": 0.5},
            "human_copied": {"value": 0.01, "low": None, "high": None},
        },
        "bound": 0.01,
        "longest_words": 61,
        "verdict": "It copies.",
        "advice": ["Train for fewer steps."],
    }
    found = checks.no_copy_above_bound(figures)
    assert not found.passed
    assert found.severity is dg.AssetCheckSeverity.ERROR
    assert found.description == "It copies.\nTrain for fewer steps."
    assert found.metadata["copied"].value == "40.00% (30.00% to 50.00%)"
    assert found.metadata["held_out_human_text"].value == "1.00%"
    assert checks.no_copy_above_bound(figures | {"passed": True}).passed
