"""Stories drawn from a causal language model, each of which can be drawn again by itself.

Every story has a random stream of its own, and every forward pass has the same shape whatever is
asked for, because matrix kernels are chosen by shape and differ in the last bit. So each row is
the same in whatever company, on a CPU to the bit. A row advances from its position 0, prompt tokens
given rather than drawn, which needs neither padding nor a mask. What carries a model from token to
token is its own affair: it makes that itself at the first pass. A recurrent state can forget a row,
whose place the next story takes as soon as it is done; keys and values lie at positions that all
rows share, and their rows begin and end together.
"""

import hashlib
import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline.generation.choice import Choice
from pipeline.generation.room import make_room
from pipeline.model_spec import ModelError, SamplingSetting
from pipeline.models.framing import frame_of
from pipeline.models.initial import context_length
from pipeline.models.recurrent import RecurrentState
from pipeline.models.tokenizers import encode
from pipeline.sentences import whole_sentences

#: Rows of every forward pass; part of what makes a row's bits. Missing rows are made up.
ROWS = 16


@dataclass(frozen=True)
class Request:
    """One story to draw."""

    prompt: str
    setting: SamplingSetting
    seed: int
    genre: str | None = None  # told by a control token, to a model that knows it


@dataclass(frozen=True)
class Story:
    """What was drawn: the continuation, its length in tokens, whether the model ended it."""

    text: str
    tokens: int
    finished: bool


@dataclass
class _Row:
    """A story on its way, as token ids."""

    number: int  # of the request
    setting: SamplingSetting
    prompt: list[int]
    given: int  # tokens that are not drawn: the control tokens and the prompt
    ids: list[int]  # all of them, given and drawn
    limit: int  # the most that may be
    numbers: list[float]  # one for each token that may be drawn
    fed: int = 0
    done: bool = False


def draw(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, requests: Sequence[Request]
) -> list[Story]:
    """The stories asked for, each the same as if drawn alone. Raises as `stories` does."""
    return list(stories(model, tokenizer, requests))


def stories(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, requests: Iterable[Request]
) -> Iterator[Story]:
    """Each story in the order asked for, as soon as it and those before it are done.

    Requests are taken as there is room for them. A story begins as a document does in training,
    after the control tokens of its genre; they are not counted. Raises ModelError where a genre is
    unknown, a prompt leaves no room or the model's logits are no numbers.
    """
    end = frame_of(tokenizer).end
    early: dict[int, _Row] = {}
    told = 0
    for row in _drawn(model, _rows(model, tokenizer, requests), end):
        early[row.number] = row
        while told in early:
            next_one = early.pop(told)
            yield _story(tokenizer, next_one.ids[next_one.given :], end, next_one.setting)
            told += 1


def encode_prompts(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, requests: Sequence[Request]
) -> list[list[int]]:
    """Token ids of each prompt, without the control tokens before it.

    Raises ModelError where a prompt leaves no room for a story or a genre is unknown.
    """
    frame = frame_of(tokenizer)
    prompts = encode(tokenizer, [request.prompt for request in requests])
    for request, prompt in zip(requests, prompts, strict=True):
        begin = frame.asked(request.genre)
        check_room(model, len(begin), request.setting.max_length, request.prompt, len(prompt))
    return [list(map(int, prompt)) for prompt in prompts]


def check_room(
    model: PreTrainedModel, begin: int, max_length: int, prompt: str, tokens: int, named: str = ""
) -> None:
    """Raise ModelError where a prompt of so many tokens leaves no room for a story.

    `begin`: control tokens before it; `named`: which of several prompts it is.
    """
    room, context = _room(model, begin, max_length), context_length(model)
    if tokens < room:
        return
    bounds = f"max_length {max_length}" + (
        f", the model's context {context}" if context is not None else ""
    )
    raise ModelError(
        f"the prompt {named}{prompt[:60]!r} has {tokens:,} tokens, which leaves no room for a "
        f"story within {room:,} ({bounds}); shorten it or raise max_length"
    )


