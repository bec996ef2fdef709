"""What a training does after a step: look, save, go on or stop.

What decides on the weights follows from the step and the log alone, so that a training that was
killed decides as one that never was. A stop, and the clock where steps are slow, add a checkpoint
and with it a row of the log; neither changes a weight. No checkpoint is written at the step that
ends it, for one could not go on from there: who is killed while the model is exported repeats what
followed the last checkpoint.
"""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from pipeline.model_spec import ModelError, ModelSpec
from pipeline.training.checkpoints import complete_checkpoint
from pipeline.training.distributed import largest, wait_for_all
from pipeline.training.early_stopping import best_step, looks_since_best
from pipeline.training.interrupts import StopSignal

#: Seconds after which a step's end is also a checkpoint. A stop is granted at the end of a step
#: only, and who is killed within one that lasts longer than the 30 seconds granted (a model of 135
#: million parameters on a processor: 85 seconds) loses what followed the last checkpoint: no more
#: than this and a step. A checkpoint takes seconds, so a hundredth of the time at the most.
SAVE_AFTER = 600.0


class Course(TrainerCallback):  # type: ignore[misc] # transformers is not typed
    """Steers the Trainer; it stands before the callbacks that read what was decided."""

    def __init__(self, spec: ModelSpec, stop: StopSignal, seconds: Callable[[], float]):
        """`seconds`: of training so far, which each checkpoint notes."""
        self._settings = spec.training
        self._rate = spec.learning_rate
        self._stop = stop
        self._seconds = seconds

    def ended(self, state: TrainerState) -> bool:
        """Whether all steps are done, or the last looks found nothing better."""
        patience = self._settings.patience
        return bool(state.global_step >= state.max_steps) or (
            patience is not None and looks_since_best(state.log_history) >= patience
        )

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Start the clock of checkpoints."""
        self._saved = time.monotonic()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Decide what follows this step; a look may decide otherwise."""
        if state.global_step >= state.max_steps:
            control.should_log = True
            control.should_evaluate = args.eval_strategy != "no"
            control.should_save = False
        elif self._stop.agreed() is not None:
            control.should_save = control.should_training_stop = True
        elif largest(int(time.monotonic() - self._saved >= SAVE_AFTER)):  # they save together
            control.should_save = True
        # The loss is looked at before each checkpoint, so that none holds what is no number, and
        # no mean straddles one, so that a resumed run logs what an uninterrupted one would.
        if control.should_save or control.should_evaluate:
            control.should_log = True

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float],
        **kwargs: Any,
    ) -> None:
        """Refuse a loss or a gradient that is no number."""
        for key, name in _MUST_BE_FINITE.items():
            if not math.isfinite(logs.get(key, 0.0)):
                raise ModelError(
                    f"{name} at step {state.global_step} is {logs[key]}; lower "
                    f"training.learning_rate (it was {self._rate:g}) or raise "
                    "training.warmup_fraction, and train anew"
                )

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Keep the best; stop where nothing better came for long."""
        if self._settings.patience is None:
            return
        if self.ended(state):
            control.should_training_stop = True
            control.should_save = False
        elif state.global_step > 0 and looks_since_best(state.log_history) == 0:
            control.should_save = True

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Make the checkpoint valid, now that every process has written its part."""
        wait_for_all()
        self._saved = time.monotonic()
        if state.is_world_process_zero:
            complete_checkpoint(
                Path(args.output_dir),
                state.global_step,
                self._seconds(),
                self._settings.save_total_limit,
                best=best_step(state.log_history) if self._settings.patience else None,
            )


#: What the Trainer logs, by its name for it.
_MUST_BE_FINITE = {
    "loss": "the loss",
    "grad_norm": "the length of the gradient",
    "eval_loss": "the loss of held-out text",
}
