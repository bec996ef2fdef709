"""Distinct n-grams, repetition and self-BLEU against values worked out by hand."""

import pytest
import sacrebleu

from pipeline.quality import self_bleu as module
from pipeline.quality.distinct import distinct
from pipeline.quality.repetition import repetition
from pipeline.quality.self_bleu import references_of, self_bleu
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
    ]
    found = self_bleu(texts, ["one"] * 3, references=2, seed=0)
    for row, words in enumerate(texts):
        others = [" ".join(other) for at, other in enumerate(texts) if at != row]
        expected = sacrebleu.sentence_bleu(" ".join(words), others, tokenize="none").score / 100
        assert found[row] == pytest.approx(expected)
    assert 0 < found[2] < found[0] < 1


def test_self_bleu_is_one_of_a_set_of_one_text_and_nearly_none_of_strangers():
    same = [prose(40, 1).split()] * 4
    assert self_bleu(same, [0] * 4, 3, seed=0) == pytest.approx([1.0] * 4)
    strangers = [[f"word{n}of{text}" for n in range(40)] for text in range(4)]
    assert max(self_bleu(strangers, [0] * 4, 3, seed=0)) < 0.02


def test_every_text_has_as_many_references_as_the_smallest_group_allows():
    groups = ["a"] * 9 + ["b"] * 4 + ["alone"]
    assert references_of(groups) == 3
    assert references_of(["a"] * 500) == module.REFERENCES
    assert references_of(["alone"]) == references_of([]) == 0
    texts = [prose(30, number).split() for number in range(13)] + [["by", "itself"]]
    found = self_bleu(texts, groups, 3, seed=0)
    assert found[-1] is None
    assert all(value is not None for value in found[:-1])
    # Beside all of the other eight each would be found more alike.
    beside_all = self_bleu(texts[:9], groups[:9], 8, seed=0)
    assert all(some < more for some, more in zip(found, beside_all, strict=False))


def test_an_empty_text_is_neither_scored_nor_a_reference():
    texts = [prose(30, 1).split(), [], prose(30, 2).split()]
    one, empty, other = self_bleu(texts, [0] * 3, 1, seed=0)
    assert empty is None
    assert one is not None
    assert other is not None


def test_of_a_large_set_as_many_of_each_group_are_drawn_again_and_again(monkeypatch):
    monkeypatch.setattr(module, "TEXTS", 20)
    texts = [prose(12, number).split() for number in range(60)]
    groups = ["many"] * 50 + ["few"] * 10
    told = []
    found = self_bleu(texts, groups, 5, 7, lambda done, total: told.append((done, total)))
    scored = [group for group, value in zip(groups, found, strict=True) if value is not None]
    assert sorted(scored) == ["few"] * 10 + ["many"] * 10
    assert told == [(done, 20) for done in range(1, 21)]
    assert self_bleu(texts, groups, 5, 7) == found
    assert self_bleu(texts, groups, 5, 8) != found
