"""Stories drawn from really trained models: a GPT-2, an LSTM that knows genres, a GRU."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import (
    DynamicCache,
    LogitsProcessorList,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    pipeline,
)

from pipeline.generation import ROWS, Request, draw, encode_prompts, stories
from pipeline.generation.choice import Choice
from pipeline.generation.room import BLOCK, RoomyLayer, make_room
from pipeline.model_spec import ModelError, ModelSpec, SamplingSetting
from pipeline.models.framing import frame_of
from pipeline.models.initial import load_initial, load_trained
from pipeline.models.tokenizers import encode
from pipeline.sentences import whole_sentences
from pipeline.training.checkpoints import export

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


@pytest.fixture(scope="module", params=["trained", "trained_lstm", "trained_gru"])
def storyteller(
    request: pytest.FixtureRequest,
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase, list[Request]]:
    """Each with stories to ask it for; of a model that knows genres, one in three has one."""
    model, tokenizer = load_trained(request.getfixturevalue(request.param) / "final")
    genres = [None, *frame_of(tokenizer).genres]
    requests = [
        replace(story, genre=genres[number % len(genres)]) for number, story in enumerate(REQUESTS)
    ]
    return model, tokenizer, requests


def test_a_story_is_the_same_in_whatever_company(
    storyteller: tuple[PreTrainedModel, PreTrainedTokenizerBase, list[Request]],
):
    model, tokenizer, requests = storyteller
    shuffled = random.Random(3).sample(requests, len(requests))
    drawn = {}
    for start in range(0, len(shuffled), ROWS):
        some = shuffled[start : start + ROWS]
        drawn |= dict(zip(some, draw(model, tokenizer, some), strict=True))
    for request in requests[::3]:
        assert draw(model, tokenizer, [request]) == [drawn[request]]
    texts = {drawn[request].text for request in requests if request.setting.temperature}
    assert len(texts) == len(SETTINGS[:-1]) * 2 * 3  # seeds and prompts differ


def test_stories_come_in_order_however_early_a_place_is_free(
    storyteller: tuple[PreTrainedModel, PreTrainedTokenizerBase, list[Request]],
):
    """Of unlike lengths, so that a recurrent model's next story begins beside ones on their way."""
    model, tokenizer, requests = storyteller
    asked = [
        replace(story, setting=story.setting.model_copy(update={"max_length": 25 + 5 * (n % 7)}))
        for n, story in enumerate(requests + [replace(story, seed=7) for story in requests])
    ]
    taken = 0

    def one_by_one() -> Iterator[Request]:
        nonlocal taken
        for story in asked:
            taken += 1
            yield story

    told = []
    for story in stories(model, tokenizer, one_by_one()):
        assert taken <= len(told) + 5 * ROWS  # as there is room for them
        told.append(story)
    assert len(told) == len(asked)
    for number in range(0, len(asked), 7):
        assert draw(model, tokenizer, [asked[number]]) == [told[number]]


