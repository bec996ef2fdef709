"""Distinct n-grams, repetition and self-BLEU against values worked out by hand."""

from statistics import mean

import pytest
import sacrebleu

from pipeline.quality import self_bleu as module
from pipeline.quality.distinct import distinct
from pipeline.quality.repetition import repetition
from pipeline.quality.self_bleu import self_bleu
from pipeline.quality.text_figures import figures_of
from tests.pipeline.clean.texts import prose

_TIDE = figures_of("The tide came in, and the tide went out; and the tide came in.")[1]


def test_distinct_n_counts_different_n_grams_among_all():
    # Of 14 words 7 differ. Of 13 pairs "the tide" stands there three times, "tide came", "came in"
    # and "and the" twice; of 12 threes "the tide came", "tide came in" and "and the tide" twice.
    assert distinct(_TIDE, 1) == 7 / 14
    assert distinct(_TIDE, 2) == 8 / 13
    assert distinct(_TIDE, 3) == 9 / 12


def test_repetition_is_the_share_of_four_grams_that_stood_before():
    assert repetition(_TIDE) == pytest.approx(1 / 11)  # "the tide came in", the last of eleven
    assert repetition(["never"] * 10) == pytest.approx(6 / 7)
    assert repetition(["a", "lamp", "for", "every", "ship"]) == 0


def test_what_is_too_short_has_no_figure():
    assert distinct([], 1) is None
    assert distinct(["lamp"], 2) is None
    assert repetition(["one", "two", "three"]) is None


def test_a_word_is_one_however_it_is_written_and_a_lone_stop_is_none():
    figures, words = figures_of("The lamp, the LAMP; “the lamp”!")
    assert words == ["the", "lamp"] * 3
    assert (figures.words, figures.distinct_1) == (6, 2 / 6)
    for nothing in ("", " \n\n", ".", "—"):
        figures, words = figures_of(nothing)
        assert figures.empty
        assert (words, figures.distinct_1, figures.looping) == ([], None, False)
    assert figures_of("灯は海を待つ")[0].distinct_1 == 1  # six words, without a blank between them


def test_self_bleu_is_sacrebleus_of_each_text_against_the_others():
    texts = [
        ["the", "keeper", "lit", "the", "lamp", "at", "dusk", "and", "waited"],
        ["the", "keeper", "lit", "the", "lamp", "at", "dawn", "and", "slept"],
        ["a", "heron", "stole", "the", "lamp", "at", "dusk"],
        ["nobody", "lit", "the", "lamp"],
    ]
    found = self_bleu(texts, ["one"] * 4, seed=0)
    for row, words in enumerate(texts):
        others = [" ".join(other) for at, other in enumerate(texts) if at != row]
        expected = sacrebleu.sentence_bleu(" ".join(words), others, tokenize="none").score / 100
        assert found[row] == pytest.approx(expected)
    assert 0 < found[2] < found[0] < 1


def test_self_bleu_is_one_of_a_set_of_one_text_and_nearly_none_of_strangers():
    same = [prose(40, 1).split()] * 4
    assert self_bleu(same, [0] * 4, seed=0) == pytest.approx([1.0] * 4)
    strangers = [[f"word{n}of{text}" for n in range(40)] for text in range(4)]
    assert max(self_bleu(strangers, [0] * 4, seed=0)) < 0.02


def test_a_large_set_is_found_no_more_alike_than_a_small_one(monkeypatch):
    texts = [prose(60, number).split() for number in range(40)]
    small = [score for of in range(0, 40, 4) for score in self_bleu(texts[of : of + 4], [0] * 4, 0)]
    large = self_bleu(texts, [0] * 40, 0)
    assert mean(large) == pytest.approx(mean(small), rel=0.1)
    # Beside as many others as there are it would be.
    monkeypatch.setattr(module, "REFERENCES", 39)
    assert mean(self_bleu(texts, [0] * 40, 0)) > 1.5 * mean(small)


def test_a_group_of_too_few_others_has_none_whatever_stands_beside_it():
    texts = [prose(30, number).split() for number in range(12)]
    groups = ["a"] * 8 + ["b"] * 3 + ["alone"]
    found = self_bleu(texts, groups, seed=0)
    assert all(value is not None for value in found[:8])
    assert found[8:] == [None] * 4
    assert self_bleu(texts[:8], groups[:8], seed=0) == found[:8]


def test_an_empty_text_is_neither_scored_nor_a_reference():
    texts = [prose(30, number).split() for number in range(4)]
    assert None not in self_bleu(texts, [0] * 4, seed=0)
    assert self_bleu([*texts, []], [0] * 5, seed=0)[-1] is None
    assert self_bleu([*texts[:3], []], [0] * 4, seed=0) == [None] * 4


def test_of_a_large_set_as_many_of_each_group_are_drawn_again_and_again(monkeypatch):
    monkeypatch.setattr(module, "TEXTS", 20)
    texts = [prose(12, number).split() for number in range(60)]
    groups = ["many"] * 50 + ["few"] * 10
    told = []
    found = self_bleu(texts, groups, 7, lambda done, total: told.append((done, total)))
    scored = [group for group, value in zip(groups, found, strict=True) if value is not None]
    assert sorted(scored) == ["few"] * 10 + ["many"] * 10
    assert told == [(done, 20) for done in range(1, 21)]
    assert self_bleu(texts, groups, 7) == found
    assert self_bleu(texts, groups, 8) != found
