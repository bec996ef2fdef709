"""Cleaning's rules and near-duplicates beside datatrove's: speed, memory, what is found, growth.

`python benchmarks/dedup.py --peer VENV/bin/python` prints the section for RESULTS.md. Both read the
same Parquet files (dedup_documents.py) on two cores, in turns, each in processes of its own, stage
by stage; the peer first with our MinHash parameters, then with its own. Seconds are the
processor's, since a neighbour's work would be in the wall's; megabytes a second are those of two
cores that have nothing else to do.
"""

import argparse
import json
import os
import platform
import struct
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path

import pyarrow.parquet as pq
from dedup_documents import planted_pairs, spoilt_documents, write_documents

_HERE = Path(__file__).parent
#: Bands and rows: ours, and those that datatrove and FineWeb take.
_OURS, _ITS_OWN = (42, 3), (14, 8)
_EDGES = (0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.01)
_BOUND = 0.5
_CORES = 2

Pairs = set[tuple[str, str]]


@dataclass
class Turn:
    """One run: by stage seconds, processor seconds and bytes of the largest process; and what was
    found."""

    wall: dict[str, float]
    seconds: dict[str, float]  # of the processor, all processes together
    peaks: dict[str, int]
    found: Pairs
    dropped: set[str]  # by the rules

    @property
    def total(self) -> float:
        """The processor's seconds."""
        return sum(self.seconds.values())


def ours(documents: Path, folder: Path, *options: str) -> Turn:
    """Loremill's rules and search."""
    program = [sys.executable, str(_HERE / "dedup_ours.py"), str(documents), str(folder), *options]
    measured = _run(program)
    matches = pq.read_table(folder / "matches.parquet", columns=["doc_id", "partner"])
    found = {_pair(*map(str, pair)) for pair in zip(*matches.to_pydict().values(), strict=True)}
    dropped = {name for path in folder.glob("dropped-*") for name in json.loads(path.read_text())}
    return Turn(*measured, found, dropped)


def peer(python: str, documents: Path, folder: Path, bands: tuple[int, int]) -> Turn:
    """Datatrove's filters and search; a pair is any two documents of one of its clusters."""
    program = [python, str(_HERE / "dedup_datatrove.py"), str(documents), str(folder)]
    measured = _run([*program, *map(str, bands)])
    members = defaultdict(list)
    for file, path in enumerate(sorted((folder / "kept").glob("*.parquet"))):
        names = pq.read_table(path, columns=["id"])["id"]
        content = folder / "clusters" / f"{file:06d}.clusters"
        for row, cluster in struct.iter_unpack("<II", content.read_bytes()):
            members[cluster].append(names[row].as_py())
    pairs = (pair for names in members.values() for pair in combinations(names, 2))
    lines = (path.read_text().splitlines() for path in (folder / "dropped").glob("*/*.jsonl"))
    dropped = {json.loads(line)["id"] for part in lines for line in part}
    return Turn(*measured, {_pair(*pair) for pair in pairs}, dropped)


def _pair(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one < other else (other, one)


def _run(program: Sequence[str]) -> tuple[dict[str, float], dict[str, float], dict[str, int]]:
    """By stage: the seconds that a program says, the processor's, and bytes of its largest process.

    The processes are looked at five times a second: both systems' workers are the children of a
    child, of which no record of the kernel tells their grandparent.
    """
    spent: dict[int, float] = {}  # by process
    seconds, peaks = [0.0], [0]
    paths = {"PYTHONPATH": str(_HERE.parent)} if program[0] == sys.executable else {}
    with tempfile.TemporaryFile("w+") as said:
        with subprocess.Popen(
            program,
            stdout=said,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **paths},
            start_new_session=True,
        ) as child:
            while child.poll() is None:
                time.sleep(0.2)
                stages = os.pread(said.fileno(), 1 << 16, 0).count(b"\n")
                seconds += [0.0] * (stages + 1 - len(seconds))
                peaks += [0] * (stages + 1 - len(peaks))
                for process, ticks, peak in _processes(child.pid):
                    seconds[stages] += ticks - spent.get(process, 0.0)
                    spent[process] = ticks
                    peaks[stages] = max(peaks[stages], peak)
        if child.returncode:
            raise SystemExit(f"error: {' '.join(program)} ended with {child.returncode}")
        said.seek(0)
        wall = dict(json.loads(line) for line in said)
    return wall, dict(zip(wall, seconds, strict=False)), dict(zip(wall, peaks, strict=False))


