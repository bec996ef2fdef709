"""Planted copies are found where they stand; a model that copies is refused, another is not."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.corpus.rows import RowWriter
from pipeline.corpus.spec import Layout
from pipeline.intervals import share
from pipeline.memorisation.index import TrainIndex, build_index
from pipeline.memorisation.measure import measure
from pipeline.memorisation.stories import Stories, look_at_stories
from pipeline.memorisation.verdict import verdict_of
from pipeline.model_spec import ModelError, ModelSpec
from pipeline.sampling import sample
from pipeline.schema import MEMORISATION, NOVELTY, PASSAGES, SAMPLES
from tests.corpus_files import row, write_files
from tests.pipeline.memorisation.conftest import STEPS, Learned

FERRY = (
    "The ferryman’s lamp burned low that night, and nobody answered him but the reeds. Then a hand "
    "took hold of the rail, slowly, and the boat dipped as if a horse had come aboard."
)
MILL = "Nobody has milled at Harrow since the flood, and yet the wheel is wet each morning."
HERONS = "A wholly other tale is told of herons, of bread and of a bridge that walked away."


@pytest.fixture
def lamps(tmp_path: Path) -> Callable[..., tuple[Path, Path]]:
    """Writes a corpus of three tales, the third held out, and its index."""

    def write(layout: Layout = "documents") -> tuple[Path, Path]:
        corpus, index = tmp_path / "corpus", tmp_path / "index"
        corpus.mkdir()
        index.mkdir()
        train = [row(0, FERRY, genre="fable"), row(1, f"{MILL} {FERRY[:60]}", genre="Sci-fi")]
        held_out = [row(2, HERONS)]
        write_files(corpus, {"train": train, "validation": [], "test": held_out}, layout)
        build_index(corpus, index)
        return corpus, index

    return write


def story(number: int, text: str, **changes: Any) -> dict[str, Any]:
    """A row of SAMPLES."""
    return {
        "model": "m", "sample": number, "weights": "w", "step": 9, "prompt_index": 0,
        "prompt": "", "genre": None, "setting": "free", "temperature": 1.0, "top_k": 0,
        "top_p": 1.0, "repetition_penalty": 1.0, "max_length": 99, "whole_sentences": False,
        "include_prompt": True, "seed": 0, "text": text, "tokens": 9, "finished": True,
    } | changes  # fmt: skip


def looked_at(
    of: tuple[Path, Path], folder: Path, *stories: dict[str, Any]
) -> tuple[Stories, list[dict[str, Any]]]:
    corpus, index = of
    samples = pa.Table.from_pylist(list(stories), schema=SAMPLES)
    written = RowWriter(folder / "passages.parquet", PASSAGES)
    with TrainIndex(index, corpus) as train, written as rows:
        found = look_at_stories("m", samples, train, 8, rows)
    return found, pq.read_table(folder / "passages.parquet", schema=PASSAGES).to_pylist()


@pytest.mark.parametrize("layout", ["documents", "lines", "stream"])
def test_a_planted_copy_is_marked_to_the_character_and_named_with_its_page(lamps, tmp_path, layout):
    planted = "“A HAND took hold of the rail; slowly... and the boat dipped as if a horse"
    text = f"Zorble quix! {planted}, vornly, since the flood, and glimp."
    found, (longest,) = looked_at(lamps(layout), tmp_path, story(4, text, step=9))
    assert text[longest["start"] : longest["end"]] == planted.removeprefix("“")
    assert (longest["words"], longest["places"], longest["longest"]) == (16, 1, True)
    assert (longest["sample"], longest["step"], longest["model"]) == (4, 9, "m")
    assert longest["url"] == "https://wiki.example/wiki/0#Plot"
    assert (longest["revision"], longest["section"]) == ("100", "Plot")
    assert longest["licence"] == "CC-BY-SA-4.0"
    copied, words = found.by_step[9].copied()
    assert (copied.tolist(), words.tolist()) == ([16], [24])
    assert found.by_step[9].longest_words == 16


def test_short_passages_are_told_of_only_where_they_are_the_longest(lamps, tmp_path):
    first = story(0, f"Vorn {FERRY[:47]} glim {MILL[:48]} blax nobody answered him")
    second = story(1, "Zor nobody answered him but glim since the flood blax")
    third = story(2, "Zorble quix")
    found, rows = looked_at(lamps(), tmp_path, first, second, third)
    told = [(row["sample"], row["words"], row["longest"], row["places"]) for row in rows]
    assert told == [(0, 8, False, 2), (0, 9, True, 1), (1, 4, True, 1)]
    assert (found.passages, found.recurring, found.most_places) == (2, 1, 2)


def test_the_training_text_is_asked_for_a_story_once(lamps, tmp_path, monkeypatch):
    asked, look = [], TrainIndex._runs

    def counted(index, words):
        asked.append(len(words))
        return look(index, words)

    monkeypatch.setattr(TrainIndex, "_runs", counted)
    looked_at(lamps(), tmp_path, story(0, MILL), story(1, FERRY[:60]))
    assert asked == [16, 10]


def test_a_prompt_and_parts_of_words_are_not_the_models(lamps, tmp_path):
    words = MILL.split()
    prompt, text = " ".join(words[:9]), " " + " ".join(words[9:])
    cut = story(1, FERRY[: FERRY.index("reeds") + 3], finished=False)
    within = story(2, "man’s lamp burned low", prompt="The ferry", prompt_index=2)
    found, rows = looked_at(lamps(), tmp_path, story(0, text, prompt=prompt), cut, within)
    assert [row["words"] for row in rows] == [7, 13, 3]
    copied, _ = found.by_step[9].copied()
    assert copied.tolist() == [0, 13, 0]


def test_stories_of_one_prompt_are_one_witness_and_such_as_begin_by_themselves_each_one(
    lamps, tmp_path
):
    alike = {"prompt": "The ferry. ", "prompt_index": 1}
    by_prompt = [
        story(0, MILL, **alike),
        story(1, "Zorble " * 8, **alike, setting="greedy", genre="fable"),
    ]
    found, _ = looked_at(lamps(), tmp_path, *by_prompt, story(2, FERRY), story(3, MILL))
    copied, words = found.by_step[9].copied()
    assert copied.tolist() == [16, 34, 16]
    assert words.tolist() == [24, 34, 16]  # of three units, the first of two stories
    assert (found.by_step[9].texts, found.by_setting["free"][1].texts) == (4, 3)


def test_there_is_no_figure_of_no_stories(lamps, tmp_path):
    with pytest.raises(ModelError, match="no stories"):
        looked_at(lamps(), tmp_path)


def measured(learned: Learned, folder: Path, **measures: Any) -> dict[str, Any]:
    """All that `measure` gives, in `folder`, and the verdict on it."""
    index = folder / "index"
    index.mkdir(parents=True)
    build_index(learned.corpus, index)
    sample(learned.folder, learned.spec, folder / "samples", device="cpu")
    spec = ModelSpec.model_validate(learned.spec.model_dump() | {"measures": measures})
    samples, made = folder / "samples", folder / "made"
    found = measure(learned.folder, spec, samples, learned.corpus, index, made, device="cpu")
    return found | verdict_of(made, spec.measures.copied)


def by(table: pa.Table, **wanted: Any) -> list[dict[str, Any]]:
    rows = table.to_pylist()
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]


def test_a_model_that_knows_its_text_by_heart_is_refused_with_the_step_before(by_heart, tmp_path):
    figures = measured(by_heart, tmp_path)
    assert not figures["passed"]
    assert figures["copied"] > 0.8
    assert figures["bound"] == figures["human_copied"] == 0
    assert figures["longest_words"] >= 20
    assert figures["extractable"] > 0.8
    assert "it copies more than held-out human text" in figures["verdict"]
    # Of eight held-out works none is copied, which does not say that none ever is.
    assert figures["intervals"]["human_copied"] == asdict(share(0, 8))
    assert "0.0% (0.0% to 32.4%) of held-out human text" in figures["verdict"]
    assert "at step 10 it copied 0.0%" in figures["advice"][0]
    assert "training.steps: 10" in figures["advice"][0]
    assert any("times over" in advice for advice in figures["advice"])

    made = tmp_path / "made"
    table = pq.read_table(made / "memorisation.parquet", schema=MEMORISATION)
    for measure_, first in (("copied", 0.0), ("extractable", 0.0)):
        at_first, at_last = by(table, writer="model", measure=measure_)
        assert (at_first["step"], at_last["step"]) == (10, STEPS)
        assert at_first["value"] == first
        assert at_last["value"] == figures[measure_]
    assert {row["value"] for row in by(table, measure="extractable_held_out")} == {0.0}
    novelty = pq.read_table(made / "novelty.parquet", schema=NOVELTY)
    shares = [row["value"] for row in by(novelty, writer="model", step=STEPS)]
    human = [row["value"] for row in by(novelty, writer="human")]
    assert len(shares) == len(human) == 10
    assert shares[9] < 0.2
    assert human[9] == 1.0
    (ten,) = by(novelty, writer="human", n=10)
    assert (ten["low"], ten["high"]) == (share(8, 8).low, 1.0)
    passages = pq.read_table(made / "passages.parquet", schema=PASSAGES)
    assert set(passages["sample"].to_pylist()) == {0, 1, 2, 3}

    written = measured(by_heart, tmp_path / "again", copied=1.0, prefixes=2)
    assert written["passed"]
    assert written["advice"] == []
    assert written["bound"] == 1.0
    table = pq.read_table(tmp_path / "again/made/memorisation.parquet")
    assert by(table, measure="extractable", step=STEPS)[0]["texts"] == 2


@pytest.mark.parametrize("honest", ["trained", "trained_lstm"])
def test_a_model_that_learned_little_passes(
    honest, request, corpus, genre_corpus, tales_spec, recurrent_spec, tmp_path
):
    short = {"settings": [{"name": "free", "max_length": 40}], "count": 4}
    if honest == "trained":
        learned = Learned(request.getfixturevalue("trained"), tales_spec, corpus)
    else:
        shape = {"cell": "lstm", "embedding": 16, "layers": [48, 32]}
        spec = recurrent_spec(shape, samples=short | {"genres": ["Superhero", "Sci-fi"]})
        learned = Learned(request.getfixturevalue("trained_lstm"), spec, genre_corpus)
    figures = measured(learned, tmp_path, prefixes=20)
    assert figures["passed"]
    assert figures["copied"] <= figures["human_copied"]
    if honest == "trained":  # of a context of 64 tokens
        assert figures["extractable"] is None
        assert "context of 64" in figures["extractable_reason"]
    else:
        assert figures["extractable"] == 0.0
        assert figures["extractable_reason"] is None
