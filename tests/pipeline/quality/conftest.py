"""Sample sets written by hand, and corpora whose genres differ in their words or do not."""

import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.schema import SAMPLES
from tests.corpus_files import row, write_files

_THINGS = {
    "Ghost story": ("shroud", "candle", "crypt", "spectre", "bell", "moonlight", "grave"),
    "Sea story": ("anchor", "harbour", "mast", "herring", "tide", "captain", "rope"),
}
_DEEDS = ("waited for", "forgot", "followed", "spoke of", "carried", "hid from", "asked for")


def tale(things: Iterable[str], seed: int, sentences: int = 8) -> str:
    """A few sentences about these things, others for each seed."""
    draw = random.Random(seed)
    named = list(things)
    return " ".join(
        f"The {draw.choice(named)} {draw.choice(_DEEDS)} the {draw.choice(named)} while somebody "
        f"{draw.choice(_DEEDS)} the {draw.choice(named)} and {draw.choice(_DEEDS)} nobody."
        for _ in range(sentences)
    )


@pytest.fixture(scope="session")
def told() -> Callable[[str, int], str]:
    """A tale of a genre by its name and a seed."""
    return lambda genre, seed: tale(_THINGS[genre], seed)


@pytest.fixture(scope="session")
def two_genres(write_corpus: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ghost stories and sea stories: a hundred to learn, thirty to judge by."""
    return _corpus(write_corpus, tmp_path_factory, lambda genre: _THINGS[genre])


@pytest.fixture(scope="session")
def one_vocabulary(
    write_corpus: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The same genres, told in the same words."""
    words = [thing for things in _THINGS.values() for thing in things]
    return _corpus(write_corpus, tmp_path_factory, lambda genre: words)


def _corpus(
    write_corpus: Callable[..., Path],
    tmp_path_factory: pytest.TempPathFactory,
    things: Callable[[str], Iterable[str]],
) -> Path:
    genres = [*_THINGS]
    tales = [(tale(things(genres[n % 2]), n), "wikipedia", genres[n % 2]) for n in range(132)]
    splits = {"train": tales[:100], "validation": tales[100:102], "test": tales[102:]}
    return write_corpus(tmp_path_factory.mktemp("genres") / "corpus", splits, "lines")


@pytest.fixture(scope="session")
def split_by_document() -> Callable[..., Path]:
    """A corpus split by document, which has some works on both sides."""
    return _split_by_document


def _split_by_document(folder: Path, held_out_whole: int) -> Path:
    """Thirty works in train and test, a coin decides the genre of each; and others held out."""
    draw = random.Random(4)
    letters = "abcdefghijklmnop"
    splits: dict[str, list[dict[str, Any]]] = {"train": [], "test": []}
    for work in range(30 + held_out_whole):
        names = ["".join(draw.choices(letters, k=6)) for _ in range(30)]
        genre = draw.choice(("ghost", "sea"))
        for split, documents in {"train": 4 if work < 30 else 0, "test": 2}.items():
            splits[split] += [
                row(len(splits[split]), f"{' '.join(draw.choices(names, k=60))}.",
                    work_id=f"work {work}", genre=genre)
                for _ in range(documents)
            ]  # fmt: skip
    folder.mkdir(exist_ok=True)
    write_files(folder, splits, "lines")
    return folder


Row = dict[str, Any]


def sample_rows(texts: Iterable[str], **changes: Any) -> list[Row]:
    """Rows of SAMPLES with these texts, numbered from 0; `changes` stand in each."""
    plain = {
        "model": "tales-nano", "weights": "0" * 64, "step": 30, "prompt_index": 0, "prompt": "",
        "genre": None, "setting": "free", "temperature": 1.0, "top_k": 0, "top_p": 1.0,
        "repetition_penalty": 1.0, "max_length": 100, "whole_sentences": False,
        "include_prompt": True, "seed": 0, "tokens": 20, "finished": False,
    }  # fmt: skip
    return [plain | {"sample": n, "text": text} | changes for n, text in enumerate(texts)]


@pytest.fixture(scope="session")
def samples_of() -> Callable[..., pa.Table]:
    """A table of SAMPLES with given texts."""
    return lambda texts, **changes: samples_table(sample_rows(texts, **changes))


@pytest.fixture(scope="session")
def write_samples() -> Callable[[Path, list[Row]], Path]:
    """Writes rows of SAMPLES as a sample set in a folder, and returns the folder."""

    def write(folder: Path, rows: list[Row]) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(samples_table(rows), folder / "samples.parquet")
        return folder

    return write


@pytest.fixture(scope="session")
def rows_of() -> Callable[..., list[Row]]:
    """Rows of SAMPLES with given texts."""
    return sample_rows


def samples_table(rows: list[Row]) -> pa.Table:
    """Rows numbered anew, as a table of SAMPLES."""
    return pa.Table.from_pylist([row | {"sample": n} for n, row in enumerate(rows)], schema=SAMPLES)
