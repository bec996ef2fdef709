"""What a story copied, asked of the index and of plain search, on 100 MB of training text.

`python benchmarks/copies.py` prints the section for RESULTS.md. The text is that of
`dedup_documents.py`, written by the corpus step's own writer. Plain search is the C library's
`memmem` over the same folded words in memory, the quickest that needs no index: a longer run than
the best so far is looked for at each word, and where there is one its end by doubling and halving.
Both must find the same. One given passage is also asked for by whole commands, beside `grep -F`.
"""

import argparse
import ctypes
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from dedup_documents import FILES, write_documents

from pipeline.artifact import Artifact, materialize
from pipeline.corpus import read_split
from pipeline.corpus.files import SplitWriter, manifest_writer
from pipeline.corpus.layout import make_layout
from pipeline.memorisation.index import WORDS, TrainIndex, build_index
from pipeline.memorisation.words import words_of

_NAME = "large"
#: Words of a story, and of the passage that one kind of them has from the corpus.
_STORY, _COPIED = 200, 40
_BUILD = (
    "import sys, pathlib; from pipeline.memorisation.index import build_index; "
    "build_index(*map(pathlib.Path, sys.argv[1:]))"
)

_memmem = ctypes.CDLL(None).memmem
_memmem.restype = ctypes.c_void_p
_memmem.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t)


def write_corpus(data: Path, megabytes: float) -> Artifact:
    """The documents as the training text of a corpus under a data root."""
    with tempfile.TemporaryDirectory() as name:
        write_documents(Path(name), megabytes)

        def build(folder: Path) -> dict[str, Any]:
            layout = make_layout("documents", [])
            with (
                manifest_writer(folder, layout) as manifest,
                SplitWriter(folder, "train", manifest, layout) as writer,
            ):
                for number in range(FILES):
                    file = pq.ParquetFile(Path(name) / f"{number}.parquet")
                    for batch in file.iter_batches(256):
                        for row in batch.to_pylist():
                            writer.write(row)
            return {}

        return materialize(data / "corpora" / _NAME, "benchmark", build)


def stories(corpus: Path, each: int) -> dict[str, list[str]]:
    """So many stories of each kind, whose words are all from the corpus."""
    draw = random.Random(11)  # noqa: S311 - the same stories each time
    texts = [document.text.split() for document in read_split(corpus, "train")]
    texts = [words for words in texts if len(words) > 2 * _STORY]

    def passage(length: int) -> list[str]:
        words = draw.choice(texts)
        start = draw.randrange(len(words) - length)
        return words[start : start + length]

    def shuffled(length: int) -> list[str]:
        return draw.sample(passage(length), length)

    half = (_STORY - _COPIED) // 2
    return {
        "nothing copied": [" ".join(shuffled(_STORY)) for _ in range(each)],
        f"{_COPIED} words of it copied": [
            " ".join(shuffled(half) + passage(_COPIED) + shuffled(half)) for _ in range(each)
        ],
        "copied as a whole": [" ".join(passage(_STORY)) for _ in range(each)],
    }


def longest_plainly(text: bytes, story: str) -> int:
    """Words of the longest run of the story that stands in the folded text."""
    words = words_of(story).folded

    def stands(first: int, length: int) -> bool:
        run = f" {' '.join(words[first : first + length])} ".encode()
        return _memmem(text, len(text), run, len(run)) is not None

    best = 0
    for first in range(len(words)):
        most = len(words) - first
        if most <= best or not stands(first, best + 1):
            continue
        low, step = best + 1, 1
        while low < most and stands(first, min(most, low + step)):
            low, step = min(most, low + step), 2 * step
        high = min(most + 1, low + step)  # so many are too many
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if stands(first, middle) else (low, middle)
        best = low
    return best


def timed(work: Callable[[str], int], texts: Sequence[str]) -> tuple[float, list[int]]:
    """Seconds a story, and what was found in each."""
    begun = time.perf_counter()
    found = [work(text) for text in texts]
    return (time.perf_counter() - begun) / len(texts), found


