"""Runs of words found by the index, held against a search that tries them all."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.corpus import CorpusError
from pipeline.corpus.spec import Layout
from pipeline.memorisation import index, suffixes
from pipeline.memorisation.index import TrainIndex, build_index
from pipeline.memorisation.words import words_of
from tests.corpus_files import row, write_files

FERRY = (
    "The ferryman’s lamp burned low. “Who's there?” he called; nobody answered but the reeds.\n\n"
    "Then, slowly, a hand took hold of the rail – and the boat dipped as if a horse had come aboard"
)
MILL = "Nobody has milled at Harrow since the flood, and yet the wheel is wet each morning."


def write(folder: Path, texts: Sequence[str], layout: Layout = "documents") -> tuple[Path, Path]:
    """A corpus with these documents in train, another held out; and its index."""
    corpus, made = folder / "corpus", folder / "index"
    corpus.mkdir()
    made.mkdir()
    rows = [row(number, text) for number, text in enumerate(texts)]
    held_out = [row(len(texts), "A wholly other tale, told of herons and of bread.")]
    write_files(corpus, {"train": rows, "validation": [], "test": held_out}, layout)
    build_index(corpus, made)
    return made, corpus


@contextmanager
def indexed(texts: Sequence[str], layout: Layout = "documents") -> Iterator[TrainIndex]:
    """The index of a corpus with these documents in train."""
    with TemporaryDirectory() as name, TrainIndex(*write(Path(name), texts, layout)) as opened:
        yield opened


def runs_by_hand(texts: Sequence[str], text: str) -> list[int]:
    """The longest run at each word, by trying all lengths in all documents."""
    documents = [words_of(one).folded for one in texts]
    asked = words_of(text).folded
    found = []
    for at in range(len(asked)):
        most = 0
        for words in documents:
            for start in range(len(words)):
                length = 0
                while (
                    at + length < len(asked)
                    and start + length < len(words)
                    and asked[at + length] == words[start + length]
                ):
                    length += 1
                most = max(most, length)
        found.append(most)
    return found


def count_by_hand(texts: Sequence[str], run: Sequence[str]) -> tuple[int, int]:
    """How often a run stands in the documents, and in which of them first."""
    places = [
        number
        for number, words in enumerate(words_of(one).folded for one in texts)
        for start in range(len(words) - len(run) + 1)
        if words[start : start + len(run)] == list(run)
    ]
    return len(places), places[0]


# Few words, of which some begin others, so that runs are long and bounds of words matter.
_word = st.sampled_from(["a", "an", "Ant", "ants", "it's", "b", "bé", "水", "火"])
_blank = st.sampled_from([" ", "\n", ", ", " – ", ". “"])
_text = st.lists(st.tuples(_word, _blank), max_size=30).map(
    lambda pairs: "".join(word + blank for word, blank in pairs)
)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(_text, min_size=1, max_size=5).filter(lambda texts: any(map(words_of, texts))),
    _text,
    st.integers(1, 4),
    st.sampled_from([1, 5, index._WIDTH]),
)
def test_runs_and_passages_are_those_of_a_search_that_tries_them_all(
    texts: list[str], text: str, least: int, width: int
) -> None:
    words, expected = words_of(text), runs_by_hand(texts, text)
    with pytest.MonkeyPatch.context() as patch, indexed(texts) as opened:
        patch.setattr(index, "_WIDTH", width)  # so that some runs are longer
        assert opened.runs(text).tolist() == expected
        passages = opened.passages(text, least)
        longest = opened.longest(text)
        runs = opened.runs(text)
        assert (opened.passages(text, least, runs), opened.longest(text, runs)) == (
            passages,
            longest,
        )
    ends = [at + run for at, run in enumerate(expected)]
    wanted = [
        (at, run)
        for at, run in enumerate(expected)
        if run >= least and not any(ends[before] >= ends[at] for before in range(at))
    ]
    assert [(words.starts.index(one.start), one.words) for one in passages] == wanted
    for passage, (at, run) in zip(passages, wanted, strict=True):
        assert passage.end == words.ends[at + run - 1]
        places, first = count_by_hand(texts, words.folded[at : at + run])
        assert (passage.places, passage.row["doc_id"]) == (places, f"lamps/wiki/{first}#Plot")
    most = max(expected, default=0)
    assert (longest.words if longest else 0) == most
    if longest:
        assert longest.start == words.starts[expected.index(most)]


@pytest.mark.parametrize("layout", ["stream", "documents", "lines"])
def test_a_copy_is_found_whatever_its_quotes_case_and_lines(layout: Layout) -> None:
    copy = "I say: THE FERRYMAN'S LAMP\nBURNED LOW -- 'Who’s there,' he called... and rowed."
    with indexed([MILL, FERRY], layout) as opened:
        found = opened.longest(copy)
        assert found
        assert (
            copy[found.start : found.end]
            == "THE FERRYMAN'S LAMP\nBURNED LOW -- 'Who’s there,' he called"
        )
        assert (found.words, found.places) == (9, 1)
        assert found.row == {name: row(1, FERRY)[name] for name in found.row}
        assert (found.row["title"], found.row["revision"]) == ("Page 1", "101")
        whole = opened.longest(f"{FERRY}\n")
        assert whole
        assert (whole.start, whole.end) == (0, len(FERRY))


def test_a_run_never_goes_over_from_one_document_into_the_next() -> None:
    first, second = "the owl sat on the bell", "and the bell rang by itself"
    text = f"{first} {second}"
    with indexed([first, second]) as opened:
        assert opened.runs(text).tolist() == [6, 5, 4, 3, 2, 1, 6, 5, 4, 3, 2, 1]
        assert [text[p.start : p.end] for p in opened.passages(text, 3)] == [first, second]
        # Nor does it begin before the first document, or end behind the last one.
        assert opened.runs("itself the").tolist() == [1, 2 - 1]
        assert opened.runs("bell and").max() == 1


def test_first_and_last_words_and_a_text_longer_than_the_corpus() -> None:
    text = f"Zero. {MILL} {MILL} {MILL} Never."
    with indexed([MILL]) as opened:
        words = len(words_of(MILL))
        once = list(range(words, 0, -1))
        assert opened.runs(text).tolist() == [0, *once, *once, *once, 0]
        passages = opened.passages(text, 8)
        assert [passage.words for passage in passages] == [words] * 3
        assert {passage.places for passage in passages} == {1}
        assert opened.runs("Nobody").tolist() == opened.runs("morning").tolist() == [1]
        assert opened.runs("nobod y mornin").tolist() == [0, 0, 0]
        assert opened.runs("").tolist() == []
        assert opened.longest("  –") is None
        assert opened.longest("Zero") is None
        assert opened.passages("Zero never", 1) == []


def test_a_long_text_that_is_copied_as_a_whole_and_twice_over() -> None:
    tale = " ".join(
        f"Room {number} was lit, and {number // 7} owls sat in it." for number in range(2000)
    )
    words = len(words_of(tale))
    with indexed([MILL, f"{tale} {MILL}", f"Once more: {tale}"]) as opened:
        assert opened.runs(tale).tolist() == list(range(words, 0, -1))
        (found,) = opened.passages(tale, words)
        assert (found.places, found.row["doc_id"]) == (2, "lamps/wiki/1#Plot")
        assert opened.runs(f"{tale} nobody has milled").tolist()[0] == words + 3


def test_places_of_64_bits_are_searched_as_well(tmp_path: Path) -> None:
    made, corpus = write(tmp_path, [FERRY, MILL])
    places = np.load(made / "suffixes.npy")
    assert places.dtype == np.int32
    text = f"Nobody answered but the reeds. {MILL}"
    with TrainIndex(made, corpus) as opened:
        narrow = opened.runs(text).tolist(), opened.passages(text, 2)
    np.save(made / "suffixes.npy", places.astype(np.int64))
    with TrainIndex(made, corpus) as opened:
        assert (opened.runs(text).tolist(), opened.passages(text, 2)) == narrow


def test_the_same_corpus_gives_the_same_files(tmp_path: Path) -> None:
    made, corpus = write(tmp_path, [FERRY, MILL])
    (tmp_path / "again").mkdir()
    build_index(corpus, tmp_path / "again")
    names = sorted(path.name for path in made.iterdir())
    assert names == sorted(path.name for path in (tmp_path / "again").iterdir())
    for name in names:
        assert (made / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_an_index_of_another_corpus_or_damaged_is_refused(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    made, corpus = write(tmp_path / "one", [FERRY])
    _, other = write(tmp_path / "other", [MILL])

    def refused(of: Path) -> str:
        with pytest.raises(CorpusError, match="materialize") as told, TrainIndex(made, of):
            pass
        return str(told.value)

    assert "as it stands now" in refused(other)
    assert str(other) in refused(other)
    path = made / "suffixes.npy"
    whole = path.read_bytes()
    path.write_bytes(whole[:-4])
    assert "is damaged" in refused(corpus)
    path.write_bytes(b"")
    assert "is damaged" in refused(corpus)
    # As long as it was, and what it says would have C read before the text, or behind it.
    for place in (b"\xff\xff\xff\xff", (made / "words.txt").stat().st_size.to_bytes(4, "little")):
        path.write_bytes(whole[:-8] + place + whole[-4:])
        assert "a suffix begins outside of the text" in refused(corpus)
    path.write_bytes(whole.replace(b"<i4", b"<f4"))
    assert "no list of places" in refused(corpus)
    path.write_bytes(whole)
    starts = made / "starts.npy"
    starts.write_bytes(starts.read_bytes()[:-8] + (7).to_bytes(8, "little"))
    assert "starts.npy is not in order" in refused(corpus)
    (made / "index.json").write_text("{")
    assert "as it stands now" in refused(corpus)


def test_no_words_and_no_memory_are_clear_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with pytest.raises(CorpusError, match=r"train\.txt: has no words"):
        write(tmp_path / "a", ["–…!", ""])
    monkeypatch.setattr(suffixes, "free_host_memory", lambda: 1000)
    with pytest.raises(CorpusError, match=r"words\.txt: .* takes 1\.\d kB .* 1\.0 kB are free"):
        write(tmp_path / "b", [FERRY, MILL])
