"""A report's key figures and a few stories as plain text, for a terminal.

The stories are drawn at random with a stated seed from those of the last checkpoint. Control
characters are left out, so that no text of a model can move the cursor or colour the screen.
"""

import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.reports.material import read_table
from pipeline.reports.sections.stories import draw
from pipeline.reports.text import cut, number, percent, plain, short, size, span
from pipeline.schema import SAMPLES

Say = Callable[[float], str]

WIDTH = 88
#: Characters of a story that are shown.
SHOWN = 700


def summary(
    figures: Mapping[str, Any],
    samples: Path,
    *,
    stories: int = 3,
    seed: int = 0,
    report: Path | None = None,
) -> str:
    """The figures that `write_report` returned, and `stories` of the samples folder's last step.

    Lines are at most 88 columns wide, but for a path. Raises FileNotFoundError or ValueError
    where samples.parquet cannot be read.
    """
    notice = [_wrapped(figures["notice"])] if "notice" in figures else []
    copying = [_wrapped(line, "  ") for line in figures["advice"]]
    copying[:0] = [_wrapped(figures["copying_verdict"])]
    parts = [*notice, _wrapped(figures["verdict"]), *copying, _table(figures)]
    parts += _stories(samples, stories, seed)
    if report is not None:
        parts.append(f"Report: {report}")
    return "\n\n".join(parts) + "\n"


def key_figures(
    figures: Mapping[str, Any],
) -> Iterator[tuple[str, tuple[float | None, float | None, float | None], Say]]:
    """(name, (value, low, high), how it is written) of the figures of `write_report`."""
    for name in ("bits_per_byte", "perplexity_per_word"):
        low, high = figures[f"{name}_interval"] or (None, None)
        yield name.replace("_", " "), (figures[f"{name}_after"], low, high), number
    for name in ("copied", "human_copied", "extractable"):
        if name in figures:
            of = figures[name]
            yield name.replace("_", " "), (of["value"], of["low"], of["high"]), _percent


def _percent(share: float) -> str:
    return percent(share, 2)


def _table(figures: Mapping[str, Any]) -> str:
    rows = []
    for name, (value, low, high), say in key_figures(figures):
        assert value is not None
        bounds = span(low, high, say)
        rows.append((name, f"{say(value)} ({bounds})" if bounds else say(value)))
    before, after = "bits_per_byte_before", "bits_per_byte_after"
    rows[:1] = [
        ("bits per byte", f"{number(figures[before])} before, {number(figures[after])} after"),
        ("  95 % interval", span(*(figures["bits_per_byte_interval"] or (None, None))) or "none"),
    ]
    rows += [
        (
            "held-out text",
            f"{size(figures['held_out_bytes'])}, {figures['held_out_works']:,} works",
        ),
        (
            "corpus",
            f"{size(figures['corpus_bytes'])}, {figures['corpus_documents']:,} documents, "
            f"{figures['corpus_words']:,} words",
        ),
    ]
    if "parameters" in figures:
        rows.append(("parameters", short(figures["parameters"])))
    if "minutes" in figures:
        rows.append(("training", f"{number(float(figures['minutes']), 1)} minutes"))
    if "tokens_per_second" in figures:
        device = f" on {plain(figures['device'])}" if "device" in figures else ""
        rows.append(("speed", f"{number(round(figures['tokens_per_second']))} tokens/s{device}"))
    wide = max(len(label) for label, _ in rows)
    return "\n".join(f"  {label:<{wide}}  {value}"[:WIDTH] for label, value in rows)


def _stories(samples: Path, count: int, seed: int) -> list[str]:
    rows = read_table(samples / "samples.parquet", SAMPLES, "the sampling").to_pylist()
    if not rows or count < 1:
        return []
    last = max(row["step"] for row in rows)
    rows = [row for row in rows if row["step"] == last]
    drawn = draw(rows, count, seed)
    heading = f"{len(drawn)} of {len(rows)} stories after step {last:,}, drawn with seed {seed}:"
    return [_wrapped(heading), *(_story(row) for row in drawn)]


def _story(row: Mapping[str, Any]) -> str:
    shown, rest = cut(plain(row["text"]), SHOWN)
    prompt = plain(row["prompt"])[:SHOWN] if row["include_prompt"] else ""
    text = prompt + shown.rstrip() + (" […]" if rest else "")
    paragraphs = [" ".join(line.split()) for line in text.split("\n")]
    told = "\n".join(_wrapped(paragraph, "    ") for paragraph in paragraphs if paragraph)
    heading = _wrapped(f"— {row['setting']}, seed {row['seed']}", "  ")
    return f"{heading}\n{told}"


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(plain(text), WIDTH, initial_indent=indent, subsequent_indent=indent)
