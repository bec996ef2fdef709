"""What the Trainer of transformers is told: the spec, resolved for this corpus and this device.

A person counts in epochs or steps and in blocks a forward pass on all processes together; the
Trainer counts in steps and blocks a device.
"""

import math
from dataclasses import dataclass
from pathlib import Path

from transformers import TrainingArguments

from pipeline.device import Device
from pipeline.model_spec import ModelError, ModelSpec
from pipeline.training import distributed
from pipeline.training.acceleration import Acceleration
from pipeline.training.blocks import CorpusBlocks
from pipeline.training.forecast import Batch

#: RMSprop as Keras has it (https://keras.io/api/optimizers/rmsprop/), not as PyTorch does.
KERAS_RMSPROP = "alpha=0.9,eps=1e-7"


@dataclass(frozen=True)
class Schedule:
    """How often what is done, in optimizer steps."""

    steps: int
    an_epoch: int
    eval_every: int
    save_every: int


def schedule(spec: ModelSpec, blocks: int, blocks_a_step: int) -> Schedule:
    """Epochs as steps, where a corpus is `blocks` long; the last step of an epoch may be short."""
    settings = spec.training
    an_epoch = math.ceil(blocks / blocks_a_step)
    return Schedule(
        steps=spec.steps or math.ceil((settings.epochs or 0) * an_epoch),
        an_epoch=an_epoch,
        eval_every=an_epoch if settings.eval_every == "epoch" else settings.eval_every,
        save_every=an_epoch if settings.save_every == "epoch" else settings.save_every,
    )


def training_arguments(
    spec: ModelSpec,
    resume: Path,
    device: Device,
    acceleration: Acceleration,
    batch: Batch,
    blocks: CorpusBlocks,
    *,
    resumed: bool,
) -> TrainingArguments:
    """The arguments of a training on `blocks`, with checkpoints in `resume`.

    Raises ModelError where an early end is asked for and nothing is held out to judge by, or
    checkpointing of a model that has none.
    """
    settings = spec.training
    held_out = len(blocks.held_out) > 0
    if settings.patience is not None and not held_out:
        raise ModelError(
            "training.patience stops by the bits per byte of the validation split, and that of "
            f"corpus {spec.corpus!r} has no text; hold some out, or leave training.patience out"
        )
    if settings.gradient_checkpointing and spec.recurrent is not None:
        raise ModelError(
            "training.gradient_checkpointing: a recurrent model computes no layer twice; lower "
            "training.block_size or training.batch_size to save memory"
        )
    when = schedule(
        spec, len(blocks.train), batch.per_device * batch.accumulation * distributed.processes()
    )
    arguments = TrainingArguments(
        output_dir=str(resume),
        max_steps=when.steps,
        per_device_train_batch_size=batch.per_device,
        per_device_eval_batch_size=batch.per_device,
        gradient_accumulation_steps=batch.accumulation,
        activation_checkpointing=settings.gradient_checkpointing,
        activation_checkpointing_kwargs={"use_reentrant": False},
        **acceleration.arguments(),
        optim_args=KERAS_RMSPROP if settings.optimizer == "rmsprop" else None,
        learning_rate=spec.learning_rate,
        lr_scheduler_type="cosine" if settings.schedule == "cosine" else "constant_with_warmup",
        warmup_steps=math.ceil(settings.warmup_fraction * when.steps),
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.max_grad_norm,
        seed=settings.seed,
        logging_steps=settings.log_every,
        logging_first_step=True,
        logging_nan_inf_filter=False,  # a loss that is not a number must be seen
        eval_strategy="steps" if held_out else "no",
        eval_steps=when.eval_every,
        eval_on_start=held_out and not resumed,
        save_strategy="steps",
        save_steps=when.save_every,
        save_total_limit=None,  # older ones go only once the new one is complete: checkpoints.py
        include_num_input_tokens_seen="all",
        use_cpu=device.kind == "cpu",
        remove_unused_columns=False,
        use_cache=True,  # what is exported generates with a cache; batches say otherwise
        report_to="none",
        disable_tqdm=True,
    )
    return one_device(arguments)


def one_device(arguments: TrainingArguments) -> TrainingArguments:
    """A process computes on one GPU, though it may see more.

    The Trainer would put a copy of the model on each (DataParallel) and multiply the batch.
    """
    if arguments.n_gpu > 1:
        arguments._n_gpu = 1
    return arguments
