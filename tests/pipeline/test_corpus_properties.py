"""What holds of any corpus: the manifest gives every byte back, and splits stay where they are."""

from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.corpus import CorpusConfig, build_corpus, read_split
from pipeline.corpus.split import SPLITS, assign_splits, split_of
from pipeline.schema import DOCUMENTS

#: Texts with all that a reader of separators would stumble over.
TEXTS = st.lists(
    st.one_of(
        st.text(st.characters(codec="utf-8"), max_size=60),
        st.sampled_from(
            ["<|endoftext|>", "\n<|endoftext|>\n", "<EOS>", "\n", "\r\n", "\0", "🪔", "e\u0301"]
        ),
    ),
    min_size=1,
    max_size=6,
).map("".join)


@settings(max_examples=40, deadline=None)
@given(st.lists(TEXTS, min_size=3, max_size=25, unique=True))
def test_the_manifest_covers_every_byte_and_gives_each_text_back(texts: list[str]) -> None:
    rows = [
        {
            "doc_id": str(number),
            "work_id": str(number),
            "franchise": "f",
            "source": "s",
            "url": "https://wiki.example/",
            "title": "t",
            "licence": "CC0-1.0",
            "text": text,
            "text_sha256": sha256(text.encode()).hexdigest(),
            "characters": len(text),
            "words": len(text.split()),
        }
        for number, text in enumerate(texts)
    ]
    with TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "documents.parquet"
        pq.write_table(pa.Table.from_pylist(rows, schema=DOCUMENTS), path)
        build_corpus({"f": path}, CorpusConfig(), folder)
        read = {d.doc_id: d.text for split in SPLITS for d in read_split(folder, split)}
        assert read == {row["doc_id"]: row["text"] for row in rows}
        manifest = pq.read_table(folder / "manifest.parquet").to_pylist()
        for split in SPLITS:
            ranges = [(row["start"], row["end"]) for row in manifest if row["split"] == split]
            size = (folder / f"{split}.txt").stat().st_size
            assert [start for start, _ in ranges] == [0, *(end for _, end in ranges[:-1])]
            assert ranges[-1][1] == size


WORKS = st.sets(st.text(max_size=12), min_size=3, max_size=60)


@given(WORKS)
def test_each_work_has_one_split_and_none_is_empty(works: set[str]) -> None:
    splits = assign_splits(works, 0.05, 0.05)
    assert set(splits) == works
    assert set(splits.values()) == set(SPLITS)


@given(
    st.sets(st.text(max_size=12), min_size=15, max_size=60),
    st.floats(0.01, 0.4),
    st.floats(0.01, 0.4),
)
def test_no_other_work_changes_a_works_side(
    works: set[str], validation: float, test: float
) -> None:
    splits = {work: split_of(work, validation, test) for work in works}
    # Where each split has a work of its own, nothing overrides the hash.
    if set(splits.values()) == set(SPLITS):
        assert assign_splits(works, validation, test) == splits


def test_splits_stay_when_works_come_and_go() -> None:
    works = {f"work {number}" for number in range(500)}
    before = assign_splits(works, 0.05, 0.05)
    after = assign_splits(
        {work for work in works if not work.endswith("7")} | {f"new {n}" for n in range(300)},
        0.05,
        0.05,
    )
    assert all(after[work] == before[work] for work in works & set(after))


def test_the_shares_are_those_asked_for() -> None:
    works = [f"work {number}" for number in range(20_000)]
    splits = list(assign_splits(works, 0.1, 0.2).values())
    assert abs(splits.count("validation") / len(works) - 0.1) < 0.01
    assert abs(splits.count("test") / len(works) - 0.2) < 0.01
