"""docs/add-a-franchise.md followed literally: every command of it, in one shell, in a clean copy.

After a block of commands, a block of output says what a reader sees, shortened: "…" stands for
anything, within a line too, and lines may be left out. All of it must come, in that order.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import indent

import pytest

from crawlers import settings
from crawlers.franchise import COMPONENT
from crawlers.policy import policy_of
from crawlers.sources import GutenbergSource, MediaWikiSource
from dagster_project.alerts import _VARIABLES
from dagster_project.resources import REPORTS_VARIABLE

ROOT = Path(__file__).parents[1]
_DOC = ROOT / "docs" / "add-a-franchise.md"
_BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARK = "=== block"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The repository's files as a new user has them, with this environment in place of `.venv`."""
    activate = Path(sys.prefix) / "bin" / "activate"
    if not activate.exists():
        pytest.skip(f"{activate} is not there: the tests don't run in a venv")
    folder = tmp_path / "loremill"
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").mkdir()
    (folder / ".venv" / "bin").symlink_to(activate.parent)
    for stamp in ("installed", "installed-dev"):
        (folder / ".venv" / stamp).touch()
    return folder


def _blocks() -> list[tuple[str, list[str]]]:
    """Each block of commands, with the outputs that the page shows after it."""
    blocks: list[tuple[str, list[str]]] = []
    for kind, text in _BLOCK.findall(_DOC.read_text("utf-8")):
        if kind == "sh":
            blocks.append((text, []))
        else:
            blocks[-1][1].append(text)
    return blocks


def _run(commands: list[str], folder: Path) -> tuple[int, list[str]]:
    """The status of the shell, and what each block printed."""
    marked = [f"echo '{_MARK} {number}'\n{text}" for number, text in enumerate(commands)]
    # Interactive shells have job control; `kill %1` wants it.
    # What a failed command leaves running would hold the output open.
    ended = "trap 'kill $(jobs -p) 2>/dev/null' EXIT\n"
    script = "set -e -o pipefail -m\n" + ended + "\n".join(marked)
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LOREMILL_", "DAGSTER_", "VIRTUAL_ENV", "PYTEST_"))
    }
    done = subprocess.run(
        ["bash", "-c", script],
        stdin=subprocess.DEVNULL,
        cwd=folder,
        env=kept | {"PYTHONPATH": str(folder), "COLUMNS": "80"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=800,
    )
    return done.returncode, re.split(rf"^{_MARK} \d+\n", done.stdout, flags=re.MULTILINE)[1:]


def _comes_in_order(shown: str, printed: str) -> str | None:
    """The first piece of the shown output that was not printed after those before it."""
    at = 0
    for line in shown.splitlines():
        for piece in filter(None, (part.strip() for part in re.split("…|───+", line))):
            found = printed.find(piece, at)
            if found < 0:
                return piece
            at = found + len(piece)
    return None


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_command_does_what_the_page_says(copy):
    blocks = _blocks()
    assert len(blocks) > 10
    status, printed = _run([commands for commands, _ in blocks], copy)
    assert status == 0, "".join(printed)[-5000:]
    for (commands, outputs), output in zip(blocks, printed, strict=True):
        for shown in outputs:
            missing = _comes_in_order(shown, output)
            assert missing is None, f"{missing!r} is not in the output of:\n{commands}\n{output}"
    assert not (copy / "corpora" / "brass_orchard").exists()


def test_every_source_of_the_reference_is_valid(tmp_path):
    """Each YAML block and the spider of its own in docs/sources.md; and every key is told there."""
    page = (ROOT / "docs" / "sources.md").read_text("utf-8")
    (spider,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(spider.splitlines()) < 40
    (tmp_path / "spiders").mkdir()
    (tmp_path / "spiders" / "tamber.py").write_text(spider, "utf-8")
    sources = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    for number, block in enumerate(sources):
        (tmp_path / "corpora" / f"f{number}").mkdir(parents=True)
        (tmp_path / "corpora" / f"f{number}" / "defs.yaml").write_text(
            f"type: {COMPONENT}\nattributes:\n  title: A\n  sources:\n{indent(block, '    ')}",
            "utf-8",
        )
    read = (
        "import sys; from pathlib import Path; from dagster_project.registry import load_registry\n"
        "found = load_registry(Path(sys.argv[1])).franchises.values()\n"
        "print(*sorted({type(s).__name__ for f in found for s in f.sources}))\n"
        "from crawlers.sources import Source\n"
        "print(*sorted({key for kind in Source.__origin__.__args__ for key in kind.model_fields}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", read, str(tmp_path / "corpora")],
        env=os.environ | {"LOREMILL_SPIDERS": str(tmp_path / "spiders"), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    kinds, keys = (line.split() for line in done.stdout.splitlines())
    assert len(kinds) == 6
    assert [key for key in keys if not re.search(rf"\b{key}\b", page)] == []


def test_the_figures_of_the_crawling_page_are_those_in_force():
    page = (ROOT / "docs" / "crawling.md").read_text("utf-8")
    told = [
        [cell.strip() for cell in row.strip("|").split("|")]
        for row in re.findall(r"^\| [^|]*(?:\.org|\.net|\.com)[^|]*\|.*$", page, re.MULTILINE)
    ]
    assert len(told) == 5
    wiki = MediaWikiSource(spider="wikipedia", titles=["A"])
    books = GutenbergSource(spider="gutenberg", books=[1])
    for site, _, delay, a_minute, licence in told:
        host = site.split(",")[0].replace("*", "any")
        policy = policy_of(
            books if "pglaf" in host or "gutenberg" in host else wiki, f"https://{host}"
        )
        assert (policy.delay, policy.requests_per_minute) == (float(delay), int(a_minute)), host
        assert licence in (policy.licence, "public domain (US)"), host
    names = set(re.findall(r"`([A-Z]+_[A-Z_]+)`", page.partition("## Let it run")[0]))
    assert len(names) > 5
    assert [name for name in names if not hasattr(settings, name)] == []
    variables = set(re.findall(r"`(LOREMILL_[A-Z_]+)`", page.partition("## Let it run")[2]))
    assert variables == {*_VARIABLES.values(), REPORTS_VARIABLE}


def test_links_between_the_pages_lead_somewhere():
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
            if not link.startswith("http"):
                target, _, heading = link.partition("#")
                path = (page.parent / target) if target else page
                assert path.exists(), f"{page.name}: {link}"
                if heading:
                    there = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), re.MULTILINE)
                    anchors = [re.sub(r"[^\w -]", "", t).lower().replace(" ", "-") for t in there]
                    assert heading in anchors, f"{page.name}: {link}"
