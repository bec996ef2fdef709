"""A preview as text for a terminal, and as JSON for a script.

Titles, addresses and texts come from the web: control characters and escape sequences are taken
out of all of them (pipeline.reports.text), so that no page can move a cursor or hide a line.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from textwrap import fill
from typing import Any

from dagster_project.preview import Look, Preview
from pipeline.reports.text import counted, number, one_line, plain, size

#: Documents shown of a book's chapters or a long list: the first ones and the last.
_FIRST = 3
#: Characters shown of a document's beginning and of its end, and of what was dropped.
_BEGINNING, _END, _DROPPED = 300, 150, 120


def as_text(
    title: str, origin: str, preview: Preview, advice: Sequence[str], *, full: bool, width: int
) -> str:
    """The whole preview, no line wider than `width` but for addresses."""
    lines = [f"{one_line(title, width)}: {counted(len(preview.looks), 'page')}, {origin}", ""]
    for position, look in enumerate(preview.looks, start=1):
        lines += [*_page(position, look, full, width), ""]
    lines += _summary(preview)
    if advice:
        lines += ["", "Worth a look"]
        lines += [_wrapped(line, width, "  ! ", "    ") for line in advice]
    return "\n".join(lines)


def as_json(name: str, origin: str, preview: Preview, advice: Sequence[str]) -> str:
    """The same with whole texts; only a page's body is left out."""
    pages = [
        {
            **{key: value for key, value in look.page.items() if key != "body"},
            "bytes": len(look.page["body"]),
            "documents": look.documents,
            "dropped": look.dropped,
        }
        for look in preview.looks
    ]
    whole = {
        "franchise": name,
        "origin": origin,
        "pages": pages,
        "figures": preview.figures,
        "advice": list(advice),
    }
    return json.dumps(whole, indent=2, default=_iso)


def _iso(value: object) -> str:
    assert isinstance(value, datetime)
    return value.isoformat()


def _page(position: int, look: Look, full: bool, width: int) -> Iterator[str]:
    page = look.page
    title = page["title"] or (look.documents or [{"title": "(no title)"}])[0]["title"]
    head = f"── {position}  {one_line(title, width - 12)} "
    yield head + "─" * (width - len(head))
    yield f"   {plain(page['url'])}"
    told = [
        page["source"],
        f"revision {page['revision']}" if page["revision"] else "",
        page["licence"],
        f"{size(len(page['body']))} of {page['content_type']}",
        f"says {page['signals']}" if page["signals"] else "",
    ]
    yield _wrapped(" · ".join(filter(None, told)), width, "   ", "   ")
    for document in look.documents[: None if full else _FIRST]:
        yield from _document(document, page["title"], full, width)
    if not full and (rest := look.documents[_FIRST:]):
        if len(rest) > 1:
            words = number(sum(document["words"] for document in rest[:-1]))
            yield ""
            yield f"     … {counted(len(rest) - 1, 'document')} more, {words} words …"
        yield from _document(rest[-1], page["title"], full, width)
    for piece in look.dropped:
        yield from _dropped(piece, width)


def _document(row: dict[str, Any], title: str | None, full: bool, width: int) -> Iterator[str]:
    named = [
        row["title"] if row["title"] != title else "",
        row["section"] or "",
        f"{number(row['words'])} words",
        row["genre"] or "",
    ]
    yield ""
    yield _wrapped(" · ".join(filter(None, named)), width, "   + ", "     ")
    text = plain(row["text"])
    if full or len(text) <= _BEGINNING + _END:
        shown = [part for part in text.split("\n") if part.strip()]
    else:
        beginning = one_line(text[:_BEGINNING].rpartition(" ")[0] or text[:_BEGINNING], _BEGINNING)
        end = text[-_END:]
        shown = [f"{beginning} …", f"… {one_line(end.partition(' ')[2] or end, _END)}"]
    for part in shown:
        yield _wrapped(part, width, "     ", "     ")


def _dropped(row: dict[str, Any], width: int) -> Iterator[str]:
    figure = f" ({number(_whole(row['figure']))})" if row["figure"] is not None else ""
    where = f"{row['section']} · " if row["section"] else ""
    yield ""
    line = f"{where}dropped by {row['stage']}: {row['reason']}{figure}"
    yield _wrapped(line, width, "   - ", "     ")
    if row["text"]:
        yield _wrapped(one_line(row["text"], _DROPPED), width, "     ", "     ")


def _summary(preview: Preview) -> Iterator[str]:
    figures = preview.figures
    yield "In all"
    with_story = number(figures["pages_with_story"])
    yield f"  pages      {number(figures['pages'])}, {with_story} with a story"
    yield f"  documents  {number(figures['documents'])}, {number(figures['words'])} words"
    yield f"  dropped    {number(figures['dropped'])}"
    for reason, count in figures["dropped_by_reason"].items():
        yield f"             {number(count)} × {one_line(reason, 80)}"


def _wrapped(text: str, width: int, first: str, rest: str) -> str:
    return fill(
        plain(text),
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _whole(figure: float) -> float | int:
    return int(figure) if figure == int(figure) else figure
