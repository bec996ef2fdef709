"""What of memory a training takes on one device at its peak: weights, gradients, optimizer, batch.

Weights, gradients and the optimizer's averages are float32: Adam keeps two averages a weight
(Kingma & Ba 2015), RMSprop one. What a batch takes is measured: see activations.py.

Without the margin the sum is what PyTorch allocates (241 MB foretold of a batch, 235 allocated at
the peak), but less than what a CPU process holds, whose margin is set by measured peaks: with it,
nine small trainings were foretold 1.1 to 1.8 times what they took on top of the program. These were
GPT-2 with 8,192 tokens (AdamW 1.1, RMSprop 1.1, bfloat16 1.5) and with eager attention (1.1 to
1.3), a GRU of characters (1.3), LSTMs of characters and of words (1.7 to 1.8). Whole trainings with
few entries were foretold more: GPT-2 of 6 layers in bfloat16 1.5 times its peak, of 4 layers in
float32 2.4 times, with checkpointing 2.4 (bfloat16) and 2.8 times, the GRU recipe in bfloat16 1.7
times. Those of GPUs are customary, not measured.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from transformers import PreTrainedModel

from pipeline.model_spec import ModelSpec
from pipeline.training import distributed
from pipeline.training.activations import Activations

#: What is added to a batch's need for an allocator's holes, as a share of it: a C library's leaves
#: more than PyTorch's on a GPU; and for the scratch of the kernels, in bytes.
_MARGINS = {"cpu": (0.8, 96 * 2**20), "cuda": (0.1, 256 * 2**20), "mps": (0.2, 256 * 2**20)}
#: The share on a CPU where the holes are larger: attention that keeps matrices of all pairs of
#: tokens, and a GRU, whose steps PyTorch computes one by one.
_WITH_LARGER_HOLES = 1.8

#: Averages that an optimizer keeps of each weight it trains.
_AVERAGES = {"adamw": 2, "rmsprop": 1}

#: Bytes of a float32.
_FLOAT = 4


@dataclass(frozen=True)
class Need:
    """Bytes that a training takes on one device, by part."""

    weights: int
    trained: int  # of `weights`: what has a gradient
    averages: int  # of the optimizer
    buckets: int  # in which several processes add up their gradients
    largest: int  # gradient of one weight: it is made aside, then added to what is there
    copies: int  # of the weights, in the number format of autocast
    vocabulary: int  # entries
    margin: tuple[float, int]  # share of the batch, bytes
    bf16: bool
    checkpointing: bool
    activations: Callable[[int], Activations] | None = None  # of a block of so many tokens

    def with_activations(self, activations: Callable[[int], Activations]) -> "Need":
        """As it is once a block was measured."""
        return replace(self, activations=activations)

    def adapted(self) -> "Need":
        """As it would be with LoRA: adapters are about a hundredth of the weights."""
        part = 0.01 * self.weights / max(1, self.trained)
        return replace(
            self,
            trained=round(self.trained * part),
            averages=round(self.averages * part),
            buckets=round(self.buckets * part),
        )

    def at_least(self) -> int:
        """Whatever the batch, with the margin."""
        return self._fixed + self.margin[1]

    def of(self, blocks: int, length: int) -> int:
        """With forward passes over so many blocks of so many tokens, with the margin."""
        assert self.activations is not None
        share, more = self.margin
        kept = self.activations(length)
        batch = blocks * kept.peak(self.checkpointing, length * self.vocabulary * _FLOAT)
        # What every pass keeps once is autocast's copies of the weights, which are counted.
        once = max(0.0, kept.once - self.copies)
        return self._fixed + round(once + batch * (1 + share)) + more

    @property
    def _fixed(self) -> int:
        standing = self.weights + self.trained + self.averages + self.buckets
        return standing + self.largest + self.copies


def need_of(spec: ModelSpec, model: PreTrainedModel, device: str, bf16: bool) -> Need:
    """What a training of `model` takes, as far as it is known without its activations."""
    parameters = list(model.parameters())
    trained = sum(one.numel() for one in parameters if one.requires_grad) * _FLOAT
    return Need(
        weights=sum(one.numel() * one.element_size() for one in parameters),
        trained=trained,
        averages=_AVERAGES[spec.training.optimizer] * trained,
        buckets=trained if distributed.processes() > 1 else 0,
        largest=max(one.numel() for one in parameters) * _FLOAT,
        copies=2 * sum(one.numel() for one in parameters if one.ndim >= 2) if bf16 else 0,
        vocabulary=int(model.get_output_embeddings().weight.shape[0]),
        margin=_margin(spec, model, device),
        bf16=bf16,
        checkpointing=spec.training.gradient_checkpointing,
    )


def _margin(spec: ModelSpec, model: PreTrainedModel, device: str) -> tuple[float, int]:
    share, more = _MARGINS[device]
    if spec.recurrent is not None:
        larger = spec.recurrent.cell == "gru"
    else:
        larger = model.config._attn_implementation == "eager"
    return (_WITH_LARGER_HOLES if larger and device == "cpu" else share), more
