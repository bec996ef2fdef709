"""Sides: by hash, kept once dealt, shared by what resembles each other, none of them empty."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.corpus.split import (
    EMPTY_SPLIT,
    HASH,
    NEAR_DUPLICATE,
    SPLITS,
    TEST,
    TRAIN,
    VALIDATION,
    DealError,
    Side,
    settle,
    split_of,
)

WORKS = st.sets(st.text(max_size=12), min_size=3, max_size=60)
SHARES = st.floats(0.01, 0.4)


def _settle(units, links=(), recorded=None, validation=0.05, test=0.05):
    sides = {unit: Side(split, HASH) for unit, split in (recorded or {}).items()}
    return {
        unit: (side.split, side.reason)
        for unit, side in settle(units, links, sides, validation, test).items()
    }


@given(WORKS)
def test_each_work_has_one_split_and_none_is_empty(works):
    sides = _settle(works)
    assert set(sides) == works
    assert {split for split, _ in sides.values()} == set(SPLITS)


@given(st.sets(st.text(max_size=12), min_size=15, max_size=60), SHARES, SHARES)
def test_no_other_work_changes_a_works_side(works, validation, test):
    splits = {work: split_of(work, validation, test) for work in works}
    # Where each split has a work of its own, nothing overrides the hash.
    if set(splits.values()) == set(SPLITS):
        sides = _settle(works, validation=validation, test=test)
        assert sides == {work: (split, HASH) for work, split in splits.items()}


def test_the_shares_are_those_asked_for():
    sides = _settle([f"work {number}" for number in range(20_000)], validation=0.1, test=0.2)
    count = Counter(split for split, _ in sides.values())
    assert abs(count[VALIDATION] / 20_000 - 0.1) < 0.01
    assert abs(count[TEST] / 20_000 - 0.2) < 0.01


def test_only_who_has_no_side_is_dealt_one_whatever_the_shares_are_now():
    recorded = {"a": TRAIN, "b": VALIDATION, "c": TEST, "gone": TEST}
    sides = _settle(["a", "b", "c", "new"], recorded=recorded, validation=0.4, test=0.4)
    assert set(sides) == {"new"}


def test_what_resembles_each_other_is_dealt_together_by_its_least_name():
    units = [f"work {number}" for number in range(100)]
    chain = [(units[n], units[n + 1]) for n in range(9)]
    sides = _settle(units, chain)
    first = split_of(units[0], 0.05, 0.05)
    assert {sides[unit][0] for unit in units[:10]} == {first}
    assert sides[units[0]][1] == HASH
    assert {sides[unit][1] for unit in units[1:10]} == {NEAR_DUPLICATE}


@pytest.mark.parametrize("split", SPLITS)
def test_a_newcomer_takes_the_side_of_what_it_resembles_be_it_in_a_chain(split):
    recorded = {"a": TRAIN, "b": VALIDATION, "c": TEST, "known": split}
    sides = _settle([*recorded, "new", "newer"], [("known", "new"), ("new", "newer")], recorded)
    assert sides == {"new": (split, NEAR_DUPLICATE), "newer": (split, NEAR_DUPLICATE)}


def test_a_bridge_goes_to_train_and_its_ends_to_the_side_they_touch():
    recorded = {"a": TRAIN, "b": VALIDATION, "c": TEST}
    links = [("a", "m1"), ("m1", "m2"), ("m2", "m3"), ("m3", "c")]
    sides = _settle([*recorded, "m1", "m2", "m3"], links, recorded)
    # In order of name, from the recorded ones: m1 touches a, m2 then touches m1, m3 m2 and c.
    assert {unit: split for unit, (split, _) in sides.items()} == dict.fromkeys(
        ["m1", "m2", "m3"], TRAIN
    )
    links = [("a", "z1"), ("z1", "m2"), ("m2", "m1"), ("m1", "c")]
    sides = _settle([*recorded, "z1", "m2", "m1"], links, recorded)
    assert {unit: split for unit, (split, _) in sides.items()} == {
        "m1": TEST,
        "m2": TEST,
        "z1": TRAIN,
    }


def test_a_newcomer_fills_an_empty_split_and_no_recorded_one_moves():
    recorded = {"a": TRAIN, "b": TRAIN, "c": TEST}
    new = ["one", "two", "four"]
    sides = _settle([*recorded, *new], recorded=recorded)
    assert set(sides) == set(new)
    (filled,) = [unit for unit, (split, _) in sides.items() if split == VALIDATION]
    nearest = min(new, key=lambda unit: _rank(unit))
    assert (filled, sides[filled][1]) == (nearest, EMPTY_SPLIT)


def _rank(unit):
    """In order of hash: the share of the range at which the unit becomes validation."""
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if split_of(unit, middle, 0) == VALIDATION else (middle, high)
    return high


def test_where_no_newcomer_is_free_it_cannot_be_done():
    with pytest.raises(DealError, match="validation"):
        _settle(["a", "c"], recorded={"a": TRAIN, "c": TEST})
    # One that resembles a recorded one is not free either.
    with pytest.raises(DealError, match="validation"):
        _settle(["a", "c", "d"], [("a", "d")], {"a": TRAIN, "c": TEST})


def test_what_leaves_hands_on_its_side_and_fills_no_split():
    recorded = {"a": Side(TRAIN, HASH), "b": Side(VALIDATION, HASH), "c": Side(TEST, HASH)}
    units, links = [*recorded, "new", "free"], [("c", "new")]
    sides = settle(units, links, recorded, 0.05, 0.05, leaving={"c"})
    assert sides["new"].split == TEST
    assert settle([*recorded, "new"], [], recorded, 0.05, 0.05, {"c"})["new"].split == TEST
    with pytest.raises(DealError, match="test"):
        settle([*recorded, "new"], [], recorded, 0.05, 0.05, {"c", "new"})
    # Who leaves is dealt by its hash alone, be the others few or many.
    alone = settle(["new", "x", "y", "z"], [], {}, 0.05, 0.05, {"new"})
    assert alone["new"] == Side(split_of("new", 0.05, 0.05), HASH)
    assert {side.split for unit, side in alone.items() if unit != "new"} == set(SPLITS)


LETTERS = "abcdefghijkl"


@settings(max_examples=300)
@given(
    st.lists(st.tuples(st.sampled_from(LETTERS), st.sampled_from(LETTERS)), max_size=14),
    st.lists(st.sets(st.sampled_from(LETTERS), min_size=1), min_size=1, max_size=6),
    st.randoms(),
)
def test_sides_are_kept_for_good_and_do_not_depend_on_any_order(links, builds, chance):
    recorded = {"A": Side(TRAIN, HASH), "B": Side(VALIDATION, HASH), "C": Side(TEST, HASH)}
    for units in builds:
        here = [*units, "A", "B", "C"]
        new = settle(here, links, recorded, 0.2, 0.2)
        assert not set(new) & set(recorded)
        assert set(here) <= set(new) | set(recorded)
        shuffled = [(one, other) if chance.random() < 0.5 else (other, one) for one, other in links]
        chance.shuffle(shuffled)
        chance.shuffle(here)
        assert settle(here, shuffled, recorded, 0.2, 0.2) == new
        recorded = recorded | new
        assert settle(here, links, recorded, 0.2, 0.2) == {}


def test_many_units_take_no_longer_than_their_number_asks(grows_no_faster):
    def work(count):
        units = [f"work {number}" for number in range(count)]
        chance = random.Random(1)
        links = [tuple(chance.sample(units, 2)) for _ in range(count)]
        recorded = {unit: Side(chance.choice(SPLITS), HASH) for unit in units[::10]}
        settle(units, links, recorded, 0.05, 0.05)

    grows_no_faster(work, 3000)
