"""CORPUS/models: wired from the registry, made of what is finished, found made the next time."""

import json

import dagster as dg
import grimp
import pyarrow.parquet as pq
import pytest
from lxml import html

from crawlers.takedowns import Takedown
from crawlers.yaml_spec import SpecError
from dagster_project.models_page import _CODE
from dagster_project.takedown.erase import erase_outputs
from dagster_project.takedown.rebuild import rebuild
from dagster_project.takedown.touched import look
from pipeline.artifact import Artifact
from pipeline.artifact import materialize as make
from pipeline.ratings.stories import HUMAN, Side, Writer
from pipeline.ratings.votes import Vote, append, path_of
from pipeline.reports.entrance import write_entrance
from pipeline.takedown import Removal
from pipeline.takedown.quotes import Quotes
from tests.pipeline.ratings.contest import row, table

_MODEL = """\
type: dagster_project.components.StoryModel
attributes:
  name: {name}
  corpus: tales
  preset: gpt2
  size: nano
  tokenizer: {{vocabulary: 300}}
  training: {{steps: {steps}, batch_size: 2, log_every: 5, eval_every: 5, save_every: 5}}
  measures: {{prefixes: 4}}
  samples:
    prompts: ["The heron", "A lamp"]
    settings: [{{name: free, temperature: 1.0, max_length: 40}}]
"""
_FIRST = _MODEL.format(name="lamps-a", steps=5)
_SECOND = _MODEL.format(name="lamps-b", steps=10)
_STAGES = ("model", "samples", "perplexity", "quality", "memorisation")


def test_each_corpus_with_a_model_has_a_page_over_all_of_them(project, load):
    project.write_tales(_FIRST, _SECOND)
    project.write("mix", "type: dagster_project.components.StoryCorpus\n"
                  "attributes: {title: A mix, franchises: [tales]}\n")  # fmt: skip
    graph = load(project).resolve_asset_graph()
    key = dg.AssetKey(["tales", "models"])
    assert graph.get(key).parent_keys == {
        dg.AssetKey([model, stage])
        for model in ("lamps-a", "lamps-b")
        for stage in ("perplexity", "quality", "memorisation")
    }
    assert not graph.has(dg.AssetKey(["mix", "models"]))
    assert graph.get(key).automation_condition is not None


def test_whatever_words_the_page_is_in_its_fingerprint():
    graph = grimp.build_graph("pipeline", cache_dir=None)
    seen, of = set(), {"pipeline.reports.models"}
    while of:
        seen |= of
        imported = set().union(*(graph.find_modules_directly_imported_by(one) for one in of))
        # Columns, names in YAML and how a file is written word nothing.
        silent = ("pipeline.schema", "pipeline.model_spec", "pipeline.atomic")
        of = {one for one in imported if not one.startswith((*silent, *_CODE))}
        of |= {one for one in imported if one.startswith(("pipeline.reports", "pipeline.ratings"))}
        of -= seen
    assert not {one for one in seen if not one.startswith(_CODE)}


def test_without_a_finished_model_it_says_what_to_materialize(project, load, materialize):
    project.write_tales(_FIRST, _SECOND)
    with dg.DagsterInstance.ephemeral() as instance:
        done = materialize(load(project), instance, "tales/models")
    (event,) = done.get_step_failure_events()
    told = event.step_failure_data.user_failure_data.description
    assert told == (
        "no model of tales is finished; materialize lamps-a/model and lamps-b/model first"
    )
    assert not (project.data / "reports/models").exists()


def test_no_model_may_be_called_like_the_folder_of_these_pages(project, load):
    project.write_tales(_FIRST.replace("lamps-a", "models"))
    with pytest.raises(SpecError, match="'models' is taken"):
        load(project)


def test_a_takedown_erases_the_page_of_a_touched_model_and_makes_it_anew(project, load):
    told = "The heron counted seven lamps twice before it dared to ask whose they were."
    project.write_tales(_FIRST)
    data = project.data

    def train(folder):
        (folder / "training.json").write_text(json.dumps({"spec": {"corpus": "tales"}}))
        return {}

    def sample(folder):
        pq.write_table(table([row("lamps-a", 0, "", told)]), folder / "samples.parquet")
        return {}

    make(data / "models/lamps-a", "1", train)
    make(data / "samples/lamps-a", "1", sample)
    report = make(data / "reports/lamps-a", "1", lambda folder: {})
    write_entrance(report.root, report.folder / "report.html")
    pages = data / "reports/models"
    pages.mkdir()
    for name in ("tales.html", "tales.json", "others.html"):
        (pages / name).write_text("<p>A page that quotes nothing.</p>")
    touched = look(data, [], Removal((), frozenset()), Quotes([told]))
    assert touched.samples == {"lamps-a": 1}
    assert touched.reports == ["lamps-a", "models/tales.html", "models/tales.json"]
    said = []
    record = Takedown.begin((), "asked for", "ines", touched.as_dict())
    erase_outputs(data, touched, Removal((), frozenset()), Quotes([told]), record, said.append)
    assert [path.name for path in pages.iterdir()] == ["others.html"]
    assert not list(report.root.iterdir())  # no version, and nothing that leads to one
    rebuilt = rebuild(
        data, touched, load(project).resolve_implicit_global_asset_job_def(), said.append
    )
    assert rebuilt.made == ()  # of this line nothing is there but names
    assert set(rebuilt.failed) == {"lamps-a/report", "tales/models"}


