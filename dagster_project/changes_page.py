"""The pages of what came, went and changed: `reports/changes/documents/` and `…/corpora/`.

A page is of the build that stands, against the one before it, whose folder is kept until the next;
the build's figures say which that was. Its counts lie beside it as JSON, so that a step which
reuses its build can tell them again without comparing. A page that is of another build, because a
run was killed or the drift alarm stopped one, is made anew.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa

from crawlers.store.page_store import PageStore
from crawlers.takedowns import TakedownRecordError, TakenDown, records
from dagster_project.drift_alarm import REMEDY, accepting
from dagster_project.presentation import table
from dagster_project.resources import DataStore
from pipeline.artifact import Artifact
from pipeline.atomic import write_atomically
from pipeline.corpus.split import SPLITS
from pipeline.diff.changes import Changes
from pipeline.diff.corpus import EarlierManifestError, compare_corpora
from pipeline.diff.documents import compare_documents
from pipeline.drift import Drift
from pipeline.drift_pages import PAGES
from pipeline.reports.changes import Comparison, Taken, write_changes_report
from pipeline.reports.text import one_line

#: The folder of these pages beside the models' reports: no story model may be called so.
FOLDER = "changes"
#: Reasons that the metadata tells; the page has more.
_REASONS = 12
_EARLIER = "The build before is of an earlier version of Loremill, which kept no record of it."
_TAKEN = "The build before is no longer there, as after a takedown; the next is compared again."

#: What reading a damaged Parquet file raises; a page that cannot be made must not stop the line.
UNREADABLE = (OSError, pa.ArrowException, KeyError)

_Settings = Mapping[str, Any]


@dataclass(frozen=True)
class ChangesPage:
    """A page, and the counts beside it."""

    path: Path
    said: Mapping[str, Any]

    @property
    def is_refused(self) -> bool:
        """Whether it shows what the drift alarm stopped: the build that stands is another."""
        return self.said["version"] is None

    def metadata(self, data: DataStore) -> dict[str, Any]:
        """For Dagster, which keeps it for good: counts and links."""
        said = self.said
        refused = "refused_" if self.is_refused else ""
        counts = {
            f"{refused}{kind}": said[kind]
            for kind in ("came", "went", "changed", "taken_down")
            if kind in said
        }
        rows = said.get("reasons", [])[:_REASONS]
        return {
            **counts,
            **(
                {f"{refused}changes_by_reason": table(["", "reason", "documents"], rows)}
                if rows
                else {}
            ),
            **({"since_last": said["nothing"]} if "nothing" in said else {}),
            "what_changed": dg.MetadataValue.url(data.report_url(self.path)),
            "what_changed_file": dg.MetadataValue.path(str(self.path)),
        }


def standing_page(data: DataStore, kind: str, name: str) -> ChangesPage:
    """The page that was written last. Raises FileNotFoundError."""
    path = page_path(Path(data.root), kind, name)
    said = _said(path)
    if said is None:
        raise FileNotFoundError(path)
    return ChangesPage(path, said)


def page_path(data: Path, kind: str, name: str) -> Path:
    """Where a page lies: `kind` is documents or corpora."""
    return data.absolute() / "reports" / FOLDER / kind / f"{name}.html"


def documents_changes(
    data: DataStore, name: str, title: str, artifact: Artifact, stores: list[PageStore]
) -> ChangesPage:
    """The page of a franchise's documents, written unless it stands already."""

    def comparison(last: Path | None, nothing: str) -> Comparison:
        changes: Changes | None = None
        if last:
            try:
                changes = compare_documents(last, artifact.folder, _fates(data, stores))
            except UNREADABLE as error:
                nothing = _unreadable(error)
        return Comparison(
            title,
            artifact.figures["documents"],
            changes,
            nothing,
            Drift.from_figures(artifact.figures.get("drift", [])),
            taken_down=_taken_down(data, artifact.figures),
        )

    return _page(page_path(Path(data.root), "documents", name), artifact, comparison, PAGES)


def refused_documents(
    data: DataStore, name: str, title: str, stores: list[PageStore], last: Path, new: Path,
    drift: Drift,
) -> None:  # fmt: skip
    """Write the page of documents that the alarm stops: what they would have brought."""
    changes: Changes | None = None
    nothing = ""
    try:
        changes = compare_documents(last, new, _fates(data, stores))
    except UNREADABLE as error:
        nothing = _unreadable(error)
    path = page_path(Path(data.root), "documents", name)
    accept = accepting(dg.AssetKey([name, "documents"]))
    before = changes.before if changes else 0  # shown only where there is nothing to refuse
    told = Comparison(title, before, changes, nothing, drift, REMEDY, accept)
    write_changes_report(told, path)
    _note(path, None, _figures(told))


