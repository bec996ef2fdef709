"""Our crawl beside a bare Scrapy spider: pages a second, memory, requests, re-crawls.

`python benchmarks/crawl.py` prints the section for RESULTS.md. Both crawl the same loopback wiki
in the same run, in turns, eight requests at a time, each in a process of its own; politeness is
off for this alone (see impolite.py). The speed is that from the first page asked for to the end of
the process, so what ours seals last counts and Python's start does not. Medians of all turns;
other work on the machine changes the figures, and hardly the ratios.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import yaml

_HERE = Path(__file__).parent
_CONTACT = "benchmark@example.org"


@dataclass
class Turn:
    """One crawl of `pages` pages; seconds, bytes, counts."""

    pages: int
    fetched: int  # pages asked for
    requests: int  # all of them
    wall: float  # of the whole command
    crawling: float  # from the first page asked for to the command's end
    processor: float  # seconds of it, user and system
    peak: int  # memory at most

    @property
    def speed(self) -> float:
        """Pages a second."""
        return self.fetched / self.crawling


@dataclass
class Site:
    """The served wiki."""

    origin: str
    pages: int

    def asked(self) -> dict[str, float]:
        """What was asked since the last time."""
        with urlopen(f"{self.origin}/asked") as answer:  # noqa: S310 - our own server
            told: dict[str, float] = json.load(answer)
        return told


@contextmanager
def serve(pages: int) -> Iterator[Site]:
    """The wiki, in a process of its own."""
    command = [sys.executable, str(_HERE / "wiki_server.py"), str(pages)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield Site(f"http://127.0.0.1:{int(server.stdout.readline())}", pages)
        finally:
            server.terminate()


def bare(site: Site, folder: Path) -> Turn:
    """Scrapy alone, into JSON lines."""
    spider, feed = _HERE / "bare_spider.py", folder / "pages.jsonl"
    return _run(site, folder, "scrapy", "runspider", str(spider), "-a", f"site={site.origin}",
                "-O", str(feed), "-s", "LOG_LEVEL=WARNING")  # fmt: skip


def ours(site: Site, folder: Path) -> Turn:
    """The product's own command, without pace; what is stored in `folder` already is a re-crawl."""
    definition = folder / "corpora" / "bench" / "defs.yaml"
    definition.parent.mkdir(parents=True, exist_ok=True)
    source = {"spider": "wikipedia", "site": site.origin, "categories": ["Pages"]}
    definition.write_text(
        yaml.safe_dump(
            {
                "type": "dagster_project.components.Franchise",
                "attributes": {"title": "Bench", "sources": [source]},
            }
        )
    )
    return _run(site, folder, str(_HERE / "impolite.py"), "crawl", "wikipedia",
                "-a", "franchise=bench", "-s", "AUTOTHROTTLE_ENABLED=0")  # fmt: skip


def _run(site: Site, folder: Path, program: str, *arguments: str) -> Turn:
    root = _HERE.parent
    environment = {
        **{name: value for name, value in os.environ.items() if "LOREMILL" not in name},
        "PYTHONPATH": str(root),
        "LOREMILL_DATA": str(folder / "data"),
        "LOREMILL_CORPORA": str(folder / "corpora"),
        "LOREMILL_CONTACT": _CONTACT,
    }
    module = ["-m", program] if program == "scrapy" else [program]
    if program != "scrapy":
        environment["SCRAPY_SETTINGS_MODULE"] = "crawlers.settings"
    site.asked()
    began = time.monotonic()
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen([sys.executable, *module, *arguments], cwd=folder, env=environment,
                                 stdout=log, stderr=log)  # fmt: skip
        _, status, usage = os.wait4(child.pid, 0)
    ended = time.monotonic()
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"error: {program} failed:\n{(folder / 'log').read_text()[-3000:]}")
    asked = site.asked()
    return Turn(
        pages=site.pages,
        fetched=int(asked["page"]),
        requests=int(asked["page"] + asked["listing"] + asked["robots"]),
        wall=ended - began,
        crawling=ended - (asked["first"] or began),
        processor=usage.ru_utime + usage.ru_stime,
        peak=usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
    )


