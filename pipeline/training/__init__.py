"""Training of a story model with the Trainer of transformers, resumable at any step.

A run that is killed goes on from its last complete checkpoint and, on a CPU, ends with the weights
bit for bit of a run that was never killed. An interrupt writes a checkpoint first.
`python -m pipeline.training` does the same in a process of its own.
"""

import json
import math
import platform
import shutil
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from transformers import (
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PrinterCallback,
    Trainer,
    TrainingArguments,
)

from pipeline.atomic import write_atomically
from pipeline.corpus import read_split
from pipeline.device import Device, pick_device
from pipeline.generation import encode_prompts
from pipeline.model_spec import ModelError, ModelSpec
from pipeline.models.base import base_version
from pipeline.models.initial import base_commit, context_length, load_initial
from pipeline.models.tokenizers import end_token
from pipeline.sampling import sample_requests
from pipeline.schema import LOSS
from pipeline.training.checkpoints import export, newest_checkpoint, room_for
from pipeline.training.interrupts import Interrupted, StopSignal
from pipeline.training.packing import PackedBlocks, Tokens, collate, cut_into_blocks, token_stream
from pipeline.training.progress import Progress, Watch
from pipeline.training.trained_on import write_trained_on

#: Longer blocks than this only where `block_size` asks for them: attention grows with its square.
LONGEST_DEFAULT_BLOCK = 1024


def train(
    spec: ModelSpec,
    corpus: Path,
    folder: Path,
    *,
    device: str | None = None,
    data_version: str | None = None,
    report: Callable[[Progress], None] = lambda progress: None,
) -> dict[str, Any]:
    """Train the model of `spec` on the train split of `corpus` and write it into `folder`.

    `folder` then holds `final/`, `steps/N/` for each of `samples.at_steps` that was reached,
    `loss.parquet`, `trained_on.parquet` and `training.json`, whose content is returned. While it
    runs, `resume/` holds checkpoints; a later call with the same arguments goes on from the last.
    Raises ModelError for whatever a person must mend, Interrupted after SIGINT or SIGTERM.
    """
    folder.mkdir(parents=True, exist_ok=True)
    resume = folder / "resume"
    with StopSignal("interrupted before the first step; run again to start") as stop:
        on = pick_device(device)
        same_training(resume, spec, data_version)
        checkpoint = newest_checkpoint(resume)
        model, tokenizer = load_initial(spec, corpus)
        # A prompt that does not fit is said now, not when all is trained.
        encode_prompts(model, tokenizer, [request for _, request in sample_requests(spec.samples)])
        write_trained_on(corpus, folder)  # now: a takedown may remove this version meanwhile
        blocks, validation = _read_blocks(spec, corpus, model, tokenizer)
        arguments = _arguments(spec, resume, on, len(blocks), checkpoint is not None)
        watch = Watch(spec, folder, tokenizer, on, stop, report, checkpoint)
        trainer = Trainer(
            model=model,
            args=arguments,
            train_dataset=PackedBlocks(blocks),
            eval_dataset=PackedBlocks(validation) if len(validation) else None,
            data_collator=partial(collate, end=end_token(tokenizer)),
            callbacks=[watch],
        )
        trainer.remove_callback(PrinterCallback)
        stop.defer()
        with room_for(resume):
            trainer.train(resume_from_checkpoint=str(checkpoint.folder) if checkpoint else None)
        step = trainer.state.global_step
        if step < arguments.max_steps:
            assert stop.received is not None
            raise Interrupted(f"interrupted at step {step}; run again to resume", stop.received)
        export(model, tokenizer, folder / "final")
        history = trainer.state.log_history
        pq.write_table(_losses(history), folder / "loss.parquet")
        tokens = int(trainer.state.num_input_tokens_seen)
        figures = {
            "name": spec.name,
            "spec": spec.model_dump(mode="json"),
            "data_version": data_version,
            "base_revision": base_commit(model),
            "seed": spec.training.seed,
            "steps": step,
            "steps_not_reached": [n for n in spec.samples.at_steps if n > step],
            "parameters": model.num_parameters(),
            "vocabulary": len(tokenizer),
            "block_size": blocks.shape[1],
            "corpus_tokens": int(blocks.size),
            "tokens_seen": tokens,
            "tokens_per_second": watch.tokens_per_second,
            "minutes": watch.seconds / 60,
            "loss": _last(history, "loss"),
            "validation_loss": _last(history, "eval_loss"),
            "peak_memory_bytes": on.peak_memory(),
            "device": asdict(on),
            "threads": torch.get_num_threads(),
            "versions": _versions(),
        }
        write_atomically(folder / "training.json", json.dumps(figures, indent=2).encode())
        shutil.rmtree(resume)
    return figures


