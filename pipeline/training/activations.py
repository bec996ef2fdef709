"""What a forward pass keeps for the backward pass, measured on short blocks and drawn out to long.

A formula of layers and widths knows one architecture; autograd tells for every one what it really
keeps, its kernels, its dropout and its masks included. What a token costs is a polynomial of
degree two in the length of its block (the square is attention's, where it keeps a matrix of all
pairs), so three lengths give it exactly, at a hundredth of the memory of a whole batch. What does
not grow with the block is kept once, however many blocks there are: autocast's copies of the
weights.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import signature

import numpy as np
import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.modeling_layers import GradientCheckpointingLayer

from pipeline.device import Device

#: Tokens of the longest block that is measured; the others are its half and its quarter.
_LONGEST = 128


@dataclass(frozen=True)
class Activations:
    """Bytes kept from forward to backward for one block, and for all blocks together."""

    layers: float  # within the layers that checkpointing computes twice
    around: float  # embeddings, output layer, loss; all of a model without such layers
    largest_layer: float  # of `layers`: what is computed again at a time
    inputs: float  # of those layers: what checkpointing keeps instead
    once: float  # however many blocks

    def peak(self, checkpointing: bool, logits: float) -> float:
        """Bytes a block at the height of the backward pass, gradients of activations included.

        As it begins, the loss holds two gradients of its `logits`, so many bytes; once they are
        gone, a layer holds two of what it kept, or what it kept, computed again, and one.
        """
        standing = self.around + (self.inputs if checkpointing else self.layers)
        return standing + 2 * max(logits, self.largest_layer)


def measure_activations(
    model: PreTrainedModel, device: Device, bf16: bool, block_size: int
) -> Callable[[int], Activations]:
    """What a training of `model`, which is on `device`, keeps for a block of so many tokens.

    Good for any length up to `block_size`. Nothing is left behind: neither a gradient, nor a
    random number drawn, nor a byte.
    """
    longest = min(block_size, _LONGEST)
    lengths = [longest // 4, longest // 2, longest]
    kept = [_kept(model, device, bf16, length) for length in lengths]
    curves = {
        name: np.polyfit(lengths, [getattr(one, name) for one in kept], 2)
        for name in ("layers", "around", "largest_layer", "inputs")
    }
    once = max(0.0, float(curves["layers"][-1] + curves["around"][-1]))

    def drawn_out(name: str, length: int) -> float:
        square, linear, _ = curves[name]
        return max(0.0, float(square * length**2 + linear * length))

    return lambda length: Activations(
        layers=drawn_out("layers", length),
        around=drawn_out("around", length),
        largest_layer=drawn_out("largest_layer", length),
        inputs=drawn_out("inputs", length),
        once=once,
    )


@contextmanager
def untouched(model: PreTrainedModel, device: Device) -> Iterator[None]:
    """Within it a model can be trained on nonsense: random states and gradients are as before."""
    mode = model.training
    devices = [torch.cuda.current_device()] if device.kind == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        model.train()
        try:
            yield
        finally:
            model.zero_grad(set_to_none=True)
            model.train(mode)


def nonsense(model: PreTrainedModel, blocks: int, length: int) -> dict[str, torch.Tensor | bool]:
    """A batch as a packed corpus gives it, with two documents in each block: (blocks, length)."""
    where = model.device
    vocabulary = int(model.config.get_text_config(decoder=True).vocab_size)
    ids = torch.arange(blocks * length, device=where).reshape(blocks, length) % vocabulary
    places = torch.arange(length, device=where) % max(1, length // 2)
    batch: dict[str, torch.Tensor | bool] = {"input_ids": ids, "labels": ids, "use_cache": False}
    forward = getattr(model, "get_base_model", lambda: model)().forward
    if "position_ids" in signature(forward).parameters:
        batch["position_ids"] = places.expand(blocks, length)
    return batch


@contextmanager
def autocast(device: Device, bf16: bool) -> Iterator[None]:
    """The number format of the training's forward pass."""
    with torch.autocast(device.kind, dtype=torch.bfloat16, enabled=bf16):
        yield


class _Kept:
    """Storages kept so far, each counted once, by where they were first kept."""

    def __init__(self, model: nn.Module):
        self.inside: list[float] = []  # bytes of each layer
        self.around = 0.0
        self.inputs = 0.0
        self._in_layer = False
        self._seen = {_storage(weight) for weight in model.parameters()}
        self._seen |= {_storage(buffer) for buffer in model.buffers()}
        self._alive: list[torch.Tensor] = []  # else a freed address could be another's

    def pack(self, tensor: torch.Tensor) -> torch.Tensor:
        storage = _storage(tensor)
        if storage not in self._seen:
            self._seen.add(storage)
            self._alive.append(tensor)
            size = tensor.untyped_storage().nbytes()
            if self._in_layer:
                self.inside[-1] += size
            else:
                self.around += size
        return tensor

    def enter(self, layer: nn.Module, given: tuple[object, ...]) -> None:
        self._in_layer = True
        self.inside.append(0.0)
        self.inputs += sum(
            one.numel() * one.element_size() for one in given if isinstance(one, torch.Tensor)
        )

    def leave(self, layer: nn.Module, given: object, result: object) -> None:
        self._in_layer = False

    @property
    def layers(self) -> float:
        return sum(self.inside)

    @property
    def largest_layer(self) -> float:
        return max(self.inside, default=0.0)


def _kept(model: PreTrainedModel, device: Device, bf16: bool, length: int) -> _Kept:
    layers = [one for one in model.modules() if isinstance(one, GradientCheckpointingLayer)]
    checkpointing = [layer.gradient_checkpointing for layer in layers]
    kept = _Kept(model)
    hooks = []
    try:
        for layer in layers:
            layer.gradient_checkpointing = False
            hooks.append(layer.register_forward_pre_hook(kept.enter))
            hooks.append(layer.register_forward_hook(kept.leave))
        with (
            untouched(model, device),
            torch.autograd.graph.saved_tensors_hooks(kept.pack, lambda tensor: tensor),
            autocast(device, bf16),
        ):
            model(**nonsense(model, 1, length))
    finally:
        for hook in hooks:
            hook.remove()
        for layer, was in zip(layers, checkpointing, strict=True):
            layer.gradient_checkpointing = was
    return kept


def _storage(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().data_ptr()
