"""What a report says of the training itself, and of what was asked of each story."""

import html
import re
from typing import Any

import pytest

#: As training.json has it.
TRAINING = {
    "block_size": 64,
    "best_step": 100,
    "tokens_per_second": 1234.5,
    "mfu": 0.431,
    "minutes": 3.0,
    "peak_memory_bytes": 2_100_000_000,
    "acceleration": {"bf16": True, "compile": True},
    "batch": {"per_device": 4, "accumulation": 2, "processes": 2},
    "forecast": {"memory_bytes": 2_400_000_000, "seconds": 200},
}


def _text(made: Any) -> str:
    made.write()
    page = made.page.read_text("utf-8")
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


@pytest.fixture
def watched(made: Any) -> Any:
    """A training whose third look was its worst after its best."""
    bits = {50: 3.1, 100: 2.4, 150: 2.5, 200: 2.6}
    made.loss = [
        row | {"bits_per_byte": bits[row["step"]]} if row["split"] == "validation" else row
        for row in made.loss_rows()
    ]
    made.training |= TRAINING
    return made


def test_bits_per_byte_are_shown_by_step_with_the_best(watched: Any) -> None:
    text = _text(watched)
    assert (
        "Held-out bits per byte were 3.10 at step 50, fewest at step 100 (2.40) and 2.60 at the "
        "end (step 200); the weights of step 100 were kept." in text
    )
    assert "best 2.40" in text


def test_what_the_training_took_stands_beside_what_was_foretold(watched: Any) -> None:
    text = _text(watched)
    assert "Precision bfloat16, compiled" in text
    assert "Batch 8 blocks of 64 tokens, 2 times a step, on 2 devices" in text
    assert "MFU 43.1\u202f%".replace("\u202f", " ") in text.replace("\u202f", " ")
    assert "Memory 2.1 GB with the program itself (2.4 GB without it foretold)" in text
    assert "Time 3 minutes (3 minutes foretold)" in text


def test_a_training_that_was_not_watched_is_reported_all_the_same(made: Any) -> None:
    text = _text(made)
    assert "Held-out bits per byte were" not in text
    assert "foretold)" not in text
    assert "Precision" not in text


def test_a_story_names_its_genre_and_how_it_was_cut(made: Any) -> None:
    ask = {"whole_sentences": True, "setting": "whole"}
    made.samples = [
        made.sample(200, 0, "The fox", "went home.", genre=genre, finished=finished, **ask)
        for genre, finished in (("horror", False), ("drama", True))
    ]
    text = _text(made)
    assert "horror · 2 tokens · cut at the maximum length, after its last whole sentence" in text
    assert "drama · 2 tokens · ended by itself" in text


def test_stories_of_two_genres_are_two_rows(made: Any) -> None:
    made.samples = [
        made.sample(step, 0, "The fox", f"told at {step}.", genre=genre, seed=1)
        for step in (100, 200)
        for genre in ("horror", "drama")
    ]
    made.write()
    page = made.page.read_text("utf-8")
    assert page.count('<div class="stories">') == 2
