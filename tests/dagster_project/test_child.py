"""A child ends with whoever started it: normally, on an exception, and when it is killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dagster_project.child import ChildError, KilledError, run_child

# Starts a grandchild, writes both process ids, and sleeps; obeys SIGINT or ignores everything.
_SLEEPER = """
import os, signal, subprocess, sys, time
if sys.argv[2] == "stubborn":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open(sys.argv[1], "w").write(f"{os.getpid()} {grandchild.pid}")
print("started", flush=True)
time.sleep(600)
"""


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _await(condition, seconds: float = 15.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_lines_arrive_as_they_are_printed():
    lines: list[str] = []
    run_child(["-c", "print('one'); print('two')"], {}, lines.append)
    assert lines == ["one", "two"]


def test_environment_is_passed_on():
    lines: list[str] = []
    command = ["-c", "import os; print(os.environ['STORY'])"]
    run_child(command, {"STORY": "told"}, lines.append)
    assert lines == ["told"]


def test_all_errors_of_the_child_are_told():
    script = "print('error: no dragon'); print('error: no knight'); raise SystemExit(1)"
    with pytest.raises(ChildError, match="^no dragon\nno knight$"):
        run_child(["-c", script], {}, lambda _: None)


def test_error_names_the_childs_own_line():
    script = "import sys; print('error: the dragon is missing; add it'); print('x'); sys.exit(2)"
    with pytest.raises(ChildError, match="^the dragon is missing; add it$") as caught:
        run_child(["-c", script], {}, lambda _: None)
    assert caught.value.status == 2


@pytest.mark.parametrize("manner", ["obedient", "stubborn"])
def test_leaving_by_an_exception_ends_the_whole_group(tmp_path, monkeypatch, manner):
    monkeypatch.setenv("LOREMILL_PATIENCE", "1,1")
    pids = tmp_path / "pids"

    def leave(_line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_child(["-c", _SLEEPER, str(pids), manner], {}, leave)
    assert not any(_alive(int(pid)) for pid in pids.read_text().split())


@pytest.mark.parametrize("manner", ["obedient", "stubborn"])
def test_a_killed_parent_leaves_nothing_behind(tmp_path, manner):
    pids = tmp_path / "pids"
    script = (
        "import sys; from dagster_project.child import run_child;"
        "run_child(['-c', sys.argv[1], sys.argv[2], sys.argv[3]], {}, print)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, _SLEEPER, str(pids), manner],
        stdout=subprocess.DEVNULL,
        env={**os.environ, "LOREMILL_PATIENCE": "1,1"},
    )
    assert _await(lambda: pids.exists() and len(pids.read_text().split()) == 2)
    children = [int(pid) for pid in pids.read_text().split()]
    assert all(_alive(pid) for pid in children)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert _await(lambda: not any(_alive(pid) for pid in children))


# Writes the processes above it, the nearest first, and its own; obeys SIGINT or ignores everything.
_TIED = """
import os, signal, sys, time
if sys.argv[2] == "stubborn":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
near = os.getppid()
far = int(open(f"/proc/{near}/stat").read().rpartition(")")[2].split()[1])
open(sys.argv[1], "w").write(f"{near} {far} {os.getpid()}")
print("started", flush=True)
try:
    time.sleep(600)
except KeyboardInterrupt:
    open(sys.argv[1] + ".kind", "w").write("a checkpoint")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("manner", ["obedient", "stubborn"])
def test_a_killed_tether_ends_the_command_and_is_told(tmp_path, monkeypatch, manner, which):
    monkeypatch.setenv("LOREMILL_PATIENCE", "1,1" if manner == "stubborn" else "30,1")
    pids = tmp_path / "pids"

    def kill(_line: str) -> None:
        os.kill(int(pids.read_text().split()[which]), signal.SIGKILL)

    with pytest.raises(KilledError, match=r"was killed \(SIGKILL\)"):
        run_child(["-c", _TIED, str(pids), manner], {}, kill)
    # The tether that is left ends the command, then itself, and nobody waits for the latter.
    assert _await(lambda: not any(_alive(int(pid)) for pid in pids.read_text().split()))
    assert (tmp_path / "pids.kind").exists() == (manner == "obedient")


def test_what_a_finished_command_left_running_is_ended(tmp_path, monkeypatch):
    monkeypatch.setenv("LOREMILL_PATIENCE", "1,1")
    pids = tmp_path / "pids"
    script = (
        "import subprocess, sys;"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'],"
        " stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL);"
        f"open({str(pids)!r}, 'w').write(str(p.pid))"
    )
    run_child(["-c", script], {}, lambda _: None)
    assert _await(lambda: not _alive(int(pids.read_text())))


# Starts a grandchild in a session of its own, as torchrun does, which obeys nothing but SIGKILL.
_TORCHRUN = """
import os, subprocess, sys, time
script = (
    "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN);"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)"
)
worker = subprocess.Popen(
    [sys.executable, "-c", script], start_new_session=True, stdout=subprocess.PIPE
)
worker.stdout.readline()
open(sys.argv[1], "w").write(str(worker.pid))
print("started", flush=True)
if sys.argv[2] == "killed":
    os.kill(os.getpid(), 9)
time.sleep(600)
"""


@pytest.mark.parametrize("manner", ["cancelled", "killed"])
def test_what_has_a_session_of_its_own_is_ended_too(tmp_path, monkeypatch, manner):
    monkeypatch.setenv("LOREMILL_PATIENCE", "0.5,0.5")
    worker = tmp_path / "worker"

    def leave(_line: str) -> None:
        if manner == "cancelled":
            raise KeyboardInterrupt

    with pytest.raises((KeyboardInterrupt, KilledError)):
        run_child(["-c", _TORCHRUN, str(worker), manner], {}, leave)
    assert not _alive(int(worker.read_text()))


def test_a_child_that_the_system_killed_says_so_and_what_helps():
    with pytest.raises(KilledError, match=r"was killed \(SIGKILL\), and not by Loremill") as caught:
        run_child(["-c", "import os; print('x'); os.kill(os.getpid(), 9)"], {}, lambda _: None)
    assert "ran out of memory" in str(caught.value)


def test_a_process_of_torchrun_that_the_system_killed_says_so_too():
    says = "print('traceback : Signal 9 (SIGKILL) received by PID 7'); raise SystemExit(1)"
    with pytest.raises(KilledError, match="ran out of memory"):
        run_child(["-c", says], {}, lambda _: None)


# A process of torchrun says what is wrong with what it was given.
_WORKER = """
import sys
sys.stdout.write("error: the dragon is missing\\n")  # at once, as exit_status says it
sys.exit(2)
"""


@pytest.mark.slow
def test_what_processes_of_torchrun_say_is_told_once_and_their_status_is_known(tmp_path):
    (tmp_path / "worker.py").write_text(_WORKER)
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    with pytest.raises(ChildError, match="^the dragon is missing$") as caught:
        run_child([*command, str(tmp_path / "worker.py")], {}, lambda _: None)
    assert caught.value.status == 2


@pytest.mark.slow
def test_what_a_process_of_torchrun_raised_is_told_not_the_end_of_torchruns_report():
    script = "raise KeyError('the dragon')"
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--no-python"]
    with pytest.raises(ChildError, match="^KeyError: 'the dragon'$"):
        run_child([*torchrun, sys.executable, "-c", script], {}, lambda _: None)
