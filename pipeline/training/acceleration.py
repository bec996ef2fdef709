"""What makes a training faster on a device: number format, attention, compiling, optimizer.

Each is taken where it wins and left where it loses; `training.precision`, `attention` and `compile`
overrule. On a CPU all of it keeps the promise that a resumed run ends with the same bits.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from transformers import PreTrainedModel

from pipeline.device import Device
from pipeline.model_spec import ModelError, ModelSpec

#: FLOPs of a whole training beyond which compiling it pays for the minute that it takes.
_WORTH_COMPILING = 1e16


@dataclass(frozen=True)
class Acceleration:
    """How the device is used."""

    bf16: bool  # autocast to bfloat16; the weights stay in float32
    tf32: bool  # float32 matrices multiply in TF32: Ampere and later
    compile: bool  # with torch.compile
    attention: str | None  # as transformers names it; None where the model attends to nothing
    optimizer: str  # as TrainingArguments.optim names it
    vocabulary_multiple: int  # rows of embedding and output layer are padded to it; 1: not at all
    workers: int  # processes that collate batches beside the training
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
        """Set what the model itself must be told: how it attends."""
        if self.attention is not None:
            model.set_attn_implementation(self.attention)


def choose(spec: ModelSpec, device: Device, model: PreTrainedModel) -> Acceleration:
    """What pays on this device for this model, as far as the spec leaves it open.

    Raises ModelError where the spec asks for what cannot be had.
    """
    bf16 = _bf16(spec, device)
    on_gpu = device.kind == "cuda"
    return Acceleration(
        bf16=bf16,
        tf32=on_gpu and _since_ampere(),
        compile=_compile(spec, device),
        attention=_attention(spec, device, model, bf16),
        optimizer="rmsprop" if spec.training.optimizer == "rmsprop" else "adamw_torch_fused",
        vocabulary_multiple=64 if on_gpu else 1,
        workers=0,
        pin_memory=on_gpu,
    )


def _bf16(spec: ModelSpec, device: Device) -> bool:
    if spec.training.precision == "bf16" and not device.bf16 and device.kind != "cpu":
        raise ModelError(
            f"training.precision bf16: {device.name} does not compute in bfloat16; write auto "
            "or fp32"
        )
    return {"auto": device.bf16, "bf16": True, "fp32": False}[spec.training.precision]


def _since_ampere() -> bool:
    import torch

    return torch.cuda.get_device_capability() >= (8, 0)


def _compile(spec: ModelSpec, device: Device) -> bool:
    return bool(spec.training.compile)


def _attention(spec: ModelSpec, device: Device, model: PreTrainedModel, bf16: bool) -> str | None:
    if spec.recurrent is not None:
        return None
    wanted = spec.training.attention
    there = find_spec("flash_attn") is not None and device.kind == "cuda" and bf16
    if wanted == "flash_attention_2" and not there:
        raise ModelError(
            "training.attention flash_attention_2 needs a CUDA GPU, bf16 and the package "
            "flash-attn; write sdpa"
        )
    return "sdpa" if wanted == "auto" else wanted
