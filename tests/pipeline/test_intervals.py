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


@pytest.mark.parametrize("works", [2, 3, 5, 8])
@pytest.mark.parametrize("alike_in_size", [True, False])
def test_of_few_works_chance_is_called_a_difference_hardly_more_often_than_promised(
    works, alike_in_size
):
    rng = np.random.default_rng(7)
    better = worse = 0
    for trial in range(400):
        sizes = np.full(works, 900) if alike_in_size else rng.integers(200, 4000, works)
        hard = rng.normal(2.0, 0.5, works)
        as_hard = hard + rng.normal(0.0, 0.1, works)
        found = intervals.paired_difference(as_hard * sizes, hard * sizes, sizes, seed=trial)
        assert found.low < found.value < found.high
        better += found.below(0)
        worse += found.above(0)
    # 10 of 400 each are promised; drawn anew and no more it is 104 of 2 works, 20 of 8.
    assert max(better, worse) <= 20
    assert better + worse <= 36
    assert better + worse >= 4


def test_two_works_show_what_is_plain_and_no_more():
    sizes = [900, 1100]
    plain = intervals.paired_difference([900, 1110], [2700, 3300], sizes)
    assert plain.below(0)
    assert not intervals.paired_difference([900, 1800], [2700, 3300], sizes).below(0)
    # Below nothing no text can cost, whatever the interval.
    assert intervals.ratio([900, 5500], sizes).low == 0
    assert intervals.clustered_share([100, 900], sizes).high == 1


def test_works_that_are_all_alike_say_nothing_of_others():
    sizes = [16, 16]
    assert intervals.ratio([50, 50], sizes) == intervals.Interval(3.125)
    assert intervals.paired_difference([90, 90], [50, 50], sizes) == intervals.Interval(2.5)
    rounded = [32.0, 32.0 + 2e-6]  # as float32 has it
    assert intervals.paired_difference(rounded, [31.9, 31.9], sizes).low is None
    assert intervals.unpaired_difference(([50, 50], sizes), ([30, 40], sizes)).low is None
    assert intervals.paired_difference([9, 9, 9], [9, 9, 9], [3, 4, 5]) == intervals.Interval(0)


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


def _texts(rng, clusters, copying):
    """Copied words and words of works, of which so large a share has any: 8 to 25 of 100."""
    words = rng.integers(500, 2000, clusters)
    part = rng.uniform(0.08, 0.25, clusters) * (rng.random(clusters) < copying)
    return np.round(part * words), words


@pytest.mark.parametrize("copying", [0.003, 0.01, 0.03])
def test_small_shares_are_covered_where_no_work_has_any_of_it(copying):
    rng = np.random.default_rng(5)
    truth, covered, drawn_alone = copying * 0.165, 0, 0
    for trial in range(150):
        texts = _texts(rng, 60, copying)
        found, alone = intervals.clustered_share(*texts, seed=trial), intervals.ratio(*texts)
        assert found.low >= 0
        assert found.value == pytest.approx(alone.value)
        covered += found.low <= truth <= found.high
        drawn_alone += alone.low is not None and alone.low <= truth <= alone.high
    assert covered >= 0.9 * 150
    assert drawn_alone < covered


def test_what_all_works_have_alike_is_as_uncertain_as_they_are_few():
    words = [900, 1100, 1500, 700]
    none = intervals.clustered_share([0] * 4, words)
    assert none == intervals.share(0, 4)
    assert none.high > 0.4
    assert intervals.clustered_share([0, 0, 0], [900, 0, 1100]) == intervals.share(0, 2)
    assert intervals.clustered_share(words, words) == intervals.share(4, 4)
    assert intervals.clustered_share([0, 9, 0, 0], words) == intervals.ratio([0, 9, 0, 0], words)
    assert intervals.clustered_share([0], [900]) == intervals.Interval(0.0)
    assert intervals.clustered_share([9, 0], [900, 0]) == intervals.Interval(0.01)
    with pytest.raises(ValueError, match="no text"):
        intervals.clustered_share([0], [0])


@pytest.mark.parametrize(
    ("stories", "works", "copying", "of_people", "least", "most"),
    [
        (24, 8, 0.1, 0.1, 0.0, 0.05),  # alike: hardly ever told apart, though few works show any
        (200, 8, 0.05, 0.05, 0.0, 0.05),
        (200, 100, 0.02, 0.02, 0.0, 0.06),
        (24, 8, 1.0, 0.0, 0.95, 1.0),  # 16 % are copied, and nothing by people
        (24, 30, 0.6, 0.0, 0.95, 1.0),
        (200, 100, 0.15, 0.0, 0.95, 1.0),  # 2 %
    ],
)
def test_shares_are_told_apart_where_they_differ_and_hardly_ever_where_they_do_not(
    stories, works, copying, of_people, least, most
):
    rng = np.random.default_rng(6)
    apart = 0
    for trial in range(100):
        model, people = _texts(rng, stories, copying), _texts(rng, works, of_people)
        apart += intervals.difference_of_shares(model, people, texts=works, seed=trial).above(0)
    assert least * 100 <= apart <= most * 100


def test_two_that_copy_nothing_do_not_differ_and_one_that_copies_all_of_it_does():
    words = [900, 1100]
    nothing = intervals.difference_of_shares(([0, 0], words), ([0, 0], words), texts=2)
    assert nothing.value == 0
    assert nothing.low == -nothing.high == -intervals.share(0, 2).high
    assert intervals.difference_of_shares((words, words), ([0, 0], words), texts=2).above(0)
    assert intervals.difference_of_shares(([0, 0], words), (words, words), texts=2).below(0)


def test_of_one_work_anything_may_be_true_of_others_that_all_or_none_would_explain():
    people = ([0] * 40, [900] * 40)
    one = intervals.difference_of_shares(([0], [9]), people, texts=40)
    assert (one.low, one.high) == (-intervals.share(0, 40).high, intervals.share(0, 1).high)
    assert not intervals.difference_of_shares(([9], [900]), people, texts=40).above(0)
    assert intervals.difference_of_shares(([800], [900]), people, texts=40).above(0)
    assert not intervals.difference_of_shares(([500] * 9, [900] * 9), ([0], [900]), texts=1).above(
        0
    )
    assert intervals.difference_of_shares(([500] * 9, [900] * 9), ([0], [900]), texts=9).above(0)
    # Of two, where Student's t allows for more than works can differ by, as well.
    assert intervals.difference_of_shares(([500, 800], [900, 900]), people, texts=40).above(0)
