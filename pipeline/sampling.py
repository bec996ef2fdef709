"""Sample sets: prompts x genres x settings x seeds, at every kept checkpoint and at the end.

Nothing is picked: every story that was drawn is kept, with all that is needed to draw it again.
Stories are noted one by one in a journal, from which a set that was interrupted goes on; as each is
the same in whatever company, the file at the end is the same to the byte. Requests are made as they
are needed, so that ten thousand prompts take no more memory than ten.
"""

import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline.device import Device, pick_device
from pipeline.generation import ROWS, Request, check_room, stories
from pipeline.kept_checkpoints import checkpoint_at, kept_checkpoints, weights_of
from pipeline.model_spec import ModelError, ModelSpec, SampleSettings
from pipeline.models.framing import frame_of
from pipeline.models.initial import load_trained
from pipeline.models.tokenizers import encode
from pipeline.sample_journal import Journal
from pipeline.schema import SAMPLES

FILE = "samples.parquet"
#: Seconds between two reports.
REPORT_EVERY = 10.0
#: Stories written at a time, and prompts encoded.
_AT_ONCE = 1_000

#: Is told the checkpoint, the stories drawn, their total and about how many seconds are left; None
#: where that cannot be said yet.
Report = Callable[[str, int, int, float | None], None]


def sample(
    model_folder: Path,
    spec: ModelSpec,
    folder: Path,
    *,
    device: str | None = None,
    report: Report = lambda checkpoint, done, total, left: None,
) -> dict[str, Any]:
    """Draw the sample set of `spec` and write `samples.parquet` (SAMPLES) into `folder`.

    What an interrupted call left there is gone on with, where the same was asked of it. Returns
    figures: stories, steps, how many the model ended itself, tokens, and tokens a second of those
    drawn in this call. Raises ModelError where a checkpoint is missing, a prompt does not fit, a
    genre is unknown or a model's logits are no numbers.
    """
    on = pick_device(device)
    checkpoints = _checkpoints(model_folder, spec)
    check_prompts(*load_trained(checkpoints[-1][1]), spec.samples)
    each = count_requests(spec.samples)
    total = each * len(checkpoints)
    made_by = conditions(on)
    weights = {step: weights_of(checkpoint) for step, checkpoint in checkpoints}
    folder.mkdir(parents=True, exist_ok=True)
    asked: dict[str, Any] = {**made_by, "weights": weights, "samples": spec.samples.model_dump()}
    tokens, seconds = 0, 0.0
    with Journal(folder / "stories.jsonl", asked) as journal:
        clock = _Clock(report, len(journal), total)
        for index, (_, checkpoint) in enumerate(checkpoints):
            behind = len(journal) - index * each
            if behind >= each:
                continue
            model, tokenizer = load_trained(checkpoint)
            model = model.to(on.kind)
            requests = (request for _, request in sample_requests(spec.samples))
            began = time.perf_counter()
            try:
                for story in stories(model, tokenizer, islice(requests, behind, None)):
                    journal.add(story)
                    tokens += story.tokens
                    clock.tell(checkpoint.name, len(journal))
            except ModelError as error:
                raise ModelError(f"{checkpoint}: {error}") from None
            seconds += time.perf_counter() - began
            clock.tell(checkpoint.name, len(journal), now=True)
        table = _rows(spec, checkpoints, weights, journal)
        figures = _write(folder / FILE, table, made_by)
        journal.discard()
    return figures | {
        "steps": [step for step, _ in checkpoints],
        "tokens_per_second": round(tokens / seconds, 1) if seconds else None,
    }


def sample_requests(settings: SampleSettings) -> Iterator[tuple[int, Request]]:
    """Each story that is drawn from a checkpoint, with its prompt's index."""
    for index, prompt in enumerate(settings.prompts):
        for genre in _genres(settings):
            for setting in settings.settings:
                for n in range(_seeds(settings, setting.temperature)):
                    yield index, Request(prompt, setting, settings.seed + n, genre)


