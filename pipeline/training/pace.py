"""How long a training will take, by a few timed passes of the real model before its first step.

A block or more is taken forward and backward until that lasts long enough to be timed, and the rest
is a matter of FLOPs. Looks at held-out text, checkpoints and stories come on top.
"""

import time

import torch
from transformers import PreTrainedModel

from pipeline.device import Device
from pipeline.training.activations import autocast, nonsense, untouched
from pipeline.training.flops import flops_per_token
from pipeline.training.forecast import Batch

#: Seconds of a pass that is long enough to be timed, and tokens of a block that is tried first.
_LONG_ENOUGH = 0.3
_FIRST = 128


def seconds_per_step(
    model: PreTrainedModel,
    device: Device,
    *,
    bf16: bool,
    block_size: int,
    batch: Batch,
) -> float:
    """Seconds of an optimizer step, of forward and backward passes alone, uncompiled.

    Nothing is left behind: neither a gradient nor a random number drawn.
    """
    blocks, length = 1, min(_FIRST, block_size)
    with untouched(model, device):
        _pass(model, device, bf16, blocks, length)  # which touches memory first
        while True:
            seconds = _pass(model, device, bf16, blocks, length)
            whole = blocks == batch.per_device and length == block_size
            if whole or seconds > _LONG_ENOUGH:
                break
            if length < block_size:
                length = min(2 * length, block_size)
            else:
                blocks = min(2 * blocks, batch.per_device)
    timed = blocks * length * flops_per_token(model, length)
    a_pass = batch.per_device * block_size * flops_per_token(model, block_size)
    return seconds * a_pass / timed * batch.accumulation


def _pass(model: PreTrainedModel, device: Device, bf16: bool, blocks: int, length: int) -> float:
    batch = nonsense(model, blocks, length)
    _wait(device)
    begun = time.monotonic()
    with autocast(device, bf16):
        loss = model(**batch).loss
    loss.backward()
    _wait(device)
    return time.monotonic() - begun


def _wait(device: Device) -> None:
    if device.kind == "cuda":
        torch.cuda.synchronize()
    elif device.kind == "mps":
        torch.mps.synchronize()
