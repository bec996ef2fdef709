"""Sample sets: prompts x genres x settings x seeds, at every kept checkpoint and at the end.

Nothing is picked: every story that was drawn is kept, with all that is needed to draw it again.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.device import pick_device
from pipeline.generation import ROWS, Request, Story, draw
from pipeline.model_spec import ModelError, ModelSpec, SampleSettings
from pipeline.models.initial import load_trained
from pipeline.schema import SAMPLES


def sample(
    model_folder: Path,
    spec: ModelSpec,
    folder: Path,
    *,
    device: str | None = None,
    report: Callable[[str, int, int], None] = lambda checkpoint, done, total: None,
) -> dict[str, Any]:
    """Draw the sample set of `spec` and write `samples.parquet` (SAMPLES) into `folder`.

    `report` is told the checkpoint, the stories drawn and their total. Returns figures: stories,
    steps, how many the model ended itself. Raises ModelError where a checkpoint is missing, a
    prompt does not fit or a genre is unknown.
    """
    on = pick_device(device)
    requests = sample_requests(spec.samples)
    checkpoints = _checkpoints(model_folder, spec)
    total = len(requests) * len(checkpoints)
    rows: list[dict[str, Any]] = []
    for step, checkpoint in checkpoints:
        model, tokenizer = load_trained(checkpoint)
        model = model.to(on.kind)
        weights = _weights(checkpoint)
        for start in range(0, len(requests), ROWS):
            some = requests[start : start + ROWS]
            stories = draw(model, tokenizer, [request for _, request in some])
            for (index, request), story in zip(some, stories, strict=True):
                number = len(rows)
                row = _row(spec.name, step, index, request, story)
                rows.append(
                    row
                    | {"sample": number, "weights": weights}
                    | {"include_prompt": spec.samples.include_prompt}
                )
            report(checkpoint.name, len(rows), total)
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=SAMPLES), folder / "samples.parquet")
    return {
        "stories": len(rows),
        "steps": [step for step, _ in checkpoints],
        "finished": sum(row["finished"] for row in rows),
        "tokens": sum(row["tokens"] for row in rows),
    }


def sample_requests(settings: SampleSettings) -> list[tuple[int, Request]]:
    """Each story that is drawn from a checkpoint, with its prompt's index."""
    genres: list[str | None] = [*settings.genres] or [None]
    return [
        (index, Request(prompt, setting, settings.seed + n, genre))
        for index, prompt in enumerate(settings.prompts)
        for genre in genres
        for setting in settings.settings
        for n in range(settings.count if setting.temperature else 1)  # greedy has but one story
    ]


def _checkpoints(model_folder: Path, spec: ModelSpec) -> list[tuple[int, Path]]:
    """(step, folder) of each checkpoint to draw from, the final model last."""
    notes = json.loads((model_folder / "training.json").read_text("utf-8"))
    last = int(notes["best_step"] or notes["steps"])  # whose weights the final model has
    found = []
    for step in spec.samples.at_steps:
        if step >= last:
            continue  # the final model itself, or a step that was not reached or given up again
        checkpoint = model_folder / "steps" / str(step)
        if not checkpoint.is_dir():
            raise ModelError(f"{checkpoint}: is missing; train again with this at_steps")
        found.append((step, checkpoint))
    return [*found, (last, model_folder / "final")]


def _weights(checkpoint: Path) -> str:
    with (checkpoint / "model.safetensors").open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _row(name: str, step: int, index: int, request: Request, story: Story) -> dict[str, Any]:
    setting = request.setting
    return {
        "model": name,
        "step": step,
        "prompt_index": index,
        "prompt": request.prompt,
        "genre": request.genre,
        "setting": setting.name,
        "temperature": setting.temperature,
        "top_k": setting.top_k,
        "top_p": setting.top_p,
        "repetition_penalty": setting.repetition_penalty,
        "max_length": setting.max_length,
        "whole_sentences": setting.whole_sentences,
        "seed": request.seed,
        "text": story.text,
        "tokens": story.tokens,
        "finished": story.finished,
    }
