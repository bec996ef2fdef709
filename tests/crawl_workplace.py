"""Where a test crawls: child processes, with a corpora folder and a data root of their own."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from resource import RLIMIT_FSIZE, setrlimit
from typing import Any

import yaml

from crawlers.franchise import COMPONENT
from crawlers.outcome import CrawlOutcome
from crawlers.store.page_store import PageStore, pages_root

ROOT = Path(__file__).parents[1]
#: Waits short enough for a test; what is obeyed stays the same.
SETTINGS = {"RETRY_BACKOFF": "0.02", "PROGRESS_INTERVAL": "0.2"}
#: Runs a command and notes its peak memory. A process inherits the peak of the one that starts it,
#: and pytest may have torch loaded, so that a small one stands between.
_MEASURED = """
import resource, subprocess, sys
status = subprocess.call(sys.argv[2:])
with open(sys.argv[1], "w") as note:
    note.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024))
sys.exit(status)
"""


@dataclass
class Finished:
    """A crawl that has ended."""

    status: int
    stderr: str
    store: PageStore
    peak: int  # bytes of memory, at most

    @property
    def outcome(self) -> CrawlOutcome:
        return CrawlOutcome.load(self.store.root)

    @property
    def errors(self) -> list[str]:
        return [line for line in self.stderr.splitlines() if line.startswith("error: ")]

    def pages(self) -> dict[str, dict[str, Any]]:
        return {row["url"]: row for batch in self.store.current() for row in batch.to_pylist()}


class Workplace:
    """A corpora folder and a data root of its own."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if "LOREMILL" not in name},
            "LOREMILL_DATA": str(folder / "data"),
            "LOREMILL_CORPORA": str(folder / "corpora"),
            "SCRAPY_SETTINGS_MODULE": "crawlers.settings",
            "PYTHONPATH": str(ROOT),
        }

    def franchise(self, name: str, *sources: dict[str, Any]) -> None:
        path = self.folder / "corpora" / name / "defs.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        attributes = {"title": name, "sources": list(sources)}
        path.write_text(yaml.safe_dump({"type": COMPONENT, "attributes": attributes}), "utf-8")

    def store(self, franchise: str, spider: str) -> PageStore:
        return PageStore(pages_root(self.folder / "data", franchise, spider))

    def outcome(self, franchise: str, spider: str) -> CrawlOutcome:
        return CrawlOutcome.load(self.store(franchise, spider).root)

    def start(
        self, spider: str, franchise: str, *options: str, largest_file: int | None = None
    ) -> subprocess.Popen[str]:
        """`largest_file` in bytes stands in for a full disk."""
        return self._start([], spider, franchise, *options, largest_file=largest_file)

    def crawl(
        self, spider: str, franchise: str, *options: str, largest_file: int | None = None
    ) -> Finished:
        peak = self.folder / f"{franchise}-{spider}.peak"
        measured = [sys.executable, "-c", _MEASURED, str(peak)]
        process = self._start(measured, spider, franchise, *options, largest_file=largest_file)
        _, stderr = process.communicate()  # until it ends; pytest-timeout watches
        store = self.store(franchise, spider)
        return Finished(process.returncode, stderr, store, int(peak.read_text("utf-8")))

    def _start(
        self,
        runner: list[str],
        spider: str,
        franchise: str,
        *options: str,
        largest_file: int | None,
    ) -> subprocess.Popen[str]:
        settings = [part for item in SETTINGS.items() for part in ("-s", "=".join(item))]
        return subprocess.Popen(
            [
                *(*runner, sys.executable, "-m", "scrapy", "crawl", spider),
                *("-a", f"franchise={franchise}", *settings, *options),
            ],
            cwd=self.folder,
            env=self.environment,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: largest_file and setrlimit(RLIMIT_FSIZE, (largest_file,) * 2),
        )
