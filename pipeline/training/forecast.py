"""Memory and disk that a training will need, foretold before its first step, and the batch chosen.

A training that cannot fit is refused with the settings that would; `batch_size: auto` takes the
largest batch that fits and makes up for the rest by accumulation, so that the optimizer sees the
same.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from transformers import PreTrainedModel

from pipeline.device import Device
from pipeline.model_spec import ModelError, ModelSpec
from pipeline.training import distributed
from pipeline.training.acceleration import choose
from pipeline.training.activations import measure_activations
from pipeline.training.need import Need, need_of
from pipeline.training.room import free_disk, free_memory

#: No shorter block is proposed: a story of a few words.
_SHORTEST_BLOCK = 32


@dataclass(frozen=True)
class Forecast:
    """What a training will need, as far as it can be known before it begins."""

    memory_bytes: int  # on one device, the margin included
    room_bytes: int  # there is for this process on the device
    seconds: float | None = None  # from the first step to the last

    def as_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)

    def lasting(self, seconds: float) -> "Forecast":
        """With the time it will take."""
        return replace(self, seconds=seconds)

    def __str__(self) -> str:
        memory = f"{_size(self.memory_bytes)} of {_size(self.room_bytes)}"
        return memory if self.seconds is None else f"about {_duration(self.seconds)}, {memory}"


@dataclass(frozen=True)
class Batch:
    """How the blocks of an optimizer step are dealt out."""

    per_device: int  # blocks a forward pass of one process
    accumulation: int  # forward passes an optimizer step
    forecast: Forecast


def check_weights(spec: ModelSpec, outline: PreTrainedModel, device: Device) -> None:
    """Raise ModelError, with the remedy, where a model is too large whatever the batch.

    Asked of its outline (models/outline.py), before anything is taken.
    """
    need = need_of(spec, outline, device.kind, bf16=False)
    if spec.lora is not None:
        need = need.adapted()
    _check_weights(spec, need, device, distributed.smallest(free_memory(device)))
    made_in = replace(device, kind="cpu")
    room = distributed.smallest(free_memory(made_in))
    if need.weights > room:
        raise ModelError(
            f"the weights take {_size(need.weights)} and this machine has {_size(room)} of memory "
            f"free to make them in; choose a smaller model ({_larger_by(spec)}), or a machine with "
            "more memory"
        )


def fit(
    spec: ModelSpec,
    model: PreTrainedModel,
    device: Device,
    block_size: int,
    *,
    at_most: int | None = None,
) -> Batch:
    """The batch of a training of `model` in blocks of `block_size` tokens, with its forecast.

    The model is moved to `device` where it fits there. `batch_size: auto` goes up to `at_most`
    blocks a device, what it was before the training was broken off.
    Raises ModelError, with the settings that would fit, where the training cannot.
    """
    settings = spec.training
    if settings.batch_size == "auto":
        wanted = distributed.share(settings.blocks_a_step, "the blocks a step of batch_size: auto")
        choices = [blocks for blocks in _divisors(wanted) if blocks <= (at_most or wanted)]
    else:
        choices = [distributed.share(settings.batch_size, "training.batch_size")]
        wanted = choices[0] * settings.gradient_accumulation
    held = model.num_parameters() * 4 if model.device.type == device.kind else 0
    room = distributed.smallest(free_memory(device) + held)
    need = need_of(spec, model, device.kind, choose(spec, device, model).bf16)
    _check_weights(spec, need, device, room)
    model.to(device.kind)
    need = need.with_activations(measure_activations(model, device, need.bf16, block_size))
    for blocks in choices:
        foretold = need.of(blocks, block_size)
        if foretold <= room:
            return Batch(blocks, wanted // blocks, Forecast(foretold, room))
    remedies = _remedies(spec, need, block_size, wanted, choices[-1], room)
    raise ModelError(_refusal(device, need.of(choices[-1], block_size), room, remedies))


def disk_need(spec: ModelSpec, model: PreTrainedModel) -> int:
    """Bytes of disk that the checkpoints and exported models of a training take at their most."""
    need = need_of(spec, model, "cpu", bf16=False)
    # A model is saved whole, beneath adapters only what they add.
    checkpoint = (need.weights if spec.lora is None else need.trained) + need.averages
    exports = need.weights * (len(spec.samples.at_steps) + 1)
    # One more than are kept: the oldest goes when the newest is whole. The best stays beside them.
    best = spec.training.patience is not None
    return checkpoint * (spec.training.save_total_limit + 1 + best) + exports


def check_disk(spec: ModelSpec, model: PreTrainedModel, folder: Path) -> None:
    """Raise ModelError, with the remedy, where the disk of `folder` is too small for a training.

    What `folder` holds already, of an earlier session, counts as room.
    """
    foretold = disk_need(spec, model)
    there = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    room = free_disk(folder) + there
    if foretold > room:
        limit = spec.training.save_total_limit
        fewer = [f"lower training.save_total_limit (it is {limit})"] if limit > 1 else []
        fewer += ["name fewer samples.at_steps"] if spec.samples.at_steps else []
        raise ModelError(
            f"the checkpoints and models of this training take {_size(foretold)} in {folder}, "
            f"and its disk has {_size(room)}: {', '.join([*fewer, 'or free some space'])}"
        )


def _remedies(
    spec: ModelSpec, need: Need, block_size: int, wanted: int, written: int, room: int
) -> Iterator[str]:
    """Settings each of which, by itself or with those before it, makes the training fit."""
    processes = distributed.processes()
    for blocks in _divisors(wanted):
        if blocks < written and need.of(blocks, block_size) <= room:
            yield (
                f"training.batch_size: {blocks * processes} with training.gradient_accumulation: "
                f"{wanted // blocks}, which learns the same"
            )
            break
    smallest = need.of(1, block_size) > room
    blocks = 1 if smallest else written
    with_batch = f" and batch_size: {processes}" if smallest and written > 1 else ""
    again = replace(need, checkpointing=True)
    if not need.checkpointing and again.of(blocks, block_size) <= room:
        yield f"training.gradient_checkpointing: true{with_batch}"
    adapters = need.adapted()
    if spec.base is not None and spec.lora is None and adapters.of(blocks, block_size) <= room:
        yield f"lora: {{}}{with_batch}"
    shorter = block_size // 2
    while shorter >= _SHORTEST_BLOCK:
        if need.of(blocks, shorter) <= room:
            yield f"training.block_size: {shorter}{with_batch}"
            return
        shorter //= 2


def _check_weights(spec: ModelSpec, need: Need, device: Device, room: int) -> None:
    if need.at_least() > room:
        remedies = list(_without_batch(spec, need, room))
        smaller = [f"choose a smaller model ({_larger_by(spec)})"]
        raise ModelError(_refusal(device, need.at_least(), room, remedies or smaller))


def _larger_by(spec: ModelSpec) -> str:
    """The settings that make a model as large as it is."""
    if spec.recurrent is not None:
        return "recurrent.layers"
    return "base" if spec.base is not None else "size, training.block_size"


def _without_batch(spec: ModelSpec, need: Need, room: int) -> Iterator[str]:
    """Settings that help where weights and optimizer alone do not fit."""
    if spec.base is not None and spec.lora is None and need.adapted().at_least() <= room:
        yield "lora: {}, which trains adapters only"
    if spec.training.optimizer == "adamw":
        lighter = replace(need, averages=need.averages // 2)
        if lighter.at_least() <= room:
            yield "training.optimizer: rmsprop"


def _refusal(device: Device, foretold: int, room: int, remedies: Iterable[str]) -> str:
    proposed = list(remedies) or ["choose a smaller model"]
    return (
        f"the training needs {_size(foretold)} of memory and {device.name} has {_size(room)} "
        f"free; what would fit: {'; or '.join(proposed)}; or a device with more memory"
    )


def _divisors(number: int) -> list[int]:
    """Largest first."""
    return [one for one in range(number, 0, -1) if number % one == 0]


def _size(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.1f} MB"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} seconds"
    if seconds < 5400:
        return f"{round(seconds / 60)} minutes"
    return f"{seconds / 3600:.1f} hours"
