"""Which stories are drawn from a model, and how, as a person writes it."""

import re
from collections import Counter

from pydantic import Field, field_validator

from pipeline.model_spec.written import SLUG, NotNegative, Positive, Seed, Written

#: A softer choice than this is none; the logits divided by a smaller one overflow.
COLDEST = 1e-3
#: Stories of one prompt, genre and setting.
MOST_STORIES = 10_000

#: Controls but for tab and line feed, and halves of a character: no corpus has them, see
#: pipeline/clean/controls.py, and the latter have no bytes that a model could read.
_NO_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


def check_prompt(prompt: str) -> str:
    """The prompt itself. Raises ValueError where it has characters that no model has read."""
    if found := _NO_TEXT.search(prompt):
        raise ValueError(
            f"the prompt {prompt[:60]!r} has the character U+{ord(found[0]):04X} at place "
            f"{found.start() + 1}, which is no part of a text; take it out"
        )
    return prompt


class SamplingSetting(Written):
    """One way to draw from the model, with the names and defaults that transformers gives them."""

    name: str = Field(default="default", pattern=SLUG, description="names the setting in reports")
    temperature: float = Field(
        default=1.0, ge=0, le=100, description=f"0: always the likeliest token; or from {COLDEST}"
    )
    top_k: NotNegative = Field(default=50, description="0: not limited")
    top_p: float = Field(default=1.0, ge=1e-3, le=1, description="1: not limited")
    repetition_penalty: float = Field(default=1.0, ge=1, le=100, description="1: none")
    max_length: int = Field(
        default=256,
        ge=2,
        le=100_000,
        description="tokens, prompt included; bounded by the model's context",
    )
    whole_sentences: bool = Field(
        default=False, description="cut a story that did not end after its last whole sentence"
    )

    @field_validator("temperature")
    @classmethod
    def _not_too_cold(cls, temperature: float) -> float:
        if 0 < temperature < COLDEST:
            raise ValueError(
                f"a temperature is 0, which always takes the likeliest token, or {COLDEST} to 100"
            )
        return temperature


class SampleSettings(Written):
    """Which stories are drawn: prompts x genres x settings x seeds, at chosen steps and last."""

    at_steps: list[Positive] = Field(default=[], description="checkpoints to keep and draw from")
    prompts: list[str] = Field(
        default=[""], min_length=1, description="empty: the model begins by itself"
    )
    genres: list[str] = Field(
        default=[],
        description="each prompt is given in each; the corpus's layout must be `lines`",
    )
    settings: list[SamplingSetting] = Field(
        default=[SamplingSetting(name="nucleus", top_k=0, top_p=0.9)],
        min_length=1,
        description="ways to draw; default: one, nucleus, with top_k 0 and top_p 0.9",
    )
    count: int = Field(
        default=2, ge=1, le=MOST_STORIES, description="stories for each prompt and setting"
    )
    include_prompt: bool = Field(
        default=True, description="show a story with its prompt; figures are never of the prompt"
    )
    seed: Seed = Field(default=0, description="of the first; each further story takes the next")

    @field_validator("at_steps")
    @classmethod
    def _ascending(cls, steps: list[int]) -> list[int]:
        return sorted(set(steps))

    @field_validator("prompts")
    @classmethod
    def _prompts_differ(cls, prompts: list[str]) -> list[str]:
        for prompt, times in Counter(map(check_prompt, prompts)).items():
            if times > 1:
                raise ValueError(
                    f"the prompt {prompt[:60]!r} stands {_times(times)}; `count` draws more of one"
                )
        return prompts

    @field_validator("genres")
    @classmethod
    def _genres_are_named(cls, genres: list[str]) -> list[str]:
        from pipeline.corpus.layout import control_token  # with pyarrow, where there are any

        told: dict[str, str] = {}
        for genre in genres:
            token = control_token(genre)
            if token is None:
                raise ValueError(
                    f"the genre {genre!r} has no letter; name it as the corpus does or not at all"
                )
            if token in told:
                twice = "stands twice" if told[token] == genre else f"is {told[token]!r} again"
                raise ValueError(f"the genre {genre!r} {twice}: the model is told it as {token}")
            told[token] = genre
        return genres

    @field_validator("settings")
    @classmethod
    def _names_differ(cls, settings: list[SamplingSetting]) -> list[SamplingSetting]:
        names = [setting.name for setting in settings]
        for name, times in Counter(names).items():
            if times > 1:
                raise ValueError(f"two settings are named {name!r}; give each its own name")
        return settings


def _times(count: int) -> str:
    return "twice" if count == 2 else f"{count:,} times"
