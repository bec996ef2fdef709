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
        settings = [part for item in SETTINGS.items() for part in ("-s", "=".join(item))]
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "scrapy", "crawl", spider),
                *("-a", f"franchise={franchise}", *settings, *options),
            ],
            cwd=self.folder,
            env=self.environment,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: largest_file and setrlimit(RLIMIT_FSIZE, (largest_file,) * 2),
        )

    def crawl(
        self, spider: str, franchise: str, *options: str, largest_file: int | None = None
    ) -> Finished:
        process = self.start(spider, franchise, *options, largest_file=largest_file)
        assert process.stderr is not None
        with process.stderr:
            stderr = process.stderr.read()  # until it ends; pytest-timeout watches
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        store = self.store(franchise, spider)
        return Finished(process.returncode, stderr, store, usage.ru_maxrss * 1024)
