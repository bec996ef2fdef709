"""One person's rating: the next pair, the vote on it, and when the blind part is over.

It holds no state that a kill could lose: which pairs are done is read from the votes, and the sides
come from the seed, so that the same command goes on where it stopped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from pipeline.model_spec import ModelError
from pipeline.ratings.stories import Pair, Story, Writer, in_order, is_swapped
from pipeline.ratings.tally import Tally, Versions, tallies
from pipeline.ratings.votes import Choice, Vote, append, now, read


@dataclass(frozen=True)
class Shown:
    """A pair as it is laid before a rater; its number is its place in the drawn order."""

    number: int
    left: Story
    right: Story
    done: int
    total: int


class Session:
    """The rating of some pairs by one person. Several threads may ask."""

    def __init__(
        self, pairs: Sequence[Pair], votes: Path, rater: str, current: Versions, seed: int = 0
    ):
        """`votes` is the file that they are kept in; `current` the versions of the stories.

        Raises ModelError where the file is damaged.
        """
        self._shown = [_laid_out(pair, rater, seed) for pair in in_order(pairs, seed)]
        self._keys = {pair.key for pair in pairs}
        self._path, self._rater, self._current = votes, rater, current
        self._lock = Lock()
        self._ended = False
        self._done = self._rated()

    @property
    def ended(self) -> bool:
        """Whether the writers have been named, so that no vote is blind any more."""
        return self._ended

    def next(self) -> Shown | None:
        """The first pair in the drawn order that this rater has not seen; None: all are done."""
        with self._lock:
            return self._next()

    def vote(self, number: int, choice: Choice) -> Shown | None:
        """Keep the vote on a pair and return the next one; a pair rated already stays as it is.

        Raises ModelError where there is no such pair or the blind part is over, OSError where the
        vote cannot be written.
        """
        with self._lock:
            if self._ended:
                raise ModelError("the tally was shown, so the blind part is over; start again")
            if not 0 <= number < len(self._shown):
                raise ModelError(f"there is no pair {number}")
            left, right = self._shown[number]
            pair = frozenset((left.side, right.side))
            if pair not in self._done:
                append(self._path, Vote(now(), self._rater, left.side, right.side, choice))
                self._done.add(pair)
            return self._next()

    def tally(self) -> Tally | None:
        """Name the writers, which ends the blind part; None where nobody has rated them yet."""
        with self._lock:
            self._ended = True
            return tally_of(self._path, self._writers(), self._current)

    def _writers(self) -> frozenset[Writer]:
        return frozenset(story.side.writer for story in self._shown[0])

    def _next(self) -> Shown | None:
        for number, (left, right) in enumerate(self._shown):
            if frozenset((left.side, right.side)) not in self._done:
                return Shown(number, left, right, len(self._done), len(self._shown))
        return None

    def _rated(self) -> set[frozenset[object]]:
        return {
            vote.pair
            for vote in read(self._path)
            if vote.rater == self._rater and vote.pair in self._keys
        }


def tally_of(votes: Path, writers: frozenset[Writer], current: Versions) -> Tally | None:
    """The tally of two writers; None where nobody has rated them. Raises ModelError as `read`."""
    for found in tallies(read(votes), current):
        if {found.first, found.second} == writers:
            return found
    return None


def _laid_out(pair: Pair, rater: str, seed: int) -> tuple[Story, Story]:
    both = (pair.first, pair.second)
    return (both[1], both[0]) if is_swapped(pair, rater, seed) else both
