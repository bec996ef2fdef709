"""What says the same stands on one side of the split, and once; every decision names its reason."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipeline.corpus import CorpusConfig, CorpusError, leaks_in, read_split
from pipeline.corpus.split import SPLITS, TEST, TRAIN, VALIDATION, split_of
from pipeline.schema import ASSIGNMENTS, DROPPED, MATCHES
from tests.corpus_documents import build, document, story, write_documents


def _config(**changes: Any) -> CorpusConfig:
    return CorpusConfig.model_validate(changes)


def _varied(text: str, every: int, word: str = "thistle") -> str:
    """The text with another word at every so many places."""
    words = text.split()
    words[::every] = [word] * len(words[::every])
    return " ".join(words)


class Place:
    """A corpus's folder with its record, built again and again."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.record = folder / "assignments.parquet"
        self.figures: dict[str, Any] = {}

    def build(self, *rows: dict[str, Any], **config: Any) -> dict[str, str]:
        """Build of these rows; the side of each document that is in."""
        path = write_documents(self.folder, "lamps", rows)
        self.corpus = self.folder / "corpus"
        self.figures = build(self.corpus, {"lamps": path}, _config(**config), self.record)
        return {d.doc_id: split for split in SPLITS for d in read_split(self.corpus, split)}

    def dropped(self) -> dict[str, tuple[str, float | None, str | None]]:
        rows = pq.read_table(self.corpus / "dropped.parquet").to_pylist()
        return {row["doc_id"]: (row["reason"], row["figure"], row["partner"]) for row in rows}

    def sides(self) -> dict[str, tuple[str, str]]:
        rows = pq.read_table(self.record).to_pylist()
        return {row["unit"]: (row["split"], row["reason"]) for row in rows}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def _name(number: int) -> str:
    return f"lamps/wikipedia/{number}#Plot"


LONG = 200
PAGES = [document(n, story(n, LONG)) for n in range(60)]


def _of(sides: dict[str, str], split: str) -> int:
    """The number of a page on this side."""
    name = min(name for name, side in sides.items() if side == split)
    return int(name.split("/")[2].partition("#")[0])


@pytest.mark.parametrize("split", SPLITS)
def test_a_near_duplicate_follows_and_the_longest_stays(place: Place, split: str) -> None:
    before = place.build(*PAGES)
    known = _of(before, split)
    longer = document(100, _varied(story(known, LONG), 40) + " " + story(999, 8))
    after = place.build(*PAGES, longer)
    assert after == {name: side for name, side in before.items() if name != _name(known)} | {
        _name(100): split
    }
    reason, figure, partner = place.dropped()[_name(known)]
    assert (reason, partner) == ("near-duplicate", _name(100))
    assert 0.5 < figure < 1
    assert place.sides()["wikipedia:wiki.example/100"] == (split, "near-duplicate")
    assert place.figures["dropped_by_reason"] == {"near-duplicate": 1}
    assert (place.figures["matches"], place.figures["duplicates"]) == ({"near": 1}, 1)
    matches = pq.read_table(place.corpus / "matches.parquet")
    assert matches.schema.equals(MATCHES)
    assert matches["similarity"].to_pylist() == [figure]


def test_a_newcomer_that_would_bridge_the_split_is_dropped(place: Place) -> None:
    before = place.build(*PAGES)
    train, test = _of(before, TRAIN), _of(before, TEST)
    # Each half of it is most of a document that is known.
    both = f"{story(train, LONG)} {story(test, LONG)}"
    bridge = document(100, both)
    after = place.build(*PAGES, bridge, duplicates={"threshold": 0.4})
    assert after == before
    reason, figure, partner = place.dropped()[_name(100)]
    assert (reason, partner) == ("near-duplicate across the split", _name(test))
    assert figure == pytest.approx(196 / 396, abs=0.02)
    # And so it is whenever it comes again, byte for byte.
    files = {path.name: path.read_bytes() for path in place.corpus.iterdir()}
    assert place.build(*PAGES, bridge, duplicates={"threshold": 0.4}) == before
    assert {path.name: path.read_bytes() for path in place.corpus.iterdir()} == files


