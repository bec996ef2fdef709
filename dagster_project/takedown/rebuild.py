"""Makes anew, through Dagster, what a takedown has touched, so that its UI shows it.

In this process, with the instance of DAGSTER_HOME where that is set: the same assets, checks and
records as any other run. Nothing is trained, sampled or measured again: that is a person's call.
"""

import logging
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from crawlers.yaml_spec import SpecError
from dagster_project.corpus_index import index_key
from dagster_project.models_page import FOLDER, MEASURED, models_key, page_path
from dagster_project.takedown.touched import Touched
from pipeline.artifact import MANIFEST, Artifact, is_being_built, prune
from pipeline.reports.text import one_line
from pipeline.takedown import models

Say = Callable[[str], None]

#: Characters of a reason.
_REASON = 400


@dataclass(frozen=True)
class Rebuilt:
    """What was made anew, and what could not be, with the reason."""

    made: tuple[str, ...]
    failed: dict[str, str]

    def then(self, later: "Rebuilt") -> "Rebuilt":
        """Both, one after the other."""
        failed = {key: why for key, why in self.failed.items() if key not in later.made}
        return Rebuilt(tuple(dict.fromkeys([*self.made, *later.made])), failed | later.failed)


def line(say: Say) -> dg.JobDefinition:
    """All assets, as Dagster loads them; what they say of their progress goes to `say`.

    Raises SpecError where the registry or DAGSTER_HOME is wrong.
    """
    from dagster_project.definitions import defs

    home = os.environ.get("DAGSTER_HOME")
    if home and not (Path(home).is_absolute() and Path(home).is_dir()):
        raise SpecError(
            [f"DAGSTER_HOME is {home!r}, which is no absolute path of a folder; set it to the one "
             "that `dg` uses, or unset it"]
        )  # fmt: skip
    loggers = {"console": _console(say)}
    definitions = dg.Definitions.merge(defs(), dg.Definitions(loggers=loggers))
    return definitions.resolve_implicit_global_asset_job_def()


def rebuild(data: Path, touched: Touched, job: dg.JobDefinition, say: Say) -> Rebuilt:
    """Materialize what the touched documents go into, as far as it was there before."""
    made: list[dg.AssetKey] = []
    failed: dict[str, str] = {}
    with _instance(say) as instance:
        # Reports by themselves: what stands between them and the corpora is not made anew.
        for keys in _wanted(data, touched, job):
            done = job.execute_in_process(
                instance=instance,
                asset_selection=keys,
                raise_on_error=False,
                run_config={"loggers": {"console": {}}},
            )
            events = done.get_asset_materialization_events()
            there = {event.asset_key for event in events}
            made += [key for key in keys if key in there]
            failed |= _failures(done, [key for key in keys if key not in there])
        _tell_models(instance, data, touched)
    return Rebuilt(tuple(key.to_user_string() for key in made), failed)


def clean_up(data: Path, say: Say) -> None:
    """Leave no earlier version of anything that holds text, nor what a killed build left.

    A build that is under way is waited for: it may have read the text.
    """
    kinds = ("documents", "corpora", "indexes", "samples", "memorisation")
    roots = [path for kind in kinds for path in (data / kind).glob("*") if path.is_dir()]
    # Other folders of reports are no outputs.
    roots += [manifest.parent for manifest in (data / "reports").glob(f"*/{MANIFEST}")]
    for root in sorted(roots):
        if is_being_built(root):
            say(f"waits for the build of {root} that is under way")
        prune(root)


def _wanted(data: Path, touched: Touched, job: dg.JobDefinition) -> list[list[dg.AssetKey]]:
    """A run each: documents, corpora and indexes; reports, and pages over several models.

    Of what has been made before.
    """
    graph = job.asset_layer.asset_graph
    documents = [dg.AssetKey([name, "documents"]) for name in touched.documents]
    corpora = {dg.AssetKey([name, "corpus"]) for name in touched.corpora}
    for key in documents:
        if graph.has(key):
            corpora |= {
                child
                for child in graph.get(key).child_keys
                if child.path[-1] == "corpus" and (data / "corpora" / child.path[0]).is_dir()
            }
    named = {key.path[0] for key in corpora}.union(touched.indexes)
    indexes = {index_key(name) for name in named if (data / "indexes" / name).is_dir()}
    names = {*touched.models, *touched.samples, *touched.memorisation, *touched.reports}
    reported = {path.name for path in (data / "reports").glob("*") if path.is_dir()}
    reports = [dg.AssetKey([name, "report"]) for name in sorted(names & reported)]
    erased = (Path(name) for name in touched.reports)
    pages = {models_key(page.stem) for page in erased if page.parent.name == FOLDER}
    for key in filter(graph.has, (dg.AssetKey([name, MEASURED[-1]]) for name in names)):
        pages |= {
            child
            for child in graph.get(key).child_keys
            if child == models_key(child.path[0]) and page_path(data, child.path[0]).is_file()
        }
    runs = [[*documents, *sorted(corpora), *sorted(indexes)], [*reports, *sorted(pages)]]
    there = [[key for key in keys if graph.has(key)] for keys in runs]
    return [keys for keys in there if keys]


def _failures(done: dg.ExecuteInProcessResult, keys: list[dg.AssetKey]) -> dict[str, str]:
    """Why each could not be made, in one line."""
    said: dict[str, str] = {}
    for event in done.get_step_failure_events():
        failure = event.step_failure_data
        told = failure.user_failure_data.description if failure.user_failure_data else None
        if told is None and failure.error is not None:
            told = (failure.error.cause or failure.error).message
        said[str(event.step_key)] = one_line(told or "", _REASON)
    otherwise = "what it is made from could not be made"
    return {key.to_user_string(): said.get(_step(key), otherwise) for key in keys}


def _step(key: dg.AssetKey) -> str:
    """As Dagster calls the step that makes an asset."""
    return "__".join(re.sub(r"\W", "_", part, flags=re.ASCII) for part in key.path)


def _instance(say: Say) -> dg.DagsterInstance:
    if os.environ.get("DAGSTER_HOME"):
        return dg.DagsterInstance.get()
    say("DAGSTER_HOME is not set: Dagster's UI will not show this run")
    return dg.DagsterInstance.ephemeral()


def _tell_models(instance: dg.DagsterInstance, data: Path, touched: Touched) -> None:
    """The models' own pages in the UI say it too, without their being trained."""
    for name in touched.models:
        key = dg.AssetKey([name, "model"])
        event = instance.get_latest_materialization_event(key)
        made = Artifact.load(data / "models" / name)
        last = event.asset_materialization if event is not None else None
        told = models.notice(models.marks(made)) if made is not None else None
        if last is not None and told is not None:
            metadata = {**last.metadata, "taken_down": dg.MetadataValue.text(told)}
            instance.report_runless_asset_event(
                dg.AssetMaterialization(key, metadata=metadata, tags=last.tags)
            )


def _console(say: Say) -> dg.LoggerDefinition:
    """What the steps say of their progress, and when each begins."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            event = getattr(record, "dagster_meta", {}).get("dagster_event")
            if event is None and record.levelno >= logging.INFO:
                say(getattr(record, "dagster_meta", {}).get("orig_message", record.getMessage()))
            elif event is not None and event.event_type_value == "STEP_START":
                say(f"makes {str(event.step_key).replace('__', '/')}")

    @dg.logger
    def console(_: dg.InitLoggerContext) -> logging.Logger:
        logger = logging.Logger("takedown", logging.DEBUG)
        logger.addHandler(Handler())
        return logger

    return console
