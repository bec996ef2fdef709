"""A classifier of genres is better than chance where words differ, and no better where not."""

from dataclasses import replace

import pytest

from pipeline.quality import genre as module
from pipeline.quality.genre import NoClassifierError, learn_genres


def test_genres_that_differ_in_their_words_are_told_apart(two_genres, told):
    classifier = learn_genres(two_genres, seed=0)
    assert classifier.genres == ["Ghost story", "Sea story"]
    assert classifier.accuracy.value == 1
    assert classifier.accuracy.above(classifier.majority)
    assert classifier.majority == 0.5
    guess = classifier.guess(told("Sea story", 999))
    assert guess.genre == "Sea story"
    assert sum(guess.probabilities.values()) == pytest.approx(1)
    assert guess.probability("sea story") == max(guess.probabilities.values()) > 0.5
    assert guess.is_of("SEA-STORY")  # as a control token it is the same
    assert guess.is_of("Ghost story") is False
    assert guess.is_of("western") is guess.is_of(None) is None
    figures = classifier.figures()
    assert (figures["accuracy"], figures["genres"], figures["works"]) == (1, 2, 30)
    assert 0.8 < figures["low"] < figures["high"] == 1


def test_genres_told_in_the_same_words_are_guessed_at(one_vocabulary):
    classifier = learn_genres(one_vocabulary, seed=0)
    assert not classifier.accuracy.above(classifier.majority)
    assert 0.2 < classifier.accuracy.value < 0.8


def test_the_commonest_genre_is_that_of_the_held_out_works(monkeypatch, two_genres):
    def read(folder, split):
        kept = 0
        for document in real(folder, split):
            kept += document.genre == "Sea story"
            if split == "train" or document.genre != "Sea story" or kept <= 3:
                yield document

    real = module.read_split
    monkeypatch.setattr(module, "read_split", read)
    classifier = learn_genres(two_genres, seed=0)
    assert classifier.majority == pytest.approx(15 / 18)


def test_the_same_seed_learns_the_same(two_genres, told):
    text = told("Ghost story", 5)
    one, other = (learn_genres(two_genres, seed=3).guess(text) for _ in range(2))
    assert one == other


def test_a_work_is_one_trial_however_many_documents_it_has(monkeypatch, two_genres):
    def read(folder, split):
        for number, document in enumerate(real(folder, split)):
            yield replace(document, work_id=f"{split}-{number % 10}")

    real = module.read_split
    monkeypatch.setattr(module, "read_split", read)
    assert learn_genres(two_genres, seed=0).works == 10


def test_a_classifier_is_not_judged_by_works_whose_other_documents_it_learned(
    tmp_path, split_by_document
):
    classifier = learn_genres(split_by_document(tmp_path, held_out_whole=30), seed=0)
    assert classifier.works == 30
    assert 0.2 < classifier.accuracy.value < 0.8  # by the names of a work it would tell them all
    assert classifier.learned == {f"work {number}" for number in range(30)}


def test_where_no_work_is_held_out_whole_there_is_no_classifier(tmp_path, split_by_document):
    with pytest.raises(NoClassifierError, match=r"no work of the genres .* is held out whole"):
        learn_genres(split_by_document(tmp_path, held_out_whole=0), seed=0)


def test_documents_without_a_word_are_no_genre(write_corpus, tmp_path):
    nothing = [("* * *", "wikipedia", genre) for _ in range(12) for genre in ("fable", "myth")]
    corpus = write_corpus(tmp_path / "c", {"train": nothing, "test": nothing[:2]})
    with pytest.raises(NoClassifierError, match="has no genre of 10 documents"):
        learn_genres(corpus, seed=0)


@pytest.mark.parametrize(
    ("documents", "reason"),
    [
        ([(f"A tale of lamp {n}.", "wikipedia", None) for n in range(20)], "has no genre of 10"),
        ([(f"A tale of lamp {n}.", "wikipedia", "fable") for n in range(20)], "has one genre of"),
        (
            [(f"A tale of {n}.", "wikipedia", "fable" if n > 8 else "myth") for n in range(20)],
            "has one genre of 10 documents or more, and it takes two",
        ),
    ],
)
def test_a_corpus_with_fewer_than_two_genres_has_none_and_says_why(
    write_corpus, tmp_path, documents, reason
):
    corpus = write_corpus(tmp_path / "c", {"train": documents, "test": documents[:2]})
    with pytest.raises(NoClassifierError, match=reason):
        learn_genres(corpus, seed=0)


def test_genres_that_nothing_is_held_out_of_cannot_be_judged(write_corpus, tmp_path, told):
    train = [(told(genre, n), "wikipedia", genre) for n in range(12)
             for genre in ("Ghost story", "Sea story")]  # fmt: skip
    corpus = write_corpus(
        tmp_path / "c", {"train": train, "test": [("A western.", "w", "western")]}
    )
    with pytest.raises(NoClassifierError, match=r"no work of the genres .*Ghost story, Sea story"):
        learn_genres(corpus, seed=0)