def test_of_a_bridging_work_only_the_documents_that_match_go(place: Place) -> None:
    before = place.build(*PAGES)
    train, test = _of(before, TRAIN), _of(before, TEST)
    texts = [story(train, LONG) + " Again.", story(test, LONG) + " Again.", story(777, LONG)]
    chapters = [
        document(0, text, doc_id=f"lamps/book#{n}", work_id="book") for n, text in enumerate(texts)
    ]
    after = place.build(*PAGES, *chapters, duplicates={"work_threshold": 0.9})
    assert after["lamps/book#2"] == TRAIN
    assert place.dropped()["lamps/book#1"][::2] == ("near-duplicate across the split", _name(test))
    assert after[_name(test)] == TEST
    assert after["lamps/book#0"] == TRAIN  # the longer of the two on this side
    assert place.dropped()[_name(train)][::2] == ("near-duplicate", "lamps/book#0")


def test_two_recorded_works_that_become_alike_stay_where_they_are(place: Place) -> None:
    before = place.build(*PAGES)
    train, validation, test = (_of(before, split) for split in (TRAIN, VALIDATION, TEST))
    rows = [row for row in PAGES if row["doc_id"] not in (_name(train), _name(validation))]
    same = [document(n, story(test, LONG)) for n in (train, validation)]
    after = place.build(*rows, *same)
    assert after == {n: s for n, s in before.items() if n not in (_name(train), _name(validation))}
    across = ("near-duplicate across the split", 1.0, _name(test))
    assert place.dropped() == {_name(train): across, _name(validation): across}
    # As soon as they differ again, each is back on its side.
    assert place.build(*PAGES) == before


def test_of_two_editions_one_goes_whole(place: Place) -> None:
    def edition(name: str, cut: int) -> list[dict[str, Any]]:
        words = story(5000, 800).split()
        parts = [" ".join(words[start : start + cut]) for start in range(0, 800, cut)]
        return [
            document(0, text, doc_id=f"lamps/{name}#{n}", work_id=name)
            for n, text in enumerate(parts)
        ]

    rows = [*PAGES, *edition("folio", 400), *edition("quarto", 160)]
    sides = place.build(*rows, duplicates={"keep": "first"})
    assert {name for name in sides if "quarto" in name} == set()
    assert len([name for name in sides if "folio" in name]) == 2
    assert {place.dropped()[f"lamps/quarto#{n}"][::2] for n in range(5)} == {
        ("another edition", "folio")
    }
    assert place.sides()["folio"][0] == place.sides()["quarto"][0]


def test_the_newest_stays_by_the_time_of_its_page(place: Place) -> None:
    text = story(5000, LONG)
    times = {"older": 2019, "newer": 2021, "old": 2020}
    rows = [
        document(0, f"{text} {name}.", doc_id=name, work_id=name, revised=f"{year}-01-01T00:00:00Z")
        for name, year in times.items()
    ]
    for row in rows:
        from datetime import datetime

        row["revised"] = datetime.fromisoformat(row["revised"])
    sides = place.build(*PAGES, *rows, duplicates={"keep": "newest"})
    assert set(sides) & set(times) == {"newer"}
    assert {place.dropped()[name][2] for name in ("old", "older")} == {"newer"}


def test_none_keeps_none_of_those_that_match(place: Place) -> None:
    twins = [document(100, PAGES[3]["text"]), document(101, _varied(PAGES[4]["text"], 40))]
    sides = place.build(*PAGES, *twins, duplicates={"keep": "none"})
    assert {_name(n) for n in (3, 4, 100, 101)} == set(place.dropped())
    assert len(sides) == 58


def test_a_held_out_passage_is_left_out_of_train(place: Place) -> None:
    before = place.build(*PAGES)
    test = _of(before, TEST)
    passage = " ".join(story(test, LONG).split()[70:130])
    quoting = [document(n, f"{story(n, 400)} {passage} {story(n + 50, 40)}") for n in (200, 201)]
    after = place.build(*PAGES, *quoting)
    assert after == before | {
        _name(n): place.sides()[f"wikipedia:wiki.example/{n}"][0]
        for n in (200, 201)
        if place.sides()[f"wikipedia:wiki.example/{n}"][0] != TRAIN
    }
    assert place.dropped() == {
        _name(n): ("50 words of held-out text", 60.0, _name(test)) for n in (200, 201)
    }


