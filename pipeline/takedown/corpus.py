"""A corpus without a page: what of it stood there, who says the same, and its files without it.

The corpus is made anew by its own step afterwards, which deals with what the page's going changes;
the text is out of the files before that, and stays out where that step fails. So the figures, the
attribution and the card are those of what is left.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipeline.artifact import Artifact, discard, rewrite
from pipeline.corpus import ManifestError, read_split
from pipeline.corpus.attribution import write_attribution
from pipeline.corpus.card import write_card
from pipeline.corpus.figures import Figures
from pipeline.corpus.files import SplitWriter, corpus_layout, manifest_writer
from pipeline.corpus.layout import TextLayout
from pipeline.corpus.plan import LEAK, LICENCE
from pipeline.corpus.split import SPLITS
from pipeline.licences import UnknownLicenceError
from pipeline.takedown import Removal, tallied
from pipeline.takedown.tables import remove_rows, rows_of

_MANIFEST, _DROPPED = "manifest.parquet", "dropped.parquet"


@dataclass(frozen=True)
class Twin:
    """A document of another page that says the same, or nearly."""

    corpus: str
    title: str
    url: str
    similarity: float | None
    doc_id: str


def touched(artifact: Artifact, removal: Removal) -> dict[str, dict[str, int]]:
    """Documents and bytes of the pages by split; `dropped` counts those that were kept out."""
    found: dict[str, dict[str, int]] = defaultdict(lambda: {"documents": 0, "bytes": 0})
    for row in rows_of(artifact.folder / _MANIFEST, removal, ["split", "start", "end"]):
        found[row["split"]]["documents"] += 1
        found[row["split"]]["bytes"] += row["end"] - row["start"]
    if dropped := sum(1 for _ in rows_of(artifact.folder / _DROPPED, removal, [])):
        found["dropped"]["documents"] = dropped
    return dict(found)


def texts(artifact: Artifact, removal: Removal) -> Iterator[str]:
    """The pages' texts as the corpus has them. Raises ManifestError."""
    for split in SPLITS:
        for document in read_split(artifact.folder, split):
            if removal.has(document.doc_id, document.url):
                yield document.text
    for row in rows_of(artifact.folder / _DROPPED, removal, ["text"]):
        if row["text"]:
            yield row["text"]


def twins(artifact: Artifact, removal: Removal) -> list[Twin]:
    """The documents of other pages that the duplicate search matched with these."""
    manifest, matches = artifact.folder / _MANIFEST, artifact.folder / "matches.parquet"
    works = {row["work_id"] for row in rows_of(manifest, removal, ["work_id"])}

    def is_ours(name: str) -> bool:
        return removal.has(name, None) or name in works

    found: dict[str, float | None] = {}
    named: dict[str, tuple[str, str]] = {}
    for row in _rows(artifact.folder / _DROPPED, ["doc_id", "title", "url", "partner", "figure"]):
        if row["doc_id"] and row["partner"] and is_ours(row["doc_id"]) != is_ours(row["partner"]):
            if is_ours(row["doc_id"]):
                found[row["partner"]] = row["figure"]
            else:
                found[row["doc_id"]] = row["figure"]
                named[row["doc_id"]] = (row["title"] or "", row["url"])
    pairs = [("doc_id", "partner"), ("work_id", "partner_work")]
    for row in _rows(matches, ["doc_id", "partner", "work_id", "partner_work", "similarity"]):
        one, other = next((row[a], row[b]) for a, b in pairs if row[a] and row[b])
        if is_ours(one) != is_ours(other):
            found.setdefault(other if is_ours(one) else one, row["similarity"])
    if found.keys() - named.keys():
        for row in _rows(manifest, ["doc_id", "work_id", "title", "url"]):
            for name in {row["doc_id"], row["work_id"]} & found.keys():
                named.setdefault(name, (row["title"] or "", row["url"]))
    corpus = artifact.root.name
    return [Twin(corpus, *named[name], found[name], name) for name in sorted(named.keys() & found)]


def erase(root: Path, removal: Removal, takedown: str = "") -> bool:
    """Write the corpus under `root` without the pages; no earlier version stays.

    False where its files do not fit together, or are of another version, so that nothing could be
    told of them: it is removed. The figures keep how many documents went, by `takedown`. Raises
    OSError.
    """
    try:
        rewrite(root, lambda folder: _edit(folder, Artifact.load(root), removal, takedown))
    except (ManifestError, UnknownLicenceError):
        discard(root)
        return False
    return True


def _edit(
    folder: Path, last: Artifact | None, removal: Removal, takedown: str
) -> Mapping[str, Any]:
    assert last is not None
    layout = corpus_layout(folder)
    figures = dict(last.figures)
    if went := sum(1 for _ in rows_of(folder / _MANIFEST, removal, [])):
        figures |= tallied(figures, takedown, went)
        figures |= _without(folder, layout, figures["split_by"] == "work", removal)
    if (folder / _DROPPED).is_file():
        remove_rows(folder / _DROPPED, removal)
        figures |= _left_out(folder / _DROPPED)
    for name in ("ATTRIBUTION.md", "README.md"):
        (folder / name).unlink(missing_ok=True)  # a hard link: not to be written into
    write_attribution(folder)
    write_card(folder, figures)
    return figures


def _without(
    folder: Path, layout: TextLayout, split_by_work: bool, removal: Removal
) -> Mapping[str, Any]:
    """Write the splits and the manifest without the pages; figures of what is left."""
    figures = Figures(duplicates=0, split_by=split_by_work)
    aside = folder / ".without"
    aside.mkdir()
    with manifest_writer(aside, layout) as manifest:
        for split in SPLITS:
            with SplitWriter(aside, split, manifest, layout) as writer:
                for document in read_split(folder, split):
                    if not removal.has(document.doc_id, document.url):
                        size = writer.write(asdict(document))
                        counts = {"characters": len(document.text),
                                  "words": len(document.text.split())}  # fmt: skip
                        figures.add(split, vars(document) | counts, size)
    for path in aside.iterdir():
        path.replace(folder / path.name)
    aside.rmdir()
    return figures.as_dict()


def _left_out(dropped: Path) -> Mapping[str, Any]:
    """What `build_corpus` counts of the documents that are not in the corpus."""
    reasons, barred = Counter[str](), Counter[str]()
    for row in _rows(dropped, ["reason", "licence"]):
        reasons[row["reason"]] += 1
        if row["reason"] == LICENCE:
            barred[row["licence"]] += 1
    return {
        "duplicates": reasons.total() - reasons[LEAK] - reasons[LICENCE],
        "dropped_by_reason": dict(sorted(reasons.items())),
        "excluded_by_licence": dict(sorted(barred.items())),
    }


def _rows(path: Path, columns: list[str]) -> Iterator[dict[str, Any]]:
    """A file's rows with these columns, null where an earlier version had none; none without it."""
    if path.is_file():
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(1024, columns=columns):
                yield from (dict.fromkeys(columns) | row for row in batch.to_pylist())
