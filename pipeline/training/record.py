"""What stands with a trained model, so that it can be made again: training.json."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline.artifact import code_version
from pipeline.device import Device
from pipeline.model_spec import ModelSpec
from pipeline.model_spec.code import DECIDES_THE_WEIGHTS
from pipeline.models.pretrained import base_commit
from pipeline.models.tokenizers import SOURCE_COMMIT
from pipeline.training.acceleration import Acceleration
from pipeline.training.blocks import CorpusBlocks
from pipeline.training.distributed import processes
from pipeline.training.forecast import Batch
from pipeline.training.progress import Watch

#: Whose versions decide the weights, beside our code; those that are not installed had no part.
_LIBRARIES = (
    "torch", "transformers", "accelerate", "tokenizers", "safetensors", "numpy", "peft", "gensim"
)  # fmt: skip


def training_record(
    spec: ModelSpec,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    blocks: CorpusBlocks,
    device: Device,
    acceleration: Acceleration,
    batch: Batch,
    watch: Watch,
    history: Sequence[Mapping[str, float]],
    *,
    data_version: str | None,
    steps: int,
    best_step: int | None,
    tokens_seen: int,
) -> dict[str, Any]:
    """The figures of a training as JSON values; losses in nats a token.

    `best_step` is the one whose weights are kept, where an early end chose it; None: the last.
    """
    kept = {} if best_step is None else {"step": best_step}
    return {
        "name": spec.name,
        "spec": spec.model_dump(mode="json"),
        "data_version": data_version,
        "base_revision": base_commit(model),
        "tokenizer_revision": tokenizer.init_kwargs.get(SOURCE_COMMIT),
        "code_version": code_version(*DECIDES_THE_WEIGHTS),
        "versions": versions(),
        "seed": spec.training.seed,
        "steps": steps,
        "best_step": best_step,
        "steps_not_reached": [step for step in spec.samples.at_steps if step > steps],
        "parameters": model.num_parameters(),
        "vocabulary": len(tokenizer),
        "block_size": blocks.train.shape[1],
        "corpus_tokens": blocks.tokens,
        "tokens_seen": tokens_seen,
        "tokens_per_second": watch.tokens_per_second,
        "mfu": watch.mfu,
        "minutes": watch.seconds / 60,
        "loss": logged(history, "loss"),
        "validation_loss": logged(history, "eval_loss", **kept),
        "bits_per_byte": logged(history, "eval_bits_per_byte", **kept),
        "peak_memory_bytes": device.peak_memory(),
        "device": asdict(device),
        "acceleration": asdict(acceleration),
        "batch": {
            "per_device": batch.per_device,
            "accumulation": batch.accumulation,
            "processes": processes(),
        },
        "forecast": batch.forecast.as_dict(),
        "threads": torch.get_num_threads(),
    }


def logged(
    history: Sequence[Mapping[str, float]], key: str, *, step: int | None = None
) -> float | None:
    """The last value logged under `key`, or that of a step."""
    values = (
        entry[key] for entry in reversed(history) if key in entry and step in (None, entry["step"])
    )
    return next(values, None)


def versions() -> dict[str, str]:
    """Of Python and the libraries that are installed."""
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
