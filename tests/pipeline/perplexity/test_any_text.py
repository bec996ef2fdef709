"""Any text is measured as held-out text is, and however long it is."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline import intervals
from pipeline.corpus import read_split
from pipeline.likelihood import negative_log_likelihoods
from pipeline.model_spec import ModelError, ModelSpec
from pipeline.models.framing import frame_of
from pipeline.models.initial import load_trained
from pipeline.models.tokenizers import encode
from pipeline.perplexity import long_text, score, stream
from pipeline.perplexity.any_text import PASSAGE, TextScore, score_text, together
from pipeline.perplexity.stream import Reading
from tests.pipeline.conftest import story

Model = tuple[PreTrainedModel, PreTrainedTokenizerBase]

_LONG = "\n\n".join(f"{n}. {story(n)} “Quite so,” said Édda." for n in range(12))


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text of a few thousand characters is then one of many pieces."""
    monkeypatch.setattr(long_text, "CHARACTERS", 900)
    monkeypatch.setattr(long_text, "OVERLAP", 128)
    monkeypatch.setattr(stream, "TOKENS_AT_ONCE", 200)
    monkeypatch.setattr(stream, "CHUNK", 37)


def _in_one_go(model: Model, text: str, genre: str | None = None, **how: Any) -> float:
    begin = frame_of(model[1]).begin(genre)
    return negative_log_likelihoods(model[0], encode(model[1], [text]), [begin], **how)[0]


def _scored(model: Model, text: str, genre: str | None = None, **how: Any) -> TextScore:
    reading = Reading.of(model[0], how.get("context"), how.get("stride"))
    pieces = (text[at : at + 71] for at in range(0, len(text), 71))
    return score_text(*model, pieces, reading, genre=genre)


