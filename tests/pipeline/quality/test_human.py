"""Human passages are held-out text of like length, apart from each other, the same each time."""

from collections import Counter
from itertools import pairwise

import pytest

from pipeline.corpus import read_split
from pipeline.model_spec import ModelError
from pipeline.quality.human import human_passages, human_texts
from pipeline.sentences import sentence_ends
from tests.pipeline.clean.texts import prose


@pytest.fixture(scope="module")
def library(write_corpus, tmp_path_factory):
    """Ten held-out documents of some 600 words; the train split is all about something else."""
    held_out = [(prose(600, n), "gutenberg", "fable" if n % 2 else None) for n in range(10)]
    splits = {"train": [("Nobody told of owls and owls." * 9, "gutenberg", None)], "test": held_out}
    return write_corpus(tmp_path_factory.mktemp("human") / "library", splits)


def _begins_a_sentence(place: int, text: str) -> bool:
    return place == 0 or place in {end + 1 for end in sentence_ends(text)}


def _words(count: int) -> str:
    return "word " * count


def test_passages_are_held_out_text_of_the_samples_length_and_do_not_overlap(library, samples_of):
    samples = samples_of([_words(21), _words(50), "", _words(80)])
    lengths = {len(text.split()) for text in samples["text"].to_pylist()} - {0}
    documents = [document.text for document in read_split(library, "test")]
    passages = human_passages(library, samples, seed=0, count=60)
    assert len(passages) == 60
    places = []
    for passage in passages:
        [(number, at)] = [(n, t.find(passage.text)) for n, t in enumerate(documents)
                          if passage.text in t]  # fmt: skip
        assert _begins_a_sentence(at, documents[number])
        places.append((number, at, at + len(passage.text)))
    places.sort()
    for (one, _, end), (other, start, _) in pairwise(places):
        assert one != other or end <= start
    assert {len(passage.text.split()) for passage in passages} == lengths
    assert set(Counter(number for number, *_ in places).values()) == {6}  # spread over the works
    assert {passage.genre for passage in passages} == {"fable", None}
    assert human_texts(library, samples, 0)[:60] == [passage.text for passage in passages]


def test_the_same_seed_draws_the_same_and_another_others(library, samples_of):
    samples = samples_of([_words(30 + n) for n in range(5)])
    assert human_texts(library, samples, 4) == human_texts(library, samples, 4)
    assert human_texts(library, samples, 4) != human_texts(library, samples, 5)


def test_lengths_are_those_of_the_last_step(library, samples_of):
    early = samples_of([_words(200)] * 9, step=5).to_pylist()
    late = samples_of([_words(21)], step=30).to_pylist()
    samples = samples_of([]).from_pylist(early + late)
    assert {len(text.split()) for text in human_texts(library, samples, 0)} == {21}


def test_a_prompt_has_as_many_words_before_the_passage(library, samples_of):
    samples = samples_of([_words(20)], prompt="Once upon a time")
    for passage in human_passages(library, samples, 0):
        assert len(passage.prompt.split()) == 4
        whole = passage.prompt + passage.text
        [document] = [d.text for d in read_split(library, "test") if whole in d.text]
        assert _begins_a_sentence(document.find(whole), document)


def test_a_passage_ends_with_a_sentence_where_the_sample_does(library, samples_of):
    cut = human_texts(library, samples_of([_words(40)], whole_sentences=True), 0)
    assert all(text.endswith(".") for text in cut)
    assert not all(text.endswith(".") for text in human_texts(library, samples_of([_words(40)]), 0))


def test_too_little_text_gives_fewer_and_shorter_passages_but_no_scraps(library, samples_of):
    long = human_texts(library, samples_of([_words(450)]), 0)
    assert len(long) == 10  # what is left of a document is less than half of that
    documents = [document.text for document in read_split(library, "test")]
    words = min(len(text.split()) for text in documents)
    whole = human_passages(library, samples_of([_words(2 * words)]), 0)
    assert sorted(passage.text for passage in whole) == sorted(documents)
    # Whole documents of less than half the length would be no text of like length.
    assert human_passages(library, samples_of([_words(5000)]), 0) == []
    asked = samples_of([_words(450), _words(5000)])
    assert all(len(text.split()) >= 225 for text in human_texts(library, asked, 0))


def test_neither_a_long_prompt_nor_a_cut_sentence_leaves_a_scrap(
    library, write_corpus, samples_of, tmp_path
):
    assert human_texts(library, samples_of([_words(200)], prompt=_words(450)), 0)
    assert human_texts(library, samples_of([_words(200)], prompt=_words(580)), 0) == []
    breath = "Hush. Down the long stair went the lamp and the keeper and the keeper's old grey cat"
    test = [(f"{breath} and the bell that nobody rang at {n}.", "wikipedia", None) for n in "abc"]
    corpus = write_corpus(tmp_path / "c", {"test": test})
    asked = samples_of([_words(15)])
    assert len(human_texts(corpus, asked, 0)) == 3
    whole = samples_of([_words(15)], whole_sentences=True)
    assert human_texts(corpus, whole, 0) == []  # of each "Hush." would be left


def test_no_sample_with_a_word_asks_for_no_passage(library, samples_of):
    assert human_texts(library, samples_of(["", "  "]), 0) == []


def test_an_empty_test_split_is_a_clear_error(write_corpus, samples_of, tmp_path):
    corpus = write_corpus(tmp_path / "c", {"train": [("All of it is here.", "wikipedia", None)]})
    with pytest.raises(ModelError, match=r"test split of .* is empty.*larger held-out share"):
        human_texts(corpus, samples_of(["A story."]), 0)
