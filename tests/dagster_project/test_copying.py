"""A model that has its text by heart: its report is written and says so; it is not published."""

import dagster as dg
import pyarrow.parquet as pq
import pytest
from lxml import html

from dagster_project import checks
from pipeline.artifact import Artifact
from tests.pipeline.clean.texts import prose

_LEARNED = """\
type: dagster_project.components.StoryModel
attributes:
  name: {name}
  corpus: tales
  preset: gpt2
  size: nano
  tokenizer: {{vocabulary: 512}}
  training: {{steps: {steps}, batch_size: 4, learning_rate: 0.01, eval_every: 100}}
  samples:
    at_steps: [5]
    prompts: ["", "The"]
    settings: [{{name: greedy, temperature: 0, max_length: 80}}, {{name: free, max_length: 80}}]
    count: 3
"""
_MADE = ("samples", "perplexity", "quality", "memorisation", "report")


@pytest.mark.parametrize("passed", [True, False])
def test_what_follows_the_report_waits_for_the_check_and_the_report_does_not(passed):
    figures = {"bound": 0.0, "longest_words": 40, "intervals": {}, "verdict": "?", "advice": []}
    spec = dg.AssetCheckSpec("no_copy_above_bound", asset="report", blocking=True)

    @dg.asset(check_specs=[spec])
    def report() -> dg.MaterializeResult:
        found = checks.no_copy_above_bound(figures | {"passed": passed})
        return dg.MaterializeResult(check_results=[found])

    @dg.asset(deps=[report])
    def bundle() -> None:
        """What publishes the model."""

    with dg.DagsterInstance.ephemeral() as instance:
        ended = dg.materialize([report, bundle], instance=instance, raise_on_error=False)
        assert ended.success is passed
        assert instance.get_latest_materialization_event(dg.AssetKey("report"))
        there = instance.get_latest_materialization_event(dg.AssetKey("bundle"))
        assert (there is not None) is passed


def _leads_to_its_report(reports, name: str) -> None:
    """From the page of models over the stable page, by its refresh as by its link."""
    (link,) = html.parse(reports / "models/tales.html").xpath(
        "//th/a[bdi[text()=$name]]/@href", name=name
    )
    entrance = (reports / "models" / link).resolve()
    assert entrance == (reports / name / "index.html").resolve()
    page = html.parse(entrance)
    (to,) = page.xpath("//a/@href")
    assert page.xpath("//meta[@http-equiv='refresh']/@content") == [f"0; url={to}"]
    made = Artifact.load(reports / name)
    assert (entrance.parent / to).resolve() == (made.folder / "report.html").resolve()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_model_that_copies_fails_its_check_with_its_report_written(
    milled, load, materialize, monkeypatch
):
    models = [_LEARNED.format(name="heart", steps=150), _LEARNED.format(name="honest", steps=6)]
    project = milled(*models)

    @dg.asset(deps=[dg.AssetKey(["heart", "report"])])
    def bundle() -> None:
        """What publishes the model."""

    definitions = dg.Definitions.merge(load(project), dg.Definitions(assets=[bundle]))
    with dg.DagsterInstance.ephemeral() as instance:
        assert materialize(definitions, instance, "tales/index").success
        for name in ("heart", "honest"):
            assert materialize(definitions, instance, f"{name}/model").success
            keys = [*(f"{name}/{stage}" for stage in _MADE), *(["bundle"] * (name == "heart"))]
            keys.append("tales/models")  # the page of both shows who copies
            ended = materialize(definitions, instance, *keys)
            (check,) = [
                one
                for one in ended.get_asset_check_evaluations()
                if one.check_name == "no_copy_above_bound"
            ]
            assert ended.success is check.passed is (name == "honest")
            assert instance.get_latest_materialization_event(dg.AssetKey([name, "report"]))
            assert instance.get_latest_materialization_event(dg.AssetKey(["tales", "models"]))
            _leads_to_its_report(project.data / "reports", name)
        assert instance.get_latest_materialization_event(dg.AssetKey("bundle")) is None

    page_of_all = html.parse(project.data / "reports/models/tales.html")
    rows = page_of_all.xpath("//table[contains(@class, 'models')]/tbody[1]/tr/th")
    told = {row.xpath("string(a)"): "copies above its bound" in row.text_content() for row in rows}
    assert told == {"heart": True, "honest": False}

    figures = Artifact.load(project.data / "memorisation/heart").figures
    assert figures["copied"] > 0.5 > figures["human_copied"]
    assert "at step 5 it copied 0.0%" in figures["advice"][0]
    page = (Artifact.load(project.data / "reports/heart").folder / "report.html").read_text("utf-8")
    assert "Train for fewer steps" in page
    passages = Artifact.load(project.data / "memorisation/heart").folder / "passages.parquet"
    longest = pq.read_table(passages).sort_by([("words", "descending")]).slice(0, 1).to_pylist()
    assert longest[0]["words"] == figures["longest_words"]
    assert longest[0]["url"]

    launched = project.launch('key:"heart/report"')
    assert launched.returncode == 1
    assert "no_copy_above_bound" in launched.stdout + launched.stderr
    kept = project.kept()
    assert b"Train for fewer steps" in kept
    told = {sentence for seed in range(14) for sentence in prose(60, seed).split(". ")}
    assert not [sentence for sentence in told if sentence.encode() in kept]

    # Another bound is judged from what was measured: no story is looked for, no checkpoint tried.
    monkeypatch.setattr("pipeline.memorisation.measure.measure", None)
    written = project.folder / "corpora/tales/defs.yaml"
    bound = "  corpus: tales\n  measures: {copied: 1.0}\n"
    written.write_text(written.read_text("utf-8").replace("  corpus: tales\n", bound), "utf-8")
    with dg.DagsterInstance.ephemeral() as instance:
        ended = materialize(load(project), instance, "heart/memorisation", "heart/report")
    assert ended.success
    judged = Artifact.load(project.data / "memorisation/heart").figures
    assert (judged["bound"], judged["passed"], judged["advice"]) == (1.0, True, [])
    assert "the bound of 100.00%" in judged["verdict"]
    assert judged["intervals"] == figures["intervals"]
