"""95 % intervals of measured figures.

Documents of one work are alike, so works are drawn anew, not documents or tokens: the percentile
bootstrap over clusters (Efron & Tibshirani 1993, chapters 8 and 13). Of few works that is too
narrow, so its bounds are moved outwards as Student's t has it (Hesterberg 2015, "What Teachers
Should Know About the Bootstrap"). Two scorers of the same works are compared in pairs, work by
work: what makes one work harder than another is then no part of the difference. Shares of
independent trials have Wilson's interval (1927), which stays within 0 and 1; so has a share that is
the same in every work, 0 as a rule, since drawing those anew gives it again and would call certain
what a few works show. The same figures and seed give the same interval.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

#: Times that the works are drawn anew: the bounds of 95 % then vary by a few in a hundred.
RESAMPLES = 2000
#: Of the normal distribution, two sides of 2.5 %.
_Z = 1.959963984540054
#: Draws held in memory at a time.
_DRAWN_AT_ONCE = 4_000_000
#: Of a figure, what float32 may add to it: works that are no farther apart are alike.
_ROUNDING = 1e-6

Figures = Sequence[float] | npt.NDArray[np.float64] | npt.NDArray[np.int64]


@dataclass(frozen=True)
class Interval:
    """A figure and the bounds of its 95 % interval; None where it has none."""

    value: float
    low: float | None = None
    high: float | None = None

    def below(self, bound: float) -> bool:
        """Whether it lies below with its whole interval; without an interval nothing does."""
        return self.high is not None and self.high < bound

    def above(self, bound: float) -> bool:
        """Whether it lies above with its whole interval."""
        return self.low is not None and self.low > bound


def ratio(numerators: Figures, denominators: Figures, *, seed: int = 0) -> Interval:
    """Sum of `numerators` / sum of `denominators`, an entry of each a work; none is below 0.

    Of a single work there is no interval, nor of works that are all alike: they say nothing of how
    others differ. Raises ValueError where the denominators sum to 0.
    """
    return _cut(_drawn(numerators, denominators, seed), math.inf)


def clustered_share(numerators: Figures, denominators: Figures, *, seed: int = 0) -> Interval:
    """`ratio` of what is a share of each work, 0 to 1; Wilson's where all works have the same one.

    Each work is then a trial. One that there is nothing of does not count. Raises as `ratio`.
    """
    return _cut(_drawn_share(numerators, denominators, seed), 1.0)


def paired_difference(
    first: Figures, second: Figures, denominators: Figures, *, seed: int = 0
) -> Interval:
    """The ratio of `first` less that of `second` over the same works.

    No interval where all works differ by the same, and raises, as `ratio`.
    """
    one, other = np.asarray(first, np.float64), np.asarray(second, np.float64)
    return _drawn(one - other, denominators, seed, rounded=np.maximum(abs(one), abs(other)))


def mean(values: Figures, *, seed: int = 0) -> Interval:
    """The mean over texts. Raises ValueError where there are none."""
    return ratio(values, np.ones(len(values)), seed=seed)


def unpaired_difference(
    first: tuple[Figures, Figures], second: tuple[Figures, Figures], *, seed: int = 0
) -> Interval:
    """A ratio less another of other works, each (numerators, denominators) drawn by itself.

    No interval where one of them has none. Raises as `ratio`.
    """
    return _apart(_drawn(*first, seed), _drawn(*second, seed + 1))


def difference_of_shares(
    first: tuple[Figures, Figures], second: tuple[Figures, Figures], *, texts: int, seed: int = 0
) -> Interval:
    """As `unpaired_difference`, of what `clustered_share` is taken of.

    Whether the two differ is asked: where one has the same share in all its works, others are taken
    to be no farther from it than the farthest work of both is. Wilson's interval by itself allows
    for works that are wholly copied, which nobody saw. No interval is wider than Wilson's with the
    works as trials, though: works of a given mean differ most where each has all of it or none. A
    single work has that one, and so there is an interval always. Of `second`, of so many `texts`,
    it is no wider than if each text had all of it or none either: a text that has any of it has
    little as a rule, which leaves room for texts of one work to be alike.
    """
    one, other = _of_trials(first, seed), _of_trials(second, seed + 1)
    shares = _shares(*first), _shares(*second)
    both = np.concatenate(shares)
    other = _narrower(_within(other, shares[1], both), share(other.value * texts, texts))
    return _apart(_within(one, shares[0], both), other)


def _drawn(
    numerators: Figures, denominators: Figures, seed: int, *, rounded: Figures | None = None
) -> Interval:
    """As `ratio`, of numerators that may be below 0; `rounded` are the figures they come from."""
    over = np.asarray(numerators, np.float64)
    under = np.asarray(denominators, np.float64)
    whole = float(under.sum())
    if not whole > 0:
        raise ValueError("nothing to divide by: there is no text")
    value = float(over.sum()) / whole
    works = int(np.count_nonzero(under))
    rates = _shares(over, under)
    largest = np.abs(rates if rounded is None else _shares(rounded, under)).max()
    if works < 2 or np.ptp(rates) <= _ROUNDING * largest:
        return Interval(value)
    drawn = []
    rng = np.random.default_rng(seed)
    at_once = max(1, _DRAWN_AT_ONCE // len(over))
    for start in range(0, RESAMPLES, at_once):
        rows = rng.integers(len(over), size=(min(at_once, RESAMPLES - start), len(over)))
        sums = under[rows].sum(1)
        with np.errstate(divide="ignore", invalid="ignore"):
            drawn.append(over[rows].sum(1) / sums)
    found = np.concatenate(drawn)
    low, high = map(float, np.percentile(found[np.isfinite(found)], [2.5, 97.5]))
    outwards = _outwards(works)
    return Interval(value, value - outwards * (value - low), value + outwards * (high - value))


def _outwards(works: int) -> float:
    """How much farther bounds lie than the bootstrap has them.

    It divides by n where a variance is over n - 1, and by the normal where Student's t is wider.
    """
    from scipy.special import stdtrit  # a second, at every start

    return math.sqrt(works / (works - 1)) * float(stdtrit(works - 1, 0.975)) / _Z


def _drawn_share(numerators: Figures, denominators: Figures, seed: int) -> Interval:
    """As `clustered_share`, with bounds that may lie beyond 0 and 1."""
    there = np.asarray(denominators, np.float64) > 0
    shares = _shares(numerators, denominators)
    if len(shares) < 2 or shares.min() < shares.max():
        return _drawn(np.asarray(numerators)[there], np.asarray(denominators)[there], seed)
    return share(float(shares[0]) * len(shares), len(shares))


def _of_trials(parts: tuple[Figures, Figures], seed: int) -> Interval:
    """As `_drawn_share`, no wider than if each work had all of it or none."""
    found, works = _drawn_share(*parts, seed), len(_shares(*parts))
    return _narrower(found, share(found.value * works, works))


def _narrower(found: Interval, widest: Interval) -> Interval:
    """Of two intervals of a figure what they share; `widest` where `found` has none."""
    if found.low is None or found.high is None or widest.low is None or widest.high is None:
        return widest
    return Interval(found.value, max(found.low, widest.low), min(found.high, widest.high))


def _cut(found: Interval, most: float) -> Interval:
    """Its bounds within what the figure can be, 0 to `most`."""
    if found.low is None or found.high is None:
        return found
    return Interval(found.value, max(0.0, found.low), min(most, found.high))


def _shares(numerators: Figures, denominators: Figures) -> npt.NDArray[np.float64]:
    """Of each work that there is something of."""
    over, under = np.asarray(numerators, np.float64), np.asarray(denominators, np.float64)
    return over[under > 0] / under[under > 0]


def _within(
    found: Interval, shares: npt.NDArray[np.float64], both: npt.NDArray[np.float64]
) -> Interval:
    if found.low is None or found.high is None or len(shares) < 2 or np.ptp(shares):
        return found
    farthest = float(np.abs(both - found.value).max()) or 1.0
    return Interval(
        found.value,
        found.value - farthest * (found.value - found.low),
        found.value + farthest * (found.high - found.value),
    )


def _apart(one: Interval, other: Interval) -> Interval:
    value = one.value - other.value
    if one.low is None or other.low is None or one.high is None or other.high is None:
        return Interval(value)
    # Of independent parts: each bound's distance adds in squares (Newcombe 1998).
    low = value - math.hypot(one.value - one.low, other.high - other.value)
    high = value + math.hypot(one.high - one.value, other.value - other.low)
    return Interval(value, low, high)


def share(successes: float, trials: int) -> Interval:
    """Wilson's interval of `successes` in `trials`. Raises ValueError where there was no trial.

    Where a trial is a cluster, `successes` is the share of what is counted, times the clusters.
    """
    if trials < 1:
        raise ValueError("there was no trial")
    rate, spread = successes / trials, _Z**2 / trials
    centre = (rate + spread / 2) / (1 + spread)
    half = _Z / (1 + spread) * math.sqrt(rate * (1 - rate) / trials + spread / (4 * trials))
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == trials else centre + half
    return Interval(rate, low, high)
