"""One row of a sample set, drawn again by itself from what stands in the set.

A story that nobody picked is worth most where anybody can have it again: from the same weights, on
a CPU, it is the same to the last letter.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import torch

from pipeline.device import pick_device
from pipeline.generation import Request, Story, draw
from pipeline.kept_checkpoints import checkpoint_at, weights_of
from pipeline.model_spec import ModelError, SamplingSetting
from pipeline.models.initial import load_trained
from pipeline.sampling import conditions

_SETTING = tuple(name for name in SamplingSetting.model_fields if name != "name")
_STORY = ("text", "tokens", "finished")


@dataclass(frozen=True)
class Redrawn:
    """A row of the set, what was drawn in its place, and what was unlike when it was drawn."""

    row: Mapping[str, Any]
    request: Request
    story: Story
    unlike: list[str]  # e.g. `torch 2.12, now 2.13`; a reason for a difference, not a proof

    @property
    def identical(self) -> bool:
        """Whether the story is that of the set."""
        return all(getattr(self.story, name) == self.row[name] for name in _STORY)


def redraw(model_folder: Path, samples: Path, number: int) -> Redrawn:
    """Draw the row `number` of a sample set of this model again, on as many threads as then.

    Raises ModelError where the set has no such row or the weights are not those it was drawn from.
    """
    row, then = _read(samples, number)
    checkpoint = checkpoint_at(model_folder, row["step"])
    if weights_of(checkpoint) != row["weights"]:
        raise ModelError(
            f"{samples}: sample {number} was drawn from other weights than those in {checkpoint}; "
            "the model was trained anew, materialize its samples"
        )
    setting = SamplingSetting(name=row["setting"], **{name: row[name] for name in _SETTING})
    request = Request(row["prompt"], setting, row["seed"], row["genre"])
    on = pick_device(then.get("device"))
    model, tokenizer = load_trained(checkpoint)
    before = torch.get_num_threads()
    torch.set_num_threads(int(then.get("threads", before)))
    try:
        now = conditions(pick_device(on.kind))
        story = draw(model.to(on.kind), tokenizer, [request])[0]
    finally:
        torch.set_num_threads(before)
    return Redrawn(
        row,
        request,
        story,
        [
            f"{name} {then.get(name, 'not known')}, now {value}"
            for name, value in now.items()
            if then.get(name) != value
        ],
    )


def _read(samples: Path, number: int) -> tuple[dict[str, Any], dict[str, str]]:
    """The row, and the conditions under which the set was drawn."""
    with pq.ParquetFile(samples) as file:
        last = file.metadata.num_rows - 1
        metadata = file.schema_arrow.metadata or {}
    found = pq.read_table(samples, filters=[("sample", "=", number)]).to_pylist()
    if not found:
        raise ModelError(f"{samples}: has no sample {number:,}; there are 0 to {last:,}")
    return found[0], {key.decode(): value.decode() for key, value in metadata.items()}
