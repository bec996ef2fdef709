"""The dataset card is Hugging Face's, and what it configures loads the files as they are."""

import re
from pathlib import Path
from typing import Any

import datasets
import pyarrow.parquet as pq
import pytest
from huggingface_hub import DatasetCard

from pipeline.corpus.card import write_card
from pipeline.corpus.spec import Layout
from pipeline.schema import MANIFEST
from tests.corpus_files import Rows, row, write_files

#: What readers of text take for a line end, each where a story could hold it.
ENDS = "\n \n\n \v \f \x1c \x1d \x1e \x85 \u2028 \u2029 \t \\n \\ \0 "
SPLITS: dict[str, Rows] = {
    "train": [
        row(1, f"The lamp{ENDS}goes out.", genre="noir"),
        row(2, "\n\nA ferry waits. <EOS> <|endoftext|>\n", genre="Sci-Fi", licence="CC0-1.0"),
        row(3, "", language=None, licence="LicenseRef-PublicDomainUS"),
    ],
    "validation": [row(4, "One fox.\n\nTwo foxes.")],
    "test": [row(5, "Rain on the mill 🪔.", language="pt-BR")],
}


def card(folder: Path, layout: Layout = "lines", **more: Any) -> DatasetCard:
    write_card(folder, write_files(folder, SPLITS, layout) | more)
    return DatasetCard.load(folder / "README.md")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where `datasets` keeps its copies; nothing is asked of the network."""
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_MODULES_CACHE", tmp_path / "modules")
    return tmp_path / "cache"


@pytest.mark.parametrize("layout", ["stream", "documents", "lines"])
def test_datasets_loads_the_splits_and_loses_nothing(
    tmp_path: Path, cache: Path, layout: Layout
) -> None:
    folder = tmp_path / "corpus"
    folder.mkdir()
    card(folder, layout)
    loaded = datasets.load_dataset(str(folder), cache_dir=str(cache))
    assert list(loaded) == ["train", "validation", "test"]
    for split, rows in loaded.items():
        assert rows.column_names == ["text"]
        assert "".join(rows["text"]).encode() == (folder / f"{split}.txt").read_bytes()
    if layout == "lines":
        assert loaded["train"].num_rows == len(SPLITS["train"])


def test_a_story_with_carriage_returns_is_one_row(tmp_path: Path, cache: Path) -> None:
    folder = tmp_path / "corpus"
    folder.mkdir()
    texts = ["A\rB\r\nC\n\rD\r", "\r\n", "\\r"]
    rows = [row(number, text) for number, text in enumerate(texts)]
    write_card(folder, write_files(folder, dict.fromkeys(SPLITS, rows), "lines"))
    loaded = datasets.load_dataset(str(folder), cache_dir=str(cache), split="train")
    assert loaded.num_rows == len(texts)
    assert "".join(loaded["text"]).encode() == (folder / "train.txt").read_bytes()


def test_the_manifest_loads_as_the_card_says(tmp_path: Path, cache: Path) -> None:
    folder = tmp_path / "corpus"
    folder.mkdir()
    text = card(folder).text
    (call,) = re.findall(r"^manifest = (load_dataset\(.*\))$", text, re.MULTILINE)
    (kind, path) = re.findall(r'"([^"]+)"', call)
    path = path.replace("path/to/this/folder", str(folder))
    loaded = datasets.load_dataset(kind, data_files=path, cache_dir=str(cache))["train"]
    assert loaded.column_names == MANIFEST.names
    assert loaded.num_rows == pq.read_metadata(folder / "manifest.parquet").num_rows


def test_the_cards_way_to_trace_finds_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = card(tmp_path).text
    *_, code = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    setting, question = code.replace("1000", "30").strip().rsplit("\n", 1)
    names: dict[str, Any] = {}
    exec(setting, names)
    (found,) = eval(question, names)
    assert (found["split"], found["doc_id"]) == ("train", "lamps/wiki/1#Plot")


def test_the_front_matter_is_the_hubs(tmp_path: Path) -> None:
    data = card(tmp_path).data.to_dict()
    assert data["license"] == ["cc-by-sa-4.0", "cc0-1.0", "other"]
    assert data["license_name"] == "licenseref-publicdomainus"
    assert data["license_link"].startswith("https://www.gutenberg.org/")
    assert data["language"] == ["en", "pt"]
    assert data["task_categories"] == ["text-generation"]
    assert data["size_categories"] == ["n<1K"]


@pytest.mark.parametrize(
    ("documents", "size"),
    [
        (999, "n<1K"),
        (1_000, "1K<n<10K"),
        (99_999, "10K<n<100K"),
        (1_000_000, "1M<n<10M"),
        (10**9, "1B<n<10B"),
    ],
)
def test_the_size_is_one_the_hub_knows(tmp_path: Path, documents: int, size: str) -> None:
    assert card(tmp_path, documents=documents).data.to_dict()["size_categories"] == [size]


def test_the_card_says_how_the_corpus_was_made(tmp_path: Path) -> None:
    text = card(tmp_path).text
    assert "Layout `lines`" in text
    assert "Control tokens: `<BOS>` `<EOS>` `<noir>` `<sci_fi>`" in text
    assert "3 documents were left out for saying the same" in text
    assert "Licences kept out: 2 under CC-BY-NC-4.0." in text
    assert "| same text | 3 |" in text
    assert "by work" in text
    assert all(f"| `{name}` |" in text for name in MANIFEST.names)
    for group in ("| train | 3 |", "| lamps/wiki | 5 |", "| CC0-1.0 | 1 |"):
        assert group in text


def test_a_genre_out_of_a_page_is_text_and_a_thousand_are_bounded(tmp_path: Path) -> None:
    genres = ["a|b\n# <script>", *(f"genre {number}" for number in range(1_000))]
    rows = [row(n, f"The bell rings {n}.", genre=genre) for n, genre in enumerate(genres)]
    write_card(tmp_path, write_files(tmp_path, {"train": rows}, "lines"))
    text = (tmp_path / "README.md").read_text("utf-8")
    assert "<script>" not in text.replace("\\<script\\>", "")
    assert "901 smaller groups are not shown." in text
    assert "and 903 more, in the manifest's metadata" in text
    assert len(text) < 30_000


def test_the_splits_stand_in_their_order_whichever_is_larger(tmp_path: Path) -> None:
    more = {**SPLITS, "test": [row(number, f"Bell {number} rang.") for number in range(10, 16)]}
    write_card(tmp_path, write_files(tmp_path, more, "lines"))
    lines = (tmp_path / "README.md").read_text("utf-8").splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("| split | documents"))
    assert [line.split()[1] for line in lines[at + 2 : at + 5]] == ["train", "validation", "test"]
