"""Stories drawn while the model is still being trained: the first of each prompt and genre, as many
as are drawn in a few passes.

They are drawn from the folder that was just exported, as the sample set draws them later: a model
of its own, without what a training wraps around its weights (compiled code, adapters, a padded
vocabulary), and with a random state of its own, so that the training's bits are the same with and
without stories.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path

import torch

from pipeline.atomic import write_atomically
from pipeline.device import Device
from pipeline.generation import ROWS, Request, draw
from pipeline.model_spec import SampleSettings
from pipeline.models.initial import load_trained
from pipeline.reports.text import one_line, plain

FOLDER = "stories"
#: The sample set draws for all of ten thousand prompts; the training does not wait for them.
MOST = 2 * ROWS


@dataclass(frozen=True)
class Told:
    """A story with what was asked for, in words."""

    heading: str
    text: str  # prompt and continuation


def first_requests(settings: SampleSettings) -> list[Request]:
    """Of each prompt in each genre the first story of the sample set; no more than MOST."""
    genres: list[str | None] = [*settings.genres] or [None]
    return [
        Request(prompt, settings.settings[0], settings.seed, genre)
        for prompt, genre in islice(product(settings.prompts, genres), MOST)
    ]


def tell_stories(
    model: Path, settings: SampleSettings, device: Device, stopped: Callable[[], bool]
) -> list[Told]:
    """Draw from the exported model; fewer where `stopped` says so in between.

    Raises what an allocation raises (see out_of_memory.py) where there is no room for a second
    model.
    """
    requests = first_requests(settings)
    told: list[Told] = []
    with _random_state_of_its_own(device):
        fresh, tokenizer = load_trained(model)
        fresh = fresh.to(device.kind)
        for start in range(0, len(requests), ROWS):
            if stopped():
                break
            some = requests[start : start + ROWS]
            for request, story in zip(some, draw(fresh, tokenizer, some), strict=True):
                told.append(Told(_heading(request), request.prompt + story.text))
    return told


def write_stories(folder: Path, step: int, stories: list[Told]) -> Path:
    """Write `stories/STEP.txt` for a person to read, and return it."""
    (folder / FOLDER).mkdir(exist_ok=True)
    path = folder / FOLDER / f"{step}.txt"
    parts = [f"## {story.heading}\n\n{plain(story.text).strip()}\n" for story in stories]
    write_atomically(path, "\n\n".join(parts).encode())
    return path


def _random_state_of_its_own(device: Device) -> AbstractContextManager[None]:
    """Of the CPU, and of the one device that this process trains on."""
    if device.kind == "cuda":
        return torch.random.fork_rng([torch.cuda.current_device()])
    kind = "mps" if device.kind == "mps" else None
    devices = [0] if kind else []
    return torch.random.fork_rng(devices, device_type=kind)


def _heading(request: Request) -> str:
    prompt = f"“{one_line(request.prompt, 80)}”" if request.prompt else "no prompt"
    genre = "" if request.genre is None else f"{one_line(request.genre, 40)}: "
    return f"{genre}{prompt} ({request.setting.name}, seed {request.seed})"