def test_a_prologue_that_many_share_costs_the_held_out_ones_and_not_train(place: Place) -> None:
    prologue = story(9000, 56)
    rows = [
        document(n, f"{prologue} {story(n, LONG)}" if n % 4 == 0 else story(n, LONG))
        for n in range(180)
    ]
    sides = place.build(*rows)
    given = {unit.rpartition("/")[2]: split for unit, (split, _) in place.sides().items()}
    lost = {_name(n) for n in range(0, 180, 4) if given[str(n)] != TRAIN}
    assert 0 < len(lost) < 10
    assert set(place.dropped()) == lost
    for reason, words, partner in place.dropped().values():
        assert (reason, words) == ("50 words of held-out text", 56)
        assert sides[partner] == TRAIN  # type: ignore[index]
    assert leaks_in(place.corpus)["leaking"] == 0


def test_the_last_of_a_split_stays_though_many_share_its_passage(place: Place) -> None:
    before = place.build(*PAGES)
    (test,) = [name for name, side in before.items() if side == TEST][:1]
    some = [row for row in PAGES if row["doc_id"] == test or before[row["doc_id"]] != TEST]
    text = next(row["text"] for row in PAGES if row["doc_id"] == test)
    passage = " ".join(text.split()[70:130])
    train = [
        n for n in range(200, 230) if split_of(f"wikipedia:wiki.example/{n}", 0.05, 0.05) == TRAIN
    ]
    quoting = [document(n, f"{story(n, 400)} {passage}") for n in train]
    after = place.build(*some, *quoting)
    assert after == {row["doc_id"]: before[row["doc_id"]] for row in some}
    assert set(place.dropped()) == set(map(_name, train))


def test_a_passage_that_empties_train_is_named_with_two_that_share_it(place: Place) -> None:
    passage = story(9000, 56)
    rows = [document(n, f"{story(n, LONG)} {passage}") for n in range(60)]
    with pytest.raises(
        CorpusError,
        match=r"train would be empty: .* for '50 words of held-out text'\); 'lamps/.* shares 56 "
        r"words in a row with 'lamps/.*: look at the two, .* `sections:`",
    ):
        place.build(*rows)
    assert not place.record.exists()


def test_a_licence_left_out_ousts_nobody(place: Place) -> None:
    text = story(5000, LONG)
    licences = {"a": "CC-BY-NC-SA-3.0", "b": "CC-BY-SA-4.0", "c": "CC-BY-SA-4.0", "d": "CC0-1.0"}
    texts = {"a": text, "b": text, "c": text, "d": _varied(text, 40) + " Longer."}
    rows = [
        document(0, texts[name], doc_id=name, work_id=name, licence=spdx)
        for name, spdx in licences.items()
    ]
    # "a" is the first of three same texts, by which the other two are known to be the same.
    sides = place.build(*PAGES, *rows, licences={"exclude_non_commercial": True})
    assert set(sides) & set(licences) == {"d"}
    dropped = place.dropped()
    assert dropped["a"] == ("licence", None, None)
    assert [dropped[name][::2] for name in "bc"] == [("near-duplicate", "d")] * 2
    assert place.figures["excluded_by_licence"] == {"CC-BY-NC-SA-3.0": 1}
    assert place.figures["non_commercial"] is False
    assert not [row for row in pq.read_table(place.corpus / "matches.parquet").to_pylist()
                if "a" in (row["doc_id"], row["partner"])]  # fmt: skip
    sides = place.build(*PAGES, *rows, licences=("CC-BY-SA-4.0",))
    assert set(sides) & set(licences) == {"b"}
    assert place.figures["excluded_by_licence"] == {"CC-BY-NC-SA-3.0": 1, "CC0-1.0": 1}
    assert place.figures["dropped_by_reason"] == {"licence": 2, "same text": 1}


def test_a_dropped_row_is_the_documents_own_and_holds_no_text(place: Place) -> None:
    place.build(*PAGES, document(99, PAGES[3]["text"], revision="9", title="A twin"))
    table = pq.read_table(place.corpus / "dropped.parquet")
    assert table.schema.equals(DROPPED)
    (row,) = table.to_pylist()
    assert (row["title"], row["revision"], row["stage"]) == ("A twin", "9", "corpus")
    assert row["text"] is None


