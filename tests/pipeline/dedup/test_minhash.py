"""Shingles, signatures and what they estimate."""

import tracemalloc
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("daft", reason="daft is not installed: pip install daft==0.7.26")

from pipeline.dedup import shingles as shingles_module
from pipeline.dedup.minhash import EMPTY, agreement, signatures_of
from pipeline.dedup.shingles import (
    jaccard,
    shingle_blocks,
    shingle_set,
    shingles_of,
)

Words = Callable[[int, int], list[str]]
Similarity = Callable[[str, str], float]

_WORDS = ["bel", "cor", "dun", "fen", "—", "gar,", "hol.", "I", "kem"]
_TEXT = st.lists(st.sampled_from(_WORDS)).map(" ".join)


def _array(texts: list[str]) -> pa.Array:
    return pa.array(texts, pa.large_string())


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(_TEXT, max_size=8))
def test_a_batch_gives_each_text_the_shingles_it_has_alone(texts: list[str]) -> None:
    shingles, offsets = shingles_of(_array(texts))
    assert len(offsets) == len(texts) + 1
    for text, start, end in zip(texts, offsets, offsets[1:], strict=False):
        assert shingles[start:end].tolist() == [
            shingle for block in shingle_blocks(text) for shingle in block
        ]


@settings(deadline=None)
@given(st.lists(_TEXT, min_size=1, max_size=8), st.randoms())
def test_a_signature_does_not_depend_on_the_batch(texts: list[str], chance: object) -> None:
    together, counts = signatures_of(_array(texts))
    for row, text in enumerate(texts):
        alone, count = signatures_of(_array([text]))
        assert (together[row] == alone[0]).all()
        assert counts[row] == count[0]


@pytest.mark.parametrize("text", ["", " \n\t ", "—", "… -- …"])
def test_a_text_without_words_resembles_nothing(text: str) -> None:
    assert (signatures_of(_array([text]))[0] == EMPTY).all()
    assert jaccard(shingle_set(text), shingle_set(text)) == 0.0


def test_a_text_shorter_than_a_shingle_is_one() -> None:
    assert len(shingle_set("The bell rang")) == 1
    assert jaccard(shingle_set("The bell rang"), shingle_set("the  bell, rang!")) == 1.0
    assert jaccard(shingle_set("The bell rang"), shingle_set("The bell rang out")) == 0.0


@pytest.mark.parametrize("replaced", [0.01, 0.03, 0.06, 0.12])
def test_the_estimate_lies_as_near_the_similarity_as_theory_says(
    words: Words, similarity: Similarity, replaced: float
) -> None:
    errors = []
    for seed in range(40):
        one = words(600, seed)
        other = list(one)
        for place in np.random.default_rng(seed).choice(600, int(600 * replaced), replace=False):
            other[place] = "dro" + other[place]
        texts = [" ".join(one), " ".join(other)]
        real = jaccard(shingle_set(texts[0]), shingle_set(texts[1]))
        assert real == pytest.approx(similarity(*texts), abs=0.01)
        signatures, _ = signatures_of(_array(texts))
        errors.append(float(agreement(signatures[0], signatures[1])) - real)
    assert abs(np.mean(errors)) < 0.025
    assert np.std(errors) < 0.06  # 0.045 at most in theory, of 126 permutations


def test_a_long_text_is_read_in_slices_with_the_same_result(
    words: Words, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = " ".join(words(3000, 1))
    whole = shingle_set(text)
    monkeypatch.setattr(shingles_module, "SLICE", 1000)
    assert (shingle_set(text) == whole).all()


@pytest.mark.slow
def test_two_hundred_megabytes_take_a_slice_of_memory(words: Words) -> None:
    text = " ".join(words(100_000, 1))
    text = " ".join([text] * (200_000_000 // len(text)))
    array = _array([text])
    del text
    tracemalloc.start()
    signatures, counts = signatures_of(array)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert counts[0] > 15_000_000
    assert (signatures != EMPTY).all()
    assert peak < len(array[0].as_buffer()) + 500e6  # the text as a str, and slices
