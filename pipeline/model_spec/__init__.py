"""What a person writes about a story model: what it starts from, how it is trained and sampled.

Plain data, validated here, so that the Dagster component, the training process and the reports
share one meaning. Importing it loads neither torch nor transformers.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, field_validator, model_validator

from pipeline.model_spec.measures import MeasureSettings
from pipeline.model_spec.presets import PRESETS, with_preset
from pipeline.model_spec.samples import SampleSettings, SamplingSetting
from pipeline.model_spec.shape import LoraSettings, RecurrentShape, TokenizerSettings, WordVectors
from pipeline.model_spec.training import DEFAULT_STEPS, TrainingSettings
from pipeline.model_spec.written import SLUG, ModelError, NotNegative, Positive, Written
from pipeline.models.sizes import GPT2_SIZES

__all__ = [
    "PRESETS",
    "SLUG",
    "LoraSettings",
    "MeasureSettings",
    "ModelError",
    "ModelSpec",
    "RecurrentShape",
    "SampleSettings",
    "SamplingSetting",
    "TokenizerSettings",
    "TrainingSettings",
    "WordVectors",
]

#: Learning rate of a fine-tuning: GPT-2's customary one, a tenth or less of that from scratch.
FINE_TUNING_RATE = 5e-5
#: Of a recurrent model: Adam's own default (Kingma & Ba 2015).
RECURRENT_RATE = 1e-3


class ModelSpec(Written):
    """A story model: fine-tuned from a base, or fresh with a vocabulary learned from its corpus."""

    name: str = Field(pattern=SLUG, description="lower case, digits, - and _")
    corpus: str = Field(description="a franchise or a StoryCorpus")
    preset: str = Field(description=f"what stands where nothing is written: {', '.join(PRESETS)}")
    base: str | None = Field(
        default=None, min_length=1, description="hub id or local folder of any causal LM"
    )
    revision: str | None = Field(default=None, description="commit, branch or tag of a hub base")
    size: str | None = Field(default=None, description=f"of a fresh GPT-2: {', '.join(GPT2_SIZES)}")
    recurrent: RecurrentShape | None = Field(
        default=None, description="layers of a fresh recurrent model"
    )
    tokenizer: TokenizerSettings = Field(
        default=TokenizerSettings(), description="of a fresh model; a base brings its own"
    )
    vectors: WordVectors | None = Field(
        default=None, description="pretrained word vectors; none: learned with the rest"
    )
    lora: LoraSettings | None = Field(default=None, description="train adapters of a base only")
    training: TrainingSettings = Field(
        default=TrainingSettings(), description="how it is trained, below"
    )
    samples: SampleSettings = Field(
        default=SampleSettings(), description="which stories are drawn, below"
    )
    measures: MeasureSettings = Field(
        default=MeasureSettings(), description="how it is measured, below"
    )
    gpu: NotNegative = Field(
        default=0, description="which GPU of the machine; each has a queue of its own"
    )
    processes: Positive = Field(
        default=1, description="GPUs to train on together, by torchrun, from `gpu` on"
    )

    @model_validator(mode="before")
    @classmethod
    def _preset_beneath(cls, written: object) -> object:
        return with_preset(written) if isinstance(written, Mapping) else written

    @field_validator("preset")
    @classmethod
    def _preset_is_known(cls, preset: str) -> str:
        if preset not in PRESETS:
            raise ValueError(f"{preset!r} is unknown; allowed: {', '.join(PRESETS)}")
        return preset

    @field_validator("size")
    @classmethod
    def _size_is_known(cls, size: str | None) -> str | None:
        if size is not None and size not in GPT2_SIZES:
            raise ValueError(f"{size!r} is unknown; allowed: {', '.join(GPT2_SIZES)}")
        return size

    @model_validator(mode="after")
    def _one_beginning(self) -> "ModelSpec":
        beside = [key for key in ("base", "size") if getattr(self, key) is not None]
        if beside and "recurrent" in PRESETS[self.preset]:
            others = [name for name, preset in PRESETS.items() if "recurrent" not in preset]
            raise ValueError(
                f"preset {self.preset} is a fresh recurrent model, which {beside[0]} has no part "
                f"in; leave {beside[0]} out, or write preset: {' or '.join(others)}"
            )
        if [self.base, self.size, self.recurrent].count(None) != 2:
            raise ValueError(
                "give exactly one of base (a pretrained model to fine-tune), size "
                f"(a fresh GPT-2: {', '.join(GPT2_SIZES)}) and recurrent (a fresh LSTM or GRU)"
            )
        if self.base is not None and self.tokenizer != TokenizerSettings():
            raise ValueError("tokenizer belongs to a fresh model; a base brings its own")
        if self.base is None and self.revision is not None:
            raise ValueError("revision belongs to a base")
        if self.base is None and self.lora is not None:
            raise ValueError("lora belongs to a base; a fresh model learns with all its weights")
        return self

    @model_validator(mode="after")
    def _vectors_have_words(self) -> "ModelSpec":
        if self.vectors is None:
            return self
        if self.recurrent is None or self.recurrent.embedding is None:
            raise ValueError("vectors belong to a recurrent model with an embedding of their width")
        if self.tokenizer.kind != "words":
            raise ValueError("vectors are of words; write tokenizer: {kind: words}")
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

    @model_validator(mode="after")
    def _revision_has_a_judge(self) -> "ModelSpec":
        if self.measures.judge_revision is not None and self.measures.judge is None:
            raise ValueError("measures.judge_revision belongs to a measures.judge")
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
        if self.size is not None:
            return GPT2_SIZES[self.size].learning_rate
        return FINE_TUNING_RATE if self.recurrent is None else RECURRENT_RATE

    def model_inputs(self) -> dict[str, Any]:
        """What decides the trained folder, as JSON values: a change here asks for a new training.

        Prompts, sampling and measuring don't; nor does which GPU it is, how often the way is
        secured or how the blocks of a step are dealt out, so that who ran out of disk or of memory
        can write what the error says and go on.
        """
        kept_only_on_the_way = {"save_every", "save_total_limit"}
        dealt_out = {"batch_size", "gradient_accumulation", "gradient_checkpointing"}
        inputs = self.model_dump(
            mode="json",
            exclude={
                "name": True,
                "samples": True,
                "measures": True,
                "gpu": True,
                "training": kept_only_on_the_way | dealt_out,
            },
        )
        inputs["training"]["blocks_a_step"] = self.training.blocks_a_step
        return inputs | {"at_steps": self.samples.at_steps}
