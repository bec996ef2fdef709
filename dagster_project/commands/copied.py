"""`loremill copied CORPUS`: which passages of a text stand in the training text, and on which page.

It asks the corpus's index. What is found is what a reader would call a copy: case, quotes,
punctuation and line ends may differ (pipeline/memorisation/words.py).
"""

import json as json_text
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from crawlers.franchise import data_root
from dagster_project.commands.finished import finished
from dagster_project.commands.given_text import given_text
from dagster_project.commands.speech import FAILED, refuse
from pipeline.artifact import MANIFEST, Artifact, damage
from pipeline.corpus import CorpusError, ManifestError
from pipeline.licences import LICENCES
from pipeline.memorisation.index import TrainIndex, is_of
from pipeline.memorisation.passages import Passage
from pipeline.memorisation.words import words_of
from pipeline.model_spec.measures import MeasureSettings
from pipeline.reports.text import counted, one_line, percent, plain
from pipeline.takedown.models import corpus_of
from pipeline.text_file import TextFileError

#: Passages that are shown, the longest; JSON has all.
_SHOWN = 10
#: Characters of a title or address; of a passage; and of the text on each side of it.
_NAME, _PASSAGE, _BESIDE = 300, 600, 80


def copied(
    corpus: Annotated[
        str, typer.Argument(help="name of a corpus, e.g. batman, or of a model: its corpus")
    ],
    text: Annotated[
        Path | None, typer.Option(help="file with the text, UTF-8; default: standard input")
    ] = None,
    sentence: Annotated[str | None, typer.Option(help="the text itself")] = None,
    least: Annotated[
        int, typer.Option(min=1, help="words in a row that count as copied")
    ] = MeasureSettings().passage,
    json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Say which passages of a text stand in the training text of a corpus, and from which page.

    The longest come first; where none is of --least words, the longest there is. Exit status: 0
    where there are any, 1 where there are none of so many words, 2 for bad input.
    """
    name = _corpus(corpus)
    made, index = finished("corpora", name), _index(name)
    if not is_of(index.folder, made.folder):
        refuse(
            [f"{index.folder} is of another state of the corpus; materialize {name}/index again"]
        )
    read = _read(text, sentence)
    try:
        with TrainIndex(index.folder, made.folder) as opened:
            runs = opened.runs(read)
            found = opened.passages(read, least, runs)
            longest = None if found else opened.longest(read, runs)
    except (CorpusError, ManifestError, OSError) as error:
        refuse([error])
    words = len(words_of(read))
    share = _words_within(read, found)
    if json:
        typer.echo(_as_json(name, read, words, share, least, found, longest))
    else:
        typer.echo(plain("\n".join(_as_text(name, read, words, share, least, found, longest))))
    if not found:
        raise typer.Exit(FAILED)


def _corpus(name: str) -> str:
    """The corpus of this name, or of the model of this name."""
    root = data_root()
    if (root / "corpora" / name / MANIFEST).is_file():
        return name
    model = Artifact.load(root / "models" / name) if name else None
    return (model and corpus_of(model)) or name


def _index(name: str) -> Artifact:
    root = data_root() / "indexes" / name
    found = Artifact.load(root)
    if found is None:
        what = damage(root) or f"{root} holds no index of the corpus"
        refuse([f"{what}; materialize {name}/index"])
    return found


def _read(path: Path | None, sentence: str | None) -> str:
    """The text that is asked about; exit status 2 where there is none, or not in UTF-8."""
    if path is not None and sentence is not None:
        refuse(["give one of --text and --sentence"])
    where = "--sentence"
    if sentence is not None:
        # Bytes that are no UTF-8 come from the shell as lone surrogates.
        try:
            read = sentence.encode("utf-8", "surrogateescape").decode()
        except UnicodeDecodeError as error:
            refuse([f"{where}: byte {error.start:,} is no UTF-8; set the terminal to UTF-8"])
    elif path is None and sys.stdin.isatty():
        refuse(["nothing to look for; give --text FILE, --sentence, or a text on standard input"])
    else:
        with ExitStack() as stack:
            try:
                file = given_text("-" if path is None else str(path), stack)
                where, read = file.name, "".join(file.pieces())
            except (TextFileError, OSError) as error:
                refuse([error])
    if not len(words_of(read)):
        refuse([f"{where}: has no words; give a text"])
    return read


def _words_within(text: str, passages: Sequence[Passage]) -> int:
    """How many words stand in passages; two of these may share some."""
    within, end = 0, 0
    for passage in passages:
        within += len(words_of(text[max(passage.start, end) : passage.end]))
        end = passage.end
    return within


def _as_text(
    corpus: str,
    text: str,
    words: int,
    within: int,
    least: int,
    found: Sequence[Passage],
    longest: Passage | None,
) -> Iterator[str]:
    asked = f"{counted(least, 'word')} or more"
    if found:
        share = percent(within / words)
        yield (
            f"{counted(len(found), 'passage')} of {asked} in train.txt of {corpus}: {within:,} of "
            f"{counted(words, 'word')}, {share}"
        )
    else:
        yield f"no passage of {asked} in train.txt of {corpus}, of {counted(words, 'word')}" + (
            "; the longest:" if longest else "; and none of its words"
        )
    shown = sorted(found, key=lambda one: -one.words) or ([longest] if longest else [])
    for passage in shown[:_SHOWN]:
        yield ""
        yield from _passage(text, passage)
    if len(shown) > _SHOWN:
        yield ""
        yield f"and {len(shown) - _SHOWN:,} shorter; --json has all"


def _passage(text: str, passage: Passage) -> Iterator[str]:
    row = passage.row
    licence = LICENCES.get(row["licence"])
    places = f", the first of {passage.places:,} places" if passage.places > 1 else ""
    yield f"{counted(passage.words, 'word')}{places}: {_name(row)}"
    for label, value in (
        ("page", row["url"]),
        ("revision", row["revision"]),
        ("licence", f"{row['licence']}, {licence.name}" if licence else row["licence"]),
        ("", licence and licence.url),
        ("attribution", row["attribution_url"]),
        ("document", row["doc_id"]),
    ):
        yield f"  {label:<11}  {one_line(value or 'not known', _NAME)}"
    yield f"  {_marked(text, passage)}"


def _marked(text: str, passage: Passage) -> str:
    """The passage between marks, with what stands around it in the text."""
    before = text[max(0, passage.start - _BESIDE) : passage.start]
    after = text[passage.end : passage.end + _BESIDE]
    parts = (
        "…" if passage.start > _BESIDE else "",
        f"{_flat(before)}⟦{one_line(text[passage.start : passage.end], _PASSAGE)}⟧{_flat(after)}",
        "…" if passage.end + _BESIDE < len(text) else "",
    )
    return "".join(parts).strip()


def _flat(text: str) -> str:
    """On one line; a blank at either end stays one."""
    return " ".join(f"|{plain(text)}|".split())[1:-1]


def _name(row: Any) -> str:
    return one_line(" · ".join(filter(None, (row["title"], row["section"]))), _NAME)


def _as_json(
    corpus: str,
    text: str,
    words: int,
    within: int,
    least: int,
    found: Sequence[Passage],
    longest: Passage | None,
) -> str:
    first = max(found, key=lambda one: one.words) if found else longest
    whole = {
        "corpus": corpus,
        "words": words,
        "copied_words": within,
        "least": least,
        "longest": _fields(text, first) if first else None,
        "passages": [_fields(text, passage) for passage in found],
    }
    return json_text.dumps(whole, indent=2)


def _fields(text: str, passage: Passage) -> dict[str, Any]:
    licence = LICENCES.get(passage.row["licence"])
    return {
        "start": passage.start,
        "end": passage.end,
        "words": passage.words,
        "places": passage.places,
        "text": text[passage.start : passage.end],
        **passage.row,
        "licence_name": licence and licence.name,
        "licence_url": licence and licence.url,
    }
