"""What a training reports while it runs, and the Trainer callback that sees to it.

Every report is also a row of the Trainer's own log, which its checkpoints hold: so the rows of a
training that was killed and resumed are those of one that never was. The callback also keeps the
models of chosen steps; what a training does after a step is decided before it, in course.py.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch
from transformers import (
    PreTrainedModel,
    PreTrainedTokenizerBase,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from pipeline.device import Device
from pipeline.model_spec import ModelSpec
from pipeline.schema import LOSS
from pipeline.training.checkpoints import Checkpoint, export

#: The Trainer's names for the two losses, and the split that each is of.
_SPLITS = {"loss": "train", "eval_loss": "validation"}
#: What a row of the log has beside what the Trainer puts there, under the names of LOSS.
_ADDED = ("tokens_per_second", "mfu", "memory_bytes", "seconds")


@dataclass(frozen=True)
class Progress:
    """A training at one moment; losses in nats a token, each figure the last that was measured."""

    step: int
    steps: int
    loss: float | None  # mean since the report before; None before the first step
    validation_loss: float | None
    bits_per_byte: float | None  # of held-out text; None where there is none
    learning_rate: float | None
    tokens_per_second: float | None  # without evaluations, checkpoints and stories
    mfu: float | None  # share of the device's peak; None where that is unknown
    memory_bytes: int  # the most held so far
    seconds_left: float | None
    device: str
    looked: bool = False  # whether this is a look at the validation split

    def __str__(self) -> str:
        parts = [f"step {self.step}/{self.steps}"]
        if self.loss is not None:
            parts.append(f"loss {self.loss:.3f}")
        if self.bits_per_byte is not None:
            parts.append(f"held-out {self.bits_per_byte:.3f} bits/byte")
        elif self.validation_loss is not None:
            parts.append(f"validation {self.validation_loss:.3f}")
        if self.learning_rate is not None:
            parts.append(f"rate {self.learning_rate:.2g}")
        if self.tokens_per_second is not None:
            parts.append(f"{self.tokens_per_second:,.0f} tokens/s")
        if self.mfu is not None:
            parts.append(f"MFU {self.mfu:.1%}")
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
        report: Callable[[Progress], None],
        checkpoint: Checkpoint | None,
        *,
        tokens_at_peak: float | None = None,
    ):
        """`tokens_at_peak`: tokens a second if all devices together did nothing but compute."""
        self._spec = spec
        self._folder = folder
        self._tokenizer = tokenizer
        self._device = device
        self._report = report
        self._tokens_at_peak = tokens_at_peak
        self._seconds_before = checkpoint.seconds if checkpoint else 0.0
        self._first_step = checkpoint.step if checkpoint else 0

    @property
    def seconds(self) -> float:
        """Wall time of the training so far, earlier sessions included."""
        return self._seconds_before + time.monotonic() - self._began

    @property
    def tokens_per_second(self) -> float | None:
        """Over the steps of this session, without evaluations, checkpoints and stories."""
        return self._tokens / self._in_steps if self._in_steps else None

    @property
    def mfu(self) -> float | None:
        """Of the same steps; None where the devices' peak is unknown."""
        if self.tokens_per_second is None or not self._tokens_at_peak:
            return None
        return self.tokens_per_second / self._tokens_at_peak

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Start the clocks; after a resume, know what was last measured."""
        self._began = self._paced_from = time.monotonic()
        self._paced_step = self._first_step
        self._lap_began: float | None = None
        self._in_steps = self._in_steps_logged = 0.0
        self._tokens = self._tokens_logged = 0
        self._tokens_before = int(state.num_input_tokens_seen)
        self._last: dict[str, float] = {}
        for entry in state.log_history:
            self._last |= entry

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Let the clock of the steps run, if it stands."""
        if self._lap_began is None:
            self._lap_began = time.monotonic()

    def on_step_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        model: PreTrainedModel,
        **kwargs: Any,
    ) -> None:
        """Keep the model where the spec asks for it."""
        self._tokens = int(state.num_input_tokens_seen) - self._tokens_before
        kept = state.global_step in self._spec.samples.at_steps
        if kept or control.should_log or control.should_evaluate:
            self._end_lap()
        if state.global_step == self._first_step + 1:  # which compiles, and touches memory first
            self._end_lap()
            self._paced_from, self._paced_step = time.monotonic(), state.global_step
        if kept and state.is_world_process_zero:
            export(model, self._tokenizer, self._folder / "steps" / str(state.global_step))

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """What follows an epoch is no step."""
        self._end_lap()

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float],
        **kwargs: Any,
    ) -> None:
        """Complete the row of the log and report it."""
        key = next((key for key in _SPLITS if key in logs), None)
        if key is None:
            return  # the Trainer's own summary at the end
        row = self._measured(logs, paced=key == "loss")
        state.log_history[-1].update(row)
        self._last |= logs | row
        if state.is_world_process_zero:
            self._report(self._progress(state, looked=key == "eval_loss"))

    def _end_lap(self) -> None:
        """Stop the clock of the steps, once the device has done them."""
        if self._lap_began is None:
            return
        _wait_for(self._device)
        self._in_steps += time.monotonic() - self._lap_began
        self._lap_began = None

    def _measured(self, logs: Mapping[str, float], *, paced: bool) -> dict[str, float]:
        """What a row has beside the Trainer's figures; speed only where steps went before."""
        row: dict[str, float] = {
            "memory_bytes": self._device.peak_memory(),
            "seconds": self.seconds,
        }
        seconds = self._in_steps - self._in_steps_logged
        if paced and seconds > 0:
            row["tokens_per_second"] = (self._tokens - self._tokens_logged) / seconds
            if self._tokens_at_peak is not None:
                row["mfu"] = row["tokens_per_second"] / self._tokens_at_peak
            self._in_steps_logged, self._tokens_logged = self._in_steps, self._tokens
        return row

    def _progress(self, state: TrainerState, *, looked: bool) -> Progress:
        return Progress(
            step=state.global_step,
            steps=state.max_steps,
            loss=self._last.get("loss"),
            validation_loss=self._last.get("eval_loss"),
            bits_per_byte=self._last.get("eval_bits_per_byte"),
            learning_rate=self._last.get("learning_rate"),
            tokens_per_second=self._last.get("tokens_per_second"),
            mfu=self._last.get("mfu"),
            memory_bytes=self._device.peak_memory(),
            seconds_left=self._seconds_left(state),
            device=self._device.name,
            looked=looked,
        )

    def _seconds_left(self, state: TrainerState) -> float | None:
        """At the pace since the first step, which takes longer than others."""
        left = int(state.max_steps) - int(state.global_step)
        done = int(state.global_step) - self._paced_step
        if left == 0:
            return 0.0
        return (time.monotonic() - self._paced_from) / done * left if done else None


def _wait_for(device: Device) -> None:
    """Until the device has done what it was given: a GPU is given steps ahead of the clock."""
    if device.kind == "cuda":
        torch.cuda.synchronize()
    elif device.kind == "mps":
        torch.mps.synchronize()


def loss_table(history: Sequence[Mapping[str, float]]) -> pa.Table:
    """The Trainer's log as rows of LOSS, in the order of steps."""
    rows = []
    for entry in history:
        for key, split in _SPLITS.items():
            if key in entry:
                row = {"step": int(entry["step"]), "split": split, "loss": entry[key]}
                row["bits_per_byte"] = entry.get("eval_bits_per_byte")
                row["learning_rate"] = entry.get("learning_rate")
                rows.append(row | {name: entry.get(name) for name in _ADDED})
    return pa.Table.from_pylist(rows, schema=LOSS)
