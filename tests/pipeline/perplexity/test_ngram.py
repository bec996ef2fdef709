"""The n-gram model: it is a distribution, it is Chen & Goodman's, and documents stay apart."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.perplexity import ngram
from pipeline.perplexity.ngram import ORDER, NgramModel

_TALES = [
    "The ferryman sang of the drowned bell. Nobody rowed while the ferryman sang.",
    "A fox kept the toll of the salt road, and the salt kept the fox.",
    "Édda's mill ground flour by day — and by night, “something else”.",
    "",
    "The ferry rang its bell. The bell rang back from under the water.",
]
_BEGIN = 0xFF


def spelled_out(texts: list[str], order: int, context: bytes, byte: int) -> float:
    """The same probability with dictionaries, n-gram by n-gram, as the paper writes it."""
    padded = [bytes([_BEGIN]) * (order - 1) + text.encode() for text in texts]
    counts = Counter(
        stream[end - order : end] for stream in padded for end in range(order, len(stream) + 1)
    )
    by_order = {order: counts}
    for shorter in range(order - 1, 0, -1):  # how many bytes stand before each
        by_order[shorter] = Counter(found[1:] for found in by_order[shorter + 1])

    def probability(length: int) -> float:
        if length == 0:
            return 1 / 256
        seen = by_order[length]
        of = Counter(seen.values())
        cuts = {1: 0.5, 2: 1.0, 3: 1.5}
        if of[1] and of[2] and of[3]:
            share = of[1] / (of[1] + 2 * of[2])
            found = {n: n - (n + 1) * share * of[n + 1] / of[n] for n in cuts}
            cuts = found if min(found.values()) > 0 else cuts
        before = (bytes([_BEGIN]) * order + context)[-(length - 1) :] if length > 1 else b""
        after = {found[-1]: n for found, n in seen.items() if found[:-1] == before}
        total = sum(after.values())
        if not total:
            return probability(length - 1)
        left = sum(cuts[min(n, 3)] for n in after.values())
        here = after.get(byte, 0)
        own = here - cuts[min(here, 3)] if here else 0.0
        return own / total + left / total * probability(length - 1)

    return probability(order)


@pytest.mark.parametrize("order", [1, 2, 3, 5, 8])
def test_it_is_the_formula_of_the_paper(order: int):
    model = NgramModel.learn(_TALES, order)
    for context in (b"", b"T", b"The ferry", "night, “".encode(), b"bell. ", b"zq\0"):
        likely = model.next_byte(context)
        for byte in (*b"eT .q", 0x80, 0, 255):
            assert likely[byte] == pytest.approx(spelled_out(_TALES, order, context, byte))


_TEXTS = st.lists(
    st.text(st.sampled_from("abn .é—\0") | st.characters(codec="utf-8"), max_size=60), min_size=1
).filter(any)


@given(_TEXTS, st.integers(1, ORDER), st.lists(st.binary(max_size=12), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_probabilities_sum_to_one_in_any_context(
    texts: list[str], order: int, contexts: list[bytes]
):
    model = NgramModel.learn(texts, order)
    for context in (*contexts, b"", texts[0].encode()[:7]):
        likely = model.next_byte(context)
        assert likely.shape == (256,)
        assert likely.min() > 0  # a byte that was never seen has its share
        assert likely.sum() == pytest.approx(1, abs=1e-12)


@given(_TEXTS, st.text(st.characters(codec="utf-8"), max_size=40), st.integers(1, ORDER))
@settings(max_examples=40, deadline=None)
def test_a_text_costs_what_its_bytes_cost_one_after_the_other(
    texts: list[str], text: str, order: int
):
    model, data = NgramModel.learn(texts, order), text.encode()
    likely = [model.next_byte(data[:place])[byte] for place, byte in enumerate(data)]
    assert model.nats(text) == pytest.approx(-sum(map(math.log, likely)), rel=1e-9)


def test_documents_stay_apart():
    # No document begins with b, and none has "b" after "ab".
    model = NgramModel.learn(["ab"] * 50, 4)
    joined = NgramModel.learn(["ab" * 50], 4)
    assert model.next_byte(b"")[ord("a")] > 0.95
    assert model.next_byte(b"ab")[ord("a")] < 0.6 < joined.next_byte(b"ab")[ord("a")]
    assert model.nats("ab") + model.nats("ab") < model.nats("abab")


@pytest.mark.parametrize("order", [1, 4, 8])
def test_text_is_counted_in_pieces_as_it_is_at_once(order: int, monkeypatch: pytest.MonkeyPatch):
    tales = [f"{_TALES[n % 5]} Verse {n}: {_TALES[n % 3]}" for n in range(40)]
    text = " — ".join(tales)
    whole = NgramModel.learn(tales, order)
    expected = whole.nats(text)
    for size in (1, 7, 100, 3000):
        monkeypatch.setattr(ngram, "BYTES_AT_ONCE", size)
        pieces = NgramModel.learn(iter(tales), order)
        assert pieces.nats(text) == pytest.approx(expected, rel=1e-12)
        assert np.array_equal(pieces.next_byte(b"The "), whole.next_byte(b"The "))


def test_what_was_learned_is_foretold_better():
    model = NgramModel.learn(_TALES)
    assert model.name == "8-gram of bytes"
    bits = {text: model.nats(text) / math.log(2) / len(text.encode()) for text in _TALES if text}
    unknown = "Quartz jukebox? Vexing pygmy wharf!"
    assert max(bits.values()) < 1
    assert model.nats(unknown) / math.log(2) / len(unknown) > 4
    assert model.nats("") == 0


@pytest.mark.parametrize("texts", [[], [""]])
def test_no_text_is_no_model(texts: list[str]):
    with pytest.raises(ValueError, match="there is no text to learn"):
        NgramModel.learn(texts)


@pytest.mark.parametrize("order", [0, 9])
def test_an_order_that_does_not_fit_a_number_is_refused(order: int):
    with pytest.raises(ValueError, match=f"order of {order} is not within 1 and 8"):
        NgramModel.learn(_TALES, order)
