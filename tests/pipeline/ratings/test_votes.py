"""Votes are whole lines on disk, whoever else writes and whatever is killed."""

import json
import multiprocessing
from pathlib import Path

import pytest

from pipeline.model_spec import ModelError
from pipeline.ratings.stories import Side, Writer
from pipeline.ratings.votes import Vote, append, read
from tests.pipeline.ratings.contest import session


def _vote(rater: str, number: int) -> Vote:
    left, right = (Side(Writer(name, 30), name * 8, number) for name in ("owl", "fox"))
    return Vote("2026-01-02T03:04:05+00:00", rater, left, right, "tie")


def _append(path: Path, rater: str, count: int) -> None:
    for number in range(count):
        append(path, _vote(rater, number))


def test_two_processes_append_at_once(tmp_path: Path) -> None:
    path = tmp_path / "ratings" / "owl.jsonl"
    context = multiprocessing.get_context("spawn")
    raters = [context.Process(target=_append, args=(path, name, 100)) for name in ("ines", "otto")]
    for process in raters:
        process.start()
    for process in raters:
        process.join(60)
        assert process.exitcode == 0
    found = read(path)
    for rater in ("ines", "otto"):
        assert [vote for vote in found if vote.rater == rater] == [
            _vote(rater, number) for number in range(100)
        ]


def test_a_line_that_was_cut_off_is_no_vote_and_the_next_one_takes_its_place(
    tmp_path: Path,
) -> None:
    path = tmp_path / "owl.jsonl"
    _append(path, "ines", 2)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:50])
    assert len(read(path)) == 2
    append(path, _vote("otto", 7))
    assert [vote.rater for vote in read(path)] == ["ines", "ines", "otto"]
    path.write_bytes(b"{" * 9000)  # longer than is looked back at once
    append(path, _vote("otto", 8))
    assert read(path) == [_vote("otto", 8)]


@pytest.mark.parametrize("damage", [b"{}\n", b"not JSON\n", b'{"choice": "maybe"}\n', b"\xff\n"])
def test_a_damaged_line_is_named_and_nothing_is_added_over_it(
    tmp_path: Path, damage: bytes
) -> None:
    path = tmp_path / "owl.jsonl"
    _append(path, "ines", 1)
    path.write_bytes(path.read_bytes() + damage)
    with pytest.raises(ModelError, match=r"owl\.jsonl, line 2: is no vote"):
        read(path)


def test_a_vote_holds_names_and_numbers_and_no_text(tmp_path: Path) -> None:
    path = tmp_path / "owl.jsonl"
    rating = session(path)
    shown = rating.next()
    assert shown is not None
    rating.vote(shown.number, "left")
    said = json.loads(path.read_text())
    assert set(said) == {"at", "rater", "left", "right", "choice"}
    assert set(said["left"]) == {"writer", "version", "sample"}
    for text in (shown.left.text, shown.left.prompt):
        assert text.strip() not in path.read_text()


def test_rating_goes_on_where_it_stopped_and_shows_no_pair_twice(tmp_path: Path) -> None:
    path = tmp_path / "owl.jsonl"
    seen = []
    while True:
        rating = session(path)  # as after a kill
        if (shown := rating.next()) is None:
            break
        assert (shown.done, shown.total) == (len(seen), 4)
        seen.append(frozenset((shown.left.side, shown.right.side)))
        rating.vote(shown.number, "skip" if len(seen) == 2 else "right")
    assert len(set(seen)) == len(seen) == 4
    other = session(path, rater="otto").next()
    assert other is not None
    assert other.done == 0
    assert {other.left.side, other.right.side} == seen[0]  # all raters in the same order


def test_a_pair_is_voted_on_once_and_not_at_all_after_the_tally(tmp_path: Path) -> None:
    path = tmp_path / "owl.jsonl"
    rating = session(path)
    shown = rating.next()
    assert shown is not None
    following = rating.vote(shown.number, "left")
    assert rating.vote(shown.number, "right") == following
    assert [vote.choice for vote in read(path)] == ["left"]
    assert rating.tally() is not None
    assert following is not None
    with pytest.raises(ModelError, match="blind part is over"):
        rating.vote(following.number, "left")
    with pytest.raises(ModelError, match="no pair 99"):
        session(path).vote(99, "left")
