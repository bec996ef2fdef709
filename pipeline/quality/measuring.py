"""A sample set measured: each story by itself and within its set, beside human text measured alike.

Everything is measured before anything is written. What grows with the square of a set's size,
self-BLEU, is of a draw of a large one; what a judge needs grows with the text, as drawing it did.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.corpus.layout import control_token
from pipeline.device import pick_device
from pipeline.model_spec import ModelError, ModelSpec
from pipeline.quality.genre import GenreClassifier, NoClassifierError, learn_genres
from pipeline.quality.human import human_passages
from pipeline.quality.judge import Judge, bits_of, load_judge
from pipeline.quality.means import Group, Measured, means_of
from pipeline.quality.self_bleu import self_bleu
from pipeline.quality.text_figures import figures_of
from pipeline.schema import QUALITY, QUALITY_MEANS

#: Is told what is measured, the texts done and their number.
Report = Callable[[str, int, int], None]

#: Texts between one report and the next.
_TOLD = 100


@dataclass(frozen=True)
class _Text:
    """A story or a human passage."""

    group: Group  # within which texts are compared; its genre is the one asked for
    unit: int | str  # a prompt, or a work
    prompt: str
    text: str


def measure(
    model_folder: Path,
    spec: ModelSpec,
    samples: Path,
    corpus: Path,
    folder: Path,
    *,
    device: str | None = None,
    report: Report = lambda what, done, total: None,
) -> dict[str, Any]:
    """Measure the `samples.parquet` in `samples` and write two tables into `folder`.

    `quality.parquet` (QUALITY) has a row a sample, `means.parquet` (QUALITY_MEANS) the means of all
    of a step, by setting and by genre asked for, and those of held-out human text. Returns figures:
    the judge, the genre classifier or why there is none, and how many stories of the last step are
    empty or loop. Raises ModelError where there is no held-out text, no sample, or the judge cannot
    be loaded.
    """
    seed = spec.measures.seed
    table = pq.read_table(samples / "samples.parquet")
    if not table.num_rows:
        raise ModelError(f"{samples / 'samples.parquet'}: holds no story; draw the set again")
    human = _human(corpus, table, seed)
    judge = load_judge(spec, model_folder, corpus, pick_device(device).kind)
    classifier, reason = _classifier(corpus, seed)
    rows = table.to_pylist()
    stories = [
        _Text(
            Group("model", row["step"], row["setting"], row["genre"]),
            row["prompt_index"],
            row["prompt"],
            row["text"],
        )
        for row in rows
    ]
    texts = [*stories, *human]
    figures = _figures(texts, judge, classifier, seed, report)
    quality = [
        {name: row[name] for name in ("model", "sample", "step", "setting", "genre")} | found
        for row, found in zip(rows, figures, strict=False)  # human text stands behind
    ]
    means = means_of(
        (
            Measured(text.group, text.unit, found)
            for text, found in zip(texts, figures, strict=True)
        ),
        seed,
    )
    named = [{"model": spec.name} | row for row in means]
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(quality, schema=QUALITY), folder / "quality.parquet")
    pq.write_table(pa.Table.from_pylist(named, schema=QUALITY_MEANS), folder / "means.parquet")
    last_step = max(row["step"] for row in quality)
    last = [row for row in quality if row["step"] == last_step]
    return {
        "judge": judge.name,
        "genre_classifier": classifier.figures() if classifier else None,
        "genre_reason": reason,
        "genre_blind": _blind(last),
        "human_texts": len(human),
        "stories": len(quality),
        "last_step": last_step,
        "stories_of_last_step": len(last),
        "empty": sum(row["empty"] for row in last),
        "looping": sum(row["looping"] for row in last),
    }


def _human(corpus: Path, samples: pa.Table, seed: int) -> list[_Text]:
    """Passages of held-out text, with those genres that stories were asked for."""
    asked = {control_token(genre): genre for genre in samples["genre"].to_pylist() if genre}
    return [
        _Text(
            Group("human", genre=asked.get(control_token(passage.genre))),
            passage.work_id,
            passage.prompt,
            passage.text,
        )
        for passage in human_passages(corpus, samples, seed)
    ]


def _classifier(corpus: Path, seed: int) -> tuple[GenreClassifier | None, str | None]:
    try:
        return learn_genres(corpus, seed), None
    except NoClassifierError as error:
        return None, str(error)


def _figures(
    texts: Sequence[_Text],
    judge: Judge,
    classifier: GenreClassifier | None,
    seed: int,
    report: Report,
) -> list[dict[str, Any]]:
    """Of each text the columns of QUALITY, and what means need."""
    alone = []
    for done, text in enumerate(texts, 1):
        alone.append(figures_of(text.text))
        if done % _TOLD == 0 or done == len(texts):
            report("words", done, len(texts))
    words = [words for _, words in alone]
    groups = [text.group for text in texts]
    alike = self_bleu(words, groups, seed, partial(report, "self-BLEU"))
    pairs = [(text.prompt, text.text) for text in texts]
    bits = bits_of(judge, pairs, partial(report, "bits per byte"))
    found = []
    for text, (figures, _), bleu, needed in zip(texts, alone, alike, bits, strict=True):
        size = len(text.text.encode())
        found.append(
            asdict(figures)
            | {"self_bleu": bleu, "judge": judge.name, "bits": needed, "bytes": size}
            | {"bits_per_byte": None if needed is None else needed / size}
            | _genre(classifier, text, figures.empty)
        )
    return found


def _blind(rows: Sequence[dict[str, Any]]) -> float | None:
    """The share of genres met if the same stories had been asked for in another order.

    It is what a model gets that does not heed what it is asked; None where none was asked.
    """
    pairs = [
        (control_token(row["genre"]), control_token(row["genre_found"]))
        for row in rows
        if row["genre_probability"] is not None
    ]
    if not pairs:
        return None
    found = Counter(token for _, token in pairs)
    return sum(found[token] for token, _ in pairs) / len(pairs) ** 2


def _genre(classifier: GenreClassifier | None, text: _Text, empty: bool) -> dict[str, Any]:
    guess = None
    # Of people's text it is asked what it has not learned; a story is of no work.
    if classifier is not None and not empty and text.unit not in classifier.learned:
        guess = classifier.guess(text.text)
    return {
        "genre_found": guess and guess.genre,
        "genre_probability": guess and guess.probability(text.group.genre),
        "genre_met": guess and guess.is_of(text.group.genre),
    }