def _room(model: PreTrainedModel, begin: int, max_length: int) -> int:
    """The most tokens of prompt and story; the last of them is drawn, but never fed."""
    context = context_length(model)
    return int(min(max_length, (context or math.inf) - begin + 1))


def _rows(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, requests: Iterable[Request]
) -> Iterator[_Row]:
    frame, requests, number = frame_of(tokenizer), iter(requests), 0
    while some := list(islice(requests, ROWS)):
        for request, prompt in zip(some, encode_prompts(model, tokenizer, some), strict=True):
            begin = frame.begin(request.genre)
            limit = len(begin) + _room(model, len(begin), request.setting.max_length)
            given = [*begin, *prompt]
            numbers = torch.rand(
                limit - len(given), dtype=torch.float64, generator=_stream(request)
            )
            yield _Row(number, request.setting, prompt, len(given), given, limit, numbers.tolist())
            number += 1


@torch.inference_mode()
def _drawn(model: PreTrainedModel, waiting: Iterator[_Row], end: int) -> Iterator[_Row]:
    """Each row once it is done, in no order; an end token is its last where one was drawn."""
    model.eval()
    device = "cuda" if model.device.type == "cuda" else "cpu"  # MPS has no float64
    rows: list[_Row | None] = [None] * ROWS
    seen = torch.zeros(ROWS, model.config.vocab_size, dtype=torch.bool, device=device)
    cache: Any = None
    choice, chosen_for = Choice([]), list[int]()
    while True:
        free = [place for place, row in enumerate(rows) if row is None or row.done]
        if len(free) == ROWS:
            cache = None
        elif free and isinstance(cache, RecurrentState):
            cache.forget(free)
        else:
            free = []
        for place in free:
            rows[place] = row = next(waiting, None)
            if row is not None:
                seen[place] = False
                seen[place, row.prompt] = True
        going = [(place, row) for place, row in enumerate(rows) if row is not None and not row.done]
        if not going:
            return
        fed = torch.full((ROWS, 1), end)
        for place, row in going:
            fed[place] = row.ids[row.fed]
            row.fed += 1
        output = model(input_ids=fed.to(model.device), past_key_values=cache, use_cache=True)
        cache = make_room(output.get("past_key_values"))
        if cache is None:
            raise ModelError(
                f"no story can be drawn from a {model.config.model_type}: it returns no "
                "past_key_values to carry from token to token; choose another base"
            )
        going = [(place, row) for place, row in going if row.fed == len(row.ids)]
        if not going:
            continue
        if chosen_for != (numbers := [row.number for _, row in going]):
            choice, chosen_for = Choice([row.setting for _, row in going], device), numbers
        places = [place for place, _ in going]
        tokens = choice.draw(
            output.logits[:, -1].float().to(device)[places],
            seen[places] if choice.penalised else None,
            torch.tensor(
                [[row.numbers[len(row.ids) - row.given]] for _, row in going],
                dtype=torch.float64,
                device=device,
            ),
        )
        for (place, row), token in zip(going, tokens, strict=True):
            row.ids.append(token)
            if choice.penalised:
                seen[place, token] = True
            row.done = token == end or len(row.ids) >= row.limit
            if row.done:
                yield row


def _story(
    tokenizer: PreTrainedTokenizerBase, ids: list[int], end: int, setting: SamplingSetting
) -> Story:
    def text_of(count: int) -> str:
        return str(
            tokenizer.decode(
                ids[:count], skip_special_tokens=True, clean_up_tokenization_spaces=False
            )
        )

    finished = bool(ids) and ids[-1] == end
    count = len(ids) - finished
    text = text_of(count)
    if setting.whole_sentences and not finished:
        text = whole_sentences(text)
        count = bisect_left(range(count), len(text), key=lambda n: len(text_of(n)))
    return Story(text, count, finished)


def _stream(request: Request) -> torch.Generator:
    """The story's random stream: of seed, prompt and genre, so that no two of them share draws."""
    named = [str(request.seed), request.prompt]
    if request.genre is not None:
        named.append(request.genre)
    digest = hashlib.sha256("\0".join(named).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big", signed=True))
