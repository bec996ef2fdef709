"""Stories drawn from a causal language model, each of which can be drawn again by itself.

Every story has a random stream of its own, and every forward pass has the same shape whatever is
asked for, because matrix kernels are chosen by shape and differ in the last bit. So each row is
the same in whatever company, on a CPU to the bit. All rows advance together from position 0, prompt
tokens given rather than drawn, which needs neither padding nor a mask.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from transformers import DynamicCache, PreTrainedModel, PreTrainedTokenizerBase

from pipeline.model_spec import ModelError, SamplingSetting
from pipeline.models.initial import context_length
from pipeline.models.tokenizers import encode, end_token

#: Rows of every forward pass; part of what makes a row's bits. Missing rows are made up.
ROWS = 16


@dataclass(frozen=True)
class Request:
    """One story to draw."""

    prompt: str
    setting: SamplingSetting
    seed: int


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

    A story begins after the end token, as a document does in training; that token is not counted.
    """
    if not 1 <= len(requests) <= ROWS:
        raise ValueError(f"1 to {ROWS} stories are drawn together, not {len(requests)}")
    prompts = encode_prompts(model, tokenizer, requests)
    end = end_token(tokenizer)
    drawn = _draw_tokens(
        model,
        [list(map(int, prompt)) for prompt in prompts],
        [request.setting for request in requests],
        [_stream(request) for request in requests],
        end,
    )
    stories = []
    for ids in drawn:
        finished = bool(ids) and ids[-1] == end
        kept = ids[:-1] if finished else ids
        text = tokenizer.decode(kept, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        stories.append(Story(text, len(kept), finished))
    return stories


def encode_prompts(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, requests: Sequence[Request]
) -> list[npt.NDArray[np.int32]]:
    """Token ids of each prompt. Raises ModelError where one leaves no room for a story."""
    prompts = encode(tokenizer, [request.prompt for request in requests])
    context = context_length(model)
    for request, prompt in zip(requests, prompts, strict=True):
        room = min(request.setting.max_length, context)
        if len(prompt) >= room:
            raise ModelError(
                f"the prompt {request.prompt[:60]!r} has {len(prompt)} tokens, which leaves no "
                f"room for a story within {room} (max_length {request.setting.max_length}, the "
                f"model's context {context}); shorten it or raise max_length"
            )
    return prompts


@torch.inference_mode()
def _draw_tokens(
    model: PreTrainedModel,
    prompts: list[list[int]],
    settings: list[SamplingSetting],
    streams: list[torch.Generator],
    end: int,
) -> list[list[int]]:
    """The continuations' token ids, an end token included where one was drawn."""
    model.eval()
    context = context_length(model)
    limits = [min(setting.max_length, context) for setting in settings]
    choice = _Choice(settings)
    texts = [list(prompt) for prompt in prompts]
    seen = torch.zeros(len(prompts), model.config.vocab_size, dtype=torch.bool)
    for row, prompt in enumerate(prompts):
        seen[row, prompt] = True
    done = [False] * len(prompts)
    cache = DynamicCache(config=model.config)
    fed = torch.full((ROWS, 1), end)
    for position in range(max(limits)):
        output = model(input_ids=fed.to(model.device), past_key_values=cache, use_cache=True)
        logits = output.logits[: len(texts), -1].float().cpu()
        probabilities = choice.probabilities(logits, seen)
        for row, text in enumerate(texts):
            if position >= len(text) and not done[row]:
                token = int(torch.multinomial(probabilities[row], 1, generator=streams[row]))
                text.append(token)
                seen[row, token] = True
                done[row] = token == end or len(text) >= limits[row]
            fed[row] = text[position] if position < len(text) else end
        if all(done):
            break
    return [text[len(prompt) :] for text, prompt in zip(texts, prompts, strict=True)]


def _stream(request: Request) -> torch.Generator:
    """The story's random stream: of seed and prompt, so that two prompts share no draws."""
    digest = hashlib.sha256(f"{request.seed}\0{request.prompt}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big", signed=True))


class _Choice:
    """From logits to the distribution that is drawn from, row by row as its setting says.

    The same as transformers' processors, in its order, over rows of unlike settings.
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