def _processes(session: int) -> Iterator[tuple[int, float, int]]:
    """The processes of a session that are still there: seconds so far, peak in bytes."""
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and os.getsid(int(entry.name)) == session:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                status = (entry / "status").read_text()
                peak = int(status.partition("VmHWM:")[2].split()[0]) * 1024
                ticks = int(fields[11]) + int(fields[12])
                yield int(entry.name), ticks / os.sysconf("SC_CLK_TCK"), peak
        except (OSError, IndexError):
            continue  # it has ended


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
    options.add_argument("--own-up-to", type=float, default=10, help="the peer's own parameters")
    options.add_argument("--turns", type=int, default=3, help="of each, at 10 MB")
    options.add_argument("--no-rules", action="store_true", help="ours searches all documents")
    options.add_argument("--documents", type=Path, help="where those of each size lie, or shall")
    given = options.parse_args()
    print(f"On {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}.\n")
    memory, quality = [], []
    for size in given.sizes:
        with tempfile.TemporaryDirectory(dir=given.documents) as name:
            scratch = Path(name)
            documents = (given.documents or scratch) / f"documents-{size:g}"
            if not documents.is_dir():
                documents.mkdir()
                write_documents(documents, size)
            planted = list(planted_pairs(documents))
            spoilt = set(spoilt_documents(documents))
            more = ("--no-rules",) if given.no_rules else ()
            systems = {"ours": lambda folder, d=documents, m=more: ours(d, folder, *m)}
            for label, bands, most in (
                ("same parameters", _OURS, given.peer_up_to),
                ("its own", _ITS_OWN, min(given.peer_up_to, given.own_up_to)),
            ):
                if given.peer and size <= most:
                    systems[f"datatrove, {label}: {bands[0]} x {bands[1]}"] = (
                        lambda folder, d=documents, b=bands: peer(given.peer, d, folder, b)
                    )
            turns = defaultdict(list)
            for turn in range(given.turns if size <= 10 else 1):
                for place, (label, run) in enumerate(systems.items()):
                    turns[label].append(run(scratch / f"{turn}-{place}"))
            best = {label: min(done, key=lambda t: t.total) for label, done in turns.items()}
        if not memory:
            print(_head(["MB", "", *_STAGES, "all", "MB/s", "wall, s"]))
        for label, done in best.items():
            print(_row([f"{size:,g}", label, *_speeds(done, best["ours"], size)]), flush=True)
            memory.append(_row([f"{size:,g}", label, *(f"{n / 2**20:,.0f}" for n in _peaks(done))]))
            figures = [f"{precision(done.found, planted):.4f}"]
            figures += [f"{len(done.dropped & spoilt)} of {len(spoilt)}" if done.dropped else ""]
            figures += [f"{len(done.dropped - spoilt)}" if done.dropped else ""]
            cells = [*recall(done.found, planted), *figures]
            quality.append(_row([f"{size:,g}", label, *cells]))
    print("\nPeak of the largest process, MiB:\n")
    print("\n".join([_head(["MB", "", *_STAGES]), *memory]))
    ranges = [f"{low:.1f} to {min(high, 1):.1f}" for low, high in pairwise(_EDGES)]
    print("\nShare of the planted pairs found, by their similarity (below 0.5 none should be), the")
    print("precision, and what the rules dropped of what is no story, and of stories:\n")
    print(_head(["MB", "", *ranges, "precision", "no story", "stories"]))
    print("\n".join(quality))


#: The stages of a table, and those of either system that each is made of.
_STAGES = {
    "rules": ("rules",),
    "signatures": ("signatures",),
    "search": ("matches", "choice", "buckets", "clusters", "filter"),
}


def _speeds(done: Turn, best: Turn, size: float) -> Iterator[str]:
    """Seconds by stage and in all, and how many times ours they are."""
    for stages in (*_STAGES.values(), *[(*done.seconds, *best.seconds)]):
        spent, least = (sum(t.seconds.get(n, 0) for n in {*stages}) for t in (done, best))
        yield f"{spent:.2f} s" + (f", {spent / least:.1f} x" if done is not best and least else "")
    yield f"{size / (done.total / _CORES):.2f}"
    yield f"{sum(done.wall.values()):,.1f}"


def _peaks(done: Turn) -> Iterator[int]:
    for stages in _STAGES.values():
        yield max((done.peaks.get(name, 0) for name in stages), default=0)


def _head(cells: Iterable[str]) -> str:
    names = list(cells)
    return f"{_row(names)}\n| ---: | --- |{' ---: |' * (len(names) - 2)}"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
