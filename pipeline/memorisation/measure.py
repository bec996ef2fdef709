"""What a model repeats of its training text: in its stories, and when it is given a beginning.

All that is told of the stories is told of held-out human text of like length as well, since names
and set phrases stand in anybody's text; and at each checkpoint that stories were drawn from, so
that one sees a model begin to copy.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipeline.corpus import read_split
from pipeline.corpus.rows import RowWriter
from pipeline.device import pick_device
from pipeline.intervals import difference_of_shares, share
from pipeline.kept_checkpoints import kept_checkpoints
from pipeline.memorisation.copied import TextCounts
from pipeline.memorisation.evidence import Copied, Evidence, write_evidence
from pipeline.memorisation.extraction import (
    Trial,
    draw_passages,
    extracted,
    no_extraction,
)
from pipeline.memorisation.index import TrainIndex
from pipeline.memorisation.stories import Stories, look_at_stories
from pipeline.memorisation.tables import Tables, share_of
from pipeline.model_spec import ModelSpec
from pipeline.models.initial import load_trained
from pipeline.quality.human import human_passages
from pipeline.schema import PASSAGES

#: With so many trials in which nothing is copied, people may copy up to 16 % of their words.
_STRETCHES = 20

Report = Callable[[str, int, int], None]

#: Of which split the passages are that each measure tries a model on.
_TRIED = {"extractable": "train", "extractable_held_out": "test"}


def measure(
    model_folder: Path,
    spec: ModelSpec,
    samples: Path,
    corpus: Path,
    index: Path,
    folder: Path,
    *,
    device: str | None = None,
    duplicates: tuple[int, float] | None = None,
    report: Report = lambda what, done, total: None,
) -> dict[str, Any]:
    """Look for the stories of `samples` in the training text, and try the model on that text.

    Writes passages.parquet (PASSAGES), novelty.parquet (NOVELTY) and memorisation.parquet
    (MEMORISATION) into `folder`, and beside them what `pipeline.memorisation.verdict` judges by.
    `duplicates`: how many documents the corpus left out as such, and its threshold. `report` is
    told what is looked at, how many were and are to be.

    Returns figures: `copied` and `human_copied` (shares of words), `extractable` (null for
    `extractable_reason`), `longest_words`, all of the last step;
    `passage`, `steps`; `intervals` by measure, `by_setting` of copied. Raises ModelError where a
    checkpoint is missing, held-out text is empty or the model's output is no number, CorpusError
    where the index is not of this corpus.
    """
    on = pick_device(device)
    folder.mkdir(parents=True, exist_ok=True)
    table = pq.read_table(samples / "samples.parquet")
    human = TextCounts(spec.measures.passage)
    with (
        TrainIndex(index, corpus) as train,
        RowWriter(folder / "passages.parquet", PASSAGES) as rows,
    ):
        stories = look_at_stories(
            spec.name, table, train, spec.measures.passage, rows, partial(report, "stories")
        )
        for text in human_passages(corpus, table, spec.measures.seed):
            human.add(text.work_id, train.runs(text.text))
    tables = Tables(spec.name, spec.measures.seed)
    tables.add_texts("human", None, human)
    for step, counts in sorted(stories.by_step.items()):
        tables.add_texts("model", step, counts)
    reason = _try_all(model_folder, spec, corpus, on.kind, tables, report)
    tables.write(folder)
    evidence = _evidence(model_folder, spec, stories, human, duplicates)
    write_evidence(folder, evidence)
    last, of_human = evidence.by_step.get(stories.last), evidence.human
    extractable = tables.last.get("extractable")
    return {
        "copied": last and last.share.value,
        "human_copied": of_human and of_human.value,
        "extractable": extractable and extractable.value,
        "extractable_reason": reason,
        "longest_words": stories.by_step[stories.last].longest_words,
        "passage": stories.passage,
        "steps": sorted(stories.by_step),
        "intervals": {name: asdict(value) for name, value in tables.last.items()},
        "by_setting": {name: asdict(value) for name, (_, value) in evidence.by_setting.items()},
    }


def _try_all(
    model_folder: Path,
    spec: ModelSpec,
    corpus: Path,
    device: str,
    tables: Tables,
    report: Report,
) -> str | None:
    """Try each kept checkpoint on both splits; why it cannot be tried on train, if it cannot."""
    stride = spec.training.stride or int(_notes(model_folder)["block_size"])
    drawn: dict[str, list[Trial]] = {}
    reason = None
    for step, checkpoint in kept_checkpoints(model_folder).items():
        model, tokenizer = load_trained(checkpoint)
        model.to(device)
        for measured, split in _TRIED.items():
            if split not in drawn:  # once: all checkpoints of a model have one tokenizer
                documents, settings = read_split(corpus, split), spec.measures
                drawn[split] = draw_passages(
                    documents, tokenizer, settings.prefixes, settings.seed, stride
                )
            passages = drawn[split]
            why_not = no_extraction(model, passages)
            if why_not is None:
                told = partial(_of, report, f"step {step}, {split}", len(passages))
                found = share(extracted(model, passages, told), len(passages))
                tables.add("model", step, measured, len(passages), found)
            elif split == "train":
                reason = why_not
        del model  # before the next one is loaded
    return reason


def _of(report: Report, what: str, total: int, done: int) -> None:
    report(what, done, total)


def _evidence(
    model_folder: Path,
    spec: ModelSpec,
    stories: Stories,
    human: TextCounts,
    duplicates: tuple[int, float] | None,
) -> Evidence:
    seed = spec.measures.seed
    by_step = {}
    for step, counts in stories.by_step.items():
        if (copied := share_of(counts.copied(), seed)) is not None:
            more = None
            if human.words:
                more = difference_of_shares(
                    counts.copied(),
                    human.copied(),
                    texts=trials_of(human, spec.measures.passage),
                    seed=seed,
                )
            by_step[step] = Copied(copied, more)
    by_setting = {
        name: (temperature, copied)
        for name, (temperature, counts) in stories.by_setting.items()
        if (copied := share_of(counts.copied(), seed)) is not None
    }
    return Evidence(
        step=stories.last,
        by_step=by_step,
        human=share_of(human.copied(), seed),
        passage=stories.passage,
        by_setting=by_setting,
        passages=stories.passages,
        recurring=stories.recurring,
        most_places=stories.most_places,
        duplicates=duplicates,
        epochs=_epochs(model_folder, stories.last),
    )


def trials_of(human: TextCounts, passage: int) -> int:
    """For how many trials human text counts at least, however few works it is of.

    Its texts; of less than 20, stretches of so many words as a copied passage has, 20 at most: what
    a paragraph of people's shows is little, but it bears out that they do not copy every word.
    """
    return max(1, human.texts, min(_STRETCHES, human.words // passage))


def _epochs(model_folder: Path, step: int) -> float:
    """How often the training text was read until that step."""
    notes = _notes(model_folder)
    return float(notes["tokens_seen"] / notes["corpus_tokens"] * step / notes["steps"])


def _notes(model_folder: Path) -> Mapping[str, Any]:
    notes: Mapping[str, Any] = json.loads((model_folder / "training.json").read_text("utf-8"))
    return notes
