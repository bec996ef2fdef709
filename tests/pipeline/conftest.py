"""A small corpus written by hand, and one really trained tiny model that several tests look at."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from pipeline.corpus.files import SplitWriter, manifest_writer
from pipeline.corpus.layout import make_layout
from pipeline.corpus.spec import Layout
from pipeline.model_spec import ModelSpec
from pipeline.schema import DOCUMENTS
from tests.real_model import real_books, real_model  # noqa: F401 - fixtures

#: Of a split: (text, source, genre) of each document.
Documents = list[tuple[str, str, str | None]]

_HEROES = ("Mira", "Old Tam", "the ferryman", "Captain Ruel", "a fox", "Edda", "the miller's son")
_PLACES = ("the drowned tower", "Harrow fen", "a market of lanterns", "the salt road", "the mill")
_DEEDS = (
    "steals back the bell that woke the sea",
    "hides from the tax collector among the reeds",
    "trades a shadow for three loaves",
    "finds the map folded into a loaf of bread",
    "promises never to sing again, and sings",
)


def story(number: int) -> str:
    """A few sentences, another for each number."""
    lines = []
    for turn in range(3 + number % 3):
        hero = _HEROES[(number + turn) % len(_HEROES)]
        place = _PLACES[(number * 3 + turn) % len(_PLACES)]
        deed = _DEEDS[(number * 5 + turn * 2) % len(_DEEDS)]
        lines.append(f"In {place}, {hero} {deed}.")
    return " ".join(lines)


def _write_corpus(
    folder: Path, splits: dict[str, Documents], layout_name: Layout = "documents"
) -> Path:
    """A corpus folder as the corpus step leaves it: the texts of each split, and the manifest."""
    folder.mkdir(parents=True)
    genres = {genre for documents in splits.values() for *_, genre in documents}
    layout = make_layout(layout_name, genres)
    with manifest_writer(folder, layout) as manifest:
        for split in ("train", "validation", "test"):
            with SplitWriter(folder, split, manifest, layout) as writer:
                for number, (text, source, genre) in enumerate(splits.get(split, [])):
                    name = f"{split}-{number}"
                    writer.write(
                        dict.fromkeys(DOCUMENTS.names)
                        | {"doc_id": name, "work_id": name, "title": name, "franchise": "tales"}
                        | {"source": source, "genre": genre, "text": text, "licence": "CC0-1.0"}
                        | {"text_sha256": sha256(text.encode()).hexdigest()}
                    )
    return folder


@pytest.fixture(scope="session")
def write_corpus() -> Callable[..., Path]:
    """Writes a corpus folder of given texts."""
    return _write_corpus


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty stories to learn, six to watch, eight to test, of two sources and a genre."""
    tales: Documents = [
        (story(n), "wikipedia" if n % 2 else "gutenberg", "fable" if n % 4 == 0 else None)
        for n in range(74)
    ]
    splits = {"train": tales[:60], "validation": tales[60:66], "test": tales[66:]}
    return _write_corpus(tmp_path_factory.mktemp("corpora") / "tales", splits)


