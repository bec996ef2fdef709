"""Where the data lives, how a site is crawled, and what a model is trained on."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import dagster as dg

from crawlers.franchise import corpora_folder
from crawlers.outcome import CrawlOutcome
from crawlers.store.page_store import PageStore
from crawlers.yaml_spec import SpecError
from dagster_project.child import run_child
from pipeline.artifact import Artifact, damage
from pipeline.device import Device, pick_device
from pipeline.model_spec import ModelError, ModelSpec
from pipeline.reports.text import web_link

#: Where `make ui` serves the reports folder.
REPORTS_URL = "http://127.0.0.1:3001"
#: Says where they are served instead.
REPORTS_VARIABLE = "LOREMILL_REPORTS_URL"


class DataStore(dg.ConfigurableResource[Any]):
    """The one data root: a folder a kind, in it a folder a name.

    `reports_url` is where the reports folder is served, LOREMILL_REPORTS_URL: a browser refuses
    `file://` links from the Dagster UI. `make ui` serves it at the default.
    """

    root: str
    reports_url: str = REPORTS_URL

    def path(self, kind: str, name: str) -> Path:
        """The root of an artifact, e.g. ("corpora", "batman")."""
        return Path(self.root).absolute() / kind / name

    def pages(self, franchise: str, spider: str) -> PageStore:
        """The page store of one spider for one franchise."""
        return PageStore(self.path("pages", franchise) / spider)

    def load(self, kind: str, name: str, made_by: str) -> Artifact:
        """A finished artifact; a clear failure where it is not there yet."""
        root = self.path(kind, name)
        artifact = Artifact.load(root)
        if artifact is None:
            found = damage(root)
            told = (
                f"{found}; materialize {made_by} again"
                if found
                else (f"{root} holds no finished output; materialize {made_by} first")
            )
            raise dg.Failure(told, allow_retries=False)
        return artifact

    def report_url(self, report: Path) -> str:
        """The address of a file under `reports/` as it is served."""
        relative = report.relative_to(Path(self.root).absolute() / "reports")
        return f"{self.reports_url.rstrip('/')}/{quote(relative.as_posix())}"


def reports_url(environment: Mapping[str, str]) -> str:
    """LOREMILL_REPORTS_URL, or the default. Raises SpecError where it is no address."""
    address = environment.get(REPORTS_VARIABLE) or REPORTS_URL
    if web_link(address) is None:
        raise SpecError(
            [f"{REPORTS_VARIABLE} is no address; write http://host:port or https://host/path "
             "where the folder reports/ of the data root is served, or unset it"]
        )  # fmt: skip
    return address


class Crawler(dg.ConfigurableResource[Any]):
    """Runs a spider in a process of its own: Scrapy's reactor cannot start twice in one.

    `contact` (a mail address or page of the operator) goes into the User-Agent; without one,
    only loopback is crawled.
    """

    contact: str = ""

    def crawl(
        self,
        data: DataStore,
        franchise: str,
        spider: str,
        report: Callable[[str], None],
        *,
        limit: int | None = None,
        crawl_id: str | None = None,
    ) -> CrawlOutcome:
        """Crawl all of the franchise's sources for this spider, at most `limit` pages of each.

        The store knows the crawl by `crawl_id`; default: the time. Raises ChildError.
        """
        run_child(
            ["-m", "scrapy", "crawl", spider, "-a", f"franchise={franchise}"],
            {
                "SCRAPY_SETTINGS_MODULE": "crawlers.settings",
                "LOREMILL_DATA": data.root,
                "LOREMILL_CORPORA": str(corpora_folder()),
                "LOREMILL_CONTACT": self.contact,
                **({"LOREMILL_LIMIT": str(limit)} if limit else {}),
                **({"LOREMILL_CRAWL_ID": crawl_id} if crawl_id else {}),
            },
            report,
        )
        return CrawlOutcome.load(data.pages(franchise, spider).root)


class Gpu(dg.ConfigurableResource[Any]):
    """The device that models are trained and sampled on.

    `device` is cuda, mps or cpu; empty picks the best there is. Ops that use a GPU share its pool
    (see pools.py), so one of them runs at a time and the others wait visibly in Dagster's queue.
    """

    device: str = ""

    def pick(self, spec: ModelSpec) -> Device:
        """The device wanted, or the best there is, for this process to sample `spec`'s model on.

        Raises ModelError where it is missing.
        """
        device = pick_device(self.device or None)
        if device.kind != "cuda" or spec.gpu == 0:
            return device
        import torch

        if spec.gpu >= (there := torch.cuda.device_count()):
            raise ModelError(
                f"gpu: {spec.gpu} is not on this machine, which has {there}, counted from 0"
            )
        torch.cuda.set_device(spec.gpu)
        return pick_device(device.kind)
