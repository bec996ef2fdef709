"""A tally in words, for a terminal, the rating's page and a report: the same everywhere."""

from collections.abc import Iterator

from pipeline.ratings.tally import Tally
from pipeline.reports.text import counted, percent, plain

#: Below this p the sign test tells two writers apart; the customary bound.
APART = 0.05


def sentence(tally: Tally) -> str:
    """What the votes say, and whether they say anything."""
    part, p = tally.share, tally.p
    first, second, count = plain(str(tally.first)), plain(str(tally.second)), tally.count
    if part is None or p is None or part.low is None or part.high is None:
        if not count.ties:
            return f"{first} and {second}: no pair of these stories was judged yet."
        return f"{first} and {second}: no difference in any of {counted(count.ties, 'pair')}."
    won = count.first + count.second
    ties = f", and {counted(count.ties, 'tie')}" if count.ties else ""
    said = (
        f"{first} won {count.first:,} of {counted(won, 'pair')} against {second} "
        f"({percent(part.value)}, 95 % interval {percent(part.low)} to {percent(part.high)}){ties}."
    )
    if p < APART:
        better = first if count.first > count.second else second
        return f"{said} {better[:1].upper()}{better[1:]} is judged better (sign test, p = {_p(p)})."
    return f"{said} That does not tell them apart (sign test, p = {_p(p)})."


def notes(tally: Tally) -> Iterator[str]:
    """What else a reader must know: raters' agreement, votes that do not count."""
    if tally.both:
        share = percent(tally.agreed / tally.both)
        yield (
            f"Where two raters judged the same pair they said the same {tally.agreed:,} times of "
            f"{tally.both:,} ({share})."
        )
    if tally.count.skipped:
        yield f"{counted(tally.count.skipped, 'pair')} skipped."
    if tally.earlier:
        yield (
            f"{counted(tally.earlier, 'vote')} on earlier versions of these stories, which were "
            "drawn anew or had a text taken down, kept and not counted."
        )


def rows(tally: Tally) -> list[tuple[str, int, int, int, int]]:
    """Each rater's own pairs: name, won by the first, by the second, ties, skipped."""
    return [
        (plain(rater), count.first, count.second, count.ties, count.skipped)
        for rater, count in tally.by_rater.items()
    ]


def _p(p: float) -> str:
    return f"{p:.3f}" if p >= 0.001 else "less than 0.001"
