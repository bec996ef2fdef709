"""Fifty words of held-out text in a row are found wherever they stand, forty-nine are left."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.corpus import leaks_in
from pipeline.corpus.leak import FEW, PASSAGE, Leak, find_leaks
from pipeline.dedup.shingles import SLICE
from pipeline.dedup.spelling import fold
from tests.corpus_documents import build, document, story, write_documents


def _words(seed: int, count: int) -> list[str]:
    return story(seed, count).split()


def _found(held_out: dict[str, str], train: dict[str, str]) -> dict[str, tuple[str, int]]:
    leaks, _ = find_leaks(lambda: iter(held_out.items()), iter(train.items()))
    return {leak.name: (leak.partner, leak.words) for leak in leaks}


@pytest.mark.parametrize(("shared", "leaks"), [(49, False), (50, True), (73, True)])
def test_fifty_words_are_a_passage(shared: int, leaks: bool) -> None:
    passage = _words(1, shared)
    held_out = {"h": " ".join([*_words(2, 300), *passage, *_words(3, 90)])}
    train = {"t": " ".join([*_words(4, 80), *passage, *_words(5, 500)]), "u": story(6, 900)}
    assert _found(held_out, train) == ({"t": ("h", shared)} if leaks else {})


def test_spelling_and_punctuation_hide_nothing() -> None:
    passage = "The king, whose musick had gone, would not haue the lamp lit again - not once! " * 5
    other = "the King whose music had gone would not have the lamp lit again; not once... " * 5
    assert _found({"h": passage}, {"t": other}) == {"t": ("h", 75)}


def test_the_first_held_out_document_is_named() -> None:
    passage = story(1, 60)
    held_out = {"a": story(2, 200), "b": passage, "c": f"{story(3, 90)} {passage}"}
    assert _found(held_out, {"t": passage}) == {"t": ("b", 60)}


def test_of_what_many_of_train_share_the_held_out_document_goes() -> None:
    prologue, speech = story(1, 60), story(2, 70)
    held_out = {
        "a": f"{story(3, 90)} {prologue}",
        "b": f"{speech} {story(4, 90)} {prologue}",
        "c": f"{story(5, 90)} {speech}",
        "d": f"{story(6, 90)} {story(7, 200)}",
    }
    texts = [f"{story(10 + n, 80)} {prologue}" for n in range(4)]
    train = {f"t{n}": text for n, text in enumerate(texts)} | {"u": f"{speech} {story(20, 80)}"}
    # "d" has four passages, each of them in another document: more than three all the same.
    words = held_out["d"].split()
    train |= {f"v{n}": " ".join(words[60 * n : 60 * n + 60]) for n in range(4)}
    leaks, instead = find_leaks(lambda: iter(held_out.items()), iter(train.items()), FEW)
    assert leaks == [Leak("u", "c", 70)]
    assert instead == [Leak("a", "t0", 60), Leak("b", "t0", 60), Leak("d", "v0", 60)]
    # Of three they are train's to lose, and so for whom is to be kept.
    del train["t3"], train["v3"]
    leaks, instead = find_leaks(lambda: iter(held_out.items()), iter(train.items()), FEW, {"b"})
    assert [leak.name for leak in leaks] == ["t0", "t1", "t2", "u", "v0", "v1", "v2"]
    assert instead == []


def test_who_shares_only_with_those_that_go_anyway_stays() -> None:
    prologue, speech = story(1, 60), story(2, 70)
    train = {f"t{n}": f"{story(10 + n, 80)} {prologue} {speech}" for n in range(4)}
    held_out = {"a": f"{story(3, 90)} {prologue}", "b": speech}
    named = [lambda: iter(held_out.items()), lambda: iter(train.items())]
    leaks, instead = find_leaks(named[0], named[1](), FEW, {"a"})
    assert ([leak.name for leak in leaks], instead) == (list(train), [])


@pytest.mark.parametrize("few", [None, FEW])
@pytest.mark.parametrize("shared", range(25, 50, 3))
def test_what_is_suspected_and_no_passage_is_none(shared: int, few: int | None) -> None:
    words = story(1, shared)
    texts = [("h", f"{story(2, 80)} {words} {story(3, 80)}"), ("t", f"{words} {story(9, 80)}")]
    assert find_leaks(lambda: texts[:1], texts[1:], few) == ([], [])


def test_nothing_is_found_in_nothing() -> None:
    assert _found({}, {"t": story(1, 90)}) == {}
    assert _found({"h": story(1, 49), "i": "-"}, {"t": story(1, 49), "u": "—"}) == {}
    assert _found({"h": story(1, 90)}, {}) == {}


def test_a_text_longer_than_a_slice_is_searched_to_its_end() -> None:
    chance = random.Random(3)
    words = ["".join(chance.choices("bcdfgklmnprst", k=6)) for _ in range(SLICE // 5)]
    long = " ".join(words)
    assert len(long) > SLICE
    ends = {"first": " ".join(words[:50]), "last": " ".join(words[-50:])}
    assert _found(ends, {"long": long}) == {"long": ("first", 50)}
    assert set(_found({"long": long}, ends)) == {"first", "last"}


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.integers(40, 60), min_size=1, max_size=4))
def test_what_is_found_is_what_comparing_every_run_finds(seed: int, lengths: list[int]) -> None:
    chance = random.Random(seed)
    held_out = {f"h{n}": _words(chance.randrange(10**9), 200) for n in range(3)}
    train = {}
    for number, length in enumerate(lengths):
        source = held_out[f"h{chance.randrange(3)}"]
        start = chance.randrange(len(source) - length)
        train[f"t{number}"] = [
            *_words(chance.randrange(10**9), chance.randrange(1, 60)),
            *source[start : start + length],
            *_words(chance.randrange(10**9), chance.randrange(1, 60)),
        ]
    known = {run for words in held_out.values() for run in _runs(words)}
    expected = {name for name, words in train.items() if known & _runs(words)}
    texts = [{name: " ".join(words) for name, words in some.items()} for some in (held_out, train)]
    assert set(_found(*texts)) == expected


def _runs(words: list[str]) -> set[tuple[str, ...]]:
    folded = [sound for word in words if (sound := fold(word))]
    return {tuple(folded[n : n + PASSAGE]) for n in range(len(folded) - PASSAGE + 1)}


def test_the_check_reads_what_was_written(tmp_path: Path) -> None:
    rows = [document(number, story(number, 120)) for number in range(40)]
    folder = tmp_path / "corpus"
    build(folder, {"lamps": write_documents(tmp_path, "lamps", rows)})
    clean = leaks_in(folder)
    assert (clean["leaking"], clean["first"]) == (0, [])
    assert clean["train"] + clean["held_out"] == 40
    # The same files with the sides exchanged: what is held out now stands in both.
    for suffix in ("test.txt", "validation.txt"):
        (folder / suffix).write_bytes((folder / "train.txt").read_bytes())
    _copy_rows(folder)
    leaking = leaks_in(folder)
    assert leaking["leaking"] == leaking["train"] == clean["train"]
    assert "shares 120 words in a row with lamps/" in leaking["first"][0]


def _copy_rows(folder: Path) -> None:
    """The manifest's rows of train for each split."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(folder / "manifest.parquet")
    train = table.filter(pc.equal(table["split"], "train"))
    parts = [
        train.set_column(0, table.schema.field(0), pa.array([split] * len(train)))
        for split in ("train", "validation", "test")
    ]
    pq.write_table(pa.concat_tables(parts), folder / "manifest.parquet")
