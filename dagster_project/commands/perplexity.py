"""`loremill perplexity MODEL --text FILE`: how well a model foretells any text.

The figures are those of the model's report, of one text in the place of the held-out split. torch
is loaded once the model and the texts are found to be such.
"""

import json as json_text
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dagster_project.commands.given_text import given_text
from dagster_project.commands.model_folder import training_notes, weights_folder
from dagster_project.commands.speech import refuse, say
from pipeline.model_spec import ModelError
from pipeline.reports.text import counted, number, one_line, percent, plain, span
from pipeline.text_file import TextFile, TextFileError

if TYPE_CHECKING:
    from pipeline.perplexity.any_text import TextScore
    from pipeline.perplexity.stream import Reading

#: Seconds between two lines of progress.
_PATIENCE = 10
#: Bytes of a text that xz is tried on; it takes a second or more for each million.
_XZ_BYTES = 20_000_000
#: Characters of a file's name in the table.
_NAME = 40


@dataclass(frozen=True)
class _Measured:
    name: str
    score: "TextScore"
    xz_bits: float | None

    @property
    def xz(self) -> float | None:
        """Bits per byte."""
        return None if self.xz_bits is None else self.xz_bits / self.score.bytes


@dataclass(frozen=True)
class _How:
    """What a figure depends on beside the model and the text."""

    device: str
    reading: "Reading"
    genre: str | None


