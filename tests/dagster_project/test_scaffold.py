"""`dg scaffold` writes a franchise that is valid as it stands; `dg` names what is wrong."""

import re

import pytest

from crawlers.franchise import load_franchise
from crawlers.sources import Source
from dagster_project.registry import load_registry

_FRANCHISE = "dagster_project.components.Franchise"

_EXPLANATION = re.compile(r" *# [A-Z]")  # what is commented out begins with a small letter or "-"


@pytest.fixture
def scaffolded(project):
    made = project.dg("scaffold", "defs", _FRANCHISE, "hollow_kings")
    assert made.returncode == 0, made.stdout + made.stderr
    return project.folder / "corpora" / "hollow_kings" / "defs.yaml"


def test_what_dg_scaffold_writes_is_valid_and_loads(project, scaffolded):
    assert "loremill preview hollow_kings" in scaffolded.read_text("utf-8")
    franchise = load_franchise("hollow_kings", project.folder / "corpora")
    assert franchise.title == "Hollow Kings"
    listed = project.dg("list", "defs")
    assert "hollow_kings/corpus" in listed.stdout
    checked = project.dg("check", "yaml")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_commented_line_is_valid_once_uncommented(scaffolded):
    head, attributes = scaffolded.read_text("utf-8").split("attributes:\n")
    lines = [
        line if _EXPLANATION.match(line) else line.replace("# ", "", 1)
        for line in attributes.splitlines()
    ]
    scaffolded.write_text(f"{head}attributes:\n" + "\n".join(lines), "utf-8")
    franchise = load_registry(scaffolded.parents[1]).franchises["hollow_kings"]
    kinds = {type(source) for source in franchise.sources}
    assert kinds == set(Source.__origin__.__args__)  # every kind of source there is
    assert franchise.recrawl == "0 3 * * 1"
    wikipedia = franchise.sources[0]
    assert (wikipedia.limit, wikipedia.searches) == (100, ["Hollow Kings film"])


def test_a_mistake_is_named_with_its_line_when_dagster_loads(project):
    project.write("a", f"type: {_FRANCHISE}\nattributes:\n  title: A\n  sources: []\n")
    project.write("b", f"type: {_FRANCHISE}\nattributes:\n  titel: B\n")
    listed = project.dg("list", "defs")
    output = listed.stdout + listed.stderr
    assert listed.returncode != 0
    assert "a/defs.yaml:4: attributes.sources" in output
    assert "b/defs.yaml:3: attributes.titel: unknown key; allowed here: title" in output
