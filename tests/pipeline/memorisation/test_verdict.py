"""A model is refused where it surely copies more than it may, and is told what mends it."""

from dataclasses import replace

import pytest

from pipeline.intervals import Interval
from pipeline.memorisation.verdict import Copied, Evidence, judge

HUMAN = Interval(0.02, 0.01, 0.03)


def at(value: float, spread: float | None = 0.05, human: Interval = HUMAN) -> Copied:
    """A share with an interval so wide each way; None: of a single story."""
    if spread is None:
        return Copied(Interval(value), Interval(value - human.value))
    more = Interval(value - human.value, value - human.value - spread, value - human.value + spread)
    return Copied(Interval(value, max(0.0, value - spread), value + spread), more)


def evidence(last: Copied | None, **other: object) -> Evidence:
    return replace(
        Evidence(step=100, by_step={} if last is None else {100: last}, human=HUMAN, passage=8),
        **other,
    )


@pytest.mark.parametrize(
    ("last", "passed", "told"),
    [
        (at(0.01), True, "it copies no more"),
        (at(0.05), True, "not shown to copy more"),
        (at(0.2), False, "it copies more"),
        (at(0.2, None), False, "it copies more"),  # a single story: its share itself
        (at(0.025, None), True, "not shown"),
    ],
)
def test_by_default_the_bound_is_held_out_human_text(last, passed, told):
    found = judge(evidence(last))
    assert found.passed is passed
    assert found.bound == 0.02
    assert told in found.sentence
    assert "2.0% (1.0% to 3.0%) of held-out human text" in found.sentence
    assert bool(found.advice) is not passed


@pytest.mark.parametrize(("value", "passed"), [(0.1, True), (0.101, False), (0.0, True)])
def test_a_written_bound_is_held_to_the_share_itself(value, passed):
    found = judge(evidence(at(value), written=0.1))
    assert (found.passed, found.bound) == (passed, 0.1)
    assert "the bound of 10.00% in measures.copied" in found.sentence


def test_a_model_that_writes_no_word_does_not_pass():
    found = judge(evidence(None, human=None))
    assert not found.passed
    assert found.bound is None
    assert "no word" in found.sentence


def test_a_model_whose_stories_are_too_long_for_held_out_text_does_not_pass_and_hears_why():
    found = judge(evidence(at(0.0), human=None))
    assert not found.passed
    assert "No held-out human text of 8 words or more is of like length" in found.sentence
    assert "Draw shorter stories" in found.advice[0]


def test_the_last_checkpoint_that_is_not_above_the_bound_is_named():
    steps = {10: at(0.0), 40: at(0.03), 80: at(0.5), 100: at(0.9)}
    (advice,) = judge(evidence(None, by_step=steps)).advice
    assert "at step 40 it copied 3.0%" in advice
    assert "training.steps: 40" in advice
    (advice,) = judge(evidence(None, by_step={80: at(0.5), 100: at(0.9)})).advice
    assert "fewer steps than 80" in advice
    (advice,) = judge(evidence(at(0.9))).advice
    assert "samples.at_steps" in advice


def test_passages_that_recur_ask_for_deduplication():
    recur = {"passages": 12, "recurring": 7, "most_places": 31}
    (_, advice) = judge(evidence(at(0.9), duplicates=(4, 0.5), **recur)).advice
    assert "7 of the 12 copied passages" in advice
    assert "one at 31" in advice
    assert "left out 4 duplicates at duplicates.threshold 0.5" in advice


def test_a_text_read_many_times_and_cool_stories_are_named():
    by_setting = {"free": (1.0, Interval(0.1)), "careful": (0.6, Interval(0.8))}
    (_, more, warmer) = judge(evidence(at(0.9), epochs=31.4, by_setting=by_setting)).advice
    assert "31.4 times" in more
    assert "at 1 (free) it copied 10.0%, at 0.6 (careful) 80.0%" in warmer
    for free, careful in [(0.8, 0.1), (0.7, 0.8)]:  # copies more, and hardly less
        little = {"free": (1.0, Interval(free)), "careful": (0.6, Interval(careful))}
        assert len(judge(evidence(at(0.9), epochs=1.0, by_setting=little)).advice) == 1
