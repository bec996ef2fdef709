"""All that a page has touched, as a person reads it before anything is done."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq

from crawlers.franchise import corpora_folder, load_franchise
from crawlers.takedowns import FOLDER, PageName, Takedown
from crawlers.yaml_spec import SpecError
from dagster_project import crawl_page, models_page
from dagster_project.components.franchise import source_rules
from dagster_project.fixtures import fixtures_folder, load
from dagster_project.takedown.find import InStore, bodies
from pipeline.artifact import MANIFEST, Artifact
from pipeline.extract import extract, page_name
from pipeline.memorisation.index import is_of
from pipeline.takedown import Removal, corpus, documents, models, passages, samples
from pipeline.takedown.quotes import Quotes

#: Files in which a page may be shown as text.
_SHOWS_TEXT = (".html", ".md", ".txt", ".json", ".jsonl")


@dataclass
class Touched:
    """What is there of the pages, by kind and name. JSON values; no text."""

    stores: dict[str, dict[str, int]] = field(default_factory=dict)  # FRANCHISE/SPIDER: rows, bytes
    documents: dict[str, dict[str, int]] = field(default_factory=dict)  # franchise: rows by file
    corpora: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)  # by split
    models: dict[str, int | None] = field(default_factory=dict)  # documents; None: it may have been
    samples: dict[str, int] = field(default_factory=dict)  # model: stories that repeat it
    memorisation: dict[str, int] = field(default_factory=dict)  # model: passages found on it
    reports: list[str] = field(default_factory=list)  # under reports/: models, and pages to read
    bundles: list[str] = field(default_factory=list)
    indexes: list[str] = field(default_factory=list)  # corpora
    fixtures: dict[str, list[str]] = field(default_factory=dict)  # franchise: names
    twins: list[dict[str, Any]] = field(default_factory=list)  # other pages, which stay

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)

    def anything(self) -> bool:
        """Whether anything is there yet that holds its text."""
        stored = any(store["rows"] for store in self.stores.values())
        made = (self.documents, self.corpora, self.samples, self.memorisation, self.fixtures)
        return stored or any(made)

    def with_earlier(self, earlier: dict[str, Any]) -> "Touched":
        """The same, with what a takedown had found that was killed and is gone on with."""
        both = self.as_dict()
        for kind, found in earlier.items():
            now = both.get(kind)
            if isinstance(now, dict):
                both[kind] = found | now
            elif isinstance(now, list):
                both[kind] = now + [one for one in found if one not in now]
        return Touched(**both)


def removal_of(pages: Iterable[PageName]) -> Removal:
    """By which names the pages' documents are known."""
    pages = list(pages)
    at: dict[str, set[str | None]] = {}
    for page in pages:
        for address in page.addresses:
            at.setdefault(address, set()).add(page.number[1] if page.number else None)
    return Removal(
        prefixes=tuple(sorted({f"{page_name(asdict(page))}#" for page in pages})),
        addresses=frozenset(at),
        numbers={
            address: {number for number in numbers if number is not None}
            for address, numbers in at.items()
            if None not in numbers
        },
    )


def artifacts(data: Path, kind: str) -> Iterator[Artifact]:
    """The finished outputs of a kind."""
    for manifest in sorted((data / kind).glob(f"*/{MANIFEST}")):
        if (found := Artifact.load(manifest.parent)) is not None:
            yield found


def quotes_of(data: Path, found: Iterable[InStore], removal: Removal) -> Quotes:
    """The runs of words of all texts of the pages, wherever they stand yet."""
    quotes = Quotes()
    for made in artifacts(data, "documents"):
        for text in documents.texts(made, removal):
            quotes.add(text)
    for made in artifacts(data, "corpora"):
        for text in corpus.texts(made, removal):
            quotes.add(text)
    for in_store in found:
        for text in _extracted(in_store):
            quotes.add(text)
    return quotes


def look(data: Path, found: list[InStore], removal: Removal, quotes: Quotes) -> Touched:
    """What the pages have touched under the data root and in the fixtures."""
    touched = Touched(
        stores={
            f"{one.store.root.parent.name}/{one.store.root.name}": {
                "rows": one.rows,
                "bytes": one.size,
            }
            for one in found
        }
    )
    for made in artifacts(data, "documents"):
        if rows := documents.touched(made, removal):
            touched.documents[made.root.name] = rows
    twins: dict[str, corpus.Twin] = {}
    for made in artifacts(data, "corpora"):
        if splits := corpus.touched(made, removal):
            touched.corpora[made.root.name] = splits
        twins |= {twin.doc_id: twin for twin in corpus.twins(made, removal)}
    touched.twins = [asdict(twin) for twin in twins.values()]
    for made in artifacts(data, "models"):
        count = models.trained_on(made, removal)
        if count or (count is None and models.corpus_of(made) in touched.corpora):
            touched.models[made.root.name] = count
    for made in artifacts(data, "samples"):
        if stories := samples.touched(made, quotes):
            touched.samples[made.root.name] = len(stories)
    for made in artifacts(data, "memorisation"):
        stories = stories_of(data, made.root.name, quotes)
        if rows_there := passages.touched(made, removal, stories):
            touched.memorisation[made.root.name] = rows_there
    touched.reports = sorted(_reports(data, touched, quotes))
    touched.bundles = sorted(_named(data / "bundles", touched.models))
    touched.indexes = sorted(_indexes(data, touched))
    for franchise, name in _fixtures(removal):
        touched.fixtures.setdefault(franchise, []).append(name)
    return touched


