"""From a byte, a line or a sentence back to its document: in every layout, at every place."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline.corpus.files import ManifestError, SplitWriter, manifest_writer
from pipeline.corpus.layout import make_layout
from pipeline.corpus.spec import Layout
from pipeline.corpus.split import SPLITS
from pipeline.trace import PlaceError, TracedCorpus

LAYOUTS: tuple[Layout, ...] = ("stream", "documents", "lines")

_WHO = ("The ropewalker", "Aunt Pell", "A clockmaker’s boy", "The last lamplighter")
_WHAT = ("salts the stairs", "counts eleven gulls", "hides a letter in the flour", "waits for rain")
_WHERE = ("by the sluice", "under the dry bridge", "above the chandler's", "at Gorse End")


def tale(number: int) -> str:
    """A story of a few varied sentences, some with a paragraph of their own."""
    pieces = [
        f"{_WHO[(number + turn) % 4]} {_WHAT[(number * 3 + turn) % 4]} {_WHERE[turn % 4]}."
        for turn in range(2 + number % 3)
    ]
    return ("\n\n" if number % 2 else " ").join([f"Night {number} begins.", *pieces])


def document(number: int, text: str) -> dict[str, Any]:
    return {
        "doc_id": f"salt/wikipedia/{number}",
        "work_id": f"wikipedia:wiki.example/{number}",
        "franchise": "salt",
        "source": "wikipedia",
        "url": f"https://wiki.example/wiki/{number}",
        "revision": None,
        "title": f"Night {number}",
        "section": None,
        "genre": (None, "fable")[number % 2],
        "language": "en",
        "licence": "CC0-1.0",
        "attribution_url": None,
        "text": text,
        "text_sha256": sha256(text.encode()).hexdigest(),
    }


def write(folder: Path, layout: Layout, **texts: list[str]) -> Path:
    """A corpus folder of these texts, by the corpus step's own writer."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen = make_layout(layout, ["fable"])
    number = 0
    with manifest_writer(folder, chosen) as manifest:
        for split in SPLITS:
            with SplitWriter(folder, split, manifest, chosen) as writer:
                for text in texts.get(split, []):
                    writer.write(document(number, text))
                    number += 1
    return folder


@pytest.fixture
def tales(tmp_path: Path) -> Callable[[Layout], Path]:
    """Twelve tales to train on, three to test by, none to validate."""
    train, test = [tale(n) for n in range(12)], [tale(n) for n in range(12, 15)]
    return lambda layout: write(tmp_path / layout, layout, train=train, test=test)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_byte_is_found_in_its_row(tales: Callable[[Layout], Path], layout: Layout) -> None:
    folder = tales(layout)
    rows = pq.read_table(folder / "manifest.parquet").to_pylist()
    with TracedCorpus(folder) as corpus:
        for split in ("train", "test"):
            content = (folder / f"{split}.txt").read_bytes()
            for byte in range(0, len(content), 7):
                place = corpus.at_byte(split, byte)
                (row,) = (r for r in rows if r["split"] == split and r["start"] <= byte < r["end"])
                assert place.row == row
                assert (place.split, place.byte) == (split, byte)
                assert place.line == content[:byte].count(b"\n") + 1


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_line_is_found_with_the_first_document_on_it(
    tales: Callable[[Layout], Path], layout: Layout
) -> None:
    folder = tales(layout)
    rows = pq.read_table(folder / "manifest.parquet").to_pylist()
    content = (folder / "train.txt").read_bytes()
    start = 0
    with TracedCorpus(folder) as corpus:
        for number, line in enumerate(content.splitlines(keepends=True), start=1):
            end = start + len(line)
            on_it = [
                r for r in rows if r["split"] == "train" and r["start"] < end and r["end"] > start
            ]
            stories = [r for r in on_it if r["kind"] == "document"]
            place = corpus.at_line("train", number)
            assert place.row == (stories or on_it)[0], number
            assert place.line == number
            start = end
        with pytest.raises(PlaceError, match=f"no line {number + 1:,}; there are 1 to {number}"):
            corpus.at_line("train", number + 1)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_rows_are_found_across_row_groups(tmp_path: Path, layout: Layout) -> None:
    """A manifest of many groups, one of them with rows of two splits."""
    folder = write(
        tmp_path, layout, train=[tale(n) for n in range(40)], test=[tale(n) for n in range(40, 60)]
    )
    path = folder / "manifest.parquet"
    table = pq.read_table(path)
    pq.write_table(table, path, row_group_size=7)
    with TracedCorpus(folder) as corpus:
        for row in table.to_pylist():
            assert corpus.at_byte(row["split"], row["start"]).row == row
            assert corpus.at_byte(row["split"], row["end"] - 1).row == row
            if row["kind"] == "document":
                found = corpus.at_line(row["split"], row["line"]).row
                assert found["line"] <= row["line"]
                assert found["kind"] == "document"


def test_a_separator_says_between_which_documents_it_stands(
    tales: Callable[[Layout], Path],
) -> None:
    for layout in LAYOUTS:
        folder = tales(layout)
        rows = pq.read_table(folder / "manifest.parquet").to_pylist()
        with TracedCorpus(folder) as corpus:
            for row in rows:
                if row["kind"] == "document" or row["split"] != "train":
                    continue
                place = corpus.at_byte("train", row["start"])
                ids = [r["doc_id"] for r in rows if r["kind"] == "document" and
                       r["split"] == "train" and r["end"] <= row["start"]]  # fmt: skip
                assert (place.before and place.before["doc_id"]) == (ids[-1] if ids else None)
                following = f"salt/wikipedia/{len(ids)}" if len(ids) < 12 else None
                assert (place.after and place.after["doc_id"]) == following


