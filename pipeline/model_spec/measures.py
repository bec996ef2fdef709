"""What a model is measured by, as a person writes it: its judge, and how much it may copy."""

from pydantic import Field

from pipeline.model_spec.written import Positive, Seed, Written


class MeasureSettings(Written):
    """How stories and held-out text are measured; the weights do not depend on it."""

    stride: Positive | None = Field(
        default=None,
        description="tokens by which the window over a text moves; default: half the context",
    )
    judge: str | None = Field(
        default=None,
        min_length=1,
        description="hub id or local folder of the model under which stories are scored; default: "
        "the base, or for a fresh model the n-gram model of its corpus",
    )
    judge_revision: str | None = Field(
        default=None, description="commit, branch or tag of a judge from a hub"
    )
    passage: Positive = Field(
        default=8, description="words in a row from the training text that count as copied"
    )
    copied: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="the most of its stories' words that a model may copy and be published; "
        "default: as many as held-out human text has",
    )
    prefixes: Positive = Field(
        default=1000, description="training passages that are tried for extraction"
    )
    seed: Seed = Field(default=0, description="of the draws and of the resampling")
