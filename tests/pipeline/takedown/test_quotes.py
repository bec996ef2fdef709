"""Eight words in a row are a quotation, wherever they stand; fewer are not."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from pipeline.artifact import Artifact, materialize
from pipeline.schema import SAMPLES
from pipeline.takedown import Removal, samples
from pipeline.takedown.quotes import PLACE, WORDS, Quotes, without

_TEXT = "The keeper came back with the tide, and without her lantern; nobody asked where it was."


def test_eight_words_in_a_row_are_found_whatever_stands_between_them() -> None:
    quotes = Quotes([_TEXT])
    told = "He said: “the keeper came BACK — with the tide and…” Then he slept."
    ((start, end),) = quotes.spans(told)
    assert told[start:end] == "the keeper came BACK — with the tide and"
    assert without(told, quotes.spans(told)) == f"He said: “{PLACE}…” Then he slept."
    assert quotes.spans("the keeper came back with the tide, or so") == []


def test_a_page_shows_it_through_markup_and_entities() -> None:
    quotes = Quotes([_TEXT])
    assert quotes.stand_in_page("<p>The <b>keeper</b> came back with&nbsp;the tide, and</p>")
    assert not quotes.stand_in_page("<p>The keeper stayed.</p><script>came back</script>")


def test_what_is_kept_of_a_text_finds_it_again_and_is_no_text(tmp_path: Path) -> None:
    quotes = Quotes([_TEXT])
    quotes.save(tmp_path / "runs")
    assert b"keeper" not in (tmp_path / "runs").read_bytes()
    again = Quotes()
    again.load(tmp_path / "runs")
    assert again.spans(_TEXT) == [(0, len(_TEXT) - 1)]


_WORD = st.text("abcdefg", min_size=1, max_size=6)


@given(st.lists(_WORD, max_size=40), st.lists(_WORD, max_size=40), st.integers(0, 39))
def test_nothing_of_eight_words_is_left(words: list[str], others: list[str], at: int) -> None:
    quotes = Quotes([" ".join(words)])
    told = " ".join([*others[:at], *words[at : at + 15], *others[at:]])
    left = without(told, quotes.spans(told))
    runs = [" ".join(words[n : n + WORDS]) for n in range(max(0, len(words) - WORDS + 1))]
    assert not [run for run in runs if f" {run} " in f" {left.replace(PLACE, '|')} "]


def test_samples_lose_the_words_and_keep_their_rows(tmp_path: Path) -> None:
    row = {
        "model": "m", "sample": 0, "weights": "0", "step": 1, "prompt_index": 0,
        "prompt": "The keeper came", "setting": "s", "include_prompt": True,
        "temperature": 1.0, "top_k": 0, "top_p": 1.0, "repetition_penalty": 1.0, "max_length": 9,
        "whole_sentences": False, "seed": 1, "tokens": 9, "finished": True,
    }  # fmt: skip
    rows = [row | {"text": " back with the tide, and left."}, row | {"text": " to supper."}]

    def build(folder: Path) -> dict[str, int]:
        pq.write_table(pa.Table.from_pylist(rows, SAMPLES), folder / "samples.parquet")
        return {"stories": 2}

    before = materialize(tmp_path / "m", "f" * 64, build)
    quotes = Quotes([_TEXT])
    assert samples.touched(before, quotes) == [0]
    samples.erase(tmp_path / "m", quotes)
    made = Artifact.load(tmp_path / "m")
    table = pq.read_table(made.folder / "samples.parquet")
    assert table.schema.equals(SAMPLES)
    assert table["text"].to_pylist() == [f" {PLACE} left.", " to supper."]
    assert not before.folder.exists()
    assert made.data_version != before.data_version


def test_a_removal_knows_its_documents_by_name_and_by_address() -> None:
    removal = Removal(("oz/wiki/7#",), frozenset({"http://w/wiki/A (film)"}))
    assert removal.has("oz/wiki/7#Plot", "http://w/wiki/Other#Plot")
    assert not removal.has("oz/wiki/77#Plot", "http://w/wiki/Other")
    assert removal.has(None, "http://w/wiki/A_(film)".replace("_", "%20"))
    assert removal.has("x", "http://w/wiki/A%20%28film%29#Plot")
