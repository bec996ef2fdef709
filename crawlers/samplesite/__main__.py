"""`python -m crawlers.samplesite`: the sample sites on loopback until interrupted.

`python -m crawlers.samplesite -- COMMAND …` serves them while the command runs. Exit codes: 0
served, or already served by another process under --reuse; 2 bad input, or a port that something
else holds; the command's own where there is one.
"""

import argparse
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from crawlers.samplesite import PORTS, PortTakenError, SampleSites, content_hashes
from crawlers.samplesite.server import HEALTH_PATH, HOST


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        if options.reuse and _already_served(options.ports, options.content):
            _say(options.quiet, f"the same sample sites already run on ports {options.ports}")
            return _run(options.command)
        sites = SampleSites(options.ports, options.content)
    except (PortTakenError, ValueError) as error:
        print(f"samplesite: {error}", file=sys.stderr)
        return 2
    with sites:
        for name in ("bulbapedia", "wikipedia", "gutenberg"):
            _say(options.quiet, f"{name:<11}{getattr(sites, name)}")
        if options.command:
            return _run(options.command)
        _say(options.quiet, "serving; end with Ctrl-C")
        _wait()
    return 0


def _run(command: Sequence[str]) -> int:
    """Run the command to its end; an interrupt from the terminal reaches it by itself."""
    if not command:
        return 0
    with subprocess.Popen(command) as child:
        # Sent to this process alone; the sites stay until the command has ended by it.
        signal.signal(signal.SIGTERM, lambda *_: child.terminate())
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:  # the terminal sent it to the command too, which decides
                continue


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m crawlers.samplesite", description=__doc__)
    parser.add_argument("--ports", type=_ports, default=PORTS, metavar="A,B,C",
                        help="of bulbapedia, wikipedia, gutenberg; 0: any free port")  # fmt: skip
    parser.add_argument("--content", type=Path, metavar="DIR",
                        help="serve DIR/bulbapedia, DIR/wikipedia, DIR/gutenberg")  # fmt: skip
    parser.add_argument("--reuse", action="store_true",
                        help="exit 0 where the same sites already run on the ports")  # fmt: skip
    parser.add_argument("command", nargs="*", metavar="COMMAND",
                        help="after --: serve while it runs")  # fmt: skip
    parser.add_argument("--quiet", action="store_true", help="print errors only")
    return parser


def _ports(value: str) -> tuple[int, int, int]:
    parts = value.split(",")
    if len(parts) != 3 or not all(part.isdecimal() and int(part) < 65536 for part in parts):
        raise argparse.ArgumentTypeError(f"{value!r} is not three port numbers, e.g. 0,0,0")
    first, second, third = (int(part) for part in parts)
    return first, second, third


def _already_served(ports: Sequence[int], content: Path | None) -> bool:
    """Whether every port answers the health path with what we would serve there."""
    if not all(ports):
        return False
    answers = []
    for port in ports:
        try:
            with urlopen(f"http://{HOST}:{port}{HEALTH_PATH}", timeout=5) as answer:
                answers.append(json.load(answer).get("content"))
        except (URLError, OSError, ValueError, AttributeError):
            return False  # nobody there, or not a sample site: starting will tell which
    return answers == content_hashes(content)


def _wait() -> None:
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    done.wait()


def _say(quiet: bool, line: str) -> None:
    if not quiet:
        print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