def same_training(resume: Path, spec: ModelSpec, data_version: str | None) -> None:
    """Note what `resume` belongs to. Raises ModelError where it belongs to another training."""
    this = {
        "inputs": spec.model_inputs(),
        "base": base_version(spec),
        "data_version": data_version,
    }
    note = resume / "training.json"
    if note.is_file():
        if json.loads(note.read_text("utf-8")) != this:
            raise ModelError(
                f"{resume}: holds checkpoints of a training with another configuration, base or "
                "corpus; delete it to start anew, or train into another folder"
            )
    else:
        resume.mkdir(parents=True, exist_ok=True)
        write_atomically(note, json.dumps(this).encode())


def _read_blocks(
    spec: ModelSpec, corpus: Path, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> tuple[Tokens, Tokens]:
    context = context_length(model)
    block_size = spec.training.block_size or min(context, LONGEST_DEFAULT_BLOCK)
    if block_size > context:
        raise ModelError(
            f"training.block_size {block_size} is longer than the model's context of {context} "
            "tokens; lower it"
        )
    stream = token_stream((document.text for document in read_split(corpus, "train")), tokenizer)
    if len(stream) < block_size:
        raise ModelError(
            f"the train split of {corpus} has {len(stream)} tokens, less than one block of "
            f"{block_size}; lower training.block_size or add text"
        )
    held_out = token_stream(
        (document.text for document in read_split(corpus, "validation")), tokenizer
    )
    # A split shorter than a block is one short block; below two tokens nothing can be predicted.
    length = min(block_size, len(held_out))
    validation = cut_into_blocks(held_out, length) if length > 1 else np.empty((0, 0), np.int32)
    # Spread over the split, so that every source in it is looked at.
    looked_at = np.linspace(0, len(validation), spec.training.eval_blocks, endpoint=False)
    return cut_into_blocks(stream, block_size), validation[np.unique(looked_at.astype(int))]


def _arguments(
    spec: ModelSpec, resume: Path, device: Device, blocks: int, resumed: bool
) -> TrainingArguments:
    settings = spec.training
    batch_size = 8 if settings.batch_size == "auto" else settings.batch_size
    batches = math.ceil(blocks / batch_size)
    an_epoch = math.ceil(batches / settings.gradient_accumulation)
    steps = spec.steps or math.ceil((settings.epochs or 0) * an_epoch)
    return TrainingArguments(
        output_dir=str(resume),
        max_steps=steps,
        per_device_train_batch_size=batch_size,
        per_device_eval_batch_size=batch_size,
        gradient_accumulation_steps=settings.gradient_accumulation,
        learning_rate=spec.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=math.ceil(settings.warmup_fraction * steps),
        weight_decay=settings.weight_decay,
        seed=settings.seed,
        logging_steps=settings.log_every,
        logging_first_step=True,
        logging_nan_inf_filter=False,  # a loss that is not a number must be seen
        eval_strategy="steps",
        eval_steps=settings.eval_every,
        eval_on_start=not resumed,
        prediction_loss_only=True,
        save_strategy="steps",
        save_steps=settings.save_every,
        save_total_limit=None,  # older ones go only once the new one is complete: checkpoints.py
        include_num_input_tokens_seen="all",
        use_cpu=device.kind == "cpu",
        bf16=device.bf16,
        dataloader_pin_memory=device.kind == "cuda",
        remove_unused_columns=False,
        use_cache=True,  # what is exported generates with a cache; batches say otherwise
        report_to="none",
        disable_tqdm=True,
    )


def _losses(history: list[dict[str, float]]) -> pa.Table:
    rows = []
    for entry in history:
        for key, split in (("loss", "train"), ("eval_loss", "validation")):
            if key in entry:
                rate = entry.get("learning_rate")
                row = {"step": int(entry["step"]), "split": split, "loss": entry[key]}
                rows.append(dict.fromkeys(LOSS.names) | row | {"learning_rate": rate})
    return pa.Table.from_pylist(rows, schema=LOSS)


def _last(history: list[dict[str, float]], key: str) -> float | None:
    return next((entry[key] for entry in reversed(history) if key in entry), None)


def _versions() -> dict[str, str]:
    libraries = ("torch", "transformers", "accelerate", "tokenizers", "safetensors", "numpy")
    return {"python": platform.python_version()} | {name: version(name) for name in libraries}
