"""Whether the outputs of a model are of one model: no figure may stand beside another's weights.

Each stage can be materialized by itself, so after a new training the stories and figures of the
earlier one lie there still. Every stage records the data versions that it was made from (see
`dagster_project.step.build`); here these are held against what is there now. What a takedown has
rewritten is the same output still, and figures that were measured before it are told as such.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import dagster as dg

from pipeline.artifact import Artifact
from pipeline.takedown.models import marks
from pipeline.takedown.models import notice as notice_of

#: Which measured something, and so may have measured what is no longer there.
_MEASURES = ("perplexity", "quality", "memorisation")


@dataclass(frozen=True)
class Outdated:
    """What is not of what is there now: in words, and the assets to materialize."""

    because: str
    wants: str


def outdated(name: str, outputs: Mapping[str, Artifact]) -> Outdated | None:
    """What of these was made from another output than stands beside it; None: nothing.

    `outputs` are those of the model `name` by stage, with the model itself. What does not say from
    which model it was made may be anyone's.
    """
    found = {stage: _other(made, outputs) for stage, made in outputs.items() if stage != "model"}
    found = {stage: kind for stage, kind in found.items() if kind is not None}
    if not found:
        return None
    because = []
    for kind in dict.fromkeys(found.values()):
        keys = [f"{name}/{stage}" for stage, other in found.items() if other == kind]
        because.append(
            f"{_listed(keys)} {_were(keys)} made from another {name}/{kind} than is there now"
            if kind
            else f"nothing says of which model {_listed(keys)} {_were(keys)} made"
        )
    return Outdated("; ".join(because), _listed(f"{name}/{stage}" for stage in found))


def refuse_outdated(name: str, outputs: Mapping[str, Artifact]) -> None:
    """Raise dg.Failure where `outdated` finds anything, in one line."""
    if found := outdated(name, outputs):
        raise dg.Failure(f"{found.because}; materialize {found.wants} first", allow_retries=False)


def _other(made: Artifact, outputs: Mapping[str, Artifact]) -> str | None:
    """The first kind of input that is another than is there; empty where none is recorded."""
    versions = _made_from(made)
    if "model" not in versions:
        return ""
    kinds = (kind for kind in outputs if kind in versions)
    return next((kind for kind in kinds if not outputs[kind].was(versions[kind])), None)


def notice(outputs: Mapping[str, Artifact], corpus: Artifact) -> str | None:
    """What a reader must know of the model before all else; None: nothing.

    That it learned what was taken down since, and which figures are of before that, or of an
    earlier corpus. `outputs` are not outdated.
    """
    learned = marks(outputs["model"])
    parts = (notice_of(learned), _measured_before(outputs, corpus, taken_down=bool(learned)))
    return " ".join(filter(None, parts)) or None


def _measured_before(outputs: Mapping[str, Artifact], corpus: Artifact, *, taken_down: bool) -> str:
    measured = {stage: _made_from(outputs[stage]) for stage in _MEASURES}
    stories = outputs["samples"].data_version
    before = [stage for stage, of in measured.items() if of.get("samples", stories) != stories]
    earlier = [
        stage
        for stage, of in measured.items()
        if stage not in before and of.get("corpus") != corpus.data_version
    ]
    said: list[str] = []
    if before:
        said.append(
            f"Its {_listed(before)} {_were(before)} measured before a takedown took words out of "
            "its stories."
        )
    if earlier:
        held = ", which may have held what was taken down" if taken_down else ""
        said.append(
            f"Its {_listed(earlier)} {_were(earlier)} measured on an earlier version of the "
            f"corpus{held}."
        )
    return " ".join(said)


def _listed(names: Iterable[str]) -> str:
    """A, B and C."""
    *rest, last = names
    return f"{', '.join(rest)} and {last}" if rest else last


def _made_from(made: Artifact) -> Mapping[str, str]:
    return made.figures.get("made_from") or {}


def _were(things: list[str]) -> str:
    return "was" if len(things) == 1 else "were"
