"""What a training reports while it runs, and the Trainer callback that sees to it.

The callback also keeps the models of chosen steps, makes checkpoints valid, stops a training whose
loss is no number, and grants a wish to stop.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import (
    PreTrainedModel,
    PreTrainedTokenizerBase,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from pipeline.device import Device
from pipeline.model_spec import ModelError, ModelSpec
from pipeline.training.checkpoints import Checkpoint, complete_checkpoint, export
from pipeline.training.interrupts import StopSignal


@dataclass(frozen=True)
class Progress:
    """A training at one moment; losses in nats a token."""

    step: int
    steps: int
    loss: float | None  # mean since the last report; None before the first step
    validation_loss: float | None  # the last that was measured
    learning_rate: float | None
    tokens_per_second: float | None
    seconds_left: float | None
    memory_bytes: int  # the most held so far
    device: str

    def __str__(self) -> str:
        parts = [f"step {self.step}/{self.steps}"]
        if self.loss is not None:
            parts.append(f"loss {self.loss:.3f}")
        if self.validation_loss is not None:
            parts.append(f"validation {self.validation_loss:.3f}")
        if self.tokens_per_second is not None:
            parts.append(f"{self.tokens_per_second:,.0f} tokens/s")
        if self.seconds_left is not None:
            minutes, seconds = divmod(round(self.seconds_left), 60)
            parts.append(f"{minutes}:{seconds:02} left")
        parts.append(f"{self.memory_bytes / 1e6:,.0f} MB")
        return "  ".join(parts)


class Watch(TrainerCallback):  # type: ignore[misc] # transformers is not typed
    """Follows one training from its start or its last checkpoint to its end."""

    def __init__(
        self,
        spec: ModelSpec,
        folder: Path,
        tokenizer: PreTrainedTokenizerBase,
        device: Device,
        stop: StopSignal,
        report: Callable[[Progress], None],
        checkpoint: Checkpoint | None,
    ):
        self._spec = spec
        self._folder = folder
        self._tokenizer = tokenizer
        self._device = device
        self._stop = stop
        self._report = report
        self._seconds_before = checkpoint.seconds if checkpoint else 0.0
        self._first_step = checkpoint.step if checkpoint else 0
        self._validation_loss: float | None = None

    @property
    def seconds(self) -> float:
        """Wall time of the training so far, earlier sessions included."""
        return self._seconds_before + time.monotonic() - self._began

    @property
    def tokens_per_second(self) -> float | None:
        """Over the steps of this session, without evaluations and checkpoints."""
        return self._tokens / self._in_steps if self._in_steps else None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Start the clocks."""
        self._began = time.monotonic()
        self._in_steps = 0.0
        self._tokens = 0
        self._tokens_before = int(state.num_input_tokens_seen)

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Note when the step began."""
        self._step_began = time.monotonic()

    def on_step_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        model: PreTrainedModel,
        **kwargs: Any,
    ) -> None:
        """Keep the model where the spec asks for it; decide what the Trainer does next."""
        self._in_steps += time.monotonic() - self._step_began
        self._tokens = int(state.num_input_tokens_seen) - self._tokens_before
        if state.global_step in self._spec.samples.at_steps:
            export(model, self._tokenizer, self._folder / "steps" / str(state.global_step))
        if state.global_step >= state.max_steps:
            control.should_log = control.should_evaluate = True
            control.should_save = False  # the export follows
        elif self._stop.received is not None:
            control.should_save = control.should_training_stop = True
        # The loss is looked at before each checkpoint, so that none holds what is no number, and
        # no mean straddles one, so that a resumed run logs what an uninterrupted one would.
        control.should_log = control.should_log or control.should_save

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float],
        **kwargs: Any,
    ) -> None:
        """Report; refuse a loss that is no number."""
        if "loss" not in logs and "eval_loss" not in logs:
            return  # the Trainer's own summary at the end
        for key in ("loss", "eval_loss"):
            if key in logs and not math.isfinite(logs[key]):
                raise ModelError(
                    f"the loss at step {state.global_step} is {logs[key]}; lower "
                    f"training.learning_rate (it was {self._spec.learning_rate:g}) or raise "
                    "training.warmup_fraction, and train anew"
                )
        self._validation_loss = logs.get("eval_loss", self._validation_loss)
        done = state.global_step - self._first_step
        elapsed = time.monotonic() - self._began
        self._report(
            Progress(
                step=state.global_step,
                steps=state.max_steps,
                loss=logs.get("loss"),
                validation_loss=self._validation_loss,
                learning_rate=logs.get("learning_rate"),
                tokens_per_second=self.tokens_per_second,
                seconds_left=elapsed / done * (state.max_steps - state.global_step)
                if done
                else None,
                memory_bytes=self._device.peak_memory(),
                device=self._device.name,
            )
        )

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Make the checkpoint valid, now that all of it is written."""
        complete_checkpoint(
            Path(args.output_dir),
            state.global_step,
            self.seconds,
            self._spec.training.save_total_limit,
        )
