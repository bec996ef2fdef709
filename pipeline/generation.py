"""Stories drawn from a causal language model, each of which can be drawn again by itself.

Every story has a random stream of its own, and every forward pass has the same shape whatever is
asked for, because matrix kernels are chosen by shape and differ in the last bit. So each row is
the same in whatever company, on a CPU to the bit. All rows advance together from position 0, prompt
tokens given rather than drawn, which needs neither padding nor a mask. What carries a model from
token to token, keys and values or a recurrent state, is its own affair: it makes that itself at the
first pass.
"""

import hashlib
import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline.model_spec import ModelError, SamplingSetting
from pipeline.models.framing import frame_of
from pipeline.models.initial import context_length
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


def draw(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, requests: Sequence[Request]
) -> list[Story]:
    """Draw at most ROWS stories together, each the same as if drawn alone.

    A story begins as a document does in training, after the control tokens of its genre; they are
    not counted. Raises ModelError where a genre is unknown or a prompt leaves no room.
    """
    if not 1 <= len(requests) <= ROWS:
        raise ValueError(f"1 to {ROWS} stories are drawn together, not {len(requests)}")
    frame = frame_of(tokenizer)
    drawn = _draw_tokens(
        model,
        [frame.begin(request.genre) for request in requests],
        encode_prompts(model, tokenizer, requests),
        [request.setting for request in requests],
        [_stream(request) for request in requests],
        frame.end,
    )
    return [
        _story(tokenizer, ids, frame.end, request.setting)
        for ids, request in zip(drawn, requests, strict=True)
    ]


def encode_prompts(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, requests: Sequence[Request]
) -> list[list[int]]:
    """Token ids of each prompt, without the control tokens before it.

    Raises ModelError where a prompt leaves no room for a story or a genre is unknown.
    """
    frame = frame_of(tokenizer)
    prompts = encode(tokenizer, [request.prompt for request in requests])
    for request, prompt in zip(requests, prompts, strict=True):
        room = _room(model, frame.asked(request.genre), request.setting)
        if len(prompt) >= room:
            context = context_length(model)
            bounds = f"max_length {request.setting.max_length}"
            if context is not None:
                bounds += f", the model's context {context}"
            raise ModelError(
                f"the prompt {request.prompt[:60]!r} has {len(prompt)} tokens, which leaves no "
                f"room for a story within {room} ({bounds}); shorten it or raise max_length"
            )
    return [list(map(int, prompt)) for prompt in prompts]


def _room(model: PreTrainedModel, begin: list[int], setting: SamplingSetting) -> int:
    """The most tokens of prompt and story; the last of them is drawn, but never fed."""
    context = context_length(model)
    return int(min(setting.max_length, (context or math.inf) - len(begin) + 1))


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


@torch.inference_mode()
def _draw_tokens(
    model: PreTrainedModel,
    begins: list[list[int]],
    prompts: list[list[int]],
    settings: list[SamplingSetting],
    streams: list[torch.Generator],
    end: int,
) -> list[list[int]]:
    """The continuations' token ids, an end token included where one was drawn."""
    model.eval()
    given = [begin + prompt for begin, prompt in zip(begins, prompts, strict=True)]
    limits = [
        len(begin) + _room(model, begin, setting)
        for begin, setting in zip(begins, settings, strict=True)
    ]
    choice = _Choice(settings)
    texts = [list(tokens) for tokens in given]
    seen = torch.zeros(len(prompts), model.config.vocab_size, dtype=torch.bool)
    for row, prompt in enumerate(prompts):
        seen[row, prompt] = True
    done = [False] * len(texts)
    cache: Any = None
    fed = torch.full((ROWS, 1), end)
    for position in range(max(limits) - 1):
        for row, text in enumerate(texts):
            fed[row] = text[position] if position < len(text) else end
        output = model(input_ids=fed.to(model.device), past_key_values=cache, use_cache=True)
        cache = output.get("past_key_values")
        if cache is None:
            raise ModelError(
                f"no story can be drawn from a {model.config.model_type}: it returns no "
                "past_key_values to carry from token to token; choose another base"
            )
        logits = output.logits[: len(texts), -1].float().cpu()
        probabilities = choice.probabilities(logits, seen)
        for row, text in enumerate(texts):
            if position + 1 >= len(text) and not done[row]:
                token = int(torch.multinomial(probabilities[row], 1, generator=streams[row]))
                text.append(token)
                seen[row, token] = True
                done[row] = token == end or len(text) >= limits[row]
        if all(done):
            break
    return [text[len(tokens) :] for text, tokens in zip(texts, given, strict=True)]


def _stream(request: Request) -> torch.Generator:
    """The story's random stream: of seed, prompt and genre, so that no two of them share draws."""
    named = [str(request.seed), request.prompt]
    if request.genre is not None:
        named.append(request.genre)
    digest = hashlib.sha256("\0".join(named).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big", signed=True))


class _Choice:
    """From logits to the distribution that is drawn from, row by row as its setting says.

    The same as transformers' processors, in its order, over rows of unlike settings; but a penalty
    on repetition falls on the tokens of prompt and story alone, not on the control tokens before
    them. With GPT-2 a story begins with the token that ends it, and a penalty on that one would
    put off every end.
    """

    def __init__(self, settings: list[SamplingSetting]):
        def column(values: list[float]) -> torch.Tensor:
            return torch.tensor(values, dtype=torch.float32)[:, None]

        self.penalty = column([setting.repetition_penalty for setting in settings])
        self.greedy = column([setting.temperature for setting in settings]) == 0
        self.temperature = column([setting.temperature or 1.0 for setting in settings])
        self.top_k = column([setting.top_k or torch.inf for setting in settings])
        self.top_p = column([setting.top_p for setting in settings])
        self.limited = any(setting.top_k or setting.top_p < 1 for setting in settings)

    def probabilities(self, logits: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        """Shapes (rows, vocabulary); `seen` marks the tokens that a penalty falls on."""
        if not torch.isfinite(logits).all():
            raise ModelError("the model's logits are not finite; its training failed, train anew")
        lowered = torch.where(logits < 0, logits * self.penalty, logits / self.penalty)
        logits = torch.where(seen, lowered, logits)
        likeliest = torch.zeros_like(logits).scatter_(1, logits.argmax(1, keepdim=True), 1.0)
        logits = logits / self.temperature
        if self.limited:
            ordered, tokens = logits.sort(descending=True, stable=True)
            rank = torch.arange(logits.shape[1])
            ordered = ordered.masked_fill(rank >= self.top_k, -torch.inf)
            weights = ordered.softmax(1)
            before = weights.cumsum(1) - weights  # the mass of all that is likelier
            ordered = ordered.masked_fill((before >= self.top_p) & (self.top_p < 1), -torch.inf)
            logits = torch.empty_like(logits).scatter_(1, tokens, ordered)
        return torch.where(self.greedy, likeliest, logits.softmax(1))
