"""What the votes on two writers say together.

A pair counts once, by the majority of those who rated it, for several votes on the same two stories
are no independent trials. The share of pairs won leaves ties out and has Wilson's interval; the
sign test (Dixon & Mood 1946) asks how often a fair coin would part as far. Votes on earlier
versions of the stories, before a takedown or a new drawing, are counted apart and no further.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Any

from pipeline.intervals import Interval, share
from pipeline.ratings.stories import Writer
from pipeline.ratings.votes import Vote

#: Of a writer's name, the version that its stories have now.
Versions = Mapping[str, str]


@dataclass(frozen=True)
class Count:
    """Pairs that each writer won, that neither did, and that were skipped."""

    first: int
    second: int
    ties: int
    skipped: int

    @property
    def rated(self) -> int:
        """Pairs that somebody gave an answer to."""
        return self.first + self.second + self.ties


@dataclass(frozen=True)
class Tally:
    """Two writers as people judged their stories."""

    first: Writer
    second: Writer
    count: Count
    by_rater: Mapping[str, Count]
    #: Of pairs that two raters both answered: said alike, and all; several raters, each two.
    agreed: int
    both: int
    earlier: int  # votes on stories that are no longer these

    def is_of(self, name: str) -> bool:
        """Whether one of the two is this model, as of any step."""
        return name in (self.first.name, self.second.name)

    @property
    def share(self) -> Interval | None:
        """Of the pairs that one of them won, those of the first; None where there are none."""
        won = self.count.first + self.count.second
        return share(self.count.first, won) if won else None

    @property
    def p(self) -> float | None:
        """Of the sign test, two-sided and exact; None where no pair was won."""
        won = self.count.first + self.count.second
        return sign_test(self.count.first, won) if won else None

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        part = self.share
        return {
            "first": {"name": self.first.name, "step": self.first.step},
            "second": {"name": self.second.name, "step": self.second.step},
            "pairs": self.count.rated,
            **_told(self.count),
            "share_of_first": part.value if part else None,
            "low": part.low if part else None,
            "high": part.high if part else None,
            "p": self.p,
            "by_rater": {rater: _told(count) for rater, count in self.by_rater.items()},
            "agreed": self.agreed,
            "rated_by_two": self.both,
            "votes_on_earlier_versions": self.earlier,
        }


def tallies(votes: Iterable[Vote], current: Versions) -> list[Tally]:
    """One for each two writers that were rated against each other, the most rated first.

    A writer whose name `current` lacks has no stories any more: all its votes are earlier ones.
    """
    contests: dict[tuple[Writer, Writer], list[Vote]] = defaultdict(list)
    for vote in votes:
        contests[_contest(vote)].append(vote)
    found = [_tally(first, second, said, current) for (first, second), said in contests.items()]
    return sorted(found, key=lambda one: (-one.count.rated, str(one.first), str(one.second)))


def sign_test(won: int, trials: int) -> float:
    """How likely a fair coin parts `trials` throws at least as unevenly.

    >>> sign_test(9, 10)
    0.021484375
    """
    tail = sum(comb(trials, n) for n in range(min(won, trials - won) + 1))
    return min(1.0, float(2 * tail / (1 << trials)))


def _contest(vote: Vote) -> tuple[Writer, Writer]:
    """The two writers by name and later step first; people last."""
    writers = (vote.left.writer, vote.right.writer)
    first, second = sorted(writers, key=lambda one: (one.step is None, one.name, -(one.step or 0)))
    return first, second


def _tally(first: Writer, second: Writer, votes: Sequence[Vote], current: Versions) -> Tally:
    said: dict[frozenset[Any], dict[str, int | None]] = defaultdict(dict)
    earlier = 0
    for vote in votes:
        if any(current.get(side.writer.name) != side.version for side in (vote.left, vote.right)):
            earlier += 1
        else:  # what a rater said first of a pair stands
            said[vote.pair].setdefault(vote.rater, _meaning(vote, first))
    raters = sorted({rater for answers in said.values() for rater in answers})
    agreed, both = _agreement(said.values())
    return Tally(
        first=first,
        second=second,
        count=_count(_majority(answers.values()) for answers in said.values()),
        by_rater={
            rater: _count(answers[rater] for answers in said.values() if rater in answers)
            for rater in raters
        },
        agreed=agreed,
        both=both,
        earlier=earlier,
    )


def _meaning(vote: Vote, first: Writer) -> int | None:
    """1: the first writer's is better; -1: the second's; 0: neither; None: skipped."""
    if vote.choice == "skip":
        return None
    winner = vote.winner
    return 0 if winner is None else 1 if winner.writer == first else -1


def _majority(answers: Iterable[int | None]) -> int | None:
    given = [answer for answer in answers if answer is not None]
    return (sum(given) > 0) - (sum(given) < 0) if given else None


def _count(answers: Iterable[int | None]) -> Count:
    of = Counter(answers)
    return Count(of[1], of[-1], of[0], of[None])


def _agreement(said: Iterable[Mapping[str, int | None]]) -> tuple[int, int]:
    agreed = both = 0
    for answers in said:
        given = [answer for answer in answers.values() if answer is not None]
        for one, other in combinations(given, 2):
            both += 1
            agreed += one == other
    return agreed, both


def _told(count: Count) -> dict[str, int]:
    return {
        "won_by_first": count.first,
        "won_by_second": count.second,
        "ties": count.ties,
        "skipped": count.skipped,
    }
