"""Training of a story model with the Trainer of transformers, resumable at any step.

A run that is killed goes on from its last complete checkpoint and, on a CPU, ends with the weights
bit for bit of a run that was never killed. An interrupt writes a checkpoint first.
`python -m pipeline.training` does the same in a process of its own.
"""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from transformers import PrinterCallback

from pipeline.atomic import write_atomically
from pipeline.device import peak_flops, pick_device
from pipeline.model_spec import ModelSpec
from pipeline.models.framing import frame_of
from pipeline.models.initial import load_initial
from pipeline.models.probes import keeps_documents_apart
from pipeline.models.vocabulary import pad_vocabulary
from pipeline.sampling import check_prompts
from pipeline.training.acceleration import choose
from pipeline.training.arguments import training_arguments
from pipeline.training.blocks import check_text, read_blocks
from pipeline.training.checkpoints import (
    checkpoint_folder,
    delete_checkpoints,
    export,
    newest_checkpoint,
    room_for,
)
from pipeline.training.course import Course
from pipeline.training.distributed import first_alone, is_first, processes, together
from pipeline.training.early_stopping import best_step
from pipeline.training.flops import flops_per_token
from pipeline.training.forecast import check_disk, check_weights, fit
from pipeline.training.interrupts import Interrupted, StopSignal
from pipeline.training.live import Live
from pipeline.training.only_one import only_training
from pipeline.training.out_of_memory import OutOfMemory, RunAgain, memory_beside, memory_for
from pipeline.training.pace import seconds_per_step
from pipeline.training.packing import PackedBlocks, collate
from pipeline.training.progress import Progress, Watch, loss_table
from pipeline.training.record import training_record
from pipeline.training.resume import note_batch, noted_batch, same_training, tensors_only
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
    tell: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Train the model of `spec` on the train split of `corpus` and write it into `folder`.

    `folder` then holds `final/`, `steps/N/` for each of `samples.at_steps` that was reached,
    `stories/N.txt` told there, `tensorboard/`, `loss.parquet`, `trained_on.parquet` and
    `training.json`, whose content is returned. While it runs, `resume/` holds checkpoints; a later
    call with the same arguments goes on from the last. `report` is told of the figures as they
    come, `tell` in a line what else a person wants to know.
    Raises ModelError for whatever a person must mend, Interrupted after SIGINT or SIGTERM, RunAgain
    where memory ran out with `batch_size: auto` and a call in a fresh process will take less.
    """
    try:
        with memory_beside(device):
            return _train(spec, corpus, folder, device, data_version, report, tell)
    except OutOfMemory as error:
        if spec.training.batch_size != "auto" or error.smaller is None:
            raise
        with room_for(folder / "resume"):
            note_batch(folder / "resume", error.smaller)
        raise RunAgain(str(error)) from error


def _train(
    spec: ModelSpec,
    corpus: Path,
    folder: Path,
    device: str | None,
    data_version: str | None,
    report: Callable[[Progress], None],
    tell: Callable[[str], None],
) -> dict[str, Any]:
    resume = folder / "resume"
    before = "interrupted before the first step; run again to start"
    with StopSignal(before) as stop, only_training(folder, resume, tell), together(device):
        on = pick_device(device)
        check_text(corpus)
        with room_for(resume), first_alone():
            same_training(resume, spec, corpus, data_version)
            checkpoint = newest_checkpoint(resume)
        look = partial(check_weights, spec, device=on)
        model, tokenizer = load_initial(spec, corpus, look=look)
        apart = keeps_documents_apart(model)
        # A prompt that does not fit is said now, not when all is trained.
        check_prompts(model, tokenizer, spec.samples)
        blocks = read_blocks(spec, corpus, model, tokenizer)
        block_size = blocks.train.shape[1]
        how = choose(spec, on, model, len(blocks.train))
        how.prepare(model)
        pad_vocabulary(model, how.vocabulary_multiple)
        batch = fit(spec, model, on, block_size, at_most=noted_batch(resume))
        check_disk(spec, model, folder)
        arguments = training_arguments(
            spec, resume, on, how, batch, blocks, resumed=checkpoint is not None
        )
        a_step = seconds_per_step(model, on, bf16=how.bf16, block_size=block_size, batch=batch)
        to_do = arguments.max_steps - (checkpoint.step if checkpoint else 0)
        forecast = batch.forecast.lasting(a_step * to_do)
        if is_first():
            if checkpoint:
                tell(f"goes on from step {checkpoint.step}")
            tell(f"foretold: {forecast}")
            note_batch(resume, batch.per_device)
            write_trained_on(corpus, folder)  # now: a takedown may remove this version meanwhile
        peak = peak_flops(on, how.bf16)
        at_peak = peak and peak * processes() / flops_per_token(model, block_size)
        watch = Watch(spec, folder, tokenizer, on, report, checkpoint, tokens_at_peak=at_peak)
        course = Course(spec, stop, lambda: watch.seconds)
        trainer = StoryTrainer(
            model=model,
            args=arguments,
            train_dataset=PackedBlocks(blocks.train),
            held_out=held_out(blocks.held_out, tokenizer),
            data_collator=how.collating(partial(collate, frame=frame_of(tokenizer), apart=apart)),
            callbacks=[course, watch, Live(spec, folder, on, stop, tell, checkpoint)],
        )
        trainer.remove_callback(PrinterCallback)
        stop.defer()
        with (
            memory_for(spec, batch, on, block_size),
            room_for(resume),
            tensors_only(checkpoint),
        ):
            trainer.train(resume_from_checkpoint=str(checkpoint.folder) if checkpoint else None)
        state = trainer.state
        if not course.ended(state):
            assert stop.received is not None
            raise Interrupted(
                f"interrupted at step {state.global_step}; run again to resume", stop.received
            )
        best = None if spec.training.patience is None else best_step(state.log_history)
        if best is not None and best < state.global_step and is_first():
            trainer.load_weights(checkpoint_folder(resume, best))
        figures = training_record(
            spec,
            model,
            tokenizer,
            blocks,
            on,
            how,
            batch,
            watch,
            state.log_history,
            data_version=data_version,
            steps=int(state.global_step),
            best_step=best,
            tokens_seen=int(state.num_input_tokens_seen),
        )
        figures["forecast"] = forecast.as_dict()
        if is_first():
            export(model, tokenizer, folder / "final")
            with room_for(folder / "final"):
                pq.write_table(loss_table(state.log_history), folder / "loss.parquet")
                write_atomically(folder / "training.json", json.dumps(figures, indent=2).encode())
            delete_checkpoints(resume)
    return figures
