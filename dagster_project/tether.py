"""Runs a command that must not outlive its parent: `python -m dagster_project.tether COMMAND …`.

A killed parent (`kill -9`, out of memory) cannot end its children, and a crawl or training that
lives on holds the site or the GPU while Dagster believes it free. So the parent keeps the other end
of this process's standard input open: when it closes, whatever the reason, the command's process
group gets SIGINT, then SIGTERM, then SIGKILL. Needs no cooperation from the command.
"""

import os
import signal
import subprocess
import sys
import threading
import time

#: Seconds from SIGINT to SIGTERM, and from there to SIGKILL. The first is for a training's
#: checkpoint; LOREMILL_PATIENCE="30,5" sets both.
_PATIENCE = "30,5"


def end_group(group: int) -> None:
    """SIGINT, SIGTERM, SIGKILL to a process group, until none of it is left."""
    first, second = os.environ.get("LOREMILL_PATIENCE", _PATIENCE).split(",")
    for number, seconds in (
        (signal.SIGINT, float(first)),
        (signal.SIGTERM, float(second)),
        (signal.SIGKILL, 5.0),
    ):
        try:
            os.killpg(group, number)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                os.killpg(group, 0)
            except ProcessLookupError:
                return
            time.sleep(0.05)


def main(command: list[str]) -> int:
    """Run the command in a process group of its own; return its exit status."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0)

    def interrupt(_number: int, _frame: object) -> None:
        threading.Thread(target=end_group, args=(child.pid,), daemon=True).start()

    # Set explicitly: a shell's background jobs hand SIGINT on as "ignore".
    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, interrupt)

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        end_group(child.pid)

    threading.Thread(target=watch, daemon=True).start()
    status = child.wait()
    end_group(child.pid)  # what the command left running behind it
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
