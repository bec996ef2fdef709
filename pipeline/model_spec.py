"""What a person writes about a story model: what it starts from, how it is trained and sampled.

Plain data, validated here, so that the Dagster component, the training process and the reports
share one meaning. Importing it loads neither torch nor transformers.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from pipeline.models.sizes import GPT2_SIZES

#: Names become folders and parts of asset keys.
SLUG = r"^[a-z0-9]+(?:[_-][a-z0-9]+)*$"

#: Steps where neither `steps` nor `epochs` is written: the classic 1,600 of hobby fine-tunings.
DEFAULT_STEPS = 1600

#: Learning rate of a fine-tuning: GPT-2's customary one, a tenth or less of that from scratch.
FINE_TUNING_RATE = 5e-5

Positive = Annotated[int, Field(ge=1)]
NotNegative = Annotated[int, Field(ge=0)]


class ModelError(Exception):
    """Why a model cannot be built, trained or read, and what to do: one message for a person."""


class _Written(BaseModel):
    """A part of a YAML file: an unknown key is a mistake, not an extra; so is `.nan` or `.inf`."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class TrainingSettings(_Written):
    """How a model is trained: AdamW with warm-up and cosine decay over packed blocks."""

    steps: Positive | None = Field(
        default=None,
        description=f"optimizer steps; default {DEFAULT_STEPS}, unless epochs is given",
    )
    epochs: float | None = Field(
        default=None, gt=0, description="passes over the corpus, in place of steps"
    )
    batch_size: Positive = Field(default=8, description="blocks a forward pass")
    gradient_accumulation: Positive = Field(
        default=1, description="forward passes an optimizer step"
    )
    block_size: int | None = Field(
        default=None, ge=8, description="tokens a block; default: the model's context, at most 1024"
    )
    learning_rate: float | None = Field(
        default=None,
        gt=0,
        description=f"peak; default {FINE_TUNING_RATE} for a base, by size for a fresh",
    )
    warmup_fraction: float = Field(
        default=0.05, ge=0, lt=1, description="of the steps, rising to the peak"
    )
    weight_decay: float = Field(default=0.1, ge=0)
    dropout: float | None = Field(
        default=None, ge=0, lt=1, description="default: the base's own; 0 for a fresh model"
    )
    seed: NotNegative = Field(default=0, description="of fresh weights, data order and dropout")
    log_every: Positive = Field(default=10, description="steps between logged losses")
    eval_every: Positive = Field(
        default=100, description="steps between looks at the validation split"
    )
    eval_blocks: Positive = Field(
        default=64, description="blocks of the validation split looked at"
    )
    save_every: Positive = Field(
        default=200, description="steps between checkpoints to resume from"
    )
    save_total_limit: Positive = Field(default=2, description="checkpoints kept to resume from")

    @model_validator(mode="after")
    def _one_length(self) -> "TrainingSettings":
        if self.steps is not None and self.epochs is not None:
            raise ValueError("give steps or epochs, not both")
        return self


class SamplingSetting(_Written):
    """One way to draw from the model, with the names and defaults that transformers gives them."""

    name: str = Field(default="default", pattern=SLUG, description="names the setting in reports")
    temperature: float = Field(default=1.0, ge=0, description="0: always the likeliest token")
    top_k: NotNegative = Field(default=50, description="0: not limited")
    top_p: float = Field(default=1.0, gt=0, le=1, description="1: not limited")
    repetition_penalty: float = Field(default=1.0, ge=1, description="1: none")
    max_length: int = Field(
        default=256, ge=2, description="tokens, prompt included; bounded by the model's context"
    )


class SampleSettings(_Written):
    """Which stories are drawn: prompts x settings x seeds, at the chosen steps and at the end."""

    at_steps: list[Positive] = Field(default=[], description="checkpoints to keep and draw from")
    prompts: list[str] = Field(
        default=[""], min_length=1, description="empty: the model begins by itself"
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

    @field_validator("settings")
    @classmethod
    def _names_differ(cls, settings: list[SamplingSetting]) -> list[SamplingSetting]:
        names = [setting.name for setting in settings]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two settings are named {name!r}; give each its own name")
        return settings


class ModelSpec(_Written):
    """A story model: fine-tuned from a base, or fresh with a vocabulary learned from its corpus."""

    name: str = Field(pattern=SLUG, description="lower case, digits, - and _")
    corpus: str = Field(description="a franchise or a StoryCorpus")
    preset: Literal["gpt2"]
    base: str | None = Field(default=None, min_length=1, description="hub id or local folder")
    revision: str | None = Field(default=None, description="commit, branch or tag of a hub base")
    size: str | None = Field(default=None, description=f"of a fresh model: {', '.join(GPT2_SIZES)}")
    vocabulary: int | None = Field(
        default=None, ge=257, description="byte-level BPE entries of a fresh model; default 8192"
    )
    training: TrainingSettings = TrainingSettings()
    samples: SampleSettings = SampleSettings()

    @field_validator("size")
    @classmethod
    def _size_is_known(cls, size: str | None) -> str | None:
        if size is not None and size not in GPT2_SIZES:
            raise ValueError(f"{size!r} is unknown; allowed: {', '.join(GPT2_SIZES)}")
        return size

    @model_validator(mode="after")
    def _one_beginning(self) -> "ModelSpec":
        if (self.base is None) == (self.size is None):
            raise ValueError(
                "give exactly one of base (a pretrained model to fine-tune) and size "
                f"(a fresh one: {', '.join(GPT2_SIZES)})"
            )
        if self.base is not None and self.vocabulary is not None:
            raise ValueError("vocabulary belongs to a fresh model; a base brings its own")
        if self.revision is not None and self.base is None:
            raise ValueError("revision belongs to a base")
        return self

    @model_validator(mode="after")
    def _steps_are_reached(self) -> "ModelSpec":
        late = [step for step in self.samples.at_steps if step > (self.steps or step)]
        if late:
            raise ValueError(
                f"samples.at_steps names {', '.join(map(str, late))}, but the training ends at "
                f"step {self.steps}; raise training.steps or leave them out"
            )
        return self

    @property
    def steps(self) -> int | None:
        """Optimizer steps; None where `epochs` decides, which depends on the corpus."""
        if self.training.epochs is not None:
            return None
        return self.training.steps or DEFAULT_STEPS

    @property
    def learning_rate(self) -> float:
        """The peak learning rate, as written or by default."""
        if self.training.learning_rate is not None:
            return self.training.learning_rate
        return FINE_TUNING_RATE if self.size is None else GPT2_SIZES[self.size].learning_rate

    def model_inputs(self) -> dict[str, Any]:
        """What decides the trained folder, as JSON values: a change here asks for a new training.

        Prompts and sampling settings don't; nor does how often the way is secured, so that who ran
        out of disk can lower `save_total_limit` and go on.
        """
        kept_only_on_the_way = {"save_every", "save_total_limit"}
        inputs = self.model_dump(
            mode="json", exclude={"name": True, "samples": True, "training": kept_only_on_the_way}
        )
        return inputs | {"at_steps": self.samples.at_steps}
