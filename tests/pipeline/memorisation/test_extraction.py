"""What is extractable: what greedy drawing really goes on with, from where training began."""

import numpy as np
import pytest
import torch
from transformers import PreTrainedModel

from pipeline.corpus import read_split
from pipeline.memorisation.extraction import (
    CONTINUATION,
    PREFIX,
    Trial,
    draw_passages,
    extracted,
    no_extraction,
)
from pipeline.model_spec import ModelError
from pipeline.models.framing import frame_of
from pipeline.models.initial import load_initial, load_trained
from pipeline.training.packing import cut_into_blocks, token_stream


def goes_on_with(model: PreTrainedModel, trial: Trial) -> bool:
    """Whether `generate`, greedy, goes on with the passage."""
    given = torch.tensor([[*trial.begin, *trial.tokens[:PREFIX].tolist()]])
    told = model.generate(given, do_sample=False, max_new_tokens=CONTINUATION, use_cache=True)
    return told[0, given.shape[1] :].tolist() == trial.tokens[PREFIX:].tolist()


def test_a_text_known_by_heart_is_extractable_and_a_fresh_model_extracts_none(by_heart):
    model, tokenizer = load_trained(by_heart.folder / "final")
    trials = draw_passages(read_split(by_heart.corpus, "train"), tokenizer, 1000, 0, 128)
    assert len(trials) >= 6
    assert no_extraction(model, trials) is None
    assert extracted(model, trials) / len(trials) > 0.8
    told = [goes_on_with(model, trial) for trial in trials]
    assert sum(told) == extracted(model, trials)
    assert [extracted(model, [trial]) == 1 for trial in trials] == told
    held_out = draw_passages(read_split(by_heart.corpus, "test"), tokenizer, 1000, 0, 128)
    assert held_out
    assert extracted(model, held_out) == 0
    fresh, _ = load_initial(by_heart.spec, by_heart.corpus, tokenizer)
    assert extracted(fresh, trials) == 0


def test_one_token_that_differs_is_no_copy(by_heart):
    model, tokenizer = load_trained(by_heart.folder / "final")
    trials = draw_passages(read_split(by_heart.corpus, "train"), tokenizer, 1000, 0, 128)
    known = next(trial for trial in trials if extracted(model, [trial]))
    for place, counted in [(PREFIX, 0), (PREFIX + CONTINUATION - 1, 0)]:
        other = known.tokens.copy()
        other[place] = (other[place] + 1) % 300
        assert extracted(model, [Trial(known.begin, other)]) == counted


@pytest.mark.parametrize("learned", ["trained_lstm", "trained_gru"])
def test_recurrent_models_are_tried_as_they_draw(learned, request, genre_corpus, corpus):
    folder = request.getfixturevalue(learned)
    of = genre_corpus if learned == "trained_lstm" else corpus
    model, tokenizer = load_trained(folder / "final")
    trials = draw_passages(read_split(of, "train"), tokenizer, 6, 1, 64)
    assert no_extraction(model, trials) is None
    # What it says itself it has by heart, whatever it learned.
    said = [_said_by(model, trial) for trial in trials[:3]]
    for trial in said:
        assert goes_on_with(model, trial)
    assert extracted(model, said) == len(said)
    assert extracted(model, trials) == sum(goes_on_with(model, trial) for trial in trials)


def _said_by(model: PreTrainedModel, trial: Trial) -> Trial:
    given = torch.tensor([[*trial.begin, *trial.tokens[:PREFIX].tolist()]])
    told = model.generate(
        given,
        do_sample=False,
        max_new_tokens=CONTINUATION,
        min_new_tokens=CONTINUATION,
        eos_token_id=None,
    )
    return Trial(trial.begin, told[0, len(trial.begin) :].numpy().astype(np.int32))


@pytest.mark.parametrize("stride", [16, 64])
def test_prefixes_stand_as_they_stood_in_training(genre_corpus, trained_lstm, stride):
    _, tokenizer = load_trained(trained_lstm / "final")
    frame = frame_of(tokenizer)
    trials = draw_passages(read_split(genre_corpus, "train"), tokenizer, 10**6, 0, stride)
    stream = token_stream(read_split(genre_corpus, "train"), tokenizer)
    blocks = cut_into_blocks(stream, PREFIX + CONTINUATION, stride)
    control = {frame.start, frame.end, *frame.genres.values()}
    within = {tuple(block) for block in blocks.tolist() if not control & set(block)}
    midst = [tuple(trial.tokens.tolist()) for trial in trials if not trial.begin]
    assert within
    # A block that begins with a document's very first word is that document's beginning.
    begun = {tuple(trial.tokens.tolist()) for trial in trials if trial.begin}
    assert set(midst) | begun >= within
    assert set(midst) <= within
    long = [
        document
        for document in read_split(genre_corpus, "train")
        if len(document.text) >= PREFIX + CONTINUATION  # of characters
    ]
    genres = [frame.begin(document.genre) for document in long]
    assert sorted(trial.begin for trial in trials if trial.begin) == sorted(genres)
    assert any(len(begin) == 2 for begin in genres)


def test_a_draw_is_the_same_again_and_no_place_is_drawn_twice(tale_of_lamps, by_heart):
    _, tokenizer = load_trained(by_heart.folder / "final")

    def drawn(most: int, seed: int) -> list[tuple[int, ...]]:
        documents = read_split(tale_of_lamps, "train")
        return [
            tuple(trial.tokens.tolist())
            for trial in draw_passages(documents, tokenizer, most, seed, 8)
        ]

    assert drawn(20, 3) == drawn(20, 3)
    assert drawn(20, 3) != drawn(20, 4)
    assert len(set(drawn(20, 3))) == 20
    assert set(drawn(20, 3)) <= set(drawn(10**6, 3))


def test_what_cannot_be_tried_says_why(by_heart, corpus, trained):
    model, tokenizer = load_trained(by_heart.folder / "final")
    short = [document for document in read_split(corpus, "train") if len(document.text) < 100]
    assert "no document" in (no_extraction(model, draw_passages(short, tokenizer, 9, 0, 64)) or "")
    narrow, of = load_trained(trained / "final")  # of a context of 64 tokens
    trials = draw_passages(read_split(by_heart.corpus, "train"), of, 9, 0, 64)
    assert "context of 64 tokens" in (no_extraction(narrow, trials) or "")


def test_logits_that_are_no_numbers_are_no_figure(by_heart):
    model, tokenizer = load_trained(by_heart.folder / "final")
    trials = draw_passages(read_split(by_heart.corpus, "train"), tokenizer, 9, 0, 128)
    with torch.no_grad():
        model.get_parameter("transformer.ln_f.weight")[0] = float("nan")
    with pytest.raises(ModelError, match="not finite"):
        extracted(model, trials)
