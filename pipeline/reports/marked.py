"""A text with its copied passages marked, cut to what a page shows.

The marks are of characters of the text as the model wrote it; what is shown has been cleaned of
control characters and cut. So the text is parted at the marks first, and each part cleaned by
itself: a mark then still holds its words, and escaping, which comes last, is never cut through.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.reports.text import cut, plain


@dataclass(frozen=True)
class Part:
    """A run of text. `kind`: longest or other, of a passage that is marked; empty of the rest."""

    text: str
    kind: str = ""


def marked(text: str, passages: Iterable[Mapping[str, Any]]) -> list[Part]:
    """The text parted at the passages, rows of PASSAGES, whose `start` and `end` are of it.

    Where two overlap, the longest has the words. Raises ValueError where a passage does not lie
    within the text: it is of another.
    """
    found = list(passages)
    for row in found:
        if not 0 <= row["start"] < row["end"] <= len(text):
            raise ValueError(
                f"a passage is characters {row['start']:,} to {row['end']:,} of sample "
                f"{row['sample']:,}, which has {len(text):,}: the passages are of other samples; "
                "let the memorisation step run again"
            )
    spans = _apart(found)
    parts, at = [], 0
    for start, end, kind in spans:
        parts += [Part(text[at:start]), Part(text[start:end], kind)]
        at = end
    parts.append(Part(text[at:]))
    cleaned = (Part(_clean(part.text), part.kind) for part in parts)
    return [part for part in cleaned if part.text]


def cut_parts(parts: Sequence[Part], limit: int) -> tuple[list[Part], list[Part]]:
    """The parts in two, as `pipeline.reports.text.cut`; a passage may be cut in two."""
    first, second = cut("".join(part.text for part in parts), limit)
    if not second:
        return list(parts), []
    at, before, after = len(first), [], []
    for part in parts:
        head, tail = part.text[: max(0, at)], part.text[max(0, at) :]
        before += [Part(head, part.kind)] if head else []
        after += [Part(tail, part.kind)] if tail else []
        at -= len(part.text)
    return before, after


def _apart(rows: Sequence[Mapping[str, Any]]) -> list[tuple[int, int, str]]:
    """(start, end, kind) in order, no two of which overlap; neighbours of a kind are one."""
    changes: dict[int, Counter[str]] = defaultdict(Counter)  # at a character: passages begun, ended
    for row in rows:
        kind = "longest" if row["longest"] else "other"
        changes[row["start"]][kind] += 1
        changes[row["end"]][kind] -= 1
    spans: list[tuple[int, int, str]] = []
    open_now: Counter[str] = Counter()
    begun, kind = 0, ""
    for at in sorted(changes):
        open_now.update(changes[at])
        now = "longest" if open_now["longest"] else "other" if open_now["other"] else ""
        if now != kind:
            if kind:
                spans.append((begun, at, kind))
            begun, kind = at, now
    return spans


def _clean(text: str) -> str:
    # A run of empty lines says no more than one, and a looping model writes thousands.
    return re.sub(r"\n\s*\n", "\n\n", plain(text))
