"""`loremill trace` on a large corpus, whole commands, beside what one would do without it.

`python benchmarks/trace.py` prints the section for RESULTS.md. The corpus is written by the corpus
step's own writer. The peers only find the place: none of them knows which page it is from, but the
first, which asks the manifest as the dataset card says. Each question is asked in turns, warm (the
files in the page cache) and cold (dropped from it before each).
"""

import argparse
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipeline.artifact import Artifact, materialize
from pipeline.corpus.files import SplitWriter, manifest_writer
from pipeline.corpus.layout import make_layout

_SHARES = {"train": 0.9, "validation": 0.05, "test": 0.05}
_LAST = "At last the heron carried the seventh lantern over the marsh’s edge."
_MANIFEST = (
    "import sys, pyarrow.parquet as pq\n"
    "byte = int(sys.argv[2])\n"
    "where = [('split', '==', 'train'), ('start', '<=', byte), ('end', '>', byte)]\n"
    "print(pq.read_table(sys.argv[1], filters=where).to_pylist())"
)


@dataclass
class Question:
    """What is asked, of ours and of the peer, and the peer's name."""

    name: str
    ours: Sequence[str]
    peer_name: str
    peer: Sequence[str]
    found: bool = True


def stories(seed: int) -> Iterator[dict[str, Any]]:
    """Documents of some 2.8 kB, of 20,000 sentences whose words are as often as in books."""
    draw = random.Random(seed)  # noqa: S311, the same stories each time
    letters = "etaoinshrdlucmfwypvbgk"
    words = ["".join(draw.choices(letters, k=draw.choice((2, 3, 3, 4, 5, 7)))) for _ in range(8000)]
    weights = [1 / rank for rank in range(1, len(words) + 1)]
    sentences = [
        " ".join(draw.choices(words, weights, k=draw.randint(8, 25))).capitalize() + "."
        for _ in range(20_000)
    ]
    number = 0
    while True:
        text = f"Story {number} begins at the weir. " + " ".join(draw.choices(sentences, k=30))
        yield document(number, text)
        number += 1


def document(number: int, text: str) -> dict[str, Any]:
    """A row of DOCUMENTS, as far as the writer reads it."""
    page = f"https://wiki.example/wiki/{number}"
    return {
        "doc_id": f"lamps/wikipedia/{number}#Plot",
        "work_id": f"wikipedia:wiki.example/{number}",
        "franchise": "lamps",
        "source": "wikipedia",
        "url": f"{page}#Plot",
        "revision": str(number + 7),
        "title": f"Page {number}",
        "section": "Plot",
        "genre": "fable",
        "language": "en",
        "licence": "CC-BY-SA-4.0",
        "attribution_url": page,
        "text": text,
        "text_sha256": sha256(text.encode()).hexdigest(),
    }


def write_corpus(root: Path, megabytes: float) -> Artifact:
    """A corpus of this size; the last document of train ends with a sentence of its own."""

    def build(folder: Path) -> dict[str, Any]:
        source, layout = stories(1), make_layout("documents", [])
        with manifest_writer(folder, layout) as manifest:
            for split, share in _SHARES.items():
                with SplitWriter(folder, split, manifest, layout) as writer:
                    size = 0
                    while size < share * megabytes * 1e6:
                        size += writer.write(next(source))
                    if split == "train":
                        writer.write(document(-1, f"A last story.\n\n{_LAST}"))
        return {}

    return materialize(root, "benchmark", build)