def test_the_record_outlives_the_builds_and_keeps_who_is_gone(place: Place) -> None:
    before = place.build(*PAGES)
    assert pq.read_schema(place.record).equals(ASSIGNMENTS)
    assert pq.read_schema(place.record).metadata[b"split_by"] == b"work"
    held_out = [_of(before, VALIDATION), _of(before, TEST)]
    some = [row for row in PAGES if row["doc_id"] not in map(_name, held_out)]
    other = [document(n, story(n, LONG)) for n in range(300, 360)]
    place.build(*some, *other)
    after = place.build(*PAGES, *other)
    assert {name: after[name] for name in before} == before


def test_by_what_a_corpus_is_split_is_recorded_once(place: Place) -> None:
    chapters = [document(n, story(n, LONG), work_id="book") for n in range(20)]
    place.build(*chapters)
    assert place.figures["split_by"] == "document"
    before = place.build(*chapters, *(document(n, story(n, LONG)) for n in range(20, 40)))
    assert place.figures["split_by"] == "document"
    assert {before[_name(n)] for n in range(20)} == set(SPLITS)


def test_a_newer_edition_of_a_book_keeps_each_chapter_on_its_side(place: Place) -> None:
    def book(name: str, texts: list[str]) -> list[dict[str, Any]]:
        return [
            document(0, text, doc_id=f"lamps/{name}#{n}", work_id=name)
            for n, text in enumerate(texts)
        ]

    texts = [story(n, 160) for n in range(12)]
    rows = [*book("folio", texts), *book("other", [story(100 + n, 160) for n in range(12)])]
    shares = {"validation": 0.2, "test": 0.2}
    before = place.build(*rows, **shares)
    assert place.figures["split_by"] == "document"
    assert {before[f"lamps/folio#{n}"] for n in range(12)} == set(SPLITS)
    # Longer, so that the older one goes whole; and so again when it is there alone.
    longer = book("longer", [f"{text} {story(200 + n, 24)}" for n, text in enumerate(texts)])
    for number, there in enumerate(([*rows, *longer], [*rows[12:], *longer])):
        after = place.build(*there, **shares)
        assert not [name for name in after if "folio" in name]
        assert {n: after[f"lamps/longer#{n}"] for n in range(12)} == {
            n: before[f"lamps/folio#{n}"] for n in range(12)
        }
        assert place.figures["dropped_by_reason"] == ({} if number else {"another edition": 12})


def test_what_goes_for_none_hands_on_its_side(place: Place) -> None:
    before = place.build(*PAGES)
    held_out = [name for name, side in before.items() if side != TRAIN]
    places = {row["doc_id"]: row for row in PAGES}
    twins = [document(100 + n, places[name]["text"]) for n, name in enumerate(held_out)]
    others = [document(n, story(n, LONG)) for n in range(200, 240)]
    place.build(*PAGES, *others, *twins, duplicates={"keep": "none"})
    rest = [row for row in PAGES if row["doc_id"] not in held_out]
    after = place.build(*rest, *others, *twins, duplicates={"keep": "none"})
    assert [after[_name(100 + n)] for n in range(len(twins))] == [before[n] for n in held_out]


def test_a_corpus_without_a_side_left_names_the_record_and_the_remedy(place: Place) -> None:
    before = place.build(*PAGES)
    train = [row for row in PAGES if before[row["doc_id"]] == TRAIN]
    stood = place.record.read_bytes()
    with pytest.raises(
        CorpusError, match=r"no validation.*assignments\.parquet: remove it to deal all works anew"
    ):
        place.build(*train)
    assert place.record.read_bytes() == stood
    place.record.unlink()
    assert set(place.build(*train).values()) == set(SPLITS)


def test_a_newcomer_fills_the_side_that_has_gone(place: Place) -> None:
    before = place.build(*PAGES)
    left = [row for row in PAGES if before[row["doc_id"]] != TEST]
    after = place.build(*left, document(100, story(100, LONG)))
    assert after[_name(100)] == TEST
    assert place.sides()["wikipedia:wiki.example/100"] == (TEST, "empty split")
