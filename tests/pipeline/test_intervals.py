"""Intervals hold what they promise: checked against theory and by coverage over many draws."""

import numpy as np
import pytest

from pipeline import intervals


def test_a_ratio_is_of_sums_and_its_interval_covers_the_truth_in_some_95_of_100_draws():
    rng = np.random.default_rng(3)
    covered = 0
    for trial in range(200):
        sizes = rng.integers(200, 4000, 40)
        harder = rng.normal(2.0, 0.3, 40)  # bits a byte of each work
        found = intervals.ratio(harder * sizes, sizes, seed=trial)
        assert found.value == pytest.approx((harder * sizes).sum() / sizes.sum())
        covered += found.low < 2.0 < found.high
    assert 180 <= covered <= 198


def test_pairs_take_out_what_makes_a_work_hard():
    rng = np.random.default_rng(4)
    sizes = rng.integers(200, 4000, 30)
    hard = rng.normal(2.0, 0.5, 30) * sizes
    better = hard - rng.normal(0.05, 0.01, 30) * sizes
    apart = intervals.unpaired_difference((better, sizes), (hard, sizes))
    pairs = intervals.paired_difference(better, hard, sizes)
    assert pairs.value == pytest.approx(apart.value)
    assert pairs.below(0)
    assert not apart.below(0)
    assert pairs == intervals.paired_difference(better, hard, sizes)


def test_of_one_work_there_is_a_figure_and_no_interval():
    found = intervals.ratio([6.0], [3])
    assert found == intervals.Interval(2.0)
    assert not found.below(5)
    with pytest.raises(ValueError, match="no text"):
        intervals.ratio([], [])


def test_shares_stay_within_0_and_1():
    none = intervals.share(0, 1000)
    assert none.low == 0
    assert none.high == pytest.approx(0.003827, abs=1e-6)
    all_of_them = intervals.share(10, 10)
    assert all_of_them.high == 1
    assert all_of_them.low == pytest.approx(0.7225, abs=1e-4)
    with pytest.raises(ValueError, match="no trial"):
        intervals.share(0, 0)