@pytest.mark.parametrize("how", [{}, {"stride": 7}, {"stride": 64}, {"context": 48, "stride": 15}])
@pytest.mark.usefixtures("small_pieces")
def test_a_long_text_has_the_figure_it_would_have_at_once(trained: Path, how: dict[str, Any]):
    model = load_trained(trained / "final")
    found = _scored(model, _LONG, **how)
    assert found.nats == pytest.approx(_in_one_go(model, _LONG, **how), rel=1e-6)
    (ids,) = encode(model[1], [_LONG])
    size, words = len(_LONG.encode()), len(_LONG.split())
    assert (found.bytes, found.words, found.tokens) == (size, words, len(ids))
    assert found.bits_per_byte.value == pytest.approx(found.nats / math.log(2) / size)
    assert found.perplexity_per_token == pytest.approx(math.exp(found.nats / len(ids)))
    assert found.perplexity_per_word == pytest.approx(math.exp(found.nats / words))
    context = how.get("context", 64)
    stride = how.get("stride", context // 2)
    assert found.windows == 1 + math.ceil((len(ids) - context) / stride)


@pytest.mark.parametrize("how", [{}, {"context": 30, "stride": 10}])
@pytest.mark.parametrize("genre", [None, "sci_fi"])
@pytest.mark.usefixtures("small_pieces")
def test_a_recurrent_model_carries_its_state_from_piece_to_piece(
    trained_lstm: Path, genre: str | None, how: dict[str, Any]
):
    model = load_trained(trained_lstm / "final")
    found = _scored(model, _LONG, genre, **how)
    assert found.nats == pytest.approx(_in_one_go(model, _LONG, genre, **how), rel=1e-6)
    other = _in_one_go(model, _LONG, None if genre else "sci_fi", **how)
    assert found.nats != pytest.approx(other, rel=1e-7)  # the genre was told to the model


@pytest.mark.parametrize(
    ("folder", "of"), [("trained", "corpus"), ("trained_lstm", "genre_corpus")]
)
def test_it_is_the_figure_of_the_held_out_split(
    folder: str, of: str, request: pytest.FixtureRequest, tmp_path: Path
):
    made: Path = request.getfixturevalue(folder)
    corpus: Path = request.getfixturevalue(of)
    spec = ModelSpec.model_validate(json.loads((made / "training.json").read_text())["spec"])
    figures = score(made, spec, corpus, tmp_path)
    model = load_trained(made / "final")
    genres = frame_of(model[1]).genres
    scores = {
        document.work_id: _scored(model, document.text, document.genre if genres else None)
        for document in read_split(corpus, "test")
    }
    works = pq.read_table(tmp_path / "works.parquet").to_pylist()
    for row in works:
        if (row["stage"], row["split"]) == ("trained", "test"):
            own = scores.pop(row["work_id"])
            assert own.nats == pytest.approx(row["nats"], rel=1e-6)
            assert (own.bytes, own.words, own.tokens) == (row["bytes"], row["words"], row["tokens"])
            scores[row["work_id"]] = own
    assert figures["bits_per_byte"] == pytest.approx(
        together(list(scores.values())).bits_per_byte.value
    )


@pytest.mark.usefixtures("small_pieces")
def test_it_is_scored_as_it_is_read(trained: Path):
    read: list[int] = []
    told: list[tuple[int, int]] = []

    def pieces() -> Iterator[str]:
        for number in range(30):
            read.append(number)
            yield f"{number}. {story(number)}\n"

    model = load_trained(trained / "final")
    reading = Reading.of(model[0], None, None)
    found = score_text(*model, pieces(), reading, report=lambda n: told.append((n, len(read))))
    assert told[0][1] < 15  # of 30 pieces no more were read before the first were scored
    assert [scored for scored, _ in told] == sorted(scored for scored, _ in told)
    assert told[-1][0] == found.bytes


def test_control_tokens_in_a_text_are_text(trained_lstm: Path):
    model = load_trained(trained_lstm / "final")
    text = "<BOS> <sci_fi> Edda hides. <EOS><|endoftext|>"
    found = _scored(model, text)
    assert found.tokens == len(text)  # of characters
    assert found.nats == pytest.approx(_in_one_go(model, text), rel=1e-6)


def test_the_interval_is_over_passages_of_the_text(trained: Path):
    model = load_trained(trained / "final")
    hard = "Zyx qua vum, brok dilf. " * 110  # unlike anything it has learned
    text = (_LONG + hard) * 5
    found = _scored(model, text)
    interval = found.bits_per_byte
    assert 10 <= found.over <= len(text.encode()) / PASSAGE + 1  # the last may be short
    assert interval.low is not None
    assert interval.high is not None
    assert interval.low < interval.value < interval.high
    even = _scored(model, _LONG * 9).bits_per_byte
    assert even.low is not None
    assert even.high is not None
    assert even.high - even.low < (interval.high - interval.low) / 3


def test_passages_join_where_they_are_many_and_lose_nothing(
    trained: Path, monkeypatch: pytest.MonkeyPatch
):
    model = load_trained(trained / "final")
    whole = _scored(model, _LONG * 9)
    for name, value in (("PASSAGE", 100), ("_MOST", 16)):
        monkeypatch.setattr(f"pipeline.perplexity.any_text.{name}", value)
    joined = _scored(model, _LONG * 9)
    assert 8 <= joined.over <= 16 < whole.over
    assert joined.nats == pytest.approx(whole.nats)
    assert joined.bits_per_byte.value == pytest.approx(whole.bits_per_byte.value)


def test_a_short_text_has_a_figure_and_no_interval(trained: Path):
    model = load_trained(trained / "final")
    found = _scored(model, "Édda")
    assert found.nats == pytest.approx(_in_one_go(model, "Édda"), rel=1e-6)
    assert (found.windows, found.words, found.bytes, found.over) == (1, 1, 5, 0)
    assert found.bits_per_byte.low is None
    assert found.figures()["high"] is None


def test_several_texts_together_have_an_interval_over_texts(trained: Path):
    model = load_trained(trained / "final")
    scores = [_scored(model, story(n)) for n in range(5)]
    found = together(scores)
    bits = np.array([score.nats for score in scores]) / math.log(2)
    assert found.bits_per_byte == intervals.ratio(bits, [score.bytes for score in scores])
    assert (found.over, found.bytes) == (5, sum(score.bytes for score in scores))


def test_what_does_not_fit_the_model_is_refused(trained: Path, trained_lstm: Path):
    gpt2, _ = load_trained(trained / "final")
    with pytest.raises(ModelError, match="context 65 is beyond the model's, which is 64"):
        Reading.of(gpt2, 65, None)
    with pytest.raises(ModelError, match="stride 17 is not within 1 and the context of 16"):
        Reading.of(gpt2, 16, 17)
    lstm, tokenizer = load_trained(trained_lstm / "final")
    with pytest.raises(ModelError, match="no window to move by 17"):
        Reading.of(lstm, None, 17)
    with pytest.raises(ModelError, match="'western' is not in the model's vocabulary"):
        _scored((lstm, tokenizer), "Edda", "western")


def test_likelihoods_that_are_no_numbers_are_no_figure(trained_lstm: Path):
    import torch

    model = load_trained(trained_lstm / "final")
    with torch.no_grad():
        model[0].lm_head.bias.fill_(torch.nan)
    with pytest.raises(ModelError, match="not finite"):
        _scored(model, "Edda hides.")
