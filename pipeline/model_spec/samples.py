"""Which stories are drawn from a model, and how, as a person writes it."""

from pydantic import Field, field_validator

from pipeline.model_spec.written import SLUG, NotNegative, Positive, Written


class SamplingSetting(Written):
    """One way to draw from the model, with the names and defaults that transformers gives them."""

    name: str = Field(default="default", pattern=SLUG, description="names the setting in reports")
    temperature: float = Field(default=1.0, ge=0, description="0: always the likeliest token")
    top_k: NotNegative = Field(default=50, description="0: not limited")
    top_p: float = Field(default=1.0, gt=0, le=1, description="1: not limited")
    repetition_penalty: float = Field(default=1.0, ge=1, description="1: none")
    max_length: int = Field(
        default=256, ge=2, description="tokens, prompt included; bounded by the model's context"
    )
    whole_sentences: bool = Field(
        default=False, description="cut a story that did not end after its last whole sentence"
    )


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
        default=[SamplingSetting(name="nucleus", top_k=0, top_p=0.9)], min_length=1
    )
    count: Positive = Field(default=2, description="stories for each prompt and setting")
    seed: NotNegative = Field(
        default=0, description="of the first; each further story takes the next"
    )

    @field_validator("at_steps")
    @classmethod
    def _ascending(cls, steps: list[int]) -> list[int]:
        return sorted(set(steps))

    @field_validator("prompts")
    @classmethod
    def _prompts_differ(cls, prompts: list[str]) -> list[str]:
        for prompt in prompts:
            if prompts.count(prompt) > 1:
                raise ValueError(f"the prompt {prompt!r} stands twice; `count` draws more of one")
        return prompts

    @field_validator("genres")
    @classmethod
    def _genres_are_named(cls, genres: list[str]) -> list[str]:
        for genre in genres:
            if not genre.strip():
                raise ValueError("a genre is empty; name it as the corpus does, or leave it out")
            if genres.count(genre) > 1:
                raise ValueError(f"the genre {genre!r} stands twice")
        return genres

    @field_validator("settings")
    @classmethod
    def _names_differ(cls, settings: list[SamplingSetting]) -> list[SamplingSetting]:
        names = [setting.name for setting in settings]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two settings are named {name!r}; give each its own name")
        return settings
