"""`loremill trace CORPUS`: which page, revision and licence a byte, line or sentence is from."""

import json as json_text
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer

from dagster_project.commands.finished import finished
from dagster_project.commands.speech import FAILED, refuse, say
from pipeline.corpus.files import ManifestError
from pipeline.licences import LICENCES
from pipeline.reports.text import one_line, plain
from pipeline.trace import Found, Place, PlaceError, TracedCorpus

#: Places of a sentence that are shown, and that are counted.
_SHOWN, _COUNTED = 5, 1000
#: Characters of a title or address, and of a sentence that was not found.
_NAME, _SENTENCE = 300, 60


class Split(StrEnum):
    """The text files of a corpus."""

    train = "train"
    validation = "validation"
    test = "test"


def trace(
    corpus: Annotated[str, typer.Argument(help="name of a corpus, e.g. batman")],
    byte: Annotated[int | None, typer.Option(help="a byte of the file, from 0")] = None,
    line: Annotated[int | None, typer.Option(help="a line of the file, from 1")] = None,
    text: Annotated[str | None, typer.Option(help="a sentence, or a piece of one")] = None,
    split: Annotated[
        Split | None,
        typer.Option(
            help="which file; default: train for a byte or line, all for a text",
            show_default=False,
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Say which page, revision and licence a byte, line or sentence of a corpus is from.

    Give one of --byte, --line and --text. A text is searched for letter by letter, then with other
    blanks, quotes and dashes. Exit status: 0 found, 1 text not found, 2 for bad input.
    """
    if sum(asked is not None for asked in (byte, line, text)) != 1:
        refuse(["give one of --byte, --line and --text"])
    if text is not None and not text.strip():
        refuse(["--text is empty; give a sentence, or a piece of one"])
    splits = [split.value] if split else [each.value for each in Split]
    made = finished("corpora", corpus)
    try:
        with TracedCorpus(made.folder) as traced:
            if text is not None:
                found = traced.find(text, splits, places=_SHOWN, most=_COUNTED)
            elif line is not None:
                found = Found([traced.at_line(splits[0], line)], 1, exact=True)
            else:
                assert byte is not None
                found = Found([traced.at_byte(splits[0], byte)], 1, exact=True)
    except (ManifestError, PlaceError, OSError) as error:
        refuse([error])
    if json:
        typer.echo(_as_json(corpus, found))
    elif found.places:
        typer.echo(plain("\n".join(_as_text(found))))
    if text is not None and not found.places:
        say(
            f"not in {', '.join(f'{name}.txt' for name in splits)} of {corpus}: "
            f"“{one_line(text, _SENTENCE)}”; a shorter piece may be, and what was left out stands "
            "with its reason in dropped.parquet, of the corpus and of its franchises' documents"
        )
        raise typer.Exit(FAILED)


def _as_text(found: Found) -> Iterator[str]:
    if not found.exact:
        yield "Not letter by letter, but with other blanks, quotes or dashes:\n"
    if found.count > 1:
        more = " or more" if found.count == _COUNTED else ""
        shown = f", the first {len(found.places)}" if len(found.places) < found.count else ""
        yield f"{found.count:,} places{more}{shown}:\n"
    for number, place in enumerate(found.places):
        if number:
            yield ""
        yield from _story(place) if place.row["kind"] == "document" else _token(place)


def _story(place: Place) -> Iterator[str]:
    row = place.row
    licence = LICENCES.get(row["licence"])
    yield _name(row)
    for label, value in (
        ("page", row["url"]),
        ("revision", row["revision"]),
        ("licence", f"{row['licence']}, {licence.name}" if licence else row["licence"]),
        ("", licence and licence.url),
        ("attribution", row["attribution_url"]),
        ("document", row["doc_id"]),
        ("franchise", f"{row['franchise']}, source {row['source']}"),
        ("place", _where(place)),
        ("text", f"bytes {row['start']:,} to {row['end']:,}"),
    ):
        yield f"  {label:<11}  {one_line(value or 'not known', _NAME)}"
    yield ""
    yield place.passage


def _token(place: Place) -> Iterator[str]:
    what = "separator" if place.row["kind"] == "separator" else "control token"
    yield f"A {what}, {json_text.dumps(place.passage)}, of no page"
    yield f"  {'place':<11}  {_where(place)}"
    for label, row in (("after", place.before), ("before", place.after)):
        if row:
            yield f"  {label:<11}  {_name(row)}"
            yield f"  {'':<11}  {one_line(row['url'], _NAME)}"


def _name(row: Mapping[str, Any]) -> str:
    return one_line(" · ".join(filter(None, (row["title"], row["section"]))), _NAME)


def _where(place: Place) -> str:
    return f"{place.split}.txt, byte {place.byte:,}, line {place.line:,}"


def _as_json(corpus: str, found: Found) -> str:
    whole = {
        "corpus": corpus,
        "count": found.count,
        "counted_all": found.count < _COUNTED,
        "exact": found.exact,
        "places": [_fields(place) for place in found.places],
    }
    return json_text.dumps(whole, indent=2)


def _fields(place: Place) -> dict[str, Any]:
    licence = LICENCES.get(place.row["licence"])
    names = ("doc_id", "title", "section", "url")
    return {
        "file": f"{place.split}.txt",
        "byte": place.byte,
        **place.row,
        "line": place.line,
        "licence_name": licence and licence.name,
        "licence_url": licence and licence.url,
        "passage": place.passage,
        **{
            side: row and {name: row[name] for name in names}
            for side, row in (("before", place.before), ("after", place.after))
        },
    }
