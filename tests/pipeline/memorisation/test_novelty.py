"""Novelty by runs is novelty by looking for every n-gram in every document."""

import random

import numpy as np
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from pipeline.memorisation.copied import TextCounts, copied_words
from pipeline.memorisation.novelty import novel_ngrams
from pipeline.memorisation.tables import Tables, share_of


def stands_in(documents: list[list[str]], words: list[str]) -> bool:
    n = len(words)
    return any(
        document[at : at + n] == words
        for document in documents
        for at in range(len(document) - n + 1)
    )


def brute_runs(documents: list[list[str]], words: list[str]) -> np.ndarray:
    """For each word the longest run from there on that stands within one document."""
    runs = []
    for at in range(len(words)):
        n = 0
        while at + n < len(words) and stands_in(documents, words[at : at + n + 1]):
            n += 1
        runs.append(n)
    return np.array(runs, np.int64)


def drawn(seed: int) -> tuple[list[list[str]], list[str]]:
    rng = random.Random(seed)
    documents = [rng.choices("abcd", k=rng.randrange(1, 30)) for _ in range(4)]
    text = rng.choices("abcde", k=rng.randrange(0, 25)) + documents[0][3:17]
    return documents, text


@given(st.integers(0, 10**9))
def test_shares_are_those_of_every_ngram_looked_for(seed):
    documents, text = drawn(seed)
    novel, ngrams = novel_ngrams(brute_runs(documents, text))
    for n in range(1, 11):
        every = [text[at : at + n] for at in range(len(text) - n + 1)]
        assert ngrams[n - 1] == len(every)
        assert novel[n - 1] == sum(not stands_in(documents, one) for one in every)


@given(st.integers(0, 10**9), st.integers(1, 9))
def test_copied_words_are_those_within_a_passage(seed, passage):
    documents, text = drawn(seed)
    covered = {
        place
        for at in range(len(text) - passage + 1)
        if stands_in(documents, text[at : at + passage])
        for place in range(at, at + passage)
    }
    assert copied_words(brute_runs(documents, text), passage) == len(covered)


def test_a_text_shorter_than_n_has_no_ngram_and_an_empty_one_no_word():
    novel, ngrams = novel_ngrams(np.array([3, 2, 1], np.int64))
    assert ngrams.tolist() == [3, 2, 1, 0, 0, 0, 0, 0, 0, 0]
    assert not novel.any()
    assert novel_ngrams(np.zeros(0, np.int64))[1].tolist() == [0] * 10


def test_texts_of_one_work_are_one_unit():
    counts = TextCounts(passage=2)
    counts.add("work", np.array([2, 1, 0], np.int64))
    counts.add("work", np.array([0, 1], np.int64))
    counts.add("other", np.array([1, 0], np.int64))
    copied, words = counts.copied()
    assert (copied.tolist(), words.tolist()) == ([2, 0], [5, 2])
    assert counts.texts == counts.long_enough == 3
    assert counts.longest_words == 2


def test_texts_too_short_for_a_passage_say_nothing_of_copying(tmp_path):
    counts = TextCounts(passage=3)
    counts.add("long", np.array([3, 2, 1, 0], np.int64))
    before = counts.copied()
    for _ in range(9):
        counts.add("short", np.array([2, 1], np.int64))
    assert (counts.texts, counts.long_enough, counts.words) == (10, 1, 4)
    copied, words = counts.copied()
    assert (copied.tolist(), words.tolist()) == ([3, 0], [4, 0])
    assert share_of((copied, words), 0) == share_of(before, 0)
    tables = Tables("m", 0)
    tables.add_texts("human", None, counts)
    tables.write(tmp_path)
    rows = pq.read_table(tmp_path / "memorisation.parquet").to_pylist()
    assert {row["measure"]: row["texts"] for row in rows} == {"copied": 1, "longest": 10}
