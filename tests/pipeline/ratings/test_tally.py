"""What votes add up to: pairs won, how sure that is, and which votes no longer count."""

import pytest

from pipeline.intervals import share
from pipeline.ratings import speech
from pipeline.ratings.stories import HUMAN, Side, Writer
from pipeline.ratings.tally import sign_test, tallies
from pipeline.ratings.votes import Choice, Vote

_NOW = {"fox": "f2", "owl": "o1", HUMAN: "c1"}
_SIDES = {
    "fox": Side(Writer("fox", 30), "f2", 0),
    "owl": Side(Writer("owl", 20), "o1", 0),
    HUMAN: Side(Writer(HUMAN), "c1", 0),
}


def _vote(
    better: str | None, other: str = "owl", *, one: str = "fox", number: int = 0,
    rater: str = "ines", version: str | None = None, swapped: bool = False,
) -> Vote:  # fmt: skip
    left, right = (Side(_SIDES[name].writer, _SIDES[name].version, number) for name in (one, other))
    if version is not None:
        left = Side(left.writer, version, number)
    if swapped:
        left, right = right, left
    choice: Choice = "tie"
    if better == "skip":
        choice = "skip"
    elif better is not None:
        choice = "left" if left.writer.name == better else "right"
    return Vote("2026-01-02T03:04:05+00:00", rater, left, right, choice)


def test_wins_count_by_the_writer_whichever_side_it_stood_on() -> None:
    votes = [_vote("fox", number=n, swapped=n % 2 == 0) for n in range(7)]
    votes += [_vote("owl", number=7), _vote(None, number=8), _vote("skip", number=9)]
    (found,) = tallies(votes, _NOW)
    assert (found.first.name, found.second.name) == ("fox", "owl")
    count = found.count
    assert (count.first, count.second, count.ties, count.skipped) == (7, 1, 1, 1)
    assert found.share == share(7, 8)
    assert found.p == sign_test(7, 8) == pytest.approx(2 * (1 + 8) / 256)
    said = speech.sentence(found)
    assert said.startswith("fox, step 30 won 7 of 8 pairs against owl, step 20 (88\u202f%, 95 %")
    assert "does not tell them apart" in said


def test_a_clear_majority_is_told_as_one() -> None:
    (found,) = tallies([_vote("owl", number=n) for n in range(9)], _NOW)
    assert "Owl, step 20 is judged better (sign test, p = 0.004)" in speech.sentence(found)


def test_a_pair_that_several_rated_counts_once_by_their_majority() -> None:
    votes = [
        _vote("fox", rater="ines"), _vote("fox", rater="otto"), _vote("owl", rater="uma"),
        _vote("owl", number=1, rater="ines"), _vote("fox", number=1, rater="otto"),
        _vote("skip", number=2, rater="ines"), _vote("owl", number=2, rater="otto"),
    ]  # fmt: skip
    (found,) = tallies(votes, _NOW)
    assert (found.count.first, found.count.second, found.count.ties) == (1, 1, 1)
    assert (found.agreed, found.both) == (1, 4)  # of 3 + 1 + 0 pairs of raters
    assert {rater: count.first for rater, count in found.by_rater.items()} == {
        "ines": 1, "otto": 2, "uma": 0,
    }  # fmt: skip
    assert any("1 times of 4" in note for note in speech.notes(found))


def test_votes_on_earlier_stories_are_told_and_not_counted() -> None:
    (found,) = tallies([_vote("fox"), _vote("owl", number=1, version="f1")], _NOW)
    assert (found.count.first, found.count.second, found.earlier) == (1, 0, 1)
    assert any("1 vote on earlier versions" in note for note in speech.notes(found))
    (gone,) = tallies([_vote("fox")], {"owl": "o1"})
    assert (gone.count.rated, gone.earlier) == (0, 1)


def test_each_two_writers_have_a_tally_of_their_own_and_people_come_second() -> None:
    votes = [_vote("fox"), _vote("fox", HUMAN), _vote("fox", HUMAN, number=1)]
    assert [(str(one.first), str(one.second)) for one in tallies(votes, _NOW)] == [
        ("fox, step 30", "people"),
        ("fox, step 30", "owl, step 20"),
    ]


def test_only_ties_and_no_votes_are_no_share() -> None:
    (found,) = tallies([_vote(None), _vote(None, number=1)], _NOW)
    assert found.share is found.p is None
    assert "no difference in any of 2 pairs" in speech.sentence(found)
    assert tallies([], _NOW) == []


def test_said_twice_by_one_rater_the_first_stands() -> None:
    (found,) = tallies([_vote("fox"), _vote("owl")], _NOW)
    assert (found.count.first, found.count.second) == (1, 0)
