"""What makes a training faster on a device: number format, attention, compiling, optimizer.

Each is taken where it wins and left where it loses, by what benchmarks/RESULTS.md says was measured
and, for GPUs, by what their makers print; `training.precision`, `attention` and `compile` overrule.
On a CPU all of it keeps the promise that a resumed run ends with the same bits.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from torch import Tensor, cuda, nn
from transformers import PreTrainedModel
from transformers.activations import NewGELUActivation

from pipeline.device import Device, peak_flops
from pipeline.model_spec import ModelError, ModelSpec
from pipeline.model_spec.training import AUTO_BLOCKS
from pipeline.models.initial import context_length
from pipeline.training.flops import flops_per_token

#: Makes a batch of blocks.
Collate = Callable[[list[Any]], dict[str, Any]]

#: FLOPs of a forward and backward pass on a processor from which bfloat16 is faster. On two cores
#: with AVX512-BF16, a GPT-2 of 2 layers, 64 wide (1e9), takes a fifth longer in it, one of 4
#: layers, 128 wide, in blocks of 64 (4e9) an eighth less, one of 6 layers, 384 wide (1.7e11), three
#: fifths less; the recurrent recipes (1e10 and more) between a tenth and a half less.
_WORTH_BF16 = 2e9

#: Seconds without compiling from which a training on a GPU is compiled: that takes a minute and
#: saves a good third of the rest (250 ms an iteration become 135: nanoGPT's README).
_WORTH_COMPILING = 240.0

#: Share of the peak that a training reaches uncompiled, as far as the estimate needs it.
_UNCOMPILED_SHARE = 0.3


@dataclass(frozen=True)
class Acceleration:
    """How the device is used."""

    bf16: bool  # autocast to bfloat16; the weights stay in float32
    tf32: bool  # float32 matrices multiply in TF32: Ampere and later
    compile: bool  # with torch.compile
    attention: str | None  # as transformers names it; None: as the model has it, or has none
    optimizer: str  # as TrainingArguments.optim names it
    vocabulary_multiple: int  # rows of embedding and output layer are padded to it; 1: not at all
    workers: int  # processes that collate batches beside the training; it takes 0.1 ms a batch
    pin_memory: bool  # batches wait where the GPU copies from without the processor

    def arguments(self) -> dict[str, Any]:
        """As TrainingArguments are given them."""
        return {
            "bf16": self.bf16,
            "tf32": self.tf32 or None,  # None: not touched
            "torch_compile": self.compile,
            "optim": self.optimizer,
            "dataloader_num_workers": self.workers,
            "dataloader_pin_memory": self.pin_memory,
        }

    def prepare(self, model: PreTrainedModel) -> None:
        """Set what the model itself must be told: how it attends; its GELU in one kernel.

        GPT-2's GELU is written out in seven operations; PyTorch's own, of the same formula, makes a
        step on a CPU a sixth shorter. The configuration, and so what is exported, stays as it is.
        """
        if self.attention is not None:
            model.set_attn_implementation(self.attention)
        for module in model.modules():
            for name, child in module.named_children():
                if isinstance(child, NewGELUActivation):
                    setattr(module, name, nn.GELU(approximate="tanh"))

    def collating(self, collate: Collate) -> Collate:
        """As `collate`, with what flash-attention must be given to keep packed documents apart."""
        if self.attention != "flash_attention_2":
            return collate

        def with_lengths(blocks: list[Any]) -> dict[str, Any]:
            batch = collate(blocks)
            positions = batch.get("position_ids")
            return batch if positions is None else batch | document_lengths(positions)

        return with_lengths


def document_lengths(position_ids: Tensor) -> dict[str, Any]:
    """Where documents begin in a batch laid end to end, as flash-attention reads it.

    `position_ids`, shape (batch, tokens), restart at each document. transformers finds the
    documents from them itself only where the batch is one row.
    """
    flat = position_ids.flatten()
    starts = (flat == 0).nonzero().flatten()  # a block that begins amid a document counts from 0
    ends = nn.functional.pad(starts, (0, 1), value=len(flat)).int()
    longest = int(ends.diff().max())
    return {
        "cu_seq_lens_q": ends,
        "cu_seq_lens_k": ends,
        "max_length_q": longest,
        "max_length_k": longest,
    }


def choose(
    spec: ModelSpec, device: Device, model: PreTrainedModel, blocks: int | None = None
) -> Acceleration:
    """What pays on this device for this model, as far as the spec leaves it open.

    `blocks` are the corpus's, which `epochs` are counted by; where it is not known a training in
    epochs is not compiled. Raises ModelError where the spec asks for what cannot be had.
    """
    on_cuda = device.kind == "cuda"
    bf16 = _bf16(spec, device, model)
    tf32 = on_cuda and cuda.get_device_capability() >= (8, 0)
    return Acceleration(
        bf16=bf16,
        tf32=tf32,
        compile=_compile(spec, device, model, bf16, blocks),
        attention=_attention(spec, device, model, bf16),
        # One pass over each weight in place of several, on CUDA, CPU and MPS alike.
        optimizer="rmsprop" if spec.training.optimizer == "rmsprop" else "adamw_torch_fused",
        vocabulary_multiple=64 if on_cuda else 1,
        workers=0,
        pin_memory=on_cuda,
    )


def _bf16(spec: ModelSpec, device: Device, model: PreTrainedModel) -> bool:
    wanted = spec.training.precision
    if wanted == "bf16" and not device.bf16 and device.kind != "cpu":
        raise ModelError(
            f"training.precision bf16: {device.name} does not compute in bfloat16; write auto or "
            "fp32"
        )
    if wanted != "auto":
        return wanted == "bf16"
    worth = device.kind != "cpu" or _flops_a_pass(spec, model) >= _WORTH_BF16
    return device.bf16 and worth


def _compile(
    spec: ModelSpec, device: Device, model: PreTrainedModel, bf16: bool, blocks: int | None
) -> bool:
    wanted = spec.training.compile
    if wanted:
        if spec.recurrent is not None:
            raise ModelError(
                "training.compile: a recurrent model's layers are compiled as they are; leave it "
                "out"
            )
        if device.kind == "mps":
            raise ModelError("training.compile: not on MPS; leave it out")
        if device.kind == "cpu" and not (shutil.which("g++") or shutil.which("clang++")):
            raise ModelError("training.compile needs a C++ compiler, g++ or clang++; install one")
    if wanted is not None:
        return wanted
    # On a CPU it gains a seventh (RESULTS.md), but a run that is resumed may be compiled otherwise
    # than one that never stopped, since batches of another size make PyTorch compile anew.
    if device.kind != "cuda" or spec.recurrent is not None or find_spec("triton") is None:
        return False
    passes = _passes(spec, blocks)
    peak = peak_flops(device, bf16)
    if passes is None or peak is None:
        return False
    seconds = passes * _flops_a_pass(spec, model) / (peak * _UNCOMPILED_SHARE)
    return seconds >= _WORTH_COMPILING


def _passes(spec: ModelSpec, blocks: int | None) -> float | None:
    if spec.steps is not None:
        return spec.steps * spec.training.gradient_accumulation
    if blocks is None:
        return None
    return (spec.training.epochs or 0) * blocks / _blocks_a_pass(spec)


def _flops_a_pass(spec: ModelSpec, model: PreTrainedModel) -> float:
    length = spec.training.block_size or min(context_length(model) or 1024, 1024)
    return flops_per_token(model, length) * length * _blocks_a_pass(spec)


def _blocks_a_pass(spec: ModelSpec) -> int:
    written = spec.training.batch_size
    return AUTO_BLOCKS if written == "auto" else written


def _attention(spec: ModelSpec, device: Device, model: PreTrainedModel, bf16: bool) -> str | None:
    wanted = spec.training.attention
    if spec.recurrent is not None:
        if wanted != "auto":
            raise ModelError(
                f"training.attention {wanted}: a recurrent model attends to nothing; leave it out"
            )
        return None
    # GPT-J and GPT-Neo have it, but a model that is made cannot be told to take it.
    possible = model._supports_flash_attn and model._can_set_attn_implementation()
    flash = device.kind == "cuda" and bf16 and possible and find_spec("flash_attn") is not None
    if wanted == "flash_attention_2" and not flash:
        raise ModelError(
            "training.attention flash_attention_2 needs a CUDA GPU that computes in bfloat16, the "
            "package flash-attn and a model that can use it; write auto or sdpa"
        )
    if wanted == "sdpa" and not model._supports_sdpa:
        raise ModelError(
            f"training.attention sdpa: {type(model).__name__} has no such attention; write auto "
            "or eager"
        )
    if wanted != "auto":
        return wanted
    if flash:
        return "flash_attention_2"
    return "sdpa" if model._supports_sdpa else None
