"""One story as a page shows it: the text with what it copied, where that stands, and its figures.

The longest passage that stands in the training text is named with page, revision, licence and
link; a page's title and address are a stranger's and stay text (`pipeline.reports.text`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.licences import LICENCES
from pipeline.reports.marked import Part, cut_parts, marked
from pipeline.reports.text import counted, number, one_line, percent, plain, web_link

#: Characters of a story shown at once, and with its remainder unfolded.
SHOWN, UNFOLDED = 900, 6000
#: Characters of a prompt and of a title.
PROMPT, TITLE = 2000, 120


@dataclass(frozen=True)
class Match:
    """The longest passage of a story that stands in the training text, and where it is from."""

    words: str
    title: str
    section: str
    revision: str
    licence: str
    licence_url: str | None
    link: str | None
    places: int


@dataclass(frozen=True)
class Story:
    """One sample as it is shown."""

    step: int
    prompt: str  # empty where the story is shown without
    genre: str  # asked for; empty where none was
    shown: Sequence[Part]
    folded: Sequence[Part]
    left_out: int  # characters not in the page
    note: str
    match: Match | None
    figures: Sequence[tuple[str, str, str]]  # definition, what, how much


def tell(
    sample: Mapping[str, Any],
    passages: Iterable[Mapping[str, Any]] = (),
    quality: Mapping[str, Any] | None = None,
) -> Story:
    """A row of SAMPLES with its rows of PASSAGES and of QUALITY. Raises ValueError as `marked`."""
    found = list(passages)
    shown, rest = cut_parts(marked(sample["text"], found), SHOWN)
    folded, beyond = cut_parts(rest, UNFOLDED - SHOWN)
    return Story(
        step=sample["step"],
        prompt=plain(sample["prompt"])[:PROMPT] if sample["include_prompt"] else "",
        genre=one_line(sample["genre"] or "", 40),
        shown=shown,
        folded=folded,
        left_out=sum(len(part.text) for part in beyond),
        note=_note(sample),
        match=next((match(row) for row in found if row["longest"]), None),
        figures=[] if quality is None else list(_figures(quality)),
    )


def match(row: Mapping[str, Any]) -> Match:
    """A row of PASSAGES in words."""
    licence = LICENCES.get(row["licence"] or "")
    return Match(
        words=counted(row["words"], "word"),
        title=one_line(row["title"] or row["url"] or "", TITLE),
        section=one_line(row["section"] or "", TITLE),
        revision=one_line(row["revision"] or "", 40),
        licence=one_line(row["licence"] or "", 40),
        licence_url=licence.url if licence else None,
        link=web_link(row["attribution_url"]) or web_link(row["url"]),
        places=row["places"],
    )


def _note(sample: Mapping[str, Any]) -> str:
    ended = "cut at the maximum length"
    if sample["whole_sentences"]:
        ended += ", after its last whole sentence"
    if sample["finished"]:
        ended = "ended by itself"
    drawn = f"sample {sample['sample']}, seed {sample['seed']}"  # `loremill sample --again` asks it
    return f"{counted(sample['tokens'], 'token')} · {ended} · {drawn}"


def _figures(row: Mapping[str, Any]) -> Iterable[tuple[str, str, str]]:
    yield "words", "words", number(row["words"])
    if (bits := row["bits_per_byte"]) is not None:
        yield "story-bits", f"bits per byte under {one_line(row['judge'] or '', 60)}", number(bits)
    for n in (1, 2, 3):
        if (share := row[f"distinct_{n}"]) is not None:
            yield "distinct", f"distinct-{n}", percent(share)
    if (share := row["repetition"]) is not None:
        yield "repetition", "repetition", percent(share)
    if (share := row["self_bleu"]) is not None:
        yield "self-bleu", "self-BLEU", number(share)
    if row["genre_found"] is not None:
        yield "genre-met", "genre", _genre(row)
    if row["empty"] or row["looping"]:
        yield "looping", "sound", "empty" if row["empty"] else "looping"


def _genre(row: Mapping[str, Any]) -> str:
    found = one_line(row["genre_found"], 40)
    if row["genre"] is None:
        return f"reads as {found}"
    asked = f"asked {one_line(row['genre'], 40)}, reads as {found}"
    sure = row["genre_probability"]
    return asked if sure is None else f"{asked} ({percent(sure)} for what was asked)"
