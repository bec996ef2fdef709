"""Stories drawn from a really trained model."""

import random
from pathlib import Path

import pytest
import torch
from transformers import (
    LogitsProcessorList,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from pipeline.generation import ROWS, Request, _Choice, draw
from pipeline.model_spec import ModelError, SamplingSetting
from pipeline.models.initial import load_trained

SETTINGS = [
    SamplingSetting(name="free", top_k=0, max_length=40),
    SamplingSetting(name="hot", temperature=1.7, top_k=20, max_length=30),
    SamplingSetting(name="nucleus", top_k=0, top_p=0.8, max_length=35),
    SamplingSetting(name="all", temperature=0.7, top_k=9, top_p=0.9, repetition_penalty=1.3),
    SamplingSetting(name="greedy", temperature=0, repetition_penalty=1.2, max_length=30),
]
REQUESTS = [
    Request(prompt, setting, seed)
    for prompt in ("", "In the mill, a fox", "Old Tam")
    for setting in SETTINGS
    for seed in (0, 1)
]


@pytest.fixture(scope="module")
def model_and_tokenizer(trained: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    return load_trained(trained / "final")


def test_a_story_is_the_same_in_whatever_company(
    model_and_tokenizer: tuple[PreTrainedModel, PreTrainedTokenizerBase],
):
    model, tokenizer = model_and_tokenizer
    shuffled = random.Random(3).sample(REQUESTS, len(REQUESTS))
    drawn = {}
    for start in range(0, len(shuffled), ROWS):
        some = shuffled[start : start + ROWS]
        drawn |= dict(zip(some, draw(model, tokenizer, some), strict=True))
    for request in REQUESTS[::3]:
        assert draw(model, tokenizer, [request]) == [drawn[request]]
    texts = {drawn[request].text for request in REQUESTS if request.setting.temperature}
    assert len(texts) == len(SETTINGS[:-1]) * 2 * 3  # seeds and prompts differ


def test_the_last_bits_of_a_row_do_not_depend_on_the_other_rows(
    model_and_tokenizer: tuple[PreTrainedModel, PreTrainedTokenizerBase],
):
    model, _ = model_and_tokenizer
    ids = torch.randint(0, model.config.vocab_size, (ROWS, 8), generator=torch.manual_seed(0))
    with torch.inference_mode():
        for row in (0, ROWS // 2, ROWS - 1):
            moved = torch.zeros_like(ids)
            moved[ROWS - 1 - row] = ids[row]
            assert torch.equal(
                model(input_ids=moved).logits[ROWS - 1 - row], model(input_ids=ids).logits[row]
            )


def test_the_distribution_is_that_of_transformers():
    settings = [setting for setting in SETTINGS if setting.temperature]
    stream = torch.Generator().manual_seed(0)
    logits = torch.randn(len(settings), 300, generator=stream) * 4
    texts = torch.randint(0, 300, (len(settings), 12), generator=stream)
    seen = torch.zeros(len(settings), 300, dtype=torch.bool).scatter_(1, texts, True)
    ours = _Choice(settings).probabilities(logits, seen)
    for row, setting in enumerate(settings):
        processors = LogitsProcessorList(
            [
                RepetitionPenaltyLogitsProcessor(setting.repetition_penalty),
                TemperatureLogitsWarper(setting.temperature),
            ]
        )
        if setting.top_k:
            processors.append(TopKLogitsWarper(setting.top_k))
        if setting.top_p < 1:
            processors.append(TopPLogitsWarper(setting.top_p))
        theirs = processors(texts[row : row + 1], logits[row : row + 1].clone()).softmax(1)[0]
        torch.testing.assert_close(ours[row], theirs)


def test_greedy_stories_are_those_of_generate(
    model_and_tokenizer: tuple[PreTrainedModel, PreTrainedTokenizerBase],
):
    model, tokenizer = model_and_tokenizer
    setting = SamplingSetting(temperature=0, max_length=30)
    story = draw(model, tokenizer, [Request("In the mill, Mira", setting, 0)])[0]
    prompt = [tokenizer.eos_token_id, *tokenizer("In the mill, Mira")["input_ids"]]
    theirs = model.generate(
        torch.tensor([prompt]), do_sample=False, max_length=31, pad_token_id=tokenizer.eos_token_id
    )
    assert story.text == tokenizer.decode(theirs[0, len(prompt) :], skip_special_tokens=True)


def test_a_model_that_ends_its_story_is_heard(
    model_and_tokenizer: tuple[PreTrainedModel, PreTrainedTokenizerBase], trained: Path
):
    model, tokenizer = load_trained(trained / "final")  # one's own, to bend
    with torch.no_grad():
        direction = model.transformer.ln_f.bias
        direction += 50 * model.transformer.wte.weight[tokenizer.eos_token_id]
    story = draw(model, tokenizer, [Request("A fox", SamplingSetting(temperature=0), 0)])[0]
    assert (story.text, story.tokens, story.finished) == ("", 0, True)


def test_max_length_is_bounded_by_the_context(
    model_and_tokenizer: tuple[PreTrainedModel, PreTrainedTokenizerBase],
):
    model, tokenizer = model_and_tokenizer
    setting = SamplingSetting(temperature=1, max_length=10_000)
    prompt = len(tokenizer("A fox")["input_ids"])
    stories = draw(model, tokenizer, [Request("A fox", setting, seed) for seed in range(ROWS)])
    assert max(story.tokens for story in stories) <= model.config.n_positions - prompt
    assert any(story.tokens == model.config.n_positions - prompt for story in stories)


def test_a_prompt_beyond_the_context_is_refused(
    model_and_tokenizer: tuple[PreTrainedModel, PreTrainedTokenizerBase],
):
    model, tokenizer = model_and_tokenizer
    with pytest.raises(ModelError, match=r"the prompt 'fox fox.*no room.*context 64"):
        draw(model, tokenizer, [Request("fox " * 100, SamplingSetting(max_length=500), 0)])


def test_logits_that_are_no_numbers_are_refused(trained: Path):
    model, tokenizer = load_trained(trained / "final")
    with torch.no_grad():
        model.transformer.ln_f.bias.fill_(torch.nan)
    with pytest.raises(ModelError, match="not finite"):
        draw(model, tokenizer, [Request("A fox", SamplingSetting(), 0)])