def count_requests(settings: SampleSettings) -> int:
    """How many those are."""
    seeds = sum(_seeds(settings, setting.temperature) for setting in settings.settings)
    return len(settings.prompts) * len(_genres(settings)) * seeds


def conditions(on: Device) -> dict[str, str]:
    """What else decides a row's bits; those of attention depend on the number of threads."""
    return {
        "loremill": version("loremill"),
        "torch": version("torch"),
        "transformers": version("transformers"),
        "device": on.kind,
        "processor": on.name,
        "threads": str(torch.get_num_threads()),
        "rows": str(ROWS),
    }


def check_prompts(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, settings: SampleSettings
) -> None:
    """Raise ModelError where a prompt of the set leaves no room for a story, or a genre is unknown.

    All are looked at before the first is drawn.
    """
    frame = frame_of(tokenizer)
    begin = max(len(frame.asked(genre)) for genre in _genres(settings))
    shortest = min(setting.max_length for setting in settings.settings)
    total = len(settings.prompts)
    for start in range(0, total, _AT_ONCE):
        some = settings.prompts[start : start + _AT_ONCE]
        for number, ids in enumerate(encode(tokenizer, some), start):
            named = f"{number + 1:,} of {total:,}, "
            check_room(model, begin, shortest, settings.prompts[number], len(ids), named)


class _Clock:
    """Reports now and then, and foretells when all is drawn."""

    def __init__(self, report: Report, done: int, total: int):
        self._report, self._total, self._before = report, total, done
        self._began = self._told = time.monotonic()

    def tell(self, checkpoint: str, done: int, *, now: bool = False) -> None:
        at = time.monotonic()
        if not now and at - self._told < REPORT_EVERY:
            return
        self._told = at
        drawn = done - self._before
        left = (at - self._began) / drawn * (self._total - done) if drawn else None
        self._report(checkpoint, done, self._total, left)


def _genres(settings: SampleSettings) -> list[str | None]:
    return [*settings.genres] or [None]


def _seeds(settings: SampleSettings, temperature: float) -> int:
    return settings.count if temperature else 1  # greedy has but one story


def _checkpoints(model_folder: Path, spec: ModelSpec) -> list[tuple[int, Path]]:
    """(step, folder) of each checkpoint to draw from, the final model last."""
    *_, (last, final) = kept_checkpoints(model_folder).items()
    return [
        *(
            (step, checkpoint_at(model_folder, step))
            for step in spec.samples.at_steps
            if step < last  # else the final model itself, or a step not reached or given up again
        ),
        (last, final),
    ]


def _rows(
    spec: ModelSpec, checkpoints: list[tuple[int, Path]], weights: dict[int, str], journal: Journal
) -> Iterator[dict[str, Any]]:
    drawn = iter(journal)
    number = 0
    for step, _ in checkpoints:
        for index, request in sample_requests(spec.samples):
            setting, story = request.setting, next(drawn)
            yield {
                "model": spec.name,
                "sample": number,
                "weights": weights[step],
                "step": step,
                "prompt_index": index,
                "prompt": request.prompt,
                "genre": request.genre,
                "setting": setting.name,
                **setting.model_dump(exclude={"name"}),
                "include_prompt": spec.samples.include_prompt,
                "seed": request.seed,
                "text": story.text,
                "tokens": story.tokens,
                "finished": story.finished,
            }
            number += 1


def _write(path: Path, rows: Iterator[dict[str, Any]], made_by: dict[str, str]) -> dict[str, Any]:
    """Write the table aside and put it in its place, and return its figures."""
    schema = SAMPLES.with_metadata(made_by)
    aside = path.with_name(f".{path.name}")
    figures = {"stories": 0, "finished": 0, "tokens": 0}
    with pq.ParquetWriter(aside, schema, compression="zstd") as writer:
        while some := list(islice(rows, _AT_ONCE)):
            writer.write_table(pa.Table.from_pylist(some, schema=schema))
            figures["stories"] += len(some)
            figures["finished"] += sum(row["finished"] for row in some)
            figures["tokens"] += sum(row["tokens"] for row in some)
    aside.replace(path)
    return figures
