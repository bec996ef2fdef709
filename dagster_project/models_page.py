"""CORPUS/models: the page of all models of a corpus, made of those that are finished.

`reports/models/CORPUS.html` stands beside its key figures as JSON and its plot. It reads what the
models' own steps have left and measures nothing, so it is made again whenever a model, a vote or
the corpus has changed, and is otherwise found made. A model whose line is not at its end is named
with what to materialize, and keeps nobody waiting; nor does one whose report failed its check,
since here is where copying is seen beside the others.
"""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from dagster_project.presentation import OWNERS, Link, group_name, png, table
from dagster_project.resources import DataStore
from dagster_project.step import in_one_line
from dagster_project.story_model.origin import notice, outdated
from pipeline.artifact import Artifact, code_version, fingerprint
from pipeline.atomic import write_atomically
from pipeline.ratings.stories import HUMAN
from pipeline.ratings.tally import tallies
from pipeline.ratings.versions import versions
from pipeline.ratings.votes import path_of, read
from pipeline.reports.corpus import read_figures, write_figures
from pipeline.reports.entrance import ENTRANCE

if TYPE_CHECKING:
    from dagster_project.registry import Registry  # it asks here which folder's name is taken

#: The folder of these pages beside the models' reports: no story model may be called so.
FOLDER = "models"

#: The stages that the page depends on; each needs the ones before it in `_OUTPUTS`.
MEASURED = ("perplexity", "quality", "memorisation")
#: What is read of a model in the order of making, and the folder that holds the output of each.
_OUTPUTS = {
    "model": "models",
    "samples": "samples",
    "perplexity": "perplexity",
    "quality": "quality",
    "memorisation": "memorisation",
}
_CODE = (
    "pipeline.reports",
    "pipeline.ratings",
    "pipeline.intervals",
    "pipeline.licences",
    "pipeline.perplexity.compare",
    "pipeline.perplexity.groups",
    "pipeline.perplexity.works",
)


def models_key(corpus: str) -> dg.AssetKey:
    """The asset of a corpus's page of models."""
    return dg.AssetKey([corpus, "models"])


def page_path(data: Path, corpus: str) -> Path:
    """Where the page lies, or will."""
    return data.absolute() / "reports" / FOLDER / f"{corpus}.html"


def models_pages(registry: "Registry", corpora: Path) -> dg.Definitions:
    """An asset for each corpus that a model is trained on; `corpora` is the registry's folder."""
    of: dict[str, list[str]] = {}
    for name, spec in registry.models.items():
        of.setdefault(spec.corpus, []).append(name)
    titles = {name: it.title for name, it in (registry.franchises | registry.corpora).items()}
    return dg.Definitions(
        assets=[
            _asset(corpus, titles[corpus], sorted(names), corpora / corpus / "defs.yaml")
            for corpus, names in sorted(of.items())
        ]
    )


def _asset(corpus: str, title: str, names: list[str], written_in: Path) -> dg.AssetsDefinition:
    @dg.asset(
        key=models_key(corpus),
        # Not the reports: their blocking check would keep the others' page from being made.
        deps=[dg.AssetKey([name, stage]) for name in names for stage in MEASURED],
        description=f"All models of {title} in one table: bits per byte with intervals, which "
        "differences are real, what they copy, their stories side by side, and what people who "
        "rated them blind said.",
        group_name=group_name(corpus),
        kinds={"html"},
        owners=OWNERS,
    )
    def models(context: dg.AssetExecutionContext, data: DataStore) -> dg.MaterializeResult:
        with in_one_line(written_in):
            return _materialize(context, data, corpus, title, names)

    return models


