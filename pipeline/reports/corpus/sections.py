"""The parts of a corpus's page, in the order in which a curious person reads."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from pipeline.corpus.split import SPLITS, TRAIN
from pipeline.licences import LICENCES, Licence
from pipeline.reports.canvas import NARROW, WIDE, Size
from pipeline.reports.corpus import plots
from pipeline.reports.corpus.examples import Examples, Opening, align
from pipeline.reports.documents.draw import DRAWN, Group
from pipeline.reports.sections.corpus import Share, shares
from pipeline.reports.sections.section import Section
from pipeline.reports.text import counted, cut, number, one_line, percent, short, size
from pipeline.statistics import Lengths, Similarities, Statistics

#: Parts of a corpus and reasons that have a row of their own; the smaller ones share one.
PARTS, ROWS = 12, 40
#: Characters of a name, of an opening; bytes of ATTRIBUTION.md.
NAME, OPENING, ATTRIBUTION = 120, 420, 20_000
#: Pairs shown of each reason.
PAIRS = 3
#: Held-out text of fewer documents, or of a smaller share of the bytes, is remarked on.
FEW, LITTLE = 3, 0.01
_MADE_OF = ("franchise", "source", "genre", "language")


@dataclass(frozen=True)
class Made:
    """What the page is made from; `figures` are those that `build_corpus` returned."""

    title: str
    figures: Mapping[str, Any]
    statistics: Statistics
    examples: Examples
    folder: Path

    @property
    def tokens(self) -> int:
        """Of all splits, estimated."""
        return sum(split.tokens for split in self.statistics.tokens.values())

    @property
    def left_out(self) -> int:
        """Documents that did not go into the corpus."""
        return sum(reason.count for reason in self.examples.reasons)


def headline(made: Made) -> Section:
    """How much there is, of what, under which terms."""
    figures, lengths = made.figures, made.statistics.lengths
    documents, left_out = figures["documents"], made.left_out
    sources, licences = len(figures["by_source"]), len(figures["by_licence"])
    content = {
        "verdict": f"{counted(documents, 'document')} of {counted(figures['works'], 'work')}, "
        f"{short(figures['words'])} words, from {counted(sources, 'source')} under "
        f"{counted(licences, 'licence')}.",
        "restricted": _bound(figures, lambda terms: terms.non_commercial),
        "share_alike": _bound(figures, lambda terms: terms.share_alike),
        "row": [
            ("work", "documents", number(documents), counted(figures["works"], "work")),
            ("words", "words", short(figures["words"]), size(figures["bytes"])),
            ("tokens", "tokens", short(made.tokens), "estimated"),
            ("length", "median length", number(lengths.median),
             f"words; longest {number(lengths.longest)}"),
            ("left-out", "left out", number(left_out), _share(left_out, documents + left_out)),
        ],
    }  # fmt: skip
    told = {
        "tokens": made.tokens,
        "median_words": lengths.median,
        "longest_words": lengths.longest,
        "left_out": left_out,
    }
    return Section("corpus", made.title, "statistics/headline.html", content, told)


def sections(made: Made) -> list[Section]:
    """All that have something to say."""
    return [
        _lengths(made),
        _made_of(made),
        _openings(made),
        _licences(made),
        _splits(made),
        _left_out(made),
    ]


def _lengths(made: Made) -> Section:
    statistics = made.statistics
    label = "Histogram of the documents' lengths in words, on a logarithmic axis."
    ranges = [
        (name, _ranges(name, groups), max(0, len(groups) - plots.GROUPS))
        for name, groups in (("genre", statistics.by_genre), ("source", statistics.by_source))
        if len(groups) > 1
    ]
    content = {
        "lengths": statistics.lengths,
        "plot": _both(
            lambda shape: plots.lengths_svg(statistics.histogram, statistics.lengths, shape, label)
        ),
        "ranges": ranges,
    }
    return Section("lengths", "How long they are", "statistics/lengths.html", content)


def _ranges(name: str, groups: Mapping[str, Lengths]) -> list[Markup]:
    label = f"Lengths by {name}: tenth percentile, median and ninetieth percentile."
    return _both(lambda shape: plots.ranges_svg(groups, name, shape, label))


def _made_of(made: Made) -> Section:
    groupings = {name: shares(made.figures[f"by_{name}"]) for name in _MADE_OF}
    if len(groupings["franchise"]) == len(groupings["source"]):
        del groupings["franchise"]  # it would say the same
    content = {
        "groupings": [
            (name, parts[:PARTS], _together(parts[PARTS:]))
            for name, parts in groupings.items()
            if name == "source" or len(parts) > 1
        ],
        "alone": [
            (name, one_line(parts[0].name, NAME))
            for name, parts in groupings.items()
            if name != "source" and len(parts) == 1 and parts[0].name != "none"
        ],
    }
    return Section("made-of", "What it is made of", "statistics/made_of.html", content)


def _together(parts: Sequence[Share]) -> Share | None:
    """The smaller parts as one; None where there are none."""
    if not parts:
        return None
    return Share(
        f"{counted(len(parts), 'smaller one')} together",
        sum(part.documents for part in parts),
        sum(part.words for part in parts),
        sum(part.bytes for part in parts),
        sum(part.share for part in parts),
    )


def _openings(made: Made) -> Section:
    content = {"openings": [_opening(opening) for opening in made.examples.openings]}
    return Section("openings", "How they begin", "statistics/openings.html", content)


def _opening(opening: Opening) -> dict[str, Any]:
    document = opening.document
    text, rest = cut(document.text, OPENING)
    return {
        "title": one_line(document.title, NAME),
        "url": document.attribution_url or document.url,
        "section": one_line(document.section or "", NAME),
        "genre": one_line(document.genre or "", NAME),
        "split": opening.split,
        "licence": one_line(document.licence, NAME),
        "text": text.rstrip() + ("…" if rest else ""),
    }


def _licences(made: Made) -> Section:
    path = made.folder / "ATTRIBUTION.md"
    with path.open("rb") as file:
        attribution = file.read(ATTRIBUTION).decode("utf-8", errors="ignore")
    parts = shares(made.figures["by_licence"])
    content = {
        "licences": [(part, LICENCES.get(part.name), _asks(part.name)) for part in parts],
        "attribution": attribution,
        "attribution_bytes": path.stat().st_size,
        "cut": path.stat().st_size > ATTRIBUTION,
    }
    return Section("licences", "What its licences ask", "statistics/licences.html", content)


def _asks(spdx: str) -> str:
    """What a licence asks, as ATTRIBUTION.md and the card have it."""
    terms = LICENCES.get(spdx)
    if terms is None:
        return "Not known to this program; read it before the text is used."
    return " ".join(terms.asks) or "Asks for nothing."


def _splits(made: Made) -> Section:
    parts = {part.name: part for part in shares(made.figures["by_split"])}
    tokens = made.statistics.tokens
    rows = [(parts[name], tokens[name]) for name in SPLITS if name in parts and name in tokens]
    content = {
        "by": made.figures["split_by"],
        "works": {name: made.figures["by_split"][name]["works"] for name in parts},
        "rows": rows,
        "few": [
            f"{part.name} is {counted(part.documents, 'document')}, "
            f"{percent(part.share, 1)} of the bytes"
            for part, _ in rows
            if part.name != TRAIN and (part.documents < FEW or part.share < LITTLE)
        ],
        "vocabulary": made.statistics.vocabulary,
    }
    return Section("splits", "Train, validation, test", "statistics/splits.html", content)


def _left_out(made: Made) -> Section:
    found, reasons = made.statistics.similarities, made.examples.reasons
    total = max(1, made.left_out)
    near = sum(found.near.counts) if found else 0
    works = sum(found.works.counts) if found else 0
    content = {
        "reasons": [
            {
                "reason": one_line(reason.name, NAME),
                "count": reason.count,
                "share": reason.count / total,
                "rows": [_named(row) for row in reason.rows],
            }
            for reason in reasons[:ROWS]
        ],
        "more": max(0, len(reasons) - ROWS),
        "found": found,
        "near": near,
        "works": works,
        "plot": _similarities(found) if found and near + works else None,
        "pairs": [
            (one_line(reason.name, NAME), shown)
            for reason in reasons[:ROWS]
            if (shown := _pairs(made.examples, reason))
        ],
        "drawn": DRAWN,
    }
    return Section("left-out", "What was left out", "statistics/left_out.html", content)


def _similarities(found: Similarities) -> list[Markup]:
    label = "Histogram of the similarities of pairs that count as one."
    return _both(lambda shape: plots.similarities_svg(found, shape, label))


def _pairs(made: Examples, reason: Group) -> list[dict[str, Any]]:
    """Documents that were left out beside what they are too like, where the texts differ."""
    pairs = []
    for row in reason.rows:
        partner = made.partner(row)
        text, figure = made.text(row), row["figure"] or 0.0
        if partner is None or not text or (text == partner.text and figure == 1):
            continue
        gone, stays = align(text, partner.text, borrowed=figure > 1)
        pairs.append(
            {
                "similarity": number(figure) if figure <= 1 else "",
                "words": counted(int(figure), "word"),
                "sides": [
                    ("left out", _named(row), gone),
                    ("kept", _named(vars(partner)), stays),
                ],
            }
        )
    return pairs[:PAIRS]


def _named(row: Mapping[str, Any]) -> dict[str, str]:
    section = one_line(row["section"] or "", NAME)
    title = one_line(row["title"] or row["url"], NAME)
    return {
        "title": f"{title}: {section}" if section else title,
        "url": row["attribution_url"] or row["url"],
        "licence": one_line(row["licence"], NAME),
        "source": one_line(f"{row['franchise']}/{row['source']}", NAME),
    }


def _both(draw: Callable[[Size], Markup]) -> list[Markup]:
    """A plot in its two shapes."""
    return [draw(shape) for shape in (WIDE, NARROW)]


def _share(part: int, whole: int) -> str:
    return f"{percent(part / whole, 1)} of what came" if whole else ""


def _bound(figures: Mapping[str, Any], how: Callable[[Licence], bool]) -> str:
    """The share of bytes under licences that are so; empty where there are none."""
    share = sum(
        part.share
        for part in shares(figures["by_licence"])
        if part.name in LICENCES and how(LICENCES[part.name])
    )
    return percent(share, 0 if share >= 0.01 else 2) if share else ""
