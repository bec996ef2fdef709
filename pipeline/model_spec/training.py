"""How a model is trained, as a person writes it."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from pipeline.model_spec.written import Positive, Seed, Written

#: Steps where neither `steps` nor `epochs` is written: the classic 1,600 of hobby fine-tunings.
DEFAULT_STEPS = 1600

#: Blocks a forward pass that `batch_size: auto` stands for.
AUTO_BLOCKS = 8


def _count_or(word: str) -> BeforeValidator:
    """A union's two complaints would be one mistake told twice."""

    def check(value: object) -> object:
        if value != word and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
            raise ValueError(f"a whole number from 1, or {word} (found {value!r})")
        return value

    return BeforeValidator(check)


BatchSize = Annotated[Positive | Literal["auto"], _count_or("auto")]
#: Steps, or once a pass over the corpus.
Every = Annotated[Positive | Literal["epoch"], _count_or("epoch")]


class TrainingSettings(Written):
    """How a model is trained: by default AdamW with warm-up and cosine decay over packed blocks."""

    steps: Positive | None = Field(
        default=None,
        description=f"optimizer steps; default {DEFAULT_STEPS}, unless epochs is given",
    )
    epochs: float | None = Field(
        default=None, gt=0, le=1e6, description="passes over the corpus, in place of steps"
    )
    batch_size: BatchSize = Field(
        default=8,
        description="blocks a forward pass, on all processes together; auto: as many of the "
        f"{AUTO_BLOCKS} x gradient_accumulation blocks a step as fit at once",
    )
    gradient_accumulation: Positive = Field(
        default=1, description="forward passes an optimizer step"
    )
    gradient_checkpointing: bool = Field(
        default=False, description="compute activations twice instead of keeping them: less memory"
    )
    block_size: int | None = Field(
        default=None,
        ge=8,
        le=2**20,
        description="tokens a block; default: the model's context, at most 1024",
    )
    stride: Positive | None = Field(
        default=None,
        description="tokens between the beginnings of two blocks; default: the block size, so "
        "that none overlap",
    )
    optimizer: Literal["adamw", "rmsprop"] = Field(
        default="adamw", description="adamw, or rmsprop as Keras has it"
    )
    learning_rate: float | None = Field(
        default=None,
        gt=0,
        description="peak; default 5e-5 for a base, by size for a fresh GPT-2, 1e-3 for a "
        "recurrent model",
    )
    schedule: Literal["cosine", "constant"] = Field(
        default="cosine", description="of the learning rate, after the warm-up"
    )
    warmup_fraction: float = Field(
        default=0.05, ge=0, lt=1, description="of the steps, rising to the peak"
    )
    weight_decay: float = Field(
        default=0.1, ge=0, description="of matrices that multiply; 0 makes AdamW Adam"
    )
    max_grad_norm: float = Field(default=1.0, gt=0, description="longer gradients are shortened")
    dropout: float | None = Field(
        default=None, ge=0, lt=1, description="default: the base's own; 0 for a fresh model"
    )
    precision: Literal["auto", "bf16", "fp32"] = Field(
        default="auto", description="of forward and backward; auto: bf16 where it is faster"
    )
    attention: Literal["auto", "sdpa", "flash_attention_2", "eager"] = Field(
        default="auto", description="auto: PyTorch's fused attention"
    )
    compile: bool | None = Field(
        default=None, description="with torch.compile; default: where it pays for itself"
    )
    seed: Seed = Field(default=0, description="of fresh weights, data order and dropout")
    log_every: Positive = Field(default=10, description="steps between logged losses")
    eval_every: Every = Field(
        default=100, description="steps between looks at the validation split"
    )
    eval_blocks: Positive = Field(
        default=64, description="blocks of the validation split looked at"
    )
    patience: Positive | None = Field(
        default=None,
        description="looks without fewer bits per byte after which it stops; the best checkpoint "
        "is kept; default: it goes on to the end and the last is kept",
    )
    save_every: Every = Field(default=200, description="steps between checkpoints to resume from")
    save_total_limit: Positive = Field(default=2, description="checkpoints kept to resume from")

    @property
    def blocks_a_step(self) -> int:
        """Blocks that the optimizer sees at a step, however they are dealt out."""
        written = AUTO_BLOCKS if self.batch_size == "auto" else self.batch_size
        return written * self.gradient_accumulation

    @model_validator(mode="after")
    def _one_length(self) -> "TrainingSettings":
        if self.steps is not None and self.epochs is not None:
            raise ValueError("give steps or epochs, not both")
        return self

    @model_validator(mode="after")
    def _blocks_leave_nothing_out(self) -> "TrainingSettings":
        if self.stride is not None and self.block_size is not None:
            check_stride(self.stride, self.block_size)
        return self


def check_stride(stride: int, block_size: int) -> None:
    """Raise ValueError where text between two blocks would not be learned from."""
    if stride > block_size:
        raise ValueError(
            f"training.stride {stride} is longer than the block of {block_size} tokens and would "
            f"leave out the text between two blocks; write at most {block_size}"
        )
