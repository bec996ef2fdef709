"""Lengths, tokens and similarities are counted as they say, and in bounded memory."""

import random
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.schema import MATCHES
from pipeline.statistics import count_words, read_statistics
from pipeline.tokens import DRAWN, TokenCount, TokenDraw
from tests.pipeline.reports.corpora import Corpus, document, tell


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return Corpus(tmp_path_factory.mktemp("tales"), [document(n) for n in range(60)]).build()


def test_words_are_counted_across_the_pieces_of_a_long_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = tell(1, 40) + "\n\n  \t" + "x" * 500 + "\u2003" + tell(2, 3)
    for piece in (1, 2, 7, 100, 1 << 20):
        monkeypatch.setattr("pipeline.statistics._PIECE", piece)
        assert count_words(text) == len(text.split())
    assert count_words("") == count_words(" \n ") == 0


def test_lengths_are_those_of_the_documents_and_their_groups(corpus: Corpus) -> None:
    found = read_statistics(corpus.folder)
    words = sorted(row["words"] for row in corpus.rows)
    assert (found.lengths.shortest, found.lengths.longest) == (words[0], words[-1])
    assert (found.lengths.tenth, found.lengths.median) == (words[5], words[29])
    assert found.lengths.mean == round(sum(words) / len(words), 1)
    of_fables = sorted(row["words"] for row in corpus.rows if row["genre"] == "fable")
    assert found.by_genre["fable"].median == of_fables[len(of_fables) // 2 - 1]
    assert found.by_genre["none"].documents == 20
    assert list(found.by_source) == ["lamps/wiki"]


def test_the_histogram_holds_every_document_once(corpus: Corpus) -> None:
    found = read_statistics(corpus.folder).histogram
    for low, high, count in zip(found.edges[:-1], found.edges[1:], found.counts, strict=True):
        assert high / low == pytest.approx(2**0.5, rel=1e-3)
        assert count == sum(low <= row["words"] < high for row in corpus.rows)


def test_whoever_watches_sees_each_document_with_its_split(corpus: Corpus) -> None:
    seen: dict[str, str] = {}
    read_statistics(corpus.folder, lambda split, found: seen.update({found.doc_id: split}))
    assert set(seen) == {row["doc_id"] for row in corpus.rows}
    manifest = pq.read_table(corpus.folder / "manifest.parquet").to_pylist()
    assert seen == {row["doc_id"]: row["split"] for row in manifest if row["kind"] == "document"}


def test_similarities_are_counted_by_kind(corpus: Corpus) -> None:
    rows = [
        {"kind": kind, "work_id": "a", "partner_work": "b", "similarity": similarity}
        for kind, similarity in (("exact", 1.0), ("near", 0.51), ("near", 0.99), ("work", 0.36))
    ]
    pq.write_table(pa.Table.from_pylist(rows, MATCHES), corpus.folder / "matches.parquet")
    found = read_statistics(corpus.folder).similarities
    assert found is not None
    assert found.exact == 1
    where = [found.near.edges[at] for at, count in enumerate(found.near.counts) if count]
    assert where == [0.5, 0.975]
    assert sum(found.works.counts) == 1


def test_a_small_corpus_is_counted_whole(corpus: Corpus) -> None:
    tokens = read_statistics(corpus.folder).tokens
    for split, count in tokens.items():
        written = sum(
            row["end"] - row["start"]
            for row in pq.read_table(corpus.folder / "manifest.parquet").to_pylist()
            if row["split"] == split and row["kind"] == "document"
        )
        assert count.bytes == count.drawn == written
        assert count.tokens == count.drawn_tokens
        assert count.bytes_a_token is not None
        assert 1 < count.bytes_a_token < 8


def test_a_large_one_is_drawn_and_the_estimate_comes_near(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(3)
    texts = {f"tale {n}": tell(n, draw.randrange(20, 900)) for n in range(80)}
    size = sum(len(text.encode()) for text in texts.values())
    whole = _count(texts, size)
    monkeypatch.setitem(DRAWN, "train", size // 4)
    part = _count(texts, size)
    assert part.bytes == whole.bytes == whole.drawn == size
    assert 0.15 * size < part.drawn < 0.35 * size
    # Of a smaller draw the vocabulary is smaller, so its tokens are shorter.
    assert part.tokens == pytest.approx(whole.tokens, rel=0.15)
    assert part == _count(dict(reversed(texts.items())), size)


def test_a_control_token_in_a_text_is_text() -> None:
    told = {f"tale {n}": tell(n, 30) + " <|endoftext|>" * 50 for n in range(4)}
    plain = {name: text.replace("<|endoftext|>", "<endoftext>") for name, text in told.items()}
    assert _count(told, 1).drawn_tokens >= _count(plain, 1).drawn_tokens


def test_nothing_at_all_is_no_text() -> None:
    count = _count({"empty": ""}, 0)
    assert (count.tokens, count.bytes_a_token) == (0, None)


def _count(texts: dict[str, str], size: int) -> TokenCount:
    draw = TokenDraw({"train": size})
    for name, text in texts.items():
        draw.add("train", name, text)
    return draw.count()[0]["train"]


def test_counting_tokens_needs_no_torch() -> None:
    code = (
        "import sys, pipeline.statistics, pipeline.reports.corpus.sections; "
        "print([name for name in ('torch', 'transformers', 'daft') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
