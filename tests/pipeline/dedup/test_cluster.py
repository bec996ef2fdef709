"""The same search on a Ray cluster of two nodes: the same bytes, though a worker is killed."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("daft", reason="daft is not installed: pip install daft==0.7.26")
pytest.importorskip("ray", reason="ray is not installed: pip install '.[ray]'")

pytestmark = pytest.mark.slow

Words = Callable[[int, int], list[str]]

#: Signs and matches each franchise's documents in argv[1], into argv[2].
_SEARCH = """
import sys
from pathlib import Path
import pyarrow.parquet as pq
from pipeline.dedup.matches import find_matches
from pipeline.dedup.sign import sign

source, target = map(Path, sys.argv[1:])
documents = {path.stem: path for path in sorted(source.glob("*.parquet"))}
signatures = {name: target / f"{name}.signatures.parquet" for name in documents}
for name, path in documents.items():
    sign(path, None, signatures[name])
print("signed", flush=True)
sys.stdin.readline()
pq.write_table(find_matches(documents, signatures, scratch=target), target / "matches.parquet")
"""


def _start(arguments: list[str], **more: Any) -> subprocess.Popen[str]:
    environment = os.environ | {"RAY_USAGE_STATS_ENABLED": "0", "PYTHONPATH": str(Path.cwd())}
    # Ray would kill its workers where others have filled the machine's memory.
    environment |= {"RAY_memory_monitor_refresh_ms": "0"}
    environment |= more.pop("env", {})
    return subprocess.Popen(arguments, start_new_session=True, text=True, env=environment, **more)


def _family(pid: int) -> dict[int, str]:
    """A process's descendants, with their command lines."""
    parents, commands = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                stat = (entry / "stat").read_text()
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
            commands[int(entry.name)] = command
    found = {pid}
    for _ in parents:
        grown = found | {child for child, parent in parents.items() if parent in found}
        if grown == found:
            break
        found = grown
    return {child: commands[child] for child in found if child in commands}


def _end(process: subprocess.Popen[str]) -> None:
    """Kill a node with all it started, as a power cut would."""
    for pid in _family(process.pid):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    process.wait()


@pytest.fixture(scope="module")
def cluster() -> Iterator[tuple[str, list[subprocess.Popen[str]]]]:
    """The address of two nodes on loopback, and the two."""
    port, other = _free_ports()
    # Ray's sockets lie below its folder, and a socket's path has room for 107 bytes.
    folder = tempfile.mkdtemp(prefix="ray", dir="/tmp")
    ray = [sys.executable, "-c", "from ray.scripts.scripts import main; main()", "start", "--block"]
    address = f"127.0.0.1:{port}"
    bounds = ["--num-cpus=1", "--object-store-memory=200000000", "--disable-usage-stats"]
    # Ports that the system chooses: Ray's own range may have other programs in it.
    local = ["--node-ip-address=127.0.0.1", "--min-worker-port=0", "--max-worker-port=0"]
    nodes: list[subprocess.Popen[str]] = []
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    try:
        head = ["--head", f"--port={port}", f"--temp-dir={folder}", "--include-dashboard=false"]
        head += [f"--ray-client-server-port={other}"]
        nodes.append(_start([*ray, *head, *local, *bounds], **quiet))
        _until(lambda: _answers(port))
        nodes.append(_start([*ray, f"--address={address}", *local, *bounds], **quiet))
        _until(lambda: _nodes(address) == 2)
        yield address, nodes
    finally:
        for node in reversed(nodes):
            _end(node)
        shutil.rmtree(folder, ignore_errors=True)


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as two:
        for free in (one, two):
            free.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1]


def _until(holds: Callable[[], bool], seconds: float = 150) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _nodes(address: str) -> int:
    program = (
        "import sys, ray; ray.init(sys.argv[1], logging_level='ERROR', log_to_driver=False); "
        "print(sum(node['Alive'] for node in ray.nodes()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, address], capture_output=True, text=True, check=False
    )
    return int(done.stdout.split()[-1]) if done.returncode == 0 else 0


