"""Models of one corpus as their measuring left them: figures that a test sets, none measured."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.ratings.tally import Tally
from pipeline.reports.models import Entrant, Missing, write_models_report
from tests.pipeline.reports import measured

VERSION = "c0ffee" * 8
#: Works of the test split, and bits by which each is harder than their mean.
WORKS = {f"w{number}": 0.3 * (number % 5 - 2) for number in range(20)}


def work_rows(bits: float, wobble: float = 0.0) -> list[dict[str, Any]]:
    """A row a work: some bits per byte, as hard as the work is, and a little apart from it."""
    return [
        measured.work(
            "trained", number, (bits + hard + wobble * (number % 2 - 0.5)) * 4000 * 0.693147,
            work_id=name, documents=1,
        )
        for number, (name, hard) in enumerate(WORKS.items())
    ]  # fmt: skip


@dataclass
class Contenders:
    """Models to be written one by one, and their page."""

    made: Any  # the fixture `made`: each model is written by it
    root: Path
    entrants: list[Entrant] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    tallies: list[Tally] = field(default_factory=list)

    def add(
        self, name: str, bits: float, spec: dict[str, Any], *, wobble: float = 0.0,
        works: list[dict[str, Any]] | None = None, version: str = VERSION,
        samples: list[dict[str, Any]] | None = None, notice: str | None = None,
    ) -> None:  # fmt: skip
        """A finished model of these bits per byte."""
        made = self.made
        made.name, made.notice = name, notice
        made.works = work_rows(bits, wobble) if works is None else works
        made.training |= {"spec": spec, "name": name, "data_version": version}
        made.documents = [made.document(0, "train", "wikipedia", "CC-BY-SA-4.0")]
        made.documents += [
            made.document(n, "test", "wikipedia", "CC-BY-SA-4.0", work_id=work)
            for n, work in enumerate(WORKS, 1)
        ]
        made.scores = [
            *made.both("all", "all", 8.02, bits, works=len(WORKS), bytes=80_000),
            made.score("ngram", "all", "all", 2.9, tokens=None),
            made.score("xz", "all", "all", 3.3, tokens=None, low=None, high=None),
        ]
        if samples is not None:
            made.samples = samples
        made.root = self.root / name
        made.root.mkdir()
        made.write_tables()
        self.entrants.append(Entrant(name, made.inputs, f"../{name}/index.html", notice))

    def write(self) -> tuple[dict[str, Any], bytes | None]:
        """The page."""
        return write_models_report(
            "Three franchises",
            "demo",
            VERSION,
            self.entrants,
            self.missing,
            self.tallies,
            self.page,
        )

    @property
    def page(self) -> Path:
        return self.root / "models" / "demo.html"

    def html(self) -> str:
        return self.page.read_text("utf-8")