def _materialize(
    context: dg.AssetExecutionContext, data: DataStore, corpus: str, title: str, names: list[str]
) -> dg.MaterializeResult:
    made = {name: _outputs(data, name) for name in names}
    finished = {name: outputs for name, outputs in made.items() if len(outputs) == len(_OUTPUTS)}
    wants = {
        name: f"{name}/{next(stage for stage in _OUTPUTS if stage not in outputs)}"
        for name, outputs in made.items()
        if name not in finished
    }
    stale = {
        name: found for name, outputs in finished.items() if (found := outdated(name, outputs))
    }
    finished = {name: outputs for name, outputs in finished.items() if name not in stale}
    wants |= {name: found.wants for name, found in stale.items()}
    if not finished:
        raise dg.Failure(
            f"no model of {corpus} is finished; materialize {' and '.join(wants.values())} first",
            allow_retries=False,
        )
    texts = data.load("corpora", corpus, made_by=f"{corpus}/corpus")
    root = Path(data.root).absolute()
    votes = path_of(root, corpus)
    there = versions(root, corpus)
    current = {name: there[name] for name in (*names, HUMAN) if name in there}
    notices = {name: notice(outputs, texts) for name, outputs in finished.items()}
    made_of = fingerprint(
        title=title,
        corpus=texts.data_version,
        models={
            # What a step says of its files may change where they do not: a bound, a verdict.
            name: {stage: [one.data_version, one.figures] for stage, one in outputs.items()}
            for name, outputs in finished.items()
        },
        notices=notices,
        wants=wants,
        stale={name: found.because for name, found in stale.items()},
        votes=sha256(votes.read_bytes()).hexdigest() if votes.is_file() else None,
        stories=current,
        code=code_version(*_CODE),
    )
    page = page_path(root, corpus)
    figures = read_figures(page.with_suffix(".json"))
    reused = bool(figures and figures.get("fingerprint") == made_of and page.is_file())
    if figures is None or not reused:
        from pipeline.reports.material import Inputs  # matplotlib takes its time
        from pipeline.reports.models import Entrant, Missing, write_models_report

        entrants = [
            Entrant(
                name,
                Inputs(**outputs, corpus=texts),
                f"../{name}/{ENTRANCE}",
                notices[name],
            )
            for name, outputs in finished.items()
        ]
        missing = [
            Missing(name, wanted, stale[name].because if name in stale else "")
            for name, wanted in wants.items()
        ]
        said = tallies(read(votes), current)
        figures, plot = write_models_report(
            title, corpus, texts.data_version, entrants, missing, said, page
        )
        image = page.with_suffix(".png")
        if plot is None:
            image.unlink(missing_ok=True)
        else:
            write_atomically(image, plot)
        figures["fingerprint"] = made_of
        write_figures(page.with_suffix(".json"), figures)  # last: it vouches for the page
    context.log.info("%s: %s", "reused" if reused else "made", page)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(sha256(page.read_bytes()).hexdigest()),
        metadata={**_metadata(data, page, figures), "reused": reused},
    )


def _outputs(data: DataStore, name: str) -> dict[str, Artifact]:
    """What is finished of a model, by stage, up to the first that is not."""
    found: dict[str, Artifact] = {}
    for stage, kind in _OUTPUTS.items():
        made = Artifact.load(data.path(kind, name))
        if made is None:
            break
        found[stage] = made
    return found


def _metadata(data: DataStore, page: Path, figures: dict[str, Any]) -> dict[str, Any]:
    image = page.with_suffix(".png")
    return {
        "page": dg.MetadataValue.url(data.report_url(page)),
        "file": dg.MetadataValue.path(str(page)),
        "verdict": figures["verdict"],
        "models": table(
            ["model", "kind", "bits per byte", "95 % interval", "behind the best", "copied"],
            [list(_row(data, page, model)) for model in figures["models"]],
        ),
        **(
            {"plot": png(image.read_bytes(), "bits per byte of all models")}
            if image.is_file()
            else {}
        ),
        **({"left_out": ", ".join(figures["missing"])} if figures["missing"] else {}),
        **({"not_compared": ", ".join(figures["stale"])} if figures["stale"] else {}),
    }


def _row(data: DataStore, page: Path, model: dict[str, Any]) -> Iterator[object]:
    report = (page.parent / model["report"]).resolve()
    yield Link(model["name"], data.report_url(report))
    yield model["kind"]
    yield f"{model['bits_per_byte']:.3f}"
    known = model["low"] is not None and model["high"] is not None
    yield f"{model['low']:.3f} to {model['high']:.3f}" if known else ""
    behind = model["behind"]
    apart = model["distinguishable"] or behind == "best"
    yield behind if apart else f"{behind}, not distinguishable"
    yield f"{model['copied']}, above its bound" if model["above_bound"] else model["copied"]
