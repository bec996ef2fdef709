"""What can be seen of a training while it goes on: TensorBoard's curves, and stories on the way.

The callback stands after `Watch`, which completes each row of the log and exports each model that
stories are drawn from. One process of several does it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from pipeline.device import Device
from pipeline.model_spec import ModelSpec
from pipeline.reports.text import counted
from pipeline.training.checkpoints import Checkpoint
from pipeline.training.curves import Curves
from pipeline.training.interrupts import StopSignal
from pipeline.training.out_of_memory import is_out_of_memory
from pipeline.training.stories import tell_stories, write_stories


class Live(TrainerCallback):  # type: ignore[misc] # transformers is not typed
    """Writes `tensorboard/` and `stories/` into the model's folder; `tell` hears a line of each."""

    def __init__(
        self,
        spec: ModelSpec,
        folder: Path,
        device: Device,
        stop: StopSignal,
        tell: Callable[[str], None],
        checkpoint: Checkpoint | None,
    ):
        self._samples = spec.samples
        self._folder = folder
        self._device = device
        self._stop = stop
        self._tell = tell
        self._after = checkpoint.step if checkpoint else 0
        self._curves: Curves | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Open the event file."""
        if state.is_world_process_zero:
            self._curves = Curves(self._folder, self._after)

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Go on with the curves."""
        if self._curves is not None:
            self._curves.add(state.global_step, state.log_history[-1])

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Tell stories at the steps that were chosen."""
        step = int(state.global_step)
        if self._curves is None or step not in self._samples.at_steps:
            return
        model = self._folder / "steps" / str(step)
        try:
            told = tell_stories(
                model, self._samples, self._device, lambda: bool(self._stop.received)
            )
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            torch.cuda.empty_cache()
            self._tell(
                f"step {step}: no room on {self._device.name} for stories beside the training; "
                "the sample set has them when it is done"
            )
            return
        if told:
            self._curves.tell(step, told)
            path = write_stories(self._folder, step, told)
            stories = counted(len(told), "story", "stories")
            self._tell(f"step {step}: {stories} to read in {path} and in TensorBoard")

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Close the event file."""
        if self._curves is not None:
            self._curves.close()