def test_the_last_bits_of_a_row_do_not_depend_on_the_other_rows(
    storyteller: tuple[PreTrainedModel, PreTrainedTokenizerBase, list[Request]],
):
    model = storyteller[0]
    ids = torch.randint(0, model.config.vocab_size, (ROWS, 8), generator=torch.manual_seed(0))

    def logits(ids: torch.Tensor) -> torch.Tensor:
        """Token by token, as a story is drawn."""
        cache, found = None, []
        for position in range(ids.shape[1]):
            output = model(
                input_ids=ids[:, position : position + 1], past_key_values=cache, use_cache=True
            )
            cache = output.past_key_values
            found.append(output.logits)
        return torch.cat(found, 1)

    with torch.inference_mode():
        for row in (0, ROWS // 2, ROWS - 1):
            moved = torch.zeros_like(ids)
            moved[ROWS - 1 - row] = ids[row]
            assert torch.equal(logits(moved)[ROWS - 1 - row], logits(ids)[row])


def test_the_distribution_is_that_of_transformers():
    settings = [setting for setting in SETTINGS if setting.temperature]
    stream = torch.Generator().manual_seed(0)
    logits = torch.randn(len(settings), 300, generator=stream) * 4
    texts = torch.randint(0, 300, (len(settings), 12), generator=stream)
    seen = torch.zeros(len(settings), 300, dtype=torch.bool).scatter_(1, texts, True)
    weights = Choice(settings).weights(logits, seen)
    ours = weights / weights.sum(1, keepdim=True)
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


def test_a_limit_is_found_however_many_tokens_are_as_likely():
    """Of 3,000 tokens, nearly all alike: the nucleus reaches far beyond the likeliest few."""
    logits = torch.randn(4, 3000, generator=torch.manual_seed(5)) * 0.01
    settings = [
        SamplingSetting(top_k=0, top_p=0.95),
        SamplingSetting(top_k=700),
        SamplingSetting(top_k=900, top_p=0.5),
        SamplingSetting(top_k=5000),
    ]
    together = Choice(settings).weights(logits, None)
    for row, setting in enumerate(settings):
        alone = Choice([setting]).weights(logits[row : row + 1], None)
        assert torch.equal(alone[0], together[row])
        processors = LogitsProcessorList([TopKLogitsWarper(setting.top_k or 3000)])
        processors.append(TopPLogitsWarper(setting.top_p))
        theirs = processors(logits[:0].long(), logits[row : row + 1].clone()).softmax(1)[0]
        torch.testing.assert_close(together[row] / together[row].sum(), theirs)


def test_keys_and_values_in_room_made_ahead_are_those_of_transformers():
    stream = torch.manual_seed(2)
    plain, roomy = DynamicCache(), DynamicCache()
    for position in range(2 * BLOCK + 3):
        keys, values = torch.randn(2, 3, 2, 1, 4, generator=stream)
        theirs = plain.update(keys, values, 0)
        ours = roomy.update(keys, values, 0)
        roomy = make_room(roomy)
        assert roomy.get_seq_length() == position + 1
    assert isinstance(roomy.layers[0], RoomyLayer)
    assert all(map(torch.equal, ours, theirs))


def test_tokens_that_are_equally_likely_stay_or_go_together():
    logits = torch.zeros(2, 600)
    logits[:, ::3] = 1.0
    settings = [SamplingSetting(top_k=7), SamplingSetting(top_k=0, top_p=0.1)]
    for row in Choice(settings).weights(logits, None):
        assert torch.equal(row > 0, logits[0] == 1.0)


def test_a_token_is_drawn_as_often_as_it_is_likely():
    logits = torch.tensor([[2.0, 0.0, 1.0, -30.0]])
    choice = Choice([SamplingSetting(top_k=0)])
    numbers = (torch.arange(1000, dtype=torch.float64) + 0.5) / 1000
    drawn = [choice.draw(logits, None, number.reshape(1, 1))[0] for number in numbers]
    shares = torch.bincount(torch.tensor(drawn), minlength=4) / 1000
    torch.testing.assert_close(shares, logits[0].softmax(0), atol=1e-3, rtol=0)
    last = torch.nextafter(torch.ones(1, 1).double(), torch.zeros(1, 1).double())
    assert choice.draw(torch.tensor([[1.0, 1.0, 1.0, -200.0]]), None, last) == [2]


def test_greedy_stories_are_those_of_generate(
    storyteller: tuple[PreTrainedModel, PreTrainedTokenizerBase, list[Request]],
):
    model, tokenizer, _ = storyteller
    frame = frame_of(tokenizer)
    setting = SamplingSetting(temperature=0, max_length=30)
    for genre in (None, *frame.genres):
        request = Request("In the mill, Mira", setting, 0, genre)
        story = draw(model, tokenizer, [request])[0]
        begin = frame.asked(genre)
        ids = [*begin, *map(int, encode(tokenizer, [request.prompt])[0])]
        theirs = model.generate(
            torch.tensor([ids]), do_sample=False, max_length=30 + len(begin),
            pad_token_id=tokenizer.eos_token_id,
        )  # fmt: skip
        assert story.text == tokenizer.decode(theirs[0, len(ids) :], skip_special_tokens=True)


def test_a_genre_is_heard_and_an_unknown_one_refused(trained: Path, trained_lstm: Path):
    model, tokenizer = load_trained(trained_lstm / "final")
    known = frame_of(tokenizer).genres
    assert sorted(known) == ["<sci_fi>", "<superhero>"]
    setting = SamplingSetting(temperature=1, top_k=0, max_length=40)
    drawn = draw(
        model,
        tokenizer,
        [Request("", setting, 0, genre) for genre in (None, "Sci-fi", "sci_fi", "superhero")],
    )
    assert drawn[1].text != drawn[0].text
    assert len({story.text for story in drawn[:2]} | {drawn[3].text}) == 3
    with torch.no_grad():  # a genre that makes the end certain, to see that it is read
        model.embed_tokens.weight[known["<superhero>"]] = 40
        model.lm_head.bias[:] = 0
        model.lm_head.weight[:] = 0
        state = model(torch.tensor([[frame_of(tokenizer).start, known["<superhero>"]]]))
        hidden = state.past_key_values.states[-1][0][-1, 0]
        model.lm_head.weight[tokenizer.eos_token_id] = 1e4 * hidden
    ended = draw(model, tokenizer, [Request("", setting, 0, "Superhero")])[0]
    assert (ended.text, ended.finished) == ("", True)
    for folder, names in ((trained_lstm, ": sci_fi, superhero"), (trained, " none")):
        model, tokenizer = load_trained(folder / "final")
        with pytest.raises(ModelError, match=rf"'western' is not in the model's.*it knows{names}"):
            encode_prompts(model, tokenizer, [Request("", setting, 0, "western")])


def test_a_story_is_cut_after_its_last_whole_sentence_where_asked(trained_gru: Path):
    model, tokenizer = load_trained(trained_gru / "final")
    asked = [
        Request("In the mill, a fox", SamplingSetting(max_length=140, whole_sentences=cut), seed)
        for cut in (False, True)
        for seed in range(6)
    ]
    stories = draw(model, tokenizer, asked)
    shorter = 0
    for whole, cut in zip(stories[:6], stories[6:], strict=True):
        assert whole.text.startswith(cut.text)
        assert cut.text == (whole.text if whole.finished else whole_sentences(whole.text))
        assert cut.tokens == len(encode(tokenizer, [cut.text])[0])
        shorter += cut.tokens < whole.tokens
    assert shorter


def test_nothing_but_max_length_bounds_a_recurrent_model(trained_gru: Path):
    model, tokenizer = load_trained(trained_gru / "final")
    with torch.no_grad():
        model.lm_head.bias[tokenizer.eos_token_id] = -1e9  # it never ends
    setting = SamplingSetting(max_length=700)
    story = draw(model, tokenizer, [Request("A fox", setting, 0)])[0]
    assert story.tokens == 700 - len("A fox")
    with pytest.raises(ModelError, match=r"no room for a story within 700 \(max_length 700\)"):
        draw(model, tokenizer, [Request("fox " * 200, setting, 0)])


def test_the_control_tokens_count_for_the_context_but_not_for_max_length(
    genre_corpus: Path, make_spec: Callable[..., ModelSpec]
):
    model, tokenizer = load_initial(make_spec({"block_size": 16}), genre_corpus)
    with torch.no_grad():
        model.transformer.wte.weight[tokenizer.eos_token_id] *= 0  # never the likeliest
    greedy = {"temperature": 0}
    for genre, room in ((None, 16), ("superhero", 15)):  # position 0 is the start token's
        story = draw(
            model,
            tokenizer,
            [Request("", SamplingSetting(max_length=99, **greedy), 0, genre)],
        )[0]
        assert story.tokens == room
        story = draw(
            model, tokenizer, [Request("", SamplingSetting(max_length=9, **greedy), 0, genre)]
        )[0]
        assert story.tokens == 9


def test_a_typed_genre_reaches_gpt2_through_the_pipeline_as_one_token(
    genre_corpus: Path, make_spec: Callable[..., ModelSpec], tmp_path: Path
):
    model, tokenizer = load_initial(make_spec(), genre_corpus)
    export(model, tokenizer, tmp_path / "final")
    tell = pipeline("text-generation", model=str(tmp_path / "final"), device="cpu")
    frame = frame_of(tokenizer)
    told = tell("<BOS> <superhero> The city", max_length=30, do_sample=False, return_tensors=True)[
        0
    ]["generated_token_ids"]
    prompt = [*frame.asked("superhero"), *map(int, encode(tokenizer, ["The city"])[0])]
    assert prompt[:2] == [tokenizer.bos_token_id, frame.genres["<superhero>"]]
    assert tokenizer.decode(prompt[2:]) == "The city"
    assert told[: len(prompt)] == prompt
    setting = SamplingSetting(temperature=0, max_length=28)
    story = draw(model, tokenizer, [Request("The city", setting, 0, "Superhero")])[0]
    assert story.text == tokenizer.decode(told[len(prompt) :], skip_special_tokens=True)


def test_a_model_that_ends_its_story_is_heard(
    model_and_tokenizer: tuple[PreTrainedModel, PreTrainedTokenizerBase], trained: Path
):
    model, tokenizer = load_trained(trained / "final")  # one's own, to bend
    with torch.no_grad():
        direction = model.transformer.ln_f.bias
        direction += 50 * model.transformer.wte.weight[tokenizer.eos_token_id]
    story = draw(model, tokenizer, [Request("A fox", SamplingSetting(temperature=0), 0)])[0]
    assert (story.text, story.tokens, story.finished) == ("", 0, True)


def test_a_penalty_on_repetition_does_not_put_off_the_end(trained: Path):
    """The token that ends a story began it; transformers takes that for a repetition."""
    model, tokenizer = load_trained(trained / "final")
    end = tokenizer.eos_token_id
    with torch.no_grad():
        model.transformer.ln_f.bias += 50 * model.transformer.wte.weight[end]
    setting = SamplingSetting(temperature=0, repetition_penalty=100)
    assert draw(model, tokenizer, [Request("", setting, 0)])[0].finished
    theirs = model.generate(
        torch.tensor([[end]]), do_sample=False, repetition_penalty=100.0, max_new_tokens=1,
        pad_token_id=end,
    )  # fmt: skip
    assert theirs[0, 1] != end


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
