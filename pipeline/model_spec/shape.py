"""What a fresh model is made of: its tokenizer, its recurrent layers, its word vectors; LoRA."""

from typing import Any, Literal

from pydantic import ConfigDict, Field, model_validator

from pipeline.model_spec.written import Positive, Width, Written


class TokenizerSettings(Written):
    """What a fresh model reads: byte-level BPE, characters or words, learned from its corpus.

    Every text can be encoded and comes back byte for byte: an unknown word is spelled in
    characters, an unknown character in its UTF-8 bytes, each at its cost in bits.
    """

    kind: Literal["bpe", "characters", "words"] = Field(
        default="bpe", description="byte-level bpe, characters or words"
    )
    source: str | None = Field(
        default=None,
        min_length=1,
        description="hub id or folder whose tokenizer is used as it is, e.g. "
        "openai-community/gpt2; default: learned from the corpus",
    )
    revision: str | None = Field(default=None, description="commit, branch or tag of a hub source")
    vocabulary: int | None = Field(
        default=None,
        ge=257,
        le=10_000_000,
        description="most entries; default 8192 for bpe, all for others",
    )
    min_count: Positive = Field(
        default=1, description="words seen less often in training are spelled from the start"
    )

    @model_validator(mode="after")
    def _nothing_is_idle(self) -> "TokenizerSettings":
        learned = (self.kind, self.vocabulary, self.min_count) != ("bpe", None, 1)
        if self.source is not None and learned:
            raise ValueError(
                "kind, vocabulary and min_count are of a tokenizer that is learned; source names "
                "one that is; leave them out, or source"
            )
        if self.source is None and self.revision is not None:
            raise ValueError("revision belongs to a source")
        if self.kind != "words" and self.min_count != 1:
            raise ValueError(
                f"min_count belongs to kind: words; {self.kind} has no word that could be rare"
            )
        return self


def _nothing_required(schema: dict[str, Any]) -> None:
    """What a preset says need not be written: a schema is held against the YAML alone."""
    schema.pop("required")


class RecurrentShape(Written):
    """A recurrent model: an embedding or one-hot input, LSTM or GRU layers, a dense softmax."""

    model_config = ConfigDict(json_schema_extra=_nothing_required)

    cell: Literal["lstm", "gru"] = Field(description="lstm or gru")
    embedding: Width | None = Field(
        default=None, description="width; default: one-hot, as Keras' first examples had it"
    )
    layers: list[Width] = Field(min_length=1, description="units of each layer, input first")


class WordVectors(Written):
    """Pretrained vectors of words as the embedding of a model of words.

    Trained by gensim on the train split with these settings, or read from a file.
    """

    file: str | None = Field(
        default=None, min_length=1, description="word2vec (text or binary) or GloVe text file"
    )
    window: Positive = Field(default=5, description="words to either side that are foretold")
    min_count: Positive = Field(default=1, description="words seen less often get no vector")
    epochs: Positive = Field(default=100, description="gensim's passes over the train split")
    tuned: bool = Field(default=True, description="go on learning; false: frozen")


class LoraSettings(Written):
    """Low-rank adapters in place of all weights (Hu et al. 2021), merged when it is saved."""

    rank: Width = 8
    alpha: Positive = 16
    dropout: float = Field(default=0.0, ge=0, lt=1)
    targets: list[str] | None = Field(
        default=None, min_length=1, description="module names; default: peft's for the architecture"
    )
