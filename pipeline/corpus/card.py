"""The papers that go with a corpus: ATTRIBUTION.md as its licences ask, and a dataset card.

Creative Commons licences ask for the author, the title, a link to the page, the licence with a
link, and a note of what was changed. A wiki's authors are its contributors, whom the history of
each page names, so they are credited by site. The card is a README.md with YAML front matter as
Hugging Face reads it (huggingface.co/docs/hub/datasets-cards). Titles come from the web, so they
are escaped.
"""

import re
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote, urldefrag, urlsplit

import pyarrow.parquet as pq
import yaml

from pipeline.licences import licence

_CHANGES = (
    "Changes were made: only the story was taken from each page, and references, captions, tables "
    "and other matter were left out; text was joined into paragraphs and normalised."
)
_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+!|~&])")


def write_attribution(folder: Path) -> None:
    """ATTRIBUTION.md from the corpus's manifest: by licence and source, each page once."""
    pages = sorted(_pages(folder))
    with (folder / "ATTRIBUTION.md").open("w", encoding="utf-8") as file:
        file.write("# Attribution\n\nWhere the text of this corpus comes from. " + _CHANGES + "\n")
        for (spdx, source), group in groupby(pages, key=lambda page: page[:2]):
            terms = licence(spdx)
            of_source = list(group)
            file.write(f"\n## {_plain(source)}: {terms.name}\n\n")
            if terms.attribution:
                file.write(_credit(link for _, _, _, link, _ in of_source))
            file.write(f"Licence: [{spdx}]({terms.url})")
            file.write(", not for commercial use" if terms.non_commercial else "")
            file.write(", share alike" if terms.share_alike else "")
            file.write("\n\n")
            for _, _, title, link, revision in of_source:
                version = f", revision {_plain(revision)}" if revision else ""
                file.write(f"- {_link(title, link)}{version}\n")


def write_card(folder: Path, figures: Mapping[str, Any]) -> None:
    """README.md: a dataset card with the figures of `build_corpus`."""
    terms = [licence(spdx) for spdx in figures["by_licence"]]
    front = {
        "license": sorted({term.hugging_face for term in terms}),
        "language": [name for name in figures["by_language"] if name != "none"],
        "task_categories": ["text-generation"],
        "size_categories": [_size_category(figures["documents"])],
        "configs": [
            {
                "config_name": "default",
                "data_files": [
                    {"split": split, "path": f"{split}.txt"} for split in figures["by_split"]
                ],
            }
        ],
    }
    lines = [
        "---",
        yaml.safe_dump(front, sort_keys=False, allow_unicode=True).rstrip(),
        "---",
        "",
        f"# Story corpus: {', '.join(_plain(name) for name in figures['by_franchise'])}",
        "",
        f"{figures['documents']:,} documents of {figures['works']:,} works, "
        f"{figures['words']:,} words, {figures['bytes']:,} bytes; "
        f"{figures['duplicates']:,} exact duplicates were left out.",
        "",
        f"The splits part the corpus by {figures['split_by']}. `manifest.parquet` names the page, "
        "revision and licence of every byte; documents are separated by `<|endoftext|>` lines, "
        "which have rows of their own. [ATTRIBUTION.md](ATTRIBUTION.md) names every page "
        "and credits their authors.",
        "",
    ]
    if figures["non_commercial"]:
        lines += ["**Some of this text is not for commercial use**; see the licences below.", ""]
    for name in ("split", "franchise", "source", "genre", "licence"):
        lines += _table(name, figures[f"by_{name}"])
    (folder / "README.md").write_text("\n".join(lines), encoding="utf-8")


def _credit(links: Iterable[str]) -> str:
    """The authors as wikis ask for them to be named: together, by site, with the way to each."""
    hosts = sorted({host for link in links if (host := urlsplit(link).hostname)})
    if not hosts:
        return ""
    return f"Text by the contributors of {_plain(', '.join(hosts))}, see each page's history.\n\n"


def _table(name: str, groups: Mapping[str, Mapping[str, int]]) -> list[str]:
    columns = ("documents", "works", "words", "bytes")
    return [
        f"| {name} | {' | '.join(columns)} |",
        "| --- |" + " ---: |" * len(columns),
        *(
            f"| {_plain(key)} | {' | '.join(f'{tally[column]:,}' for column in columns)} |"
            for key, tally in groups.items()
        ),
        "",
    ]


def _size_category(documents: int) -> str:
    bounds = ((1e3, "n<1K"), (1e4, "1K<n<10K"), (1e5, "10K<n<100K"), (1e6, "100K<n<1M"))
    return next((name for bound, name in bounds if documents < bound), "n>1M")


def _pages(folder: Path) -> set[tuple[str, str, str, str, str]]:
    """Licence, source, title, link and revision of each page (not of each of its sections)."""
    columns = ["kind", "licence", "source", "title", "attribution_url", "url", "revision"]
    pages = set()
    with pq.ParquetFile(folder / "manifest.parquet") as file:
        for batch in file.iter_batches(columns=columns):
            for row in batch.to_pylist():
                if row["kind"] == "document":
                    link = row["attribution_url"] or urldefrag(row["url"]).url
                    pages.add(
                        (row["licence"], row["source"], row["title"], link, row["revision"] or "")
                    )
    return pages


def _link(title: str, url: str) -> str:
    """A Markdown link; only the web's own schemes become one."""
    if not re.match(r"https?://", url):
        return f"{_plain(title)} ({_plain(url)})"
    return f"[{_plain(title)}]({quote(url, safe=':/?#@!$&*+,;=%~-._')})"


def _plain(text: str) -> str:
    """Text from the web as Markdown shows it: on one line, nothing in it markup."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
