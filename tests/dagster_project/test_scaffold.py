"""`dg scaffold` writes a franchise that is valid as it stands; `dg` names what is wrong."""

from crawlers.franchise import load_franchise

_FRANCHISE = "dagster_project.components.Franchise"


def test_what_dg_scaffold_writes_is_valid_and_loads(project):
    made = project.dg("scaffold", "defs", _FRANCHISE, "hollow_kings")
    assert made.returncode == 0, made.stdout + made.stderr
    franchise = load_franchise("hollow_kings", project.folder / "corpora")
    assert franchise.title == "Hollow Kings"
    listed = project.dg("list", "defs")
    assert "hollow_kings/corpus" in listed.stdout
    checked = project.dg("check", "yaml")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_mistake_is_named_with_its_line_when_dagster_loads(project):
    project.write("a", f"type: {_FRANCHISE}\nattributes:\n  title: A\n  sources: []\n")
    project.write("b", f"type: {_FRANCHISE}\nattributes:\n  titel: B\n")
    listed = project.dg("list", "defs")
    output = listed.stdout + listed.stderr
    assert listed.returncode != 0
    assert "a/defs.yaml:4: attributes.sources" in output
    assert "b/defs.yaml:3: attributes.titel: unknown key; allowed here: title" in output
