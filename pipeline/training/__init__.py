"""Training of a story model with the Trainer of transformers, resumable at any step.

A run that is killed goes on from its last complete checkpoint and, on a CPU, ends with the weights
bit for bit of a run that was never killed. An interrupt writes a checkpoint first.
`python -m pipeline.training` does the same in a process of its own.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import torch
from transformers import PrinterCallback

from pipeline.atomic import write_atomically
from pipeline.device import pick_device
from pipeline.generation import encode_prompts
from pipeline.model_spec import ModelError, ModelSpec
from pipeline.models.base import base_version
from pipeline.models.framing import frame_of
from pipeline.models.initial import load_initial
from pipeline.models.pretrained import base_commit
from pipeline.sampling import sample_requests
from pipeline.training import acceleration
from pipeline.training.arguments import training_arguments
from pipeline.training.blocks import read_blocks
from pipeline.training.checkpoints import (
    checkpoint_folder,
    delete_checkpoints,
    export,
    newest_checkpoint,
    room_for,
)
from pipeline.training.course import Course
from pipeline.training.early_stopping import best_step
from pipeline.training.interrupts import Interrupted, StopSignal
from pipeline.training.packing import PackedBlocks, collate
from pipeline.training.progress import Progress, Watch, loss_table
from pipeline.training.record import last, versions
from pipeline.training.trained_on import write_trained_on
from pipeline.training.trainer import StoryTrainer, held_out


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
        blocks, validation = read_blocks(spec, corpus, model, tokenizer)
        how = acceleration.choose(spec, on, model)
        how.prepare(model)
        arguments = training_arguments(
            spec,
            resume,
            on,
            how,
            blocks=len(blocks),
            held_out=len(validation) > 0,
            resumed=checkpoint is not None,
        )
        watch = Watch(spec, folder, tokenizer, on, report, checkpoint)
        course = Course(spec, stop, lambda: watch.seconds)
        trainer = StoryTrainer(
            model=model,
            args=arguments,
            train_dataset=PackedBlocks(blocks),
            held_out=held_out(validation, tokenizer),
            data_collator=partial(collate, frame=frame_of(tokenizer)),
            callbacks=[course, watch],
        )
        trainer.remove_callback(PrinterCallback)
        stop.defer()
        with room_for(resume):
            trainer.train(resume_from_checkpoint=str(checkpoint.folder) if checkpoint else None)
        step = trainer.state.global_step
        if not course.ended(trainer.state):
            assert stop.received is not None
            raise Interrupted(f"interrupted at step {step}; run again to resume", stop.received)
        best = step if spec.training.patience is None else best_step(trainer.state.log_history)
        if best is not None and best < step:
            trainer.load_weights(checkpoint_folder(resume, best))
        export(model, tokenizer, folder / "final")
        history = trainer.state.log_history
        pq.write_table(loss_table(history), folder / "loss.parquet")
        tokens = int(trainer.state.num_input_tokens_seen)
        figures = {
            "name": spec.name,
            "spec": spec.model_dump(mode="json"),
            "data_version": data_version,
            "base_revision": base_commit(model),
            "seed": spec.training.seed,
            "steps": step,
            "best_step": best,
            "steps_not_reached": [n for n in spec.samples.at_steps if n > step],
            "parameters": model.num_parameters(),
            "vocabulary": len(tokenizer),
            "block_size": blocks.shape[1],
            "corpus_tokens": int(blocks.size),
            "tokens_seen": tokens,
            "tokens_per_second": watch.tokens_per_second,
            "minutes": watch.seconds / 60,
            "loss": last(history, "loss"),
            "validation_loss": last(history, "eval_loss"),
            "peak_memory_bytes": on.peak_memory(),
            "device": asdict(on),
            "threads": torch.get_num_threads(),
            "versions": versions(),
        }
        write_atomically(folder / "training.json", json.dumps(figures, indent=2).encode())
        delete_checkpoints(resume)
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
