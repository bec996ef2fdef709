"""Who goes and who stays, and that every reason given is true."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("daft", reason="daft is not installed: pip install daft==0.7.26")

from pipeline.dedup.choice import choose
from pipeline.dedup.components import connected
from pipeline.dedup.errors import DedupError
from pipeline.dedup.policy import Keep
from pipeline.schema import MATCHES

Words = Callable[[int, int], list[str]]


def _matches(*rows: tuple[str, str, str, float]) -> pa.Table:
    """Of (kind, one, other, similarity); a document's work is what stands before its #."""
    table = []
    for kind, one, other, similarity in rows:
        works = {"work_id": one.partition("#")[0], "partner_work": other.partition("#")[0]}
        names = {} if kind == "work" else {"doc_id": one, "partner": other}
        table.append({"kind": kind, "similarity": similarity, **works, **names})
    return pa.Table.from_pylist(table, schema=MATCHES)


def _documents(**characters: int) -> pa.Table:
    names = [name.replace("_", "#") for name in characters]
    return pa.table(
        {
            "doc_id": names,
            "work_id": [name.partition("#")[0] for name in names],
            "characters": list(characters.values()),
        }
    )


def _gone(matches: pa.Table, documents: pa.Table, keep: Keep) -> dict[str, tuple[str, str]]:
    removals = choose(matches, documents, keep)
    return {removal.doc_id: (removal.partner, removal.kind) for removal in removals}


def test_the_longest_the_first_or_none_stays() -> None:
    matches = _matches(("near", "a", "b", 0.8), ("exact", "c", "d", 1.0))
    documents = _documents(a=10, b=20, c=5, d=5, e=1)
    assert _gone(matches, documents, "longest") == {"a": ("b", "near"), "d": ("c", "exact")}
    assert _gone(matches, documents, "first") == {"b": ("a", "near"), "d": ("c", "exact")}
    assert set(_gone(matches, documents, "none")) == {"a", "b", "c", "d"}


def test_the_newest_stays_and_what_has_no_time_is_oldest() -> None:
    matches = _matches(("near", "a", "b", 0.8), ("near", "b", "c", 0.9))
    times = [None, datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)]
    documents = _documents(a=1, b=1, c=1)
    with pytest.raises(DedupError, match="lacks revised"):
        choose(matches, documents, "newest")
    documents = documents.append_column("revised", pa.array(times, pa.timestamp("ms", "UTC")))
    assert _gone(matches, documents, "newest") == {"b": ("c", "near")}


def test_a_chain_takes_nobody_who_resembles_none_that_stays() -> None:
    matches = _matches(("near", "a", "b", 0.6), ("near", "b", "c", 0.6))
    assert _gone(matches, _documents(a=30, b=20, c=10), "longest") == {"b": ("a", "near")}
    assert _gone(matches, _documents(a=10, b=20, c=15), "longest") == {
        "a": ("b", "near"),
        "c": ("b", "near"),
    }
    assert connected([("c", "b"), ("b", "a")]) == {"a": "a", "b": "a", "c": "a"}


def test_a_near_match_counts_for_all_documents_of_its_texts() -> None:
    matches = _matches(("exact", "a", "b", 1.0), ("near", "a", "c", 0.7))
    assert _gone(matches, _documents(c=30, b=20, a=20), "longest") == {
        "a": ("c", "near"),
        "b": ("c", "near"),
    }


def test_of_two_editions_one_goes_whole() -> None:
    matches = _matches(
        ("work", "old", "new", 0.6), ("near", "new#1", "old#1", 0.9), ("near", "old#2", "x#1", 0.8)
    )
    documents = _documents(old_1=50, old_2=50, new_1=60, new_2=60, x_1=5)
    assert _gone(matches, documents, "longest") == {
        "old#1": ("new", "work"),
        "old#2": ("new", "work"),
    }


def test_a_work_is_not_ousted_by_one_that_has_a_small_part_of_it() -> None:
    matches = _matches(("work", "book", "page", 0.4), ("near", "book#1", "page#1", 0.9))
    documents = _documents(page_1=40, book_1=40, book_2=60)
    assert _gone(matches, documents, "first") == {"book#1": ("page#1", "near")}
    # Who has more than half of it ousts it, though it is the shorter one.
    matches = _matches(("work", "book", "page", 0.7))
    documents = _documents(page_1=70, book_1=40, book_2=60)
    assert set(_gone(matches, documents, "first")) == {"book#1", "book#2"}