def stories_of(data: Path, model: str, quotes: Quotes) -> list[int]:
    """The numbers of a model's stories that repeat the pages."""
    made = Artifact.load(data / "samples" / model)
    return samples.touched(made, quotes) if made is not None else []


def shows(path: Path, quotes: Quotes) -> bool:
    """Whether a file that people read quotes the pages."""
    return path.suffix.lower() in _SHOWS_TEXT and quotes.stand_in_page(
        path.read_text("utf-8", "replace")
    )


def quotes_path(data: Path, record: Takedown) -> Path:
    """Where the runs of words are kept until a takedown has come to its end."""
    return data / FOLDER / f"{record.takedown_id}.runs"


def _reports(data: Path, touched: Touched, quotes: Quotes) -> Iterator[str]:
    """Models' reports, and pages that are made of what was touched or quote it."""
    root = data / "reports"
    made_of = {*touched.documents, *touched.corpora}
    told = {*touched.models, *touched.samples, *touched.memorisation}
    told_on = {models.corpus_of(one) for one in artifacts(data, "models") if one.root.name in told}
    for path in sorted(root.glob("*")):
        if path.name == crawl_page.FOLDER or not path.is_dir():
            continue  # how sites were treated: no text
        if (path / MANIFEST).is_file():
            quoted = any(shows(page, quotes) for page in path.rglob("*.html"))
            if path.name in told or quoted:
                yield path.name
            continue
        of = made_of | told_on if path.name == models_page.FOLDER else made_of
        for page in path.rglob("*"):
            names = {page.stem, *page.relative_to(root).parts[1:-1]}
            if page.is_file() and (not names.isdisjoint(of) or shows(page, quotes)):
                yield page.relative_to(root).as_posix()


def _indexes(data: Path, touched: Touched) -> Iterator[str]:
    """Those of the corpora that have the pages, and those of which nobody knows any more.

    What an index holds is known by its corpus: one of an earlier state of it may have the text yet.
    """
    for root in {path.parent for path in (data / "indexes").glob("*/*")}:
        made, corpus = Artifact.load(root), Artifact.load(data / "corpora" / root.name)
        known = made and corpus and is_of(made.folder, corpus.folder)
        if root.name in touched.corpora or not known:
            yield root.name


def _named(root: Path, names: Iterable[str]) -> Iterator[str]:
    """What lies in a folder under one of the names, or begins with one and a mark."""
    wanted = set(names)
    for path in root.glob("*"):
        stem = path.name.partition(".")[0]
        if stem in wanted or any(stem.startswith(f"{name}-") for name in wanted):
            yield path.name


def _fixtures(removal: Removal) -> Iterator[tuple[str, str]]:
    """The saved pages: franchise and name. Raises FixtureError."""
    for folder in sorted(corpora_folder().glob("*/fixtures")):
        franchise = folder.parent.name
        for name, page in load(fixtures_folder(franchise)).items():
            row = page.drop_columns("body").to_pylist()[0]
            of_page = f"{page_name(row)}#"
            if any(removal.has(of_page, row[key]) for key in ("url", "final_url")):
                yield franchise, name


def _extracted(found: InStore) -> Iterator[str]:
    """The texts of all stored revisions, cut out by the rules of today."""
    franchise = found.store.root.parent.name
    try:
        rules = source_rules(load_franchise(franchise))
    except SpecError:
        return  # a franchise that is no more: what was made of it is looked through as it lies
    batches = (
        rows
        for batch in bodies(found)
        for row in range(batch.num_rows)
        if (rows := batch.slice(row, 1))["source"][0].as_py() in rules
    )
    with TemporaryDirectory(prefix="loremill-takedown-") as folder:
        extract(batches, rules, Path(folder))
        for name in ("documents", "dropped"):
            with pq.ParquetFile(Path(folder) / f"{name}.parquet") as file:
                for batch in file.iter_batches(64, columns=["text"]):
                    yield from (text for text in batch["text"].to_pylist() if text)


def as_json(
    pages: Iterable[PageName], touched: Touched, others: Iterable[PageName] = (), **more: Any
) -> str:
    """What a script reads; `others` are pages that share an address with these, and stay."""
    told = {
        "pages": [asdict(page) for page in pages],
        "others": [asdict(page) for page in others],
        **touched.as_dict(),
        **more,
    }
    return json.dumps(told, indent=2)  # in ASCII: what a title hides steers no terminal
