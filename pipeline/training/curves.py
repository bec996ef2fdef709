"""A training's figures and stories as TensorBoard reads them: `tensorboard --logdir data/models`.

The files stay in the model's folder. What a killed run wrote after its last checkpoint is hidden
once the next goes on from there, so that no curve runs twice over the same steps. Texts are
written so that TensorBoard's Markdown shows them as they are: it would load an image.
"""

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch.utils.tensorboard.writer import SummaryWriter

from pipeline.reports.text import cut, plain
from pipeline.training.stories import Told

FOLDER = "tensorboard"
#: A curve's name by that of the figure in the Trainer's log; what precedes the slash is a group.
_CURVES = {
    "loss": "loss/training",
    "eval_loss": "loss/held_out",
    "eval_bits_per_byte": "bits_per_byte/held_out",
    "learning_rate": "training/learning_rate",
    "tokens_per_second": "speed/tokens_per_second",
    "mfu": "speed/mfu",
    "memory_bytes": "training/memory_bytes",
}
#: Characters of a story that are shown.
_SHOWN = 2000
_MARKS = re.compile(r"[!-/:-@\[-`{-~]")


class Curves:
    """The event file of one session; `after` is the step it goes on from, 0 for a new training."""

    def __init__(self, folder: Path, after: int):
        if after == 0:
            shutil.rmtree(folder / FOLDER, ignore_errors=True)
        # TensorBoard takes the first session's mark as a beginning and hides nothing for it; so
        # that one has a mark as well.
        self._writer = SummaryWriter(str(folder / FOLDER), purge_step=after + 1 if after else 0)

    def add(self, step: int, row: Mapping[str, float]) -> None:
        """The figures of one row of the Trainer's log. Raises OSError where the disk is full."""
        for name, curve in _CURVES.items():
            if name in row:
                self._writer.add_scalar(curve, row[name], step)
        self._writer.flush()

    def tell(self, step: int, stories: Sequence[Told]) -> None:
        """The stories drawn at a step. Raises OSError where the disk is full."""
        for nth, told in enumerate(stories, 1):
            shown, rest = cut(told.text, _SHOWN)
            text = f"**{_literal(told.heading)}**\n\n{_literal(shown)}{' …' if rest else ''}"
            self._writer.add_text(f"stories/{nth}", text, step)
        self._writer.flush()

    def close(self) -> None:
        """Nothing more comes."""
        self._writer.close()


def _literal(text: str) -> str:
    """The text as Markdown that shows it as it is, line by line."""
    marked = _MARKS.sub(lambda mark: f"&#{ord(mark[0])};", plain(text))
    return "  \n".join(line.strip() for line in marked.split("\n"))
