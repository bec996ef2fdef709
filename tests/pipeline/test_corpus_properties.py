"""What holds of any corpus: the manifest gives every byte back, and splits stay where they are."""

import re
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline.corpus import CorpusConfig, build_corpus, read_split
from pipeline.corpus.layout import control_token, make_layout
from pipeline.corpus.spec import Layout
from pipeline.corpus.split import SPLITS, assign_splits, split_of
from pipeline.schema import DOCUMENTS

#: What a reader of lines, separators, escapes or control tokens would stumble over.
STUMBLING_BLOCKS = [
    "<|endoftext|>",
    "\n<|endoftext|>\n",
    "<BOS> <drama> ",
    "<EOS>",
    "<EOS\\>",
    "<EOS\\\\>",
    "<noir>",
    "<sci_fi>",
    "\\",
    "\\n",
    "\\u2028",
    "\n",
    "\n\n",
    "\r\n",
    "\0",
    *"\v\f\x1c\x1d\x1e\x85\u2028\u2029",
    "🪔",
    "e\u0301",
]
TEXTS = st.lists(
    st.one_of(
        st.text(st.characters(codec="utf-8"), max_size=60), st.sampled_from(STUMBLING_BLOCKS)
    ),
    min_size=1,
    max_size=6,
).map("".join)
GENRES = st.sampled_from([None, "noir", "Sci-Fi", "drama", "??", "Märchen & Sagen"])
LAYOUTS = st.sampled_from(get_args(Layout))


@settings(max_examples=120, deadline=None)
@given(st.lists(st.tuples(TEXTS, GENRES), min_size=3, max_size=25, unique=True), LAYOUTS)
def test_the_manifest_covers_every_byte_and_gives_each_text_back(
    stories: list[tuple[str, str | None]], layout: Layout
) -> None:
    stories = list({text: (text, genre) for text, genre in stories}.values())
    assume(len(stories) >= len(SPLITS))
    rows = [
        {
            "doc_id": str(number),
            "work_id": str(number),
            "franchise": "f",
            "source": "s",
            "url": "https://wiki.example/",
            "title": "t",
            "genre": genre,
            "licence": "CC0-1.0",
            "text": text,
            "text_sha256": sha256(text.encode()).hexdigest(),
            "characters": len(text),
            "words": len(text.split()),
        }
        for number, (text, genre) in enumerate(stories)
    ]
    with TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "documents.parquet"
        pq.write_table(pa.Table.from_pylist(rows, schema=DOCUMENTS), path)
        build_corpus({"f": path}, CorpusConfig(layout=layout), folder)
        read = {d.doc_id: d.text for split in SPLITS for d in read_split(folder, split)}
        assert read == {row["doc_id"]: row["text"] for row in rows}
        manifest = pq.read_table(folder / "manifest.parquet").to_pylist()
        for split in SPLITS:
            body = (folder / f"{split}.txt").read_bytes()
            ranges = [row for row in manifest if row["split"] == split]
            starts = [row["start"] for row in ranges]
            assert starts == [0, *(row["end"] for row in ranges[:-1])]
            assert ranges[-1]["end"] == len(body)
            assert all(row["line"] == 1 + body[: row["start"]].count(b"\n") for row in ranges)
            if layout == "lines":
                kinds = [row["kind"] for row in ranges]
                assert kinds == ["control", "document", "control", "separator"] * (len(kinds) // 4)
                assert len(body.decode().splitlines()) == len(kinds) // 4


CONTROL = make_layout("lines", ["noir", "Sci-Fi", "drama"])


@settings(max_examples=1000)
@given(st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from("\\<>nu28EOS|\n"))) | TEXTS)
def test_the_escape_is_one_line_without_control_tokens_and_undone(text: str) -> None:
    escaped = CONTROL.escape(text.encode())
    assert CONTROL.unescape(escaped) == text.encode()
    assert escaped.decode().splitlines() in ([escaped.decode()], [])
    assert not any(token.encode() in escaped for token in CONTROL.control_tokens)
    assert b"<|endoftext|>" not in escaped


@given(st.text())
def test_a_control_token_is_one_short_word(genre: str) -> None:
    token = control_token(genre)
    assert token is None or re.fullmatch(r"<\w{1,32}>", token)


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
