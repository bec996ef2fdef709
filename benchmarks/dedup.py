"""Our near-duplicates beside datatrove's: speed, memory, recall and precision, growth.

`python benchmarks/dedup.py --peer VENV/bin/python` prints the section for RESULTS.md. Both read the
same Parquet files (dedup_documents.py) on two cores, in turns, each in a process of its own, from
the start of its work to its end; the peer first with our MinHash parameters, then with its own.
"""

import argparse
import json
import os
import platform
import struct
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path

import pyarrow.parquet as pq
from dedup_documents import FILES, planted_pairs, write_documents

_HERE = Path(__file__).parent
#: Bands and rows: ours, and those that datatrove and FineWeb take.
_OURS, _ITS_OWN = (42, 3), (14, 8)
_EDGES = (0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.01)
_BOUND = 0.5

Pairs = set[tuple[str, str]]


@dataclass
class Turn:
    """One search: seconds by stage, bytes of memory, pairs that it called duplicates."""

    seconds: dict[str, float]
    wall: float  # of the whole command
    peak: int  # of the largest process
    found: Pairs

    @property
    def total(self) -> float:
        """Seconds of work, without Python's start."""
        return sum(self.seconds.values())


def ours(documents: Path, folder: Path) -> Turn:
    """Loremill's search."""
    program = [sys.executable, str(_HERE / "dedup_ours.py"), str(documents), str(folder)]
    seconds, wall, peak = _run(program)
    rows = pq.read_table(folder / "matches.parquet").to_pylist()
    found = {_pair(row["doc_id"], row["partner"]) for row in rows if row["doc_id"]}
    return Turn(seconds, wall, peak, found)


def peer(python: str, documents: Path, folder: Path, bands: tuple[int, int]) -> Turn:
    """Datatrove's search; a pair is any two documents of one of its clusters."""
    program = [python, str(_HERE / "dedup_datatrove.py"), str(documents), str(folder)]
    seconds, wall, peak = _run([*program, *map(str, bands)])
    members = defaultdict(list)
    for file in range(FILES):
        names = pq.read_table(documents / f"{file}.parquet", columns=["doc_id"])["doc_id"]
        content = folder / "clusters" / f"{file:06d}.clusters"
        for row, cluster in struct.iter_unpack("<II", content.read_bytes()):
            members[cluster].append(names[row].as_py())
    pairs = (pair for names in members.values() for pair in combinations(names, 2))
    return Turn(seconds, wall, peak, {_pair(*pair) for pair in pairs})


def _pair(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one < other else (other, one)


def _run(program: Sequence[str]) -> tuple[dict[str, float], float, int]:
    """The stages' seconds that a program prints, its own, and its memory at most, in bytes."""
    with tempfile.TemporaryFile("w+") as said:
        paths = {"PYTHONPATH": str(_HERE.parent)} if program[0] == sys.executable else {}
        before = os.times().elapsed
        with subprocess.Popen(
            program, stdout=said, stderr=subprocess.DEVNULL, env={**os.environ, **paths}
        ) as child:
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        wall = os.times().elapsed - before
        said.seek(0)
        text = said.read()
    if child.returncode:
        raise SystemExit(f"error: {' '.join(program)} ended with {child.returncode}")
    return json.loads(text.splitlines()[-1]), wall, usage.ru_maxrss * 1024


def recall(found: Pairs, planted: Iterable[tuple[str, str, float]]) -> list[str]:
    """The share found of the planted pairs in each range of similarity."""
    counts: dict[float, list[int]] = {edge: [0, 0] for edge in _EDGES[:-1]}
    for one, other, similarity in planted:
        low = max((edge for edge in _EDGES[:-1] if edge <= similarity), default=None)
        if low is not None:
            counts[low][0] += _pair(one, other) in found
            counts[low][1] += 1
    return [f"{hit / of:.3f}" if of else "" for hit, of in counts.values()]


def precision(found: Pairs, planted: Iterable[tuple[str, str, float]]) -> float:
    """The share of the pairs found whose similarity is at least the bound."""
    true = {_pair(one, other) for one, other, s in planted if s >= _BOUND}
    return len(found & true) / len(found) if found else 1.0


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--peer", help="the Python of a venv with requirements-dedup.txt")
    options.add_argument("--sizes", type=float, nargs="+", default=[10, 100], help="megabytes")
    options.add_argument("--peer-up-to", type=float, default=100, help="megabytes")
    options.add_argument("--turns", type=int, default=3, help="of ours and the peer's, at 10 MB")
    given = options.parse_args()
    print(f"On {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}.\n")
    print("| MB | | signatures, s | all, s | MB/s | its time / ours | peak, MiB | precision |")
    print("| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    tables = []
    for size in given.sizes:
        with tempfile.TemporaryDirectory() as name:
            documents = Path(name)
            write_documents(documents, size)
            planted = list(planted_pairs(documents))
            systems = {"ours": lambda folder, d=documents: ours(d, folder)}
            if given.peer and size <= given.peer_up_to:
                for label, bands in (("same parameters", _OURS), ("its own", _ITS_OWN)):
                    systems[f"datatrove, {label}: {bands[0]} x {bands[1]}"] = (
                        lambda folder, d=documents, b=bands: peer(given.peer, d, folder, b)
                    )
            turns = defaultdict(list)
            for turn in range(given.turns if size <= 10 else 1):
                for place, (label, run) in enumerate(systems.items()):
                    turns[label].append(run(documents / f"{turn}-{place}"))
            best = {label: min(done, key=lambda t: t.total) for label, done in turns.items()}
            for label, turn_ in best.items():
                ratio = turn_.total / best["ours"].total
                cells = [
                    f"{size:,.0f}",
                    label,
                    f"{turn_.seconds['signatures']:.2f}",
                    f"{turn_.total:.2f}",
                    f"{size / turn_.total:.2f}",
                    "" if label == "ours" else f"{ratio:.0f}",
                    f"{turn_.peak / 2**20:,.0f}",
                    f"{precision(turn_.found, planted):.4f}",
                ]
                print(f"| {' | '.join(cells)} |", flush=True)
                shares = " | ".join(recall(turn_.found, planted))
                tables.append(f"| {size:,.0f} | {label} | {shares} |")
    ranges = [f"{low:.1f} to {min(high, 1):.1f}" for low, high in pairwise(_EDGES)]
    print("\nShare of the planted pairs found, by their similarity (below 0.5 none should be):\n")
    print(f"| MB | | {' | '.join(ranges)} |")
    print(f"| ---: | --- |{' ---: |' * len(ranges)}")
    print("\n".join(tables))


if __name__ == "__main__":
    main()
