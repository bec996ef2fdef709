"""A corpus from documents: what goes in, on which side of the split, and the files.

All is decided on names, hashes and matches; then the texts are read, document by document, and go
straight to the files. The corpus is a function of documents, signatures, configuration and the
record of sides: no order of files, pages or runs enters. Memory: a kilobyte a document, what the
search for duplicates takes (pipeline/dedup/matches.py), and what the search for held-out passages
takes (leak.py).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.corpus import licence_rule
from pipeline.corpus.attribution import write_attribution
from pipeline.corpus.card import write_card
from pipeline.corpus.catalogue import in_order, read_catalogue
from pipeline.corpus.errors import CorpusError
from pipeline.corpus.figures import Figures
from pipeline.corpus.files import SplitWriter, manifest_writer
from pipeline.corpus.layout import TextLayout, make_layout
from pipeline.corpus.leak import Named
from pipeline.corpus.plan import LEAK, LICENCE, Dropped, chosen, matched, without
from pipeline.corpus.record import REMEDY, Record, read_record, write_record
from pipeline.corpus.spec import CorpusConfig
from pipeline.corpus.split import SPLITS, DealError, Side, settle
from pipeline.corpus.text_file import TextFile
from pipeline.corpus.thin import thin
from pipeline.dedup.errors import DedupError
from pipeline.dedup.policy import WORK
from pipeline.schema import DROPPED

_ROWS = 1024


def build_corpus(
    documents: Mapping[str, Path],
    signatures: Mapping[str, Path],
    config: CorpusConfig,
    folder: Path,
    *,
    recorded: Path,
) -> dict[str, Any]:
    """Write a corpus into `folder` and return its figures.

    `documents` and `signatures` lead from a franchise's name to its `documents.parquet` and
    `signatures.parquet`; `recorded` is the corpus's lasting record of sides, read first and
    replaced last. Writes train.txt, validation.txt, test.txt, manifest.parquet, dropped.parquet,
    matches.parquet, ATTRIBUTION.md, README.md. Raises CorpusError, DedupError, EngineError,
    ManifestError, UnknownLicenceError; the record is then as it was.
    """
    record = read_record(recorded)
    catalogue = in_order(read_catalogue(documents))
    may = pc.is_in(catalogue["licence"], value_set=pa.array(sorted(licence_rule.allowed(config))))
    barred, left = catalogue.filter(pc.invert(may)), catalogue.filter(may)
    gone = [Dropped(name, LICENCE) for name in barred["doc_id"].to_pylist()]
    with TemporaryDirectory(dir=folder, prefix="scratch-") as scratch:
        room = Path(scratch)
        compared = licence_rule.without_barred(documents, barred, room)
        matches = _matches(compared, signatures, config, room)
        pq.write_table(matches, folder / "matches.parquet", compression="zstd")
        split_by, sides, left, same = _sides(matches, left, record, config)
        with TextFile(documents, left, room / "texts") as texts:
            same += thin(matches, left, config.duplicates.keep, lambda rows: _named(rows, texts))
            gone += same
            left = without(left, gone)
            _check_splits(left, catalogue, record, gone)
            layout = make_layout(config.layout, pc.unique(left["genre"]).to_pylist())
            duplicates = sum(dropped.reason != LEAK for dropped in same)
            figures = Figures(duplicates=duplicates, split_by=split_by == "work")
            _write(left, texts, folder, layout, figures)
    _write_dropped(catalogue, gone, folder / "dropped.parquet")
    result = figures.as_dict() | {
        "layout": config.layout,
        "matches": _counts(matches["kind"]),
        "dropped_by_reason": dict(sorted(Counter(dropped.reason for dropped in gone).items())),
        "excluded_by_licence": _counts(barred["licence"]),
    }
    write_attribution(folder)
    write_card(folder, result)
    write_record(recorded, split_by, record.sides | sides)
    return result | {"record_sha256": record_sha256(recorded)}


def record_sha256(recorded: Path) -> str | None:
    """What the record of sides is known by; None where there is none."""
    return sha256(recorded.read_bytes()).hexdigest() if recorded.exists() else None


def _matches(
    documents: Mapping[str, Path],
    signatures: Mapping[str, Path],
    config: CorpusConfig,
    room: Path,
) -> pa.Table:
    """Who says the same. Daft is imported here, where it is needed first."""
    from pipeline.dedup.matches import find_matches
    from pipeline.dedup.sign import made_alike

    for franchise, path in sorted(signatures.items()):
        remedy = f"extract the documents of {franchise!r} again"
        try:
            alike = made_alike(path)
        except DedupError as error:
            raise CorpusError(f"{str(error).partition(';')[0]}; {remedy}") from error
        if not alike:
            raise CorpusError(f"{path}: its signatures are of another version; {remedy}")
    bounds = config.duplicates
    return find_matches(documents, signatures, bounds.threshold, bounds.work_threshold, room)


def _sides(
    matches: pa.Table, left: pa.Table, record: Record, config: CorpusConfig
) -> tuple[str, dict[str, Side], pa.Table, list[Dropped]]:
    """By what is split, the sides of what had none, who is left with its `split`, and who goes
    whatever the sides are.

    Who goes so is dealt a side all the same and hands it on: a newer edition of a held-out chapter
    is held out too.
    """
    keep = config.duplicates.keep
    gone = chosen(matches, matched(matches, left), keep) if keep == "none" else []
    split_by = record.split_by or _unit(matches, left, gone)
    if split_by == "document" and keep != "none":
        # Where documents of one work stand on all sides, an edition too many goes first.
        works = matches.filter(pc.equal(matches["kind"], WORK))
        gone = chosen(works, matched(works, left), keep)
    staying = without(left, gone)
    try:
        sides = _settled(matches, left, gone, split_by, record, config)
    except DealError as error:
        raise _too_few(str(error), staying, split_by, record) from error
    unit = "work_id" if split_by == "work" else "doc_id"
    splits = [(record.sides.get(u) or sides[u]).split for u in staying[unit].to_pylist()]
    return split_by, sides, staying.append_column("split", pa.array(splits, pa.string())), gone


def _unit(matches: pa.Table, left: pa.Table, gone: Sequence[Dropped]) -> str:
    """Works, where enough of them differ; else documents."""
    try:
        _settled(matches, left, gone, "work", Record(Path(), None, {}), CorpusConfig())
    except DealError:
        return "document"
    return "work"


def _settled(
    matches: pa.Table,
    left: pa.Table,
    gone: Sequence[Dropped],
    split_by: str,
    record: Record,
    config: CorpusConfig,
) -> dict[str, Side]:
    one, other = ("work_id", "partner_work") if split_by == "work" else ("doc_id", "partner")
    links = zip(matches[one].to_pylist(), matches[other].to_pylist(), strict=True)
    units = pc.unique(left[one]).to_pylist()
    joined = (pair for pair in links if pair[0] is not None)
    leaving = set(units).difference(without(left, gone)[one].to_pylist()) if gone else set()
    return settle(units, joined, record.sides, config.validation, config.test, leaving)


def _named(rows: pa.Table, texts: TextFile) -> Iterator[Named]:
    for row in _rows(rows.select(["doc_id", "franchise", "row"])):
        yield row["doc_id"], texts.read(row["franchise"], row["row"])


def _write(
    left: pa.Table, texts: TextFile, folder: Path, layout: TextLayout, figures: Figures
) -> None:
    with manifest_writer(folder, layout) as manifest:
        for split in SPLITS:
            with SplitWriter(folder, split, manifest, layout) as writer:
                for row in _rows(left.filter(pc.equal(left["split"], split))):
                    document = row | {"text": texts.read(row["franchise"], row["row"])}
                    figures.add(split, row, writer.write(document))


def _write_dropped(catalogue: pa.Table, gone: Sequence[Dropped], path: Path) -> None:
    """A row of DROPPED for each, in order of names; the texts stand with the documents."""
    ordered = sorted(gone, key=lambda dropped: dropped.doc_id)
    names = pa.array([dropped.doc_id for dropped in ordered], pa.string())
    rows = catalogue.take(pc.index_in(names, value_set=catalogue["doc_id"]))
    said = {
        "stage": pa.repeat(pa.scalar("corpus"), len(ordered)),
        "reason": pa.array([dropped.reason for dropped in ordered], pa.string()),
        "figure": pa.array([dropped.figure for dropped in ordered], pa.float64()),
        "partner": pa.array([dropped.partner for dropped in ordered], pa.string()),
        "text": pa.nulls(len(ordered), pa.large_string()),
    }
    columns = [said[name] if name in said else rows[name] for name in DROPPED.names]
    pq.write_table(pa.table(columns, schema=DROPPED), path, compression="zstd")


def _check_splits(
    left: pa.Table, catalogue: pa.Table, record: Record, gone: Sequence[Dropped]
) -> None:
    there = set(pc.unique(left["split"]).to_pylist())
    if empty := [split for split in SPLITS if split not in there]:
        reasons = Counter(dropped.reason for dropped in gone).most_common()
        told = ", ".join(f"{count:,} for {reason!r}" for reason, count in reasons) or "none"
        remedy = "add sources, or relax `duplicates` or `licences` of the corpus"
        if reasons and reasons[0][0] == LEAK:
            leak = next(dropped for dropped in gone if dropped.reason == LEAK)
            remedy = (
                f"{leak.doc_id!r} shares {leak.figure:.0f} words in a row with {leak.partner!r}: "
                "look at the two, and if it is boilerplate leave it out by `sections:` of their "
                "source; or add sources that do not have it"
            )
        raise CorpusError(
            f"{' and '.join(empty)} would be empty: of {len(catalogue):,} documents "
            f"{len(gone):,} were left out ({told}); {remedy}{_or_record(record)}"
        )


def _too_few(what: str, left: pa.Table, split_by: str, record: Record) -> CorpusError:
    franchises = ", ".join(sorted(pc.unique(left["franchise"]).to_pylist())) or "(none)"
    if record.split_by is None:
        return CorpusError(
            f"franchises {franchises} have {len(left)} documents together that may go in and say "
            "different things, and train, validation and test need one each; add sources or raise "
            "limits in their defs.yaml, or look into dropped.parquet of their documents for what "
            "was left out and why"
        )
    return CorpusError(
        f"{what} of the corpus of {franchises}: each {split_by} that is left keeps the side "
        f"recorded for it, and none is new; add sources{_or_record(record)}"
    )


def _or_record(record: Record) -> str:
    return f"; or look at {record.path}: {REMEDY}" if record.split_by else ""


def _rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    for batch in table.to_batches(_ROWS):
        yield from batch.to_pylist()


def _counts(column: pa.ChunkedArray) -> dict[str, int]:
    counted = pc.value_counts(column)
    return dict(sorted((row["values"], row["counts"]) for row in counted.to_pylist()))