@pytest.fixture(scope="session")
def genre_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same stories as lines: `<BOS> <genre> story <EOS>`, of two genres or of none."""
    genres = ("Superhero", "Sci-fi", None)
    tales: Documents = [(story(n), "wikipedia", genres[n % 3]) for n in range(74)]
    splits = {"train": tales[:60], "validation": tales[60:66], "test": tales[66:]}
    return _write_corpus(tmp_path_factory.mktemp("corpora") / "genres", splits, "lines")


@pytest.fixture(scope="session")
def make_spec() -> Callable[..., ModelSpec]:
    """A spec of the smallest model, with settings of `training` and `samples` replaced."""

    def make(training: dict[str, Any] | None = None, **samples: Any) -> ModelSpec:
        settings = {"steps": 30, "batch_size": 4, "block_size": 64, "eval_every": 10}
        return ModelSpec.model_validate(
            {
                "name": "tales-nano",
                "corpus": "tales",
                "preset": "gpt2",
                "size": "nano",
                "tokenizer": {"vocabulary": 300},
                "training": settings | (training or {}),
                "samples": samples,
            }
        )

    return make


@pytest.fixture(scope="session")
def tales_spec(make_spec: Callable[..., ModelSpec]) -> ModelSpec:
    """What the trained model was trained and is sampled by."""
    return make_spec(
        {"save_every": 10, "save_total_limit": 1},
        at_steps=[5, 20],
        prompts=["", "In the mill, Mira"],
        settings=[
            {"name": "nucleus", "top_k": 0, "top_p": 0.9, "max_length": 40},
            {"name": "greedy", "temperature": 0, "max_length": 24},
        ],
    )


@pytest.fixture(scope="session")
def trained(corpus: Path, tales_spec: ModelSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model that was trained for thirty steps."""
    from pipeline.training import train

    folder = tmp_path_factory.mktemp("models") / "tales"
    with _on_one_thread():
        train(tales_spec, corpus, folder, device="cpu", data_version="v1")
    return folder


@pytest.fixture(scope="session")
def recurrent_spec() -> Callable[..., ModelSpec]:
    """A spec of a small recurrent model of characters; sections given are written over."""

    def make(shape: dict[str, Any], **sections: Any) -> ModelSpec:
        training = {"steps": 60, "batch_size": 8, "block_size": 64, "learning_rate": 0.01}
        written = {
            "name": "tales-recurrent",
            "corpus": "tales",
            "preset": "char-gru",
            "recurrent": {"embedding": None} | shape,
            "training": training | {"eval_every": 20} | sections.pop("training", {}),
        }
        return ModelSpec.model_validate(written | sections)

    return make


@pytest.fixture(scope="session")
def trained_lstm(
    genre_corpus: Path,
    recurrent_spec: Callable[..., ModelSpec],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The folder of an LSTM of characters, trained on stories with their genres."""
    from pipeline.training import train

    spec = recurrent_spec({"cell": "lstm", "embedding": 16, "layers": [48, 32]})
    folder = tmp_path_factory.mktemp("models") / "lstm"
    with _on_one_thread():
        train(spec, genre_corpus, folder, device="cpu")
    return folder


@pytest.fixture(scope="session")
def trained_gru(
    corpus: Path,
    recurrent_spec: Callable[..., ModelSpec],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The folder of a GRU over one-hot characters, trained on stories without control tokens."""
    from pipeline.training import train

    folder = tmp_path_factory.mktemp("models") / "gru"
    with _on_one_thread():
        train(recurrent_spec({"cell": "gru", "layers": [48]}), corpus, folder, device="cpu")
    return folder


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    with _on_one_thread():
        yield


@contextmanager
def _on_one_thread() -> Iterator[None]:
    """Models this small gain nothing from a second thread, and wait for it where cores are busy."""
    if "torch" not in sys.modules:  # nothing to slow down, and dear to import
        yield
        return
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")  # for child processes
        yield
    torch.set_num_threads(threads)


@pytest.fixture
def grows_no_faster() -> Callable[[Callable[[int], object], int], None]:
    """Asserts that `work(4 * n)` takes no more than about four times as long as `work(n)`.

    Where the cost is the square it is sixteen times. Both are timed in the same run, of the
    process's own time, and one of several tries is enough, so that no busy machine matters.
    """

    def check(work: Callable[[int], object], n: int) -> None:
        ratios = []
        for _ in range(5):
            once, more = _seconds(work, n), _seconds(work, 4 * n)
            # What takes no time at all, beside which a collection of garbage is much.
            ratios.append((more + 0.02) / (once + 0.02))
            if ratios[-1] < 8:
                return
        raise AssertionError(f"four times as much took {min(ratios):.0f} times as long")

    return check


def _seconds(work: Callable[[int], object], n: int) -> float:
    begun = time.process_time()
    work(n)
    return time.process_time() - begun
