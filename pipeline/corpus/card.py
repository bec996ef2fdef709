"""README.md of a corpus: a dataset card in Hugging Face's form, front matter and sections.

The fields are those of huggingface.co/docs/hub/datasets-cards. `datasets` reads the configuration
`default` from it: lines with their ends, so that the rows joined are the file. (Its reader of text
takes a carriage return for a line end too; cleaning leaves none, and the layout `lines` escapes
it.) It uses one reader for all configurations of a folder, so the manifest, which is Parquet, is
loaded by its name.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from pipeline.corpus.files import corpus_layout
from pipeline.corpus.layout import TextLayout
from pipeline.corpus.markdown import plain
from pipeline.corpus.split import SPLITS
from pipeline.licences import Licence, licence
from pipeline.schema import MANIFEST

#: The hub's names, from the smallest.
_SIZES = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B")
_MOST = 100  # groups or tokens that a card lists

_STANDS = {
    "stream": "Documents are parted by a blank line; the text stands as it is.",
    "documents": "Documents are parted by a line `<|endoftext|>`; the text stands as it is.",
    "lines": "Each line is a document: `<BOS> <genre> story <EOS>`, without the genre where none "
    "is known. In a story, line ends are written `\\n` (others `\\r`, `\\v`, `\\f`, `\\u2028` and "
    "so on), a backslash `\\\\` and a control token `<EOS\\>`.",
}

#: What the columns of manifest.parquet hold; in the schema's order.
_COLUMNS = {
    "split": "`train`, `validation` or `test`, the file of the same name",
    "start": "first byte of the range",
    "end": "byte after the range",
    "line": "line of the file on which the range begins, from 1",
    "kind": "`document`, `separator` or `control`; the last two have no further columns",
    "doc_id": "the document; the same over crawls",
    "work_id": "the work it belongs to",
    "franchise": "the franchise whose crawl found it",
    "source": "the source within the franchise",
    "url": "the page, with the section where it has an anchor",
    "revision": "the page's revision where the site counts them",
    "title": "title of the page or work",
    "section": "heading or chapter; null where the whole page is one",
    "genre": "genre; null where none is known",
    "language": "language tag; null where none is known",
    "licence": "SPDX id of the text's licence",
    "attribution_url": "the link that the licence asks for",
    "text_sha256": "SHA-256 of the document's text in UTF-8, escapes undone",
}


def write_card(folder: Path, figures: Mapping[str, Any]) -> None:
    """README.md for the corpus in `folder`, with the figures of `build_corpus`.

    Raises ManifestError, UnknownLicenceError.
    """
    terms = [licence(spdx) for spdx in figures["by_licence"]]
    front = yaml.safe_dump(_front(figures, terms), sort_keys=False, allow_unicode=True)
    parts = [
        f"---\n{front}---",
        f"# Story corpus: {', '.join(plain(name) for name in figures['by_franchise'])}",
        *_what(figures),
        *_how(figures, corpus_layout(folder)),
        "## The manifest",
        "`manifest.parquet` has a row for every range of bytes of each file:",
        _table("column", "holds", ((f"`{name}`", _COLUMNS[name]) for name in MANIFEST.names)),
        "## Figures",
        *(
            _tallies(name, figures[f"by_{name}"])
            for name in ("split", "franchise", "source", "genre", "language", "licence")
        ),
        *_terms(figures, terms),
        *_use(),
    ]
    (folder / "README.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _front(figures: Mapping[str, Any], terms: list[Licence]) -> dict[str, Any]:
    others = [term for term in terms if term.hugging_face == "other"]
    named = {"license_name": "-and-".join(term.spdx.casefold() for term in others)}
    linked = {"license_link": others[0].url} if len(others) == 1 else {}
    languages = {name.partition("-")[0].casefold() for name in figures["by_language"]}
    split_files = [
        {"split": split, "path": f"{split}.txt"} for split in SPLITS if split in figures["by_split"]
    ]
    return {
        "pretty_name": f"Story corpus: {', '.join(figures['by_franchise'])}",
        "license": sorted({term.hugging_face for term in terms}),
        **(named | linked if others else {}),
        # ISO 639 codes alone; documents without a language count as "none".
        "language": sorted(name for name in languages if re.fullmatch("[a-z]{2,3}", name)),
        "task_categories": ["text-generation"],
        "size_categories": [_size(figures["documents"])],
        "configs": [
            {
                "config_name": "default",
                "default": True,
                "data_files": split_files,
                "keep_linebreaks": True,
            }
        ],
    }


def _size(documents: int) -> str:
    exponents = range(3, 3 + len(_SIZES))
    fits = (name for name, power in zip(_SIZES, exponents, strict=True) if documents < 10**power)
    return next(fits, "1B<n<10B")


def _what(figures: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{figures['documents']:,} documents of {figures['works']:,} works, "
        f"{figures['words']:,} words, {figures['bytes']:,} bytes: plots, summaries and books, to "
        "train and judge models that tell stories. Every byte is traced to its page, revision and "
        "licence."
    ]
    if figures["non_commercial"]:
        lines.append("**Some of this text is not for commercial use**; see the licences below.")
    return lines


def _how(figures: Mapping[str, Any], layout: TextLayout) -> list[str]:
    tokens = " ".join(f"`{token}`" for token in layout.control_tokens[:_MOST])
    more = len(layout.control_tokens) - _MOST
    tokens += f" and {more:,} more, in the manifest's metadata" if more > 0 else ""
    excluded = figures["excluded_by_licence"]
    left_out = ", ".join(f"{count:,} under {plain(spdx)}" for spdx, count in excluded.items())
    reasons = [
        (plain(reason), f"{count:,}") for reason, count in figures["dropped_by_reason"].items()
    ]
    return [
        "## How it was made",
        "The story was cut out of each page, cleaned, and held against all others. The splits part "
        f"the corpus by {figures['split_by']}, by hash and once for all: none changes side when "
        "others come or go.",
        f"Layout `{layout.name}`. {_STANDS[layout.name]}",
        *([f"Control tokens: {tokens}"] if tokens else []),
        f"{figures['duplicates']:,} documents were left out for saying the same as another that "
        "stays. " + (f"Licences kept out: {left_out}." if left_out else "No licence kept any out."),
        *([_table("left out because", "documents", reasons)] if reasons else []),
    ]


def _terms(figures: Mapping[str, Any], terms: list[Licence]) -> list[str]:
    rows = (
        (f"[{term.spdx}]({term.url})", " ".join(term.asks) or "Asks for nothing.") for term in terms
    )
    return [
        "## Licences",
        "Each document stays under the licence of its page. [ATTRIBUTION.md](ATTRIBUTION.md) names "
        "every page and credits the authors.",
        _table("licence", "asks", rows),
    ]


def _use() -> list[str]:
    return [
        "## How to load it",
        "```python\n"
        "from datasets import load_dataset\n\n"
        'lines = load_dataset("path/to/this/folder")  # rows joined are the files\n'
        'manifest = load_dataset("parquet", data_files="path/to/this/folder/manifest.parquet")\n'
        "```",
        "## How to trace it",
        "The row of the manifest with the same split and `start` <= byte < `end` names the page:",
        "```python\n"
        "import pyarrow.parquet as pq\n\n"
        'where = [("split", "==", "train"), ("start", "<=", 1000), ("end", ">", 1000)]\n'
        'pq.read_table("manifest.parquet", filters=where).to_pylist()\n'
        "```",
        "Where the corpus was made, `loremill trace` answers the same.",
    ]


def _tallies(name: str, groups: Mapping[str, Mapping[str, int]]) -> str:
    columns = ("documents", "works", "words", "bytes")
    ordered = sorted(groups, key=lambda key: -groups[key]["documents"])
    if name == "split":
        ordered = [split for split in SPLITS if split in groups]
    shown = {key: groups[key] for key in ordered[:_MOST]}
    more = [f"\n{len(groups) - _MOST:,} smaller groups are not shown."] * (len(groups) > _MOST)
    head = f"| {name} | {' | '.join(columns)} |\n| --- |" + " ---: |" * len(columns)
    rows = (
        f"| {plain(key)} | {' | '.join(f'{tally[column]:,}' for column in columns)} |"
        for key, tally in shown.items()
    )
    return "\n".join([head, *rows, *more])


def _table(left: str, right: str, rows: Iterable[tuple[str, str]]) -> str:
    lines = (f"| {one} | {other} |" for one, other in rows)
    return "\n".join([f"| {left} | {right} |", "| --- | --- |", *lines])
