"""What holds of any corpus: the manifest gives every byte back."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.corpus import CorpusConfig, read_split
from pipeline.corpus.layout import control_token, make_layout
from pipeline.corpus.spec import Layout
from pipeline.corpus.split import SPLITS
from tests.corpus_documents import build, document, story, write_documents

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


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(TEXTS, GENRES), min_size=3, max_size=25, unique_by=lambda told: told[0]),
    LAYOUTS,
)
def test_the_manifest_covers_every_byte_and_gives_each_text_back(
    stories: list[tuple[str, str | None]], layout: Layout
) -> None:
    # Each begins with words of its own, so that no two are near-duplicates.
    stories = [(story(number) + text, genre) for number, (text, genre) in enumerate(stories)]
    rows = [document(number, text, genre=genre) for number, (text, genre) in enumerate(stories)]
    with TemporaryDirectory() as name:
        folder = Path(name) / "corpus"
        path = write_documents(Path(name), "lamps", rows)
        build(folder, {"lamps": path}, CorpusConfig(layout=layout))
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
