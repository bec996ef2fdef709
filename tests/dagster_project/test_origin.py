"""A figure beside weights that it is not of: every stage that could put one there refuses."""

from collections.abc import Mapping
from pathlib import Path

import dagster as dg
import pytest

from dagster_project.step import build
from dagster_project.story_model.origin import notice, outdated, refuse_outdated
from pipeline.artifact import Artifact, fingerprint, materialize, rewrite
from pipeline.takedown.models import mark

#: What each stage is made from.
_INPUTS = {
    "model": ("corpus",),
    "samples": ("model",),
    "perplexity": ("model", "corpus"),
    "quality": ("model", "samples", "corpus"),
    "memorisation": ("model", "samples", "corpus"),
}


class Line:
    """A corpus and the outputs of a model, each a file of a few words, made as the assets do."""

    def __init__(self, root: Path):
        self.root = root
        self.made: dict[str, Artifact] = {}
        self.make("corpus", "the heron counted seven lamps")
        for stage in _INPUTS:
            self.make(stage, f"first {stage}")

    @property
    def outputs(self) -> dict[str, Artifact]:
        return {stage: self.made[stage] for stage in _INPUTS}

    @property
    def corpus(self) -> Artifact:
        return self.made["corpus"]

    def make(self, stage: str, text: str) -> None:
        def write(folder: Path) -> Mapping[str, int]:
            return {"characters": (folder / "text.txt").write_text(text)}

        self.made[stage] = build(
            self.root / stage,
            fingerprint(text=text),
            write,
            written_in=Path("defs.yaml"),
            made_from={kind: self.made[kind] for kind in _INPUTS.get(stage, ())},
        )

    def take_down(self, stage: str) -> None:
        def without(folder: Path) -> None:
            (folder / "text.txt").unlink()
            (folder / "text.txt").write_text("what is left")

        assert rewrite(self.root / stage, without)
        made = Artifact.load(self.root / stage)
        assert made is not None
        self.made[stage] = made


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path)


def test_a_step_says_what_it_was_made_from_and_is_made_anew_when_that_changes(line: Line) -> None:
    quality = line.made["quality"]
    assert quality.figures == {
        "characters": 13,
        "made_from": {kind: line.made[kind].data_version for kind in _INPUTS["quality"]},
    }
    line.make("quality", "first quality")
    assert line.made["quality"].reused
    line.make("samples", "second samples")
    line.make("quality", "first quality")
    assert not line.made["quality"].reused
    assert line.made["quality"].fingerprint != quality.fingerprint


def test_outputs_of_one_model_are_let_pass(line: Line) -> None:
    assert outdated("owl", line.outputs) is None
    refuse_outdated("owl", line.outputs)
    assert notice(line.outputs, line.corpus) is None


def test_after_a_new_training_all_that_is_of_the_old_is_named(line: Line) -> None:
    line.make("model", "second model")
    with pytest.raises(dg.Failure) as refused:
        refuse_outdated("owl", line.outputs)
    assert refused.value.description == (
        "owl/samples, owl/perplexity, owl/quality and owl/memorisation were made from another "
        "owl/model than is there now; materialize owl/samples, owl/perplexity, owl/quality and "
        "owl/memorisation first"
    )
    assert refused.value.allow_retries is False


def test_what_was_measured_of_other_stories_of_the_same_model_is_named(line: Line) -> None:
    line.make("samples", "second samples")
    line.make("quality", "first quality")
    found = outdated("owl", line.outputs)
    assert found is not None
    assert found.because == "owl/memorisation was made from another owl/samples than is there now"
    assert found.wants == "owl/memorisation"


def test_what_does_not_say_of_which_model_it_is_may_be_anyones(line: Line) -> None:
    line.made["samples"] = materialize(line.root / "samples", "old", lambda folder: {"stories": 3})
    found = outdated("owl", {stage: line.made[stage] for stage in ("model", "samples")})
    assert found is not None
    assert found.because == "nothing says of which model owl/samples was made"
    assert found.wants == "owl/samples"


def test_stories_without_what_was_taken_down_are_the_same_and_it_is_said(line: Line) -> None:
    line.take_down("samples")
    assert outdated("owl", line.outputs) is None
    assert notice(line.outputs, line.corpus) == (
        "Its quality and memorisation were measured before a takedown took words out of its "
        "stories."
    )
    for stage in ("quality", "memorisation"):
        line.make(stage, f"first {stage}")
    assert notice(line.outputs, line.corpus) is None

    line.make("samples", "other samples")  # no takedown made these of the last ones
    assert outdated("owl", line.outputs) is not None


def test_of_a_corpus_that_has_changed_it_is_said_which_figures_are_of_the_earlier(
    line: Line,
) -> None:
    line.make("corpus", "the heron counted eight lamps")
    line.make("perplexity", "first perplexity")
    assert outdated("owl", line.outputs) is None
    measured = "Its quality and memorisation were measured on an earlier version of the corpus"
    assert notice(line.outputs, line.corpus) == f"{measured}."
    mark(line.made["model"], "t1", "2026-01-02T03:04:05+00:00", 1)
    told = notice(line.outputs, line.corpus)
    assert told is not None
    assert told.startswith("This model was trained on a text that was taken down since")
    assert told.endswith(f"{measured}, which may have held what was taken down.")