def _made(done: dg.ExecuteInProcessResult) -> dict:
    (event,) = done.get_asset_materialization_events()
    return {name: it.value for name, it in event.materialization.metadata.items()}


def _refused(done: dg.ExecuteInProcessResult) -> str:
    (event,) = done.get_step_failure_events()
    return event.step_failure_data.user_failure_data.description


def _after_a_new_training_nothing_is_of_two_models(project, load, materialize, instance) -> None:
    report = Artifact.load(project.data / "reports/lamps-a")
    path = project.folder / "corpora/tales/defs.yaml"
    path.write_text(path.read_text("utf-8").replace("steps: 5,", "steps: 6,"), "utf-8")
    definitions = load(project)
    assert materialize(definitions, instance, "lamps-a/model").success
    for stage in ("quality", "memorisation"):
        assert _refused(materialize(definitions, instance, f"lamps-a/{stage}")) == (
            "lamps-a/samples was made from another lamps-a/model than is there now; materialize "
            "lamps-a/samples first"
        )
    told = _refused(materialize(definitions, instance, "lamps-a/report"))
    of_before = "lamps-a/samples, lamps-a/perplexity, lamps-a/quality and lamps-a/memorisation"
    because = f"{of_before} were made from another lamps-a/model than is there now"
    assert told == f"{because}; materialize {of_before} first"
    assert Artifact.load(report.root) == report

    said = _made(materialize(definitions, instance, "tales/models"))
    assert said["not_compared"] == "lamps-a"
    assert "lamps-a" not in said["models"]
    page = (project.data / "reports/models/tales.html").read_text("utf-8")
    assert f"lamps-a is held against no other, for {because}: materialize" in page

    assert materialize(definitions, instance, "lamps-a/samples").success
    told = _refused(materialize(definitions, instance, "lamps-a/report"))
    assert told.startswith("lamps-a/perplexity, lamps-a/quality and lamps-a/memorisation were")
    assert Artifact.load(report.root) == report


@pytest.mark.slow
def test_the_page_takes_in_one_model_after_the_other_and_the_votes(milled, load, materialize):
    project = milled(_FIRST, _SECOND)
    definitions = load(project)
    page = project.data / "reports/models/tales.html"
    with dg.DagsterInstance.local_temp(str(project.folder / ".dagster")) as instance:
        line = [f"lamps-a/{stage}" for stage in _STAGES]
        assert materialize(definitions, instance, "tales/index", *line).success
        said = _made(materialize(definitions, instance, "tales/models"))
        assert said["left_out"] == "lamps-b"
        assert "lamps-b is not on this page: materialize lamps-b/model." in page.read_text("utf-8")

        assert materialize(definitions, instance, *(f"lamps-b/{s}" for s in _STAGES)).success
        said = _made(materialize(definitions, instance, "tales/models"))
        assert not said["reused"]
        assert "left_out" not in said
        assert said["page"].endswith("/models/tales.html")
        assert "data:image/png;base64," in said["plot"]
        for model in ("lamps-a", "lamps-b"):
            assert f"[{model}](http://127.0.0.1:3001/{model}/" in said["models"]
            link = f"../{model}/index.html"
            assert html.fromstring(page.read_bytes()).xpath("//a[@href=$link]", link=link)
        heads = html.fromstring(page.read_bytes()).xpath(
            "//div[@class='stories even'][1]//h4/text()"
        )
        assert set(heads) == {"lamps-a", "lamps-b"}

        before = page.read_bytes()
        again = _made(materialize(definitions, instance, "tales/models"))
        assert again["reused"]
        assert page.read_bytes() == before

        sides = []
        for name in ("lamps-a", "lamps-b"):
            made = Artifact.load(project.data / "samples" / name)
            step = json.loads((Artifact.load(project.data / "models" / name).folder
                               / "training.json").read_text())["steps"]  # fmt: skip
            sides.append(Side(Writer(name, step), made.data_version, 0))
        votes = path_of(project.data, "tales")
        append(votes, Vote("2026-01-02T03:04:05+00:00", "ines", *sides, "left"))
        assert not _made(materialize(definitions, instance, "tales/models"))["reused"]
        said = "lamps-a, step 5 won 1 of 1 pair against lamps-b"
        assert said in page.read_text("utf-8")

        report = project.data / "reports/lamps-a"
        assert not _made(materialize(definitions, instance, "lamps-a/report"))["reused"]
        assert said in (Artifact.load(report).folder / "report.html").read_text("utf-8")
        people = Side(Writer(HUMAN), "of the corpus", 0)
        append(votes, Vote("2026-01-02T03:04:06+00:00", "ines", sides[1], people, "tie"))
        assert _made(materialize(definitions, instance, "lamps-a/report"))["reused"]
        append(votes, Vote("2026-01-02T03:04:07+00:00", "oda", *sides, "right"))
        assert not _made(materialize(definitions, instance, "lamps-a/report"))["reused"]

        page.unlink()
        assert not _made(materialize(definitions, instance, "tales/models"))["reused"]
        votes.write_text("nonsense\n")
        failed = materialize(definitions, instance, "tales/models")
        (event,) = failed.get_step_failure_events()
        assert "line 1: is no vote" in event.step_failure_data.user_failure_data.description
        votes.unlink()
        _after_a_new_training_nothing_is_of_two_models(project, load, materialize, instance)