def test_the_passage_is_the_text_with_escapes_undone(tmp_path: Path) -> None:
    text = "She writes <EOS> on the wall.\n\nThen a backslash \\n, and sleeps.\u2028At dawn, rain."
    folder = write(tmp_path, "lines", train=[tale(0), text])
    with TracedCorpus(folder) as corpus:
        assert corpus.at_line("train", 2).passage == text
        (place,) = corpus.find("backslash \\n, and", ["train"], places=1, most=9).places
        assert place.passage == text


def test_a_passage_of_a_long_document_is_an_extract_around_the_place(tmp_path: Path) -> None:
    text = " ".join(f"Sentence {n} says that gull {n * 7} has flown." for n in range(4000))
    folder = write(tmp_path, "documents", train=[text])
    with TracedCorpus(folder) as corpus:
        wanted = "Sentence 2000 says that gull 14000"
        (place,) = corpus.find(wanted, ["train"], places=1, most=9).places
        assert wanted in place.passage
        assert len(place.passage) < 600
        assert place.passage.startswith("…")
        assert place.passage.endswith("…")
        assert place.passage[1:-1] in text


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_sentence_is_found_wherever_it_stands(
    tales: Callable[[Layout], Path], layout: Layout
) -> None:
    with TracedCorpus(tales(layout)) as corpus:
        for number in range(15):
            found = corpus.find(tale(number), SPLITS, places=5, most=9)
            assert found.exact
            assert found.count == 1
            assert found.places[0].row["doc_id"] == f"salt/wikipedia/{number}"


def test_places_are_listed_in_order_and_counted_no_further_than_asked(
    tales: Callable[[Layout], Path],
) -> None:
    with TracedCorpus(tales("documents")) as corpus:
        found = corpus.find("begins.", SPLITS, places=3, most=14)
        assert found.count == 14
        assert [place.row["title"] for place in found.places] == ["Night 0", "Night 1", "Night 2"]
        assert corpus.find("begins.", ["test"], places=5, most=99).count == 3
        assert corpus.find("ends.", SPLITS, places=3, most=14).count == 0


def test_a_line_copied_from_the_file_is_found_with_its_tokens(tmp_path: Path) -> None:
    folder = write(tmp_path, "lines", train=[tale(0), tale(1)])
    line = (folder / "train.txt").read_text("utf-8").splitlines()[1]
    assert line.startswith("<BOS> <fable> ")
    assert "\\n" in line
    with TracedCorpus(folder) as corpus:
        found = corpus.find(line, SPLITS, places=1, most=9)
        assert (found.exact, found.places[0].row["doc_id"]) == (True, "salt/wikipedia/1")


@pytest.mark.parametrize("change", ["longer", "shorter", "letter"])
def test_a_text_that_was_changed_is_not_answered_for(
    tales: Callable[[Layout], Path], change: str
) -> None:
    folder = tales("documents")
    path = folder / "train.txt"
    body = path.read_bytes()
    changed = {"longer": body + b"x", "shorter": body[:-1], "letter": body.replace(b"t", b"T", 1)}
    path.write_bytes(changed[change])
    with (
        TracedCorpus(folder) as corpus,
        pytest.raises(ManifestError, match=r"does not match train\.txt.*build the corpus again"),
    ):
        corpus.at_byte("train", 0)


def test_a_manifest_that_is_missing_or_torn_is_refused(tales: Callable[[Layout], Path]) -> None:
    path = tales("documents") / "manifest.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ManifestError, match=r"manifest\.parquet: cannot be read.*build the corpus"):
        TracedCorpus(path.parent).__enter__()
    path.unlink()
    with pytest.raises(ManifestError, match=r"manifest\.parquet: missing; build the corpus"):
        TracedCorpus(path.parent).__enter__()


def test_an_empty_split_has_no_places(tales: Callable[[Layout], Path]) -> None:
    with TracedCorpus(tales("documents")) as corpus:
        for ask in (corpus.at_byte, corpus.at_line):
            with pytest.raises(PlaceError, match="it is empty"):
                ask("validation", 1)
        assert corpus.find("rain", ["validation"], places=1, most=1).count == 0


_LETTERS = st.sampled_from("ab \n\\n<EOS>u2028\u2028’'—-é")


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.text(_LETTERS, min_size=1, max_size=30), min_size=1, max_size=4), st.data())
@example(["foo\nothing"], None)
def test_a_piece_of_a_text_is_found_and_the_letter_of_an_escape_is_none(
    tmp_path: Path, texts: list[str], data: st.DataObject | None
) -> None:
    text = texts[0]
    begin = data.draw(st.integers(0, len(text) - 1)) if data else 4
    end = data.draw(st.integers(begin + 1, len(text))) if data else len(text)
    piece = text[begin:end]
    for layout in ("documents", "lines"):
        folder = write(tmp_path / layout, layout, train=texts)
        with TracedCorpus(folder) as corpus:
            found = corpus.find(piece, ["train"], places=1, most=1000)
            if "<" not in text and ">" not in text:  # a token cut in two is written otherwise
                assert found.exact
            assert corpus.find("nothing", ["train"], places=1, most=9).count == sum(
                "nothing" in text for text in texts
            )
