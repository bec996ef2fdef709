"""Runs of words found by the index, held against a search that tries them all."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.corpus.spec import Layout
from pipeline.memorisation.index import TrainIndex, build_index
from pipeline.memorisation.words import words_of
from tests.corpus_files import row, write_files

FERRY = (
    "The ferryman’s lamp burned low. “Who's there?” he called; nobody answered but the reeds.\n\n"
    "Then, slowly, a hand took hold of the rail – and the boat dipped as if a horse had come aboard"
)
MILL = "Nobody has milled at Harrow since the flood, and yet the wheel is wet each morning."


@contextmanager
def indexed(texts: Sequence[str], layout: Layout = "documents") -> Iterator[TrainIndex]:
    """The index of a corpus with these documents in train, and another held out."""
    with TemporaryDirectory() as name:
        corpus, folder = Path(name) / "corpus", Path(name) / "index"
        corpus.mkdir()
        folder.mkdir()
        rows = [row(number, text) for number, text in enumerate(texts)]
        held_out = [row(len(texts), "A wholly other tale, told of herons and of bread.")]
        write_files(corpus, {"train": rows, "validation": [], "test": held_out}, layout)
        build_index(corpus, folder)
        with TrainIndex(folder, corpus) as opened:
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
)
def test_runs_and_passages_are_those_of_a_search_that_tries_them_all(
    texts: list[str], text: str, least: int
) -> None:
    words, expected = words_of(text), runs_by_hand(texts, text)
    with indexed(texts) as opened:
        assert opened.runs(text).tolist() == expected
        passages = opened.passages(text, least)
        longest = opened.longest(text)
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
