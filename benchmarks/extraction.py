"""Our extraction beside trafilatura's: pages a second, precision, recall of the plot's sentences.

`python benchmarks/extraction.py --peer VENV/bin/python` prints the section for RESULTS.md. Each
reads the same files in a process of its own, in turns; what is counted is processor time, since
both use one core and other work on the machine would be counted otherwise. Speed is measured on the
real pages of ../shared/data/html, or, where they are absent, on those of the bundled sample sites.

What is right is told by two sources that know nothing of our extractor: the expected texts written
by hand beside the pages of tests/pipeline/extract/pages; and on real pages, whose text is not ours
to keep, the paragraphs and list items that Python's own html.parser finds between the section's
heading and the next.
"""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

_HERE = Path(__file__).parent
_ROOT = _HERE.parent
_REAL = _ROOT.parent / "shared" / "data" / "html"
_WRITTEN = _ROOT / "tests" / "pipeline" / "extract" / "pages"
#: A section of each real page that is an article, by its heading.
_SECTIONS = {  # the id is the heading with underscores
    "bulbapedia/EP001-excerpt-transcribed.html": "Plot",
    "bulbapedia/1miqi1-team_rocket.html": "In animation",
    "bulbapedia/skaant-pokemon-001.html": "Biology",
    "fandom/harrypotter.fandom.com.spell.html": "History",
    "wikipedia/Witches_Abroad-excerpt-transcribed.html": "Plot",
    "wikipedia/defuddle-general--wikipedia.html": "Features",
    "wikipedia/mcs-parse_contents_en.html": "Play",
    "wikipedia/mcs-parsoid-Dog.html": "Terminology",
}
_WORDS = re.compile(r"\w+")
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’»)]*\s+|\n+")
_FEWEST_WORDS = 3


@dataclass(frozen=True)
class Task:
    """A page, the sections asked for, and the text that is right."""

    path: Path
    sections: list[str] | None
    expected: str