def questions(corpus: Artifact) -> list[Question]:
    """A byte, a line and some sentences; places late in the file, where a scan takes longest."""
    train, manifest = corpus.folder / "train.txt", corpus.folder / "manifest.parquet"
    texts = [str(corpus.folder / f"{split}.txt") for split in _SHARES]
    byte = train.stat().st_size * 9 // 10
    rows = pq.read_table(manifest, columns=["split", "line"]).to_pylist()
    line = max(row["line"] for row in rows if row["split"] == "train") * 9 // 10
    grep = ["grep", "-b", "-n", "-F", "--"]
    other = _LAST.replace("’", "'").replace("carried the", "carried  the")
    pattern = "[[:space:]]+".join(other.replace("'", "(’|')").split())
    return [
        Question(
            f"byte {byte:,}",
            ["--byte", str(byte)],
            "the manifest with a filter, as the card says",
            [sys.executable, "-c", _MANIFEST, str(manifest), str(byte)],
        ),
        Question(
            f"line {line:,}", ["--line", str(line)], "`sed -n`",
            ["sed", "-n", f"{line}{{p;q}}", texts[0]],
        ),
        Question(
            "a sentence, letter by letter", ["--text", _LAST], "`grep -b -n -F`",
            [*grep, _LAST, *texts],
        ),
        Question(
            "with another quote and blank", ["--text", other], "`grep -b -n -E`",
            ["grep", "-b", "-n", "-E", "--", pattern, *texts],
        ),
        Question(
            "a sentence that is not there", ["--text", "the heron carried the ninth lantern"],
            "`grep -b -n -F`", [*grep, "the heron carried the ninth lantern", *texts],
            found=False,
        ),
    ]  # fmt: skip


@dataclass
class Turn:
    """Seconds of a whole command: on the clock, and of the processor."""

    wall: float
    processor: float


def run(command: Sequence[str], data: Path, corpus: Artifact, cold: bool, found: bool) -> Turn:
    """A whole command, from the shell to its end."""
    if cold:
        for path in corpus.folder.iterdir():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    environment = {**os.environ, "LOREMILL_DATA": str(data), "LC_ALL": "C.UTF-8"}
    quiet = subprocess.DEVNULL
    begun = time.perf_counter()
    with subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet) as child:
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    taken = time.perf_counter() - begun
    if child.returncode != (0 if found else 1):
        raise SystemExit(f"error: {' '.join(command)} ended with {child.returncode}")
    return Turn(taken, usage.ru_utime + usage.ru_stime)


def report(data: Path, corpus: Artifact, turns: int, command: str) -> Iterator[str]:
    """The section of RESULTS.md, line by line."""
    loremill = str(Path(sys.executable).with_name("loremill"))
    size = sum(corpus.files.values()) / 1e9
    yield "## Tracing beside grep, sed and a filter"
    yield ""
    yield (
        f"`{command}` on {platform.machine()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, {time.strftime('%d %B %Y')}: a corpus of {size:.2f} GB with "
        f"its manifest. Whole commands, medians of {turns} turns; the ratio is of processor time."
    )
    yield ""
    yield "| question | files | ours, s | processor | peer | its, s | processor | ours / peer |"
    yield "| --- | --- | ---: | ---: | --- | ---: | ---: | ---: |"
    for cold in (False, True):
        for asked in questions(corpus):
            mine = [loremill, "trace", corpus.root.name, *asked.ours]
            sides = [
                (
                    run(mine, data, corpus, cold, asked.found),
                    run(asked.peer, data, corpus, cold, asked.found),
                )
                for _ in range(turns)
            ]
            ours, peer = (
                Turn(
                    statistics.median(turn.wall for turn in of_side),
                    statistics.median(turn.processor for turn in of_side),
                )
                for of_side in zip(*sides, strict=True)
            )
            yield (
                f"| {asked.name} | {'cold' if cold else 'warm'} | "
                f"{ours.wall:.2f} | {ours.processor:.2f} | "
                f"{asked.peer_name} | {peer.wall:.2f} | {peer.processor:.2f} | "
                f"{ours.processor / peer.processor:.2f} |"
            )


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=1000, help="of text")
    parser.add_argument("--turns", type=int, default=5, help="of each question")
    given = parser.parse_args()
    command = f"python benchmarks/trace.py {' '.join(sys.argv[1:])}".strip()
    with tempfile.TemporaryDirectory() as name:
        corpus = write_corpus(Path(name) / "corpora" / "large", given.megabytes)
        os.sync()  # what is not on the disk yet cannot be dropped from the cache
        for line in report(Path(name), corpus, given.turns, command):
            print(line, flush=True)


if __name__ == "__main__":
    main()
