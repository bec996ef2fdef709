"""What the training text says of each story of a sample set: its passages, and what is counted.

Stories are counted by prompt, as human text is by work: what goes on from the same beginning is
alike, in whatever genre, setting or seed, and ten stories of one prompt are not ten witnesses. One
that the model began by itself, of the empty prompt, shares its beginning with none.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from pipeline.corpus.rows import RowWriter
from pipeline.memorisation.copied import TextCounts, whole_words
from pipeline.memorisation.index import TrainIndex
from pipeline.memorisation.passages import Passage
from pipeline.model_spec import ModelError

_COLUMNS = ["sample", "step", "setting", "temperature", "finished"]
_COLUMNS += ["prompt_index", "prompt", "text"]
_AT_ONCE = 256


@dataclass
class Stories:
    """What is counted of the stories; what says "last" is of the last step's."""

    passage: int  # words in a row that count as copied
    last: int  # step
    by_step: dict[int, TextCounts] = field(default_factory=dict)
    by_setting: dict[str, tuple[float, TextCounts]] = field(default_factory=dict)  # temperature
    passages: int = 0  # that are copied, at the last step
    recurring: int = 0  # of these, such as stand at several places of the training text
    most_places: int = 0


def look_at_stories(
    model: str,
    samples: pa.Table,
    train: TrainIndex,
    passage: int,
    rows: RowWriter,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> Stories:
    """Count every story of `samples` (SAMPLES) and write its passages as `rows` of PASSAGES.

    Written are the longest passage of each story and all of at least `passage` words. Prompts are
    not looked at. `report` is told how many stories were and are to be. Raises ModelError where
    there are none.
    """
    if not len(samples):
        raise ModelError("there are no stories to look at; draw the model's samples again")
    found = Stories(passage, max(samples["step"].to_pylist()))
    done = 0
    for batch in samples.select(_COLUMNS).to_batches(_AT_ONCE):
        for sample in batch.to_pylist():
            text = whole_words(sample["prompt"], sample["text"], cut=not sample["finished"])
            runs = train.runs(text)
            most = int(runs.max(initial=0))
            passages = train.passages(text, min(most, passage), runs) if most else []
            longest = max(passages, key=lambda one: one.words, default=None)  # the first of several
            for one in passages:
                if one is longest or one.words >= passage:
                    of = {"model": model, "sample": sample["sample"], "step": sample["step"]}
                    rows.write(of | {"longest": one is longest} | _row(one))
            _count(found, sample, runs, [one for one in passages if one.words >= passage])
        done += len(batch)
        report(done, len(samples))
    return found


def _count(found: Stories, sample: dict[str, Any], runs: Any, copied: list[Passage]) -> None:
    step, setting = sample["step"], sample["setting"]
    unit = ("prompt", sample["prompt_index"]) if sample["prompt"] else ("story", sample["sample"])
    found.by_step.setdefault(step, TextCounts(found.passage)).add(unit, runs)
    if step == found.last:
        drawn_alike = (sample["temperature"], TextCounts(found.passage))
        found.by_setting.setdefault(setting, drawn_alike)[1].add(unit, runs)
        found.passages += len(copied)
        found.recurring += sum(one.places > 1 for one in copied)
        found.most_places = max([found.most_places, *(one.places for one in copied)])


def _row(passage: Passage) -> dict[str, Any]:
    place = {name: getattr(passage, name) for name in ("start", "end", "words", "places")}
    return place | dict(passage.row)