def perplexity(
    model: Annotated[
        str, typer.Argument(help="name of a story model, e.g. batman-gpt2, or a folder with one")
    ],
    text: Annotated[
        list[str],
        typer.Option(help="file with the text, UTF-8; `-`: standard input; may be given again"),
    ],
    genre: Annotated[
        str | None, typer.Option(help="of a model whose corpus has layout `lines`")
    ] = None,
    stride: Annotated[
        int | None,
        typer.Option(min=1, help="tokens by which the window moves; default: half the context"),
    ] = None,
    context: Annotated[
        int | None,
        typer.Option(min=1, help="tokens that a token is foretold from; default: the model's"),
    ] = None,
    step: Annotated[
        int | None, typer.Option(min=1, help="a kept checkpoint's; default: the final model")
    ] = None,
    device: Annotated[str | None, typer.Option(help="cuda, mps or cpu; default: the best")] = None,
    json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Say how well a model foretells a text: bits per byte, perplexity per token and per word.

    Each file is one document, scored whole however long it is; the model knows the better what it
    needs fewer bits for. The interval is over passages of a text, and of several texts together
    over the texts. Exit status 2 for bad input: an unknown model, a text that is empty or not
    UTF-8, a genre that the model was not trained on.
    """
    folder = weights_folder(model, step)
    with ExitStack() as stack:
        files = [given_text(name, stack) for name in text]
        _check(files)
        try:
            how, measured = _measure(
                folder,
                files,
                genre=genre,
                stride=stride or _stride_of(folder, context),
                context=context,
                device=device,
            )
        except (ModelError, TextFileError, OSError) as error:
            refuse([error])
    if json:
        typer.echo(json_text.dumps(_fields(model, step, how, measured), indent=2))
    else:
        typer.echo(plain("\n".join(_as_text(model, step, how, measured))))


def _check(files: list[TextFile]) -> None:
    mistakes: list[Exception] = []
    for file in files:
        try:
            file.check()
        except (TextFileError, OSError) as error:
            mistakes.append(error)
    if mistakes:
        refuse(mistakes)


def _stride_of(folder: Path, context: int | None) -> int | None:
    """The recipe's, so that a text is measured as the held-out split was."""
    measures = training_notes(folder).get("spec", {}).get("measures") or {}
    return None if context is not None else measures.get("stride")


def _measure(
    folder: Path,
    files: list[TextFile],
    *,
    genre: str | None,
    stride: int | None,
    context: int | None,
    device: str | None,
) -> tuple[_How, list[_Measured]]:
    """Every text under the model. Raises ModelError, TextFileError and OSError."""
    from pipeline.device import pick_device
    from pipeline.models.initial import load_trained
    from pipeline.perplexity.any_text import score_text
    from pipeline.perplexity.compression import xz_bits
    from pipeline.perplexity.stream import Reading

    on = pick_device(device or os.environ.get("LOREMILL_DEVICE") or None)
    model, tokenizer = load_trained(folder)
    reading = Reading.of(model, context, stride)
    model = model.to(on.kind)
    measured = []
    for file in files:
        size = file.path.stat().st_size
        score = score_text(
            model, tokenizer, file.pieces(), reading, genre=genre, report=_progress(file, size)
        )
        if reading.context is not None and score.windows == 1:
            say(
                f"{file.name}: its {counted(score.tokens, 'token')} fit into one window of "
                f"{reading.context:,}, so most were foretold from less than longer texts give"
            )
        small = size <= _XZ_BYTES
        measured.append(_Measured(file.name, score, xz_bits(file.pieces()) if small else None))
    return _How(on.kind, reading, genre), measured


def _progress(file: TextFile, size: int) -> Callable[[int], None]:
    begun = told = time.monotonic()

    def report(scored: int) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told < _PATIENCE or not 0 < scored < size:
            return
        told = now
        left = (now - begun) * (size - scored) / scored
        done = f"{percent(scored / size)} of {size:,} bytes"
        say(f"{file.name}: {done}, about {_duration(left)} to go")

    return report


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _as_text(model: str, step: int | None, how: _How, measured: list[_Measured]) -> Iterator[str]:
    yield f"{_named(model, step)}{_way(how)}"
    yield ""
    rows = [_row(one.name, one.score, one.xz) for one in measured]
    if len(measured) > 1:
        rows.append(_row("together", *_whole(measured)))
    yield from _table(rows)
    yield ""
    yield _over(measured)


def _named(model: str, step: int | None) -> str:
    return model if step is None else f"{model} at step {step:,}"


def _way(how: _How) -> str:
    reading = how.reading
    window = (
        "each text in one pass"
        if reading.context is None
        else f"windows of {reading.context:,} tokens that move by {reading.stride:,}"
    )
    asked = f", after the genre {how.genre}" if how.genre else ""
    return f", {window}{asked}, on {how.device}"


def _row(name: str, score: "TextScore", xz: float | None) -> dict[str, str]:
    bits = score.bits_per_byte
    return {
        "": one_line(name if len(name) <= _NAME else f"…{name[1 - _NAME :]}", _NAME),
        "bits per byte": number(bits.value, 4),
        "95 %": span(bits.low, bits.high, lambda value: number(value, 3)) or "–",
        "perplexity per token": number(score.perplexity_per_token),
        "per word": number(score.perplexity_per_word),
        "xz": "–" if xz is None else number(xz),
        "bytes": number(score.bytes),
        "tokens": number(score.tokens),
        "words": number(score.words),
        "windows": number(score.windows),
    }


def _table(rows: list[dict[str, str]]) -> Iterator[str]:
    widths = {column: max(len(column), *(len(row[column]) for row in rows)) for column in rows[0]}
    for row in ({column: column for column in widths}, *rows):
        cells = (
            cell.rjust(widths[column]) if column else cell.ljust(widths[column])
            for column, cell in row.items()
        )
        yield "  ".join(cells).rstrip()


def _over(measured: list[_Measured]) -> str:
    """What the intervals are of."""
    if len(measured) > 1:
        return f"95 %: over passages of a text; together: over the {len(measured)} texts"
    passages = measured[0].score.over
    if not passages:
        return "95 %: none, the text has too few passages to draw from"
    return f"95 %: over the text's {passages:,} passages"


def _whole(measured: list[_Measured]) -> tuple["TextScore", float | None]:
    """All texts as one, and their xz bits per byte, each compressed by itself."""
    from pipeline.perplexity.any_text import together

    score = together([one.score for one in measured])
    bits = [one.xz_bits for one in measured if one.xz_bits is not None]
    return score, sum(bits) / score.bytes if len(bits) == len(measured) else None


def _fields(model: str, step: int | None, how: _How, measured: list[_Measured]) -> dict[str, Any]:
    score, xz = _whole(measured)
    return {
        "model": model,
        "step": step,
        "genre": how.genre,
        "context": how.reading.context,
        "stride": how.reading.stride,
        "device": how.device,
        "texts": [
            {"name": one.name} | one.score.figures() | {"xz_bits_per_byte": one.xz}
            for one in measured
        ],
        "together": score.figures() | {"xz_bits_per_byte": xz},
    }