def corpus_changes(data: DataStore, name: str, title: str, artifact: Artifact) -> ChangesPage:
    """The page of a corpus, written unless it stands already."""

    def comparison(last: Path | None, nothing: str) -> Comparison:
        figures, since = artifact.figures, artifact.figures.get("since") or {}
        changes: Changes | None = None
        if last:
            try:
                changes = compare_corpora(last, artifact.folder)
            except EarlierManifestError:
                nothing = _EARLIER
            except UNREADABLE as error:
                nothing = _unreadable(error)
        before = since.get("by_split") or {}
        splits = [
            {"name": split, "now": tally, "before": before.get(split)}
            for split in SPLITS
            if (tally := figures["by_split"].get(split))
        ]
        settings = _settings(since.get("config") or {}, figures.get("config") or {})
        return Comparison(
            title,
            figures["documents"],
            changes,
            nothing,
            splits=splits,
            taken_down=_taken_down(data, figures),
            settings=settings,
        )

    path = page_path(Path(data.root), "corpora", name)
    return _page(path, artifact, comparison, "manifest.parquet")


def corpus_since(last: Artifact | None) -> dict[str, Any] | None:
    """What a corpus's figures keep of the one before it; None where there was none."""
    if last is None:
        return None
    kept = {name: last.figures.get(name) for name in ("by_split", "config", "taken_down")}
    return {"version": last.version, **kept}


def _page(
    path: Path,
    artifact: Artifact,
    comparison: Callable[[Path | None, str], Comparison],
    needs: str,
) -> ChangesPage:
    """The page at `path`; `needs` is the file that a build must have left to be compared with."""
    stands = _said(path)
    if stands is not None and stands["version"] == artifact.version:
        return ChangesPage(path, stands)
    last, nothing = _before(artifact, needs)
    made = comparison(last, nothing)
    write_changes_report(made, path)
    return ChangesPage(path, _note(path, artifact.version, _figures(made)))


def _figures(made: Comparison) -> dict[str, Any]:
    taken = sum(one.documents for one in made.taken_down)
    return {
        **(made.changes.figures() if made.changes else {"nothing": made.nothing}),
        **({"taken_down": taken} if taken else {}),
    }


def _taken_down(data: DataStore, figures: Mapping[str, Any]) -> list[Taken]:
    """What was taken out of the build before, and of this one since it was made."""
    counts = Counter[str]((figures.get("since") or {}).get("taken_down") or {})
    counts.update(figures.get("taken_down") or {})
    try:
        known = {record.takedown_id: record for record in records(Path(data.root))}
    except TakedownRecordError:
        known = {}  # a crawl refuses it; here the counts are told all the same
    return [
        Taken(count, known[name].at, known[name].reason)
        if name in known
        else Taken(count, None, None)
        for name, count in sorted(counts.items())
    ]


def _unreadable(error: Exception) -> str:
    return f"The build before cannot be compared with, being damaged: {one_line(str(error), 160)}"


def _before(artifact: Artifact, needs: str) -> tuple[Path | None, str]:
    """The folder of the build before; None, and why there is nothing to compare with."""
    if "since" not in artifact.figures:
        return None, _EARLIER
    since = artifact.figures["since"]
    if since is None:
        return None, "This is the first build."
    folder = artifact.root / since["version"]
    if not folder.is_dir():
        return None, _TAKEN
    return (folder, "") if (folder / needs).is_file() else (None, _EARLIER)


def _note(path: Path, version: str | None, figures: dict[str, Any]) -> dict[str, Any]:
    """Keep the counts beside the page; the version is null where none stands by them."""
    said = {"version": version, **figures}
    content = json.dumps(said, indent=1, ensure_ascii=False).encode()
    write_atomically(path.with_suffix(".json"), content)
    return said


def _said(path: Path) -> dict[str, Any] | None:
    try:
        said = json.loads(path.with_suffix(".json").read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return said if path.is_file() and isinstance(said, dict) and "version" in said else None


def _fates(data: DataStore, stores: list[PageStore]) -> pa.Table:
    """What became of the pages that are no longer there."""
    taken = TakenDown(Path(data.root))
    gone = {url: moved for store in stores for url, moved in store.gone().items()}

    def fate(url: str, moved: str | None) -> str:
        if taken.has(url):
            return "its page was taken down"
        return "its page was moved" if moved else "its page is gone from the site or its listing"

    return pa.table(
        {
            "url": pa.array(gone, pa.string()),
            "fate": pa.array((fate(*page) for page in gone.items()), pa.string()),
        }
    )


def _settings(before: _Settings, now: _Settings) -> list[tuple[str, str, str]]:
    """What was configured otherwise, in the YAML's words."""
    if not before:
        return []
    flat = [_flat(settings) for settings in (before, now)]
    return [
        (name, flat[0].get(name, "unset"), flat[1].get(name, "unset"))
        for name in sorted(flat[0].keys() | flat[1].keys())
        if flat[0].get(name) != flat[1].get(name)
    ]


def _flat(settings: _Settings, prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = json.dumps(value, ensure_ascii=False)
    return flat