def _search(source: Path, target: Path, cluster: str | None) -> subprocess.Popen[str]:
    target.mkdir()
    env = {"LOREMILL_RAY": cluster} if cluster else {}
    program = [sys.executable, "-c", _SEARCH, str(source), str(target)]
    with (target / "errors.txt").open("w") as errors:
        return _start(
            program, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
        )


def _finished(search: subprocess.Popen[str], target: Path) -> dict[str, bytes]:
    search.communicate("\n", timeout=300)
    assert search.returncode == 0, (target / "errors.txt").read_text()[-3000:]
    return {path.name: path.read_bytes() for path in target.glob("*.parquet")}


@pytest.fixture
def documents(corpus: Any, words: Words, tmp_path: Path) -> Path:
    """Two franchises in many row groups, with planted near-duplicates."""
    for franchise in ("oz", "wonderland"):
        texts = {}
        for seed in range(900):
            text = words(200, seed)
            if franchise == "oz":
                text[seed % 150 :: 37] = ["other"] * len(text[seed % 150 :: 37])
            texts[f"s{seed:04d}"] = " ".join(text)
        corpus.add(franchise, texts, group=50)
    folder = tmp_path / "documents"
    folder.mkdir()
    for name, path in corpus.documents.items():
        path.rename(folder / f"{name}.parquet")
    return folder


@pytest.mark.timeout(900)
def test_a_cluster_gives_the_same_bytes_and_survives_a_killed_worker(
    cluster: tuple[str, list[subprocess.Popen[str]]], documents: Path, tmp_path: Path
) -> None:
    address, nodes = cluster
    here = _finished(_search(documents, tmp_path / "here", None), tmp_path / "here")
    assert len(here) == 3
    assert here == _finished(_search(documents, tmp_path / "there", address), tmp_path / "there")

    search = _search(documents, tmp_path / "killed", address)
    assert search.stdout
    assert search.stdin
    assert search.stdout.readline() == "signed\n"
    _until(lambda: all(map(_workers, nodes)))  # one of the nodes joins late
    rested = {worker: _ticks(worker) for node in nodes for worker in _workers(node)}
    search.stdin.write("\n")
    search.stdin.flush()
    busy: list[int] = []

    def somebody_works() -> bool:
        """Whether one has worked since, and does so now: it spends time between two looks."""
        first = {worker: _ticks(worker) for worker in rested}
        time.sleep(0.05)
        busy[:] = [
            worker
            for worker, before in rested.items()
            if first[worker] >= before + 5 and _ticks(worker) > first[worker]
        ]
        return bool(busy)

    _until(somebody_works)
    os.kill(busy[0], signal.SIGKILL)
    assert search.poll() is None
    _until(lambda: not any(busy[0] in _workers(node) for node in nodes))
    assert here == _finished(search, tmp_path / "killed")


def _workers(node: subprocess.Popen[str]) -> set[int]:
    """The processes in which Daft runs queries on a node."""
    family = _family(node.pid)
    return {pid for pid, said in family.items() if said.strip() == "ray::RaySwordfishActor"}


def _ticks(pid: int) -> int:
    """The processor time that a process has had, in hundredths of a second."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


def test_a_cluster_that_is_not_there_is_an_error_in_one_line(tmp_path: Path) -> None:
    program = "from pathlib import Path; from pipeline import engine; engine.read([Path('x')], [])"
    done = subprocess.run(
        [sys.executable, "-c", f"{program}"],
        env=os.environ | {"LOREMILL_RAY": "127.0.0.1:1", "PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    last = done.stderr.strip().splitlines()[-1]
    expected = "pipeline.engine_error.EngineError: LOREMILL_RAY=127.0.0.1:1: no Ray cluster"
    assert last.startswith(expected)