def in_turns(pages: int, times: int, recrawls: int) -> dict[str, list[Turn]]:
    """Both crawl the wiki `times` times, in turns; ours then crawls again."""
    turns: dict[str, list[Turn]] = {"ours": [], "bare": [], "again": []}
    with serve(pages) as site:
        for turn in range(times):
            order = [("ours", ours), ("bare", bare)]
            for name, crawl in order if turn % 2 else reversed(order):
                with tempfile.TemporaryDirectory(prefix="loremill-benchmark-") as folder:
                    turns[name].append(crawl(site, Path(folder)))
                    _say(name, turns[name][-1])
                    if name == "ours" and len(turns["again"]) < recrawls:
                        turns["again"].append(ours(site, Path(folder)))
                        _say("ours again", turns["again"][-1])
    return turns


def _say(name: str, turn: Turn) -> None:
    print(
        f"{name}: {turn.fetched:,} of {turn.pages:,} pages, {turn.requests:,} requests, "
        f"{turn.crawling:.1f} s ({turn.wall:.1f} s in all, {turn.processor:.1f} s of processor), "
        f"{turn.peak / 2**20:.0f} MiB",
        file=sys.stderr, flush=True,
    )  # fmt: skip


def report(few: dict[str, list[Turn]], many: dict[str, list[Turn]], command: str) -> str:
    """The section of RESULTS.md."""
    lines = [
        "## Our crawl beside a bare Scrapy spider",
        "",
        f"`{command}` on {platform.machine()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, {time.strftime('%d %B %Y')}. Politeness is off for this "
        "benchmark only (benchmarks/impolite.py): a real site is crawled at the pace it allows.",
        "",
        "| pages | | ours | bare Scrapy | ours / bare |",
        "| ---: | --- | ---: | ---: | ---: |",
    ]
    for turns in (few, many):
        pages = f"{turns['ours'][0].pages:,}"
        speeds = [_median(turns[name], "speed") for name in ("ours", "bare")]
        pairs = [a.speed / b.speed for a, b in zip(turns["ours"], turns["bare"], strict=True)]
        spread = f" ({min(pairs):.2f} to {max(pairs):.2f})" if len(pairs) > 1 else ""
        lines += [
            f"| {pages} | pages a second | {speeds[0]:.0f} | {speeds[1]:.0f} | "
            f"{statistics.median(pairs):.2f}{spread} |",
            _row(turns, "whole command, s", "wall", 1.0, 1),
            _row(turns, "processor, ms a page", "processor", turns["ours"][0].pages / 1000, 2),
            _row(turns, "peak memory, MiB", "peak", 2**20, 0),
            _row(turns, "requests a page", "requests", turns["ours"][0].pages, 4),
        ]
        if turns["again"]:
            again = turns["again"][0]
            wall = statistics.median(turn.wall for turn in turns["again"])
            plain = _median(turns["bare"], "wall")
            lines += [
                f"| | re-crawl, nothing changed, s | {wall:.1f} | {plain:.1f} | "
                f"{wall / plain:.2f} |",
                f"| | its requests a page | {again.requests / again.pages:.4f} | "
                f"{_median(turns['bare'], 'requests') / again.pages:.4f} | |",
                f"| | its peak memory, MiB | {again.peak / 2**20:.0f} | | |",
            ]
    lines += [
        "",
        f"Turns: {len(few['ours'])} at the smaller size, {len(many['ours'])} at the larger; "
        "medians, for the speeds' ratio of the pairs, with the least and the greatest.",
    ]
    return "\n".join(lines) + "\n"


def _row(turns: dict[str, list[Turn]], what: str, name: str, unit: float, digits: int) -> str:
    mine, peers = (_median(turns[who], name) / unit for who in ("ours", "bare"))
    return f"| | {what} | {mine:,.{digits}f} | {peers:,.{digits}f} | {mine / peers:.2f} |"


def _median(turns: list[Turn], name: str) -> float:
    return float(statistics.median(getattr(turn, name) for turn in turns))


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--few", type=int, default=1_000, help="pages of the small wiki")
    parser.add_argument("--many", type=int, default=20_000, help="pages of the large wiki")
    parser.add_argument("--turns", type=int, default=5, help="of both crawls on the small wiki")
    parser.add_argument("--turns-many", type=int, default=1, help="the same on the large one")
    given = parser.parse_args()
    few = in_turns(given.few, given.turns, recrawls=1)
    many = in_turns(given.many, given.turns_many, recrawls=1)
    arguments = " ".join(sys.argv[1:])
    print(report(few, many, f"python benchmarks/crawl.py {arguments}".strip()))


if __name__ == "__main__":
    main()