class _Section(HTMLParser):
    """The paragraphs and list items between the heading of an id and the next of its level."""

    def __init__(self, anchor: str):
        super().__init__()
        self._anchor = anchor
        self._level = 0  # of the section's heading, once it was seen
        self._heading = 0  # the level of the heading we are in
        self._inside = False
        self._block = 0
        self._skipped = 0  # depth below a reference or the like
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        classes = (given.get("class") or "").split()
        if re.fullmatch("h[1-6]", tag):
            self._heading = int(tag[1])
            if self._inside and self._heading <= self._level:
                self._inside = False
        if given.get("id") == self._anchor and self._heading:
            self._inside, self._level = True, self._heading
        if tag in ("br", "img", "link", "meta", "input", "hr", "wbr"):
            return
        no_text = tag in ("sup", "table", "figure", "style", "script", "aside", "noscript")
        if self._skipped or no_text or {"thumb", "hatnote", "gallery"} & set(classes):
            self._skipped += 1
        elif tag in ("p", "li"):
            self._block += 1
            self.text.append("\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """`<img/>` opens nothing."""

    def handle_endtag(self, tag: str) -> None:
        if re.fullmatch("h[1-6]", tag):
            self._heading = 0
        if self._skipped:
            self._skipped -= 1
        elif tag in ("p", "li"):
            self._block = max(0, self._block - 1)
            self.text.append("\n")

    def handle_data(self, data: str) -> None:
        if self._inside and self._block and not self._skipped and not self._heading:
            self.text.append(data.replace("\n", " "))


def real_pages() -> list[Task]:
    """One section of each real article; none where they are absent."""
    tasks = []
    for name, heading in _SECTIONS.items():
        path = _REAL / name
        if path.is_file():
            section = _Section(heading.replace(" ", "_"))
            section.feed(path.read_text("utf-8"))
            tasks.append(Task(path, [heading], "".join(section.text)))
    return tasks


def written_pages() -> list[Task]:
    """The pages written as tests, with what a person expects of them."""
    return [
        Task(
            page,
            None,
            re.sub(r"^## .*$", "", page.with_suffix(".txt").read_text("utf-8"), flags=re.M),
        )
        for page in sorted(_WRITTEN.glob("*.html"))
    ]


def sample_pages(folder: Path) -> list[Task]:
    """The articles of the sample sites as served."""
    sys.path.insert(0, str(_ROOT))
    from crawlers.samplesite.bundle import bundled_sites
    from crawlers.samplesite.exchange import Request
    from crawlers.samplesite.wiki_html import path_of

    tasks = []
    for site in bundled_sites()[:2]:
        for number, page in enumerate(site.wiki.pages()):
            answer = site.answer(Request("GET", path_of(page.title), origin="http://localhost"))
            if answer.status == 200 and page.namespace == 0:
                path = folder / f"{site.name}-{number}.html"
                path.write_bytes(answer.body)
                tasks.append(Task(path, None, ""))
    return tasks


class Child:
    """An extractor's process, asked by lines."""

    def __init__(self, name: str, python: str):
        command = [python, str(_HERE / "extraction_child.py"), name]
        environment = {**os.environ, "PYTHONPATH": str(_ROOT) if name == "ours" else ""}
        self.name = name
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def ask(self, tasks: list[Task], texts: bool) -> tuple[float, list[str]]:
        """Seconds of processor, and the texts where wanted."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        pages = [(str(task.path.resolve()), task.sections) for task in tasks]
        self._process.stdin.write(json.dumps({"pages": pages, "texts": texts}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"error: {self.name}: its process ended; see its message above")
        answer = json.loads(line)
        return answer["seconds"], answer["texts"]

    def end(self) -> None:
        """Close its input, at which it ends."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def sentences(text: str) -> Counter[str]:
    """The sentences of a text by their words alone; lines end sentences too."""
    found = (" ".join(_WORDS.findall(part.casefold())) for part in _SENTENCE_END.split(text))
    return Counter(sentence for sentence in found if sentence.count(" ") + 1 >= _FEWEST_WORDS)


def quality(tasks: list[Task], texts: list[str]) -> tuple[float, float, int]:
    """Precision and recall over all pages together, and how many sentences are expected."""
    right = given = wanted = 0
    for task, text in zip(tasks, texts, strict=True):
        expected, found = sentences(task.expected), sentences(text)
        right += (expected & found).total()
        given += found.total()
        wanted += expected.total()
    return right / given if given else 0.0, right / wanted if wanted else 0.0, wanted


def report(peer: str, turns: int, command: str) -> str:
    """The section of RESULTS.md."""
    pythons = {"ours": sys.executable, "trafilatura": peer, "trafilatura, fast": peer}
    children = [Child(name, python) for name, python in pythons.items()]
    real, written = real_pages(), written_pages()
    with tempfile.TemporaryDirectory(prefix="loremill-benchmark-") as folder:
        if real:
            what, paths = "real ones", sorted(_REAL.glob("*/*.html"))
            measured = [Task(path, None, "") for path in paths]
        else:
            what, measured = "those of the sample sites", sample_pages(Path(folder))
        seconds: dict[str, list[float]] = {child.name: [] for child in children}
        for turn in range(turns + 1):
            for child in children:
                turn_seconds, _ = child.ask(measured, texts=False)
                if turn:  # the first one imports and compiles
                    seconds[child.name].append(turn_seconds)
        judged = {"real": real, "written": written}
        found = {
            (child.name, kind): quality(tasks, child.ask(tasks, texts=True)[1])
            for child in children
            for kind, tasks in judged.items()
        }
    for child in children:
        child.end()
    size = sum(task.path.stat().st_size for task in measured) / 1000 / len(measured) if real else 0
    lines = [
        "## Our extraction beside trafilatura's",
        "",
        f"`{command}` on {platform.machine()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, {time.strftime('%d %B %Y')}. Speed on {len(measured)} "
        f"pages, {what}{f', {size:.0f} kB each' if real else ''}: processor time, medians of "
        f"{turns} turns; the ratio is the median of the turns', with the least and the greatest.",
        "",
        "| | pages a second | ours / it | precision, real | recall, real | precision, written "
        "| recall, written |",
        "| --- | ---: | --- | ---: | ---: | ---: | ---: |",
    ]
    for name, spent in seconds.items():
        ratios = [theirs / mine for theirs, mine in zip(spent, seconds["ours"], strict=True)]
        ratio = f"{statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})"
        figures = " | ".join(
            f"{value:.3f}" if found[name, kind][2] else "-"
            for kind in judged
            for value in found[name, kind][:2]
        )
        speed = len(measured) / statistics.median(spent)
        lines.append(f"| {name} | {speed:.1f} | {'' if name == 'ours' else ratio} | {figures} |")
    lines += [
        "",
        f"Sentences expected: {found['ours', 'real'][2]} in {len(real)} sections of real pages, "
        f"{found['ours', 'written'][2]} in {len(written)} pages written as tests. A sentence "
        "counts as found when its words are the same. trafilatura gives the whole article and "
        "knows of no sections, so most of what it gives is no plot: its precision says what a "
        "corpus of plots would be made of, and its recall is the fairer figure.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", required=True, help="the Python of a venv with trafilatura")
    parser.add_argument("--turns", type=int, default=15)
    given = parser.parse_args()
    if not Path(given.peer).is_file():
        raise SystemExit(f"error: {given.peer} is no Python: see benchmarks/README.md for its venv")
    arguments = " ".join(sys.argv[1:]).replace(given.peer, "VENV/bin/python")
    print(report(given.peer, given.turns, f"python benchmarks/extraction.py {arguments}"), end="")


if __name__ == "__main__":
    main()