@pytest.mark.parametrize("similarity", [0.39, 0.68])
def test_of_editions_of_one_length_one_goes_however_they_are_spelt(similarity: float) -> None:
    matches = _matches(("work", "folio", "modern", similarity))
    documents = _documents(folio_1=1000, modern_1=500, modern_2=480)
    for keep in ("longest", "first"):
        assert set(_gone(matches, documents, keep)) == {"modern#1", "modern#2"}  # type: ignore[arg-type]


def test_another_edition_names_a_work_of_which_something_stays() -> None:
    # All of "quarto" goes as near-duplicates of pages, so it cannot be why "reprint" goes.
    matches = _matches(
        ("work", "quarto", "reprint", 0.8),
        ("near", "quarto#1", "x", 0.9),
        ("near", "quarto#2", "y", 0.9),
    )
    documents = _documents(x=1, y=1, quarto_1=1, quarto_2=1, reprint_1=1, reprint_2=1)
    assert _gone(matches, documents, "first") == {
        "quarto#1": ("x", "near"),
        "quarto#2": ("y", "near"),
    }
    # A third edition that stays is named instead.
    matches = pa.concat_tables([matches, _matches(("work", "octavo", "reprint", 0.6))])
    documents = _documents(
        x=1, y=1, quarto_1=1, quarto_2=1, octavo_1=1, octavo_2=1, reprint_1=1, reprint_2=1
    )
    gone = _gone(matches, documents, "first")
    assert {name: gone[name] for name in gone if "reprint" in name} == {
        "reprint#1": ("octavo", "work"),
        "reprint#2": ("octavo", "work"),
    }


def test_with_none_what_matches_a_chapter_of_an_edition_goes_too() -> None:
    matches = _matches(("work", "old", "new", 0.6), ("exact", "new#1", "x#1", 1.0))
    documents = _documents(old_1=5, new_1=5, x_1=5, x_2=5)
    assert set(_gone(matches, documents, "none")) == {"old#1", "new#1", "x#1"}


def test_the_reasons_are_few_and_name_nobody() -> None:
    matches = _matches(
        ("near", "a", "b", 0.75), ("exact", "c", "d", 1.0), ("work", "old", "new", 0.5)
    )
    removals = choose(matches, _documents(a=2, b=1, c=2, d=1, old_1=1, new_1=2), "longest")
    assert {(removal.doc_id, removal.reason, removal.partner) for removal in removals} == {
        ("b", "near-duplicate", "a"),
        ("d", "same text", "c"),
        ("old#1", "another edition", "new"),
    }


def test_a_match_with_one_that_is_not_asked_about_counts_for_nothing() -> None:
    matches = _matches(
        ("near", "a", "b", 0.9), ("exact", "a", "c", 1.0), ("exact", "a", "d", 1.0),
        ("work", "new", "old", 0.5),
    )  # fmt: skip
    # Without "a" its twins still are each other's.
    assert _gone(matches, _documents(c=1, d=1, old_1=3), "longest") == {"d": ("c", "exact")}


_LETTERS = "abcdefgh"


@given(
    st.dictionaries(
        st.tuples(st.sampled_from(_LETTERS), st.sampled_from(_LETTERS)).filter(
            lambda pair: pair[0] < pair[1]
        ),
        st.floats(0.5, 0.99),
    ),
    st.lists(st.integers(1, 5), min_size=8, max_size=8),
    st.sampled_from(["longest", "first"]),
    st.randoms(),
)
def test_whoever_goes_matches_one_that_stays_and_no_two_that_stay_match(
    links: dict[tuple[str, str], float], lengths: list[int], keep: Keep, chance: Any
) -> None:
    rows = [("near", one, other, similarity) for (one, other), similarity in links.items()]
    documents = _documents(**dict(zip(_LETTERS, lengths, strict=True)))
    removals = choose(_matches(*rows), documents, keep)
    gone = {removal.doc_id for removal in removals}
    assert not [pair for pair in links if not gone & set(pair)]
    for removal in removals:
        assert removal.partner not in gone
        pair = tuple(sorted((removal.doc_id, removal.partner)))
        assert links[pair] == removal.similarity  # type: ignore[index]
    chance.shuffle(rows)
    assert choose(_matches(*rows), documents, keep) == removals


def test_what_the_search_finds_the_policy_takes(corpus: Any, words: Words) -> None:
    story = words(100, 1)
    corpus.add("oz", {"short": " ".join(story), "other": " ".join(words(100, 2))})
    corpus.add("wonderland", {"long": " ".join([*story, "and", "ever", "after"])})
    (removal,) = choose(corpus.matches(), corpus.table(), "longest")
    assert (removal.doc_id, removal.partner) == ("oz/short", "wonderland/long")
    assert removal.similarity == pytest.approx(96 / 99)
