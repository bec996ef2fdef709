"""ATTRIBUTION.md: who wrote the text of a corpus, where it stands, and what its licences ask.

A wiki's authors are its contributors, whom the history of each page names, so they are credited by
site, as wikis ask for; of other pages only the page itself knows. A page is named once, with its
revision, however many documents it gave. The pages are sorted as Arrow columns, at 500 bytes each.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.corpus.markdown import WEB, link, plain
from pipeline.licences import Licence, licence

_CHANGES = (
    "Changes were made: only the story was taken from each page, and references, captions, tables "
    "and other matter were left out; text was joined into paragraphs and normalised."
)
_PAGE = ("licence", "source", "title", "link", "revision")
_SCHEMA = pa.schema([(name, pa.large_string()) for name in _PAGE])
_BATCH_ROWS = 10_000
_HOST = r"^https?://(?:[^/?#@]*@)?(?P<host>[^/?#:]+)"
_MOST_SITES = 20  # that a credit names


def write_attribution(folder: Path) -> None:
    """ATTRIBUTION.md from the corpus's manifest: by licence and source, each page once.

    Raises UnknownLicenceError.
    """
    pages = _pages(folder)
    groups = pages.group_by(["licence", "source"], use_threads=False)
    counted = groups.aggregate([([], "count_all")]).to_pylist()  # in the pages' order
    start = 0
    with (folder / "ATTRIBUTION.md").open("w", encoding="utf-8") as file:
        file.write(f"# Attribution\n\nWhere the text of this corpus comes from. {_CHANGES}\n")
        for spdx, sources in groupby(counted, key=itemgetter("licence")):
            terms = licence(spdx)
            file.write(f"\n## {terms.name}\n\n[{spdx}]({terms.url}): {_asked(terms)}\n")
            for source in sources:
                of_source = pages.slice(start, source["count_all"])
                start += len(of_source)
                file.write(f"\n### {plain(source['source'])}\n\n")
                if terms.attribution:
                    file.write(_credit(of_source))
                _list(of_source, file)


def _asked(terms: Licence) -> str:
    return " ".join(terms.asks) or "asks for nothing."


def _list(pages: pa.Table, file: TextIO) -> None:
    for page in _rows(pages):
        # A wiki counts its revisions; other sources' marks of a version tell a reader nothing.
        version = f", revision {page['revision']}" if page["revision"].isdecimal() else ""
        file.write(f"- {link(page['title'], page['link'])}{version}\n")


def _credit(pages: pa.Table) -> str:
    """Who the authors are, as far as their pages let it be said."""
    web = pc.match_substring_regex(pages["link"], WEB)
    wiki = pc.and_(web, pc.utf8_is_decimal(pages["revision"]))
    others = pc.any(pc.and_not(web, wiki)).as_py()
    unlinked = not pc.all(web).as_py()
    found = pc.struct_field(pc.extract_regex(pages["link"].filter(wiki), _HOST), "host")
    tallies = pc.value_counts(found).to_pylist()
    hosts = Counter({tally["values"]: tally["counts"] for tally in tallies})
    lines = []
    if hosts:
        sites = sorted(name for name, _ in hosts.most_common(_MOST_SITES))
        more = f" and {len(hosts) - len(sites):,} sites more" if len(hosts) > len(sites) else ""
        lines.append(
            f"Text by the contributors of {plain(', '.join(sites))}{more}, see each page's history."
        )
    if others:
        lines.append("Text by the authors whom each page, or its history, names.")
    if unlinked:
        lines.append("No page on the web is known of those without a link, nor who wrote them.")
    return " ".join(lines) + "\n\n"


def _pages(folder: Path) -> pa.Table:
    """Licence, source, title, link and revision of each page, not of each of its sections."""
    columns = ["kind", "licence", "source", "title", "attribution_url", "url", "revision"]
    parts = []
    with pq.ParquetFile(folder / "manifest.parquet") as file:
        for batch in file.iter_batches(_BATCH_ROWS, columns=columns):
            rows = pa.Table.from_batches([batch.filter(pc.equal(batch["kind"], "document"))])
            page = pc.replace_substring_regex(rows["url"], "#.*", "")
            address = pc.coalesce(rows["attribution_url"], page)
            rows = rows.append_column("link", address).select(_PAGE)
            parts.append(_once(rows))
    pages = pa.concat_tables(parts) if parts else _SCHEMA.empty_table()
    del parts
    pages = pages.sort_by([(name, "ascending") for name in _PAGE])
    # Sections of a page can be far apart in a corpus; now they are neighbours.
    new = np.zeros(len(pages), bool)
    new[:1] = True
    for name in _PAGE:
        differs = pc.not_equal(pages[name][1:], pages[name][:-1])
        new[1:] |= differs.to_numpy()
    return pages.filter(pa.array(new))


def _once(rows: pa.Table) -> pa.Table:
    known = [pc.fill_null(rows[name], "") for name in _PAGE]
    pages = pa.table(known, list(_PAGE)).group_by(list(_PAGE), use_threads=False).aggregate([])
    return pages.cast(_SCHEMA)


def _rows(pages: pa.Table) -> Iterator[dict[str, Any]]:
    for batch in pages.to_batches(_BATCH_ROWS):
        yield from batch.to_pylist()
