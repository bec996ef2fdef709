"""Which stories are held against each other, in which order, and on which side."""

import pytest

from pipeline.model_spec import ModelError
from pipeline.ratings.stories import (
    HUMAN,
    Writer,
    in_order,
    is_swapped,
    pairs_of_models,
    pairs_with_people,
)
from tests.pipeline.ratings.contest import HERE, pairs, row, table, writer


def test_a_pair_answers_the_same_prompt_in_the_same_genre_and_setting() -> None:
    ours = table(
        [
            row("owl-lstm", 0, "The gate", " stood open.", seed=4),
            row("owl-lstm", 1, "The gate", " was shut.", seed=3),
            row("owl-lstm", 2, "The gate", " creaked.", temperature=0.2),
            row("owl-lstm", 3, "The gate", " fell.", genre="fable"),
            row("owl-lstm", 4, "The gate", " burned.", step=10),
        ]
    )
    theirs = table(
        [
            row("owl-gpt2", 0, "The gate", " rose.", seed=9, max_length=50),
            row("owl-gpt2", 1, "The gate", " sang.", genre="fable"),
            row("owl-gpt2", 2, "The mill", " sang."),
        ]
    )
    found = pairs_of_models(
        (Writer("owl-lstm", 30), "a", ours), (Writer("owl-gpt2", 30), "b", theirs)
    )
    told = {(pair.first.side.sample, pair.second.side.sample) for pair in found}
    assert told == {(1, 0), (3, 1)}  # by seed: story 1 is the first of its kind


def test_nothing_in_common_is_an_error_that_says_what_to_do() -> None:
    other = (Writer("owl-gpt2", 30), "b", table([row("owl-gpt2", 0, "The mill", " sang.")]))
    with pytest.raises(ModelError, match="give both the same under samples:"):
        pairs_of_models(writer("owl-lstm"), other)
    with pytest.raises(ModelError, match="owl-lstm has no stories of step 7; there are: 30"):
        pairs_of_models((Writer("owl-lstm", 7), "a", writer("owl-lstm")[2]), other)


def test_text_of_people_is_paired_by_length_and_nothing_tells_the_prompt_apart() -> None:
    stories = table(
        [row("owl-lstm", 0, "One", " two three."), row("owl-lstm", 1, "One", " two" * 30)]
    )
    long, short = "Old Brandt laughed. " * 10, "The owl slept."
    made = pairs_with_people((Writer("owl-lstm", 30), "a", stories), [long, " ", short], "corpus")
    assert [(pair.first.text, pair.second.text) for pair in made] == [
        ("One two three.", short),
        ("One" + " two" * 30, long),
    ]
    assert {pair.first.prompt for pair in made} == {""}
    assert made[0].second.side.writer == Writer(HUMAN)
    assert made[0].second.side.version == "corpus"


def test_the_order_is_the_seeds_and_the_sides_are_each_raters_own() -> None:
    drawn = pairs(each=20)
    keys = [pair.key for pair in drawn]
    first = [pair.key for pair in in_order(drawn, 1)]
    assert first == [pair.key for pair in in_order(drawn, 1)]
    assert sorted(map(keys.index, first)) == list(range(len(keys)))
    assert first != keys
    assert first != [pair.key for pair in in_order(drawn, 2)]
    ines, otto = ([is_swapped(pair, rater, 0) for pair in drawn] for rater in ("ines", "otto"))
    assert ines != otto
    assert 8 <= sum(ines) <= 32  # of 40
    assert set(HERE) == {"owl-lstm", "owl-gpt2"}