def whole(command: Sequence[str], data: Path) -> tuple[float, float]:
    """A whole command: seconds, and MiB of memory at its peak."""
    environment = {**os.environ, "LOREMILL_DATA": str(data), "LC_ALL": "C.UTF-8"}
    begun = time.perf_counter()
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as child:
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"error: {' '.join(command)} ended with {child.returncode}")
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return time.perf_counter() - begun, usage.ru_maxrss / unit


def report(data: Path, corpus: Artifact, turns: int, each: int, command: str) -> Iterator[str]:
    """The section of RESULTS.md, line by line."""
    yield "## What a story copied, beside plain search"
    yield ""
    yield (
        f"`{command}` on {platform.machine()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, {time.strftime('%d %B %Y')}. Medians of {turns} turns."
    )
    yield ""
    aside = data / "aside"
    aside.mkdir()
    built = [sys.executable, "-c", _BUILD, str(corpus.folder), str(aside)]
    seconds, memory = whole(built, data)
    index = materialize(
        data / "indexes" / _NAME, "benchmark", lambda folder: build_index(corpus.folder, folder)
    )
    text = (index.folder / WORDS).read_bytes()
    yield "| text, MB | documents | words | build, s | MB a s | peak memory, MiB | index, MB |"
    yield "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    size, figures = corpus.files["train.txt"] / 1e6, index.figures
    yield (
        f"| {size:,.1f} | {figures['documents']:,} | {figures['words']:,} | {seconds:.1f} | "
        f"{size / seconds:.1f} | {memory:,.0f} | {sum(index.files.values()) / 1e6:,.1f} |"
    )
    yield ""
    yield f"| a story of {_STORY} words | index, ms | memmem, ms | memmem / index |"
    yield "| --- | ---: | ---: | ---: |"
    with TrainIndex(index.folder, corpus.folder) as opened:
        for kind, texts in stories(corpus.folder, each).items():
            ours, plain = [], []
            for _ in range(turns):
                quick, found = timed(lambda story: int(opened.runs(story).max()), texts)
                slow, expected = timed(lambda story: longest_plainly(text, story), texts)
                if found != expected:
                    raise SystemExit(f"error: {kind}: the index found {found}, memmem {expected}")
                ours.append(quick)
                plain.append(slow)
            ratio = statistics.median(slow / quick for quick, slow in zip(ours, plain, strict=True))
            yield (
                f"| {kind} | {1e3 * statistics.median(ours):.2f} | "
                f"{1e3 * statistics.median(plain):,.0f} | {ratio:,.0f} |"
            )
    yield ""
    yield from _given(data, corpus, index, turns)


def _given(data: Path, corpus: Artifact, index: Artifact, turns: int) -> Iterator[str]:
    """One passage late in the text, asked for by whole commands."""
    with TrainIndex(index.folder, corpus.folder) as opened:
        words = list(read_split(corpus.folder, "train"))[-2].text.split()[:30]
        passage = " ".join(words)
        assert opened.runs(passage)[0] == len(opened.runs(passage))
    run = f" {' '.join(words_of(passage).folded)} "
    loremill = str(Path(sys.executable).with_name("loremill"))
    ours = [loremill, "copied", _NAME, "--sentence", passage]
    peer = ["grep", "-c", "-F", "--", run, str(index.folder / WORDS)]
    pairs = [(whole(ours, data)[0], whole(peer, data)[0]) for _ in range(turns)]
    quick, slow = (statistics.median(times) for times in zip(*pairs, strict=True))
    ratio = statistics.median(slow / quick for quick, slow in pairs)
    yield "| one given passage of 30 words, whole commands | s | `grep -c -F`, s | grep / ours |"
    yield "| --- | ---: | ---: | ---: |"
    asked = "`loremill copied`: where, which page, which licence"
    yield f"| {asked} | {quick:.2f} | {slow:.2f} | {ratio:.2f} |"


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=100, help="of text")
    parser.add_argument("--turns", type=int, default=5, help="of each question")
    parser.add_argument("--stories", type=int, default=3, help="of each kind")
    given = parser.parse_args()
    command = f"python benchmarks/copies.py {' '.join(sys.argv[1:])}".strip()
    with tempfile.TemporaryDirectory() as name:
        corpus = write_corpus(Path(name), given.megabytes)
        for line in report(Path(name), corpus, given.turns, given.stories, command):
            print(line, flush=True)


if __name__ == "__main__":
    main()
