"""How artifacts look in the Dagster UI: figures, links, paths to copy, inline plots.

Dagster's database keeps metadata for good, and a text may have to be taken out again: so metadata
holds counts and names, and a link to the page that shows the text.
"""

import base64
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import dagster as dg

from pipeline.artifact import Artifact
from pipeline.reports.text import web_link

#: What Markdown or HTML could take for more than text: a page's title must not become an image.
_MARKUP = set("\\`*_{}[]()#!|<>&~")

#: An address within a text. Left as text, the UI would make a link of it, entities and all.
_ADDRESS = re.compile(r"https?://[^\s<>\"'`|\\]+")
#: Marks that end a sentence around an address rather than the address.
_AROUND = ".,;:!?)]}*"
#: What an address keeps of its marks inside Markdown; brackets and bars would end the link.
_IN_URL = ":/?#@!$&',;=%~+-._"

OWNERS = ["team:loremill"]

#: Seconds between two lines of progress of one thing.
_PATIENCE = 10

#: Figures that the log tells of what was made; the UI shows all.
_TOLD = ("pages", "documents", "works", "dropped", "left_out", "samples")


@dataclass(frozen=True)
class Link:
    """A cell that leads to a page; to none where the address is not one of the web."""

    text: str
    url: str


def group_name(name: str) -> str:
    """A Dagster group for a franchise, corpus or model: hyphens are not allowed there."""
    return name.replace("-", "_").replace(".", "_")


def result(
    context: dg.AssetExecutionContext,
    artifact: Artifact,
    metadata: Mapping[str, Any],
    checks: list[dg.AssetCheckResult] | None = None,
) -> dg.MaterializeResult:
    """The materialization of an artifact, saying whether it was reused and what fails of it."""
    if artifact.reused:
        context.log.info("reused: inputs, configuration and code are those of %s", artifact.folder)
    else:
        told = (f"{name} {metadata[name]:,}" for name in _TOLD if name in metadata)
        context.log.info("made %s: %s", artifact.folder, ", ".join(told) or "done")
    for check in checks or []:
        if not check.passed:  # a terminal is told no more of it than this
            grave = check.severity == dg.AssetCheckSeverity.ERROR
            tell = context.log.error if grave else context.log.warning
            tell("%s fails: %s", check.check_name, check.description)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(artifact.data_version),
        metadata={
            **{
                name: round(value, 4) if isinstance(value, float) else value
                for name, value in metadata.items()
            },
            "path": dg.MetadataValue.path(str(artifact.folder)),
            "size": dg.MetadataValue.text(_size(sum(artifact.files.values()))),
            "reused": artifact.reused,
        },
        check_results=checks or [],
    )


def progress(context: dg.AssetExecutionContext, of: str) -> Callable[[str, int, int], None]:
    """Logs "what: done of total" at most every few seconds of each thing, and when it is done."""
    last: dict[str, float] = {}

    def tell(what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if done < total and now < last.setdefault(what, now) + _PATIENCE:
            return
        last[what] = now
        context.log.info("%s: %d of %d %s", what, done, total, of)

    return tell


def png(image: bytes, alt: str) -> dg.MetadataValue[Any]:
    """A plot inside the asset's metadata."""
    return dg.MetadataValue.md(
        f"![{alt}](data:image/png;base64,{base64.b64encode(image).decode()})"
    )


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> dg.MetadataValue[Any]:
    """A small Markdown table."""
    lines: list[Sequence[object]] = [columns, ["---"] * len(columns), *rows]
    return dg.MetadataValue.md(
        "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)
    )


def _cell(value: object) -> str:
    if isinstance(value, Link):
        return _link(value.text, value.url)
    text = " ".join((f"{value:,}" if isinstance(value, int) else str(value)).split())
    shown, at = "", 0
    for found in _ADDRESS.finditer(text):
        address = found[0].rstrip(_AROUND)
        shown += _escaped(text[at : found.start()]) + _link(address, address)
        at = found.start() + len(address)
    return shown + _escaped(text[at:])


def _link(text: str, url: str) -> str:
    """A Markdown link; its text alone where the address is not one of the web.

    An entity in an address means what it does in text, so an ampersand is written as one.
    """
    said = _escaped(" ".join(text.split()))
    safe = web_link(url)
    return f"[{said}]({quote(safe, _IN_URL).replace('&', '&amp;')})" if safe else said


def _escaped(text: str) -> str:
    return "".join(f"&#{ord(c)};" if c in _MARKUP else c for c in text)


def _size(size: float) -> str:
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:,.0f} {unit}" if unit == "B" else f"{size:,.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} GB"
