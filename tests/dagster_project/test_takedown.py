"""A page taken down leaves no trace of its text anywhere, and does not come back."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lxml import html

from crawlers.samplesite import SampleSites
from crawlers.takedowns import BEGUN, DONE, records
from pipeline.artifact import Artifact, rewrite
from pipeline.memorisation.index import is_of
from pipeline.takedown import models
from pipeline.takedown.quotes import PLACE

#: Stands on one page and nowhere else; the last words of it are looked for everywhere.
SECRET = (
    "Under the ninth stair the ferryman Quillon Ash hid a copper whistle that calls herons home."
)
MARK = "copper whistle that calls herons"
#: How its words begin, by which a piece of it is found too.
PIECE = "Quillon Ash"
PAGE = "LK003"

_MODEL = ("model", "samples", "perplexity", "quality", "memorisation", "report")

_TALES = """\
type: dagster_project.components.Franchise
attributes:
  title: Tales
  sources:
    - {spider: files, name: texts, path: texts/*.txt, licence: CC0-1.0}
"""
_MIX = """\
type: dagster_project.components.StoryCorpus
attributes:
  title: A mix
  franchises: [keepers, tales]
"""
_TEXT = (
    "The bell of the lower town had not rung since the flood, and nobody asked why. Then a girl "
    "called Ines climbed up with a lantern, and found a nest of owls where the clapper had been. "
    f"She came down again and told the mayor. {SECRET} The mayor laughed, until the herons came; "
    "and they stood in the square until morning, grey and patient, as if somebody owed them fish."
)


@pytest.fixture
def own_sites() -> Iterator[SampleSites]:
    """Sites of this test's own, for it edits a page."""
    with SampleSites() as sites:
        page = sites.wikis["bulbapedia"].page(PAGE)
        sites.edit("bulbapedia", PAGE, _planted(page.body))
        yield sites


def _planted(body: str) -> str:
    """The page with the sentence in the middle of its longest paragraph."""
    paragraphs = body.split("</p>")
    longest = max(range(len(paragraphs)), key=lambda n: len(paragraphs[n]))
    first, _, rest = paragraphs[longest].partition(". ")
    paragraphs[longest] = f"{first}. {SECRET} {rest}"
    return "</p>".join(paragraphs)


def _loremill(project, *arguments: str, **options) -> subprocess.CompletedProcess[str]:
    environment = project.env | {"LOREMILL_CONTACT": "tester@example.org"}
    return subprocess.run(
        ["loremill", *arguments],
        cwd=project.folder, env=environment, capture_output=True, text=True, timeout=280,
        check=False, stdin=subprocess.DEVNULL, **options,
    )  # fmt: skip


def _holding(folder: Path, *words: str) -> list[str]:
    """Every file that holds one of the words, whatever its format."""
    wanted = [word.encode() for word in words]
    found = []
    for path in (path for path in folder.rglob("*") if path.is_file()):
        content = [path.read_bytes()]
        if path.suffix == ".parquet":
            content += _cells(pq.read_table(path))
        elif path.suffix == ".arrows":
            with pa.OSFile(str(path)) as file:
                content += _cells(pa.ipc.open_stream(file).read_all())
        if any(word in part for part in content for word in wanted):
            found.append(str(path.relative_to(folder)))
    return found


def _cells(table: pa.Table) -> Iterator[bytes]:
    for column in table.columns:
        for value in column.to_pylist():
            yield value if isinstance(value, bytes) else str(value).encode()


@pytest.fixture
def line(project, own_sites, load, materialize):
    """A crawled wiki, a folder of texts that quotes nothing, two corpora, a model with a report."""
    project.write_keepers(own_sites.bulbapedia, episodes=12, steps=10)
    definitions = load(project)
    os.environ["DAGSTER_HOME"] = str(project.folder / ".dagster")
    with dg.DagsterInstance.get() as instance:
        done = materialize(
            definitions, instance,
            "keepers/bulbapedia_pages", "keepers/documents", "keepers/corpus",
            "keepers/index", *(f"keepers-gpt2/{stage}" for stage in _MODEL), "keepers/models",
        )  # fmt: skip
        assert done.success
    return project


@pytest.fixture(autouse=True)
def _home(monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", "")  # so that it is as it was after the test
    monkeypatch.delenv("DAGSTER_HOME")


def _model_that_repeats(line) -> None:
    """As if the model had learned it by heart."""
    root = line.data / "samples/keepers-gpt2"

    def edit(folder: Path) -> None:
        path = folder / "samples.parquet"
        table = pq.read_table(path)
        texts = table["text"].to_pylist()
        texts[0] = f" walked on. {SECRET} And the tide came in."
        at = table.schema.get_field_index("text")
        aside = folder / "aside.parquet"
        pq.write_table(
            table.set_column(at, table.schema.field(at), pa.array(texts, pa.large_string())), aside
        )
        aside.replace(path)

    rewrite(root, edit)


def _saved_as_fixture(line) -> None:
    saved = _loremill(line, "fixtures", "keepers", "--title", PAGE, "--title", "LK004")
    assert saved.returncode == 0, saved.stderr


def _told_on_the_pages_of_changes(line, touched: dict) -> None:
    """That a page was taken down, and of the table the same build before as of the sentence."""
    splits = touched["corpora"]["keepers"]
    counts = {
        "documents": touched["documents"]["keepers"]["documents"],
        "corpora": sum(of["documents"] for name, of in splits.items() if name != "dropped"),
    }
    for kind, taken in counts.items():
        path = line.data / f"reports/changes/{kind}/keepers.html"
        assert json.loads(path.with_suffix(".json").read_text())["taken_down"] == taken
        page = html.fromstring(path.read_bytes())
        were = "document was" if taken == 1 else "documents were"
        verdict = page.find_class("verdict")[0].text_content()
        assert verdict.startswith(f"{taken} {were} taken down. Nothing else changed: ")
        (row,) = page.get_element_by_id("taken-down").findall(".//tbody/tr")
        (record,) = records(line.data)
        assert [cell.text_content() for cell in row] == [record.at, str(taken), "asked for"]
    table = page.get_element_by_id("splits").findall(".//tbody/tr")
    assert [row[0].text_content() for row in table] == ["train", "validation", "test"]
    assert not [row.text_content() for row in table if "→" in row.text_content()]


def _the_page_of_models_is_of_today(line) -> None:
    page = line.data / "reports/models/keepers.html"
    report = Artifact.load(line.data / "reports/keepers-gpt2")
    (link,) = html.fromstring(page.read_bytes()).xpath("//tbody[1]//th/a/@href")
    entrance = (page.parent / link).resolve()
    (link,) = html.fromstring(entrance.read_bytes()).xpath("//a/@href")
    assert (entrance.parent / link).resolve() == report.folder.resolve() / "report.html"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_nothing_of_the_page_is_left_and_it_does_not_come_back(
    line, own_sites, load, materialize
) -> None:
    _model_that_repeats(line)
    _saved_as_fixture(line)
    page = line.data / "reports/models/keepers.html"
    page.write_text(f"{page.read_text('utf-8')}<p>{SECRET}</p>", "utf-8")
    assert len(_holding(line.folder, MARK)) >= 4
    url = f"{own_sites.bulbapedia}/wiki/{PAGE}"
    shown = _loremill(line, "takedown", url, "--reason", "asked for", "--dry-run", "--json")
    assert shown.returncode == 0, shown.stderr
    told = json.loads(shown.stdout)
    assert told["stores"]["keepers/bulbapedia"]["rows"] == 1
    assert told["documents"]["keepers"]["documents"] >= 1
    assert sum(split["documents"] for split in told["corpora"]["keepers"].values()) >= 1
    assert told["samples"] == {"keepers-gpt2": 1}
    assert told["indexes"] == ["keepers"]
    assert told["fixtures"] == {"keepers": [PAGE]}
    made = Artifact.load(line.data / "corpora/keepers")
    rows = pq.read_table(made.folder / "manifest.parquet").to_pylist()
    (split,) = {row["split"] for row in rows if row["url"] and PAGE in row["url"]}
    read = split in ("train", "validation")  # nothing is trained on the test split
    assert list(told["models"]) == (["keepers-gpt2"] if read else [])
    assert not (line.data / "takedowns").exists()

    refused = _loremill(line, "takedown", url, "--reason", "asked for")
    assert (refused.returncode, (line.data / "takedowns").exists()) == (2, False)
    assert "--yes" in refused.stderr

    done = _loremill(line, "takedown", f"{url}#Plot", "--reason", "asked for", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert _holding(line.folder, MARK, PIECE) == []
    for kind in ("documents", "corpora"):
        made = Artifact.load(line.data / kind / "keepers")
        assert [path.name for path in made.root.iterdir() if path.is_dir()] == [made.version]
    corpus = Artifact.load(line.data / "corpora/keepers")
    names = pq.read_table(corpus.folder / "manifest.parquet")["url"].to_pylist()
    assert not [name for name in names if name and PAGE in name]
    assert len({name.partition("#")[0] for name in names if name}) == 11
    _told_on_the_pages_of_changes(line, told)
    _the_page_of_models_is_of_today(line)
    report = Artifact.load(line.data / "reports/keepers-gpt2")
    measured = "Its quality and memorisation were measured before a takedown took words out of"
    assert measured in (report.folder / "report.html").read_text("utf-8")
    assert measured in page.read_text("utf-8")

    samples = Artifact.load(line.data / "samples/keepers-gpt2")
    stories = pq.read_table(samples.folder / "samples.parquet")["text"].to_pylist()
    assert stories[0] == f" walked on. {PLACE}. And the tide came in."
    copied = Artifact.load(line.data / "memorisation/keepers-gpt2")
    passages = pq.read_table(copied.folder / "passages.parquet").to_pylist()
    assert passages
    assert not [row for row in passages if row["sample"] == 0 or PAGE in row["url"]]
    index = Artifact.load(line.data / "indexes/keepers")
    assert is_of(index.folder, corpus.folder)
    (record,) = records(line.data)
    assert (record.state, record.who, record.reason) == (DONE, "tester@example.org", "asked for")
    assert [path.suffix for path in (line.data / "takedowns").iterdir()] == [".json"]

    again = _loremill(line, "takedown", url, "--reason", "asked for", "--yes")
    assert (again.returncode, again.stdout.startswith("already taken down")) == (0, True)

    own_sites.edit("bulbapedia", PAGE, f"<h2>Plot</h2><p>{SECRET}</p>")
    own_sites.log.clear()
    with dg.DagsterInstance.ephemeral() as instance:
        crawl = materialize(load(line), instance, "keepers/bulbapedia_pages")
    assert crawl.success
    (event,) = crawl.get_asset_materialization_events()
    figures = event.materialization.metadata
    assert (figures["taken_down"].value, figures["gone"].value) == (1, 0)
    asked = own_sites.log.paths("bulbapedia")
    assert asked  # the listing
    assert not [path for path in asked if path.startswith("/wiki/")]
    assert _holding(line.data, MARK) == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_model_that_was_trained_on_it_says_so_until_it_is_trained_again(
    line, own_sites, load, materialize
) -> None:
    model = Artifact.load(line.data / "models/keepers-gpt2")
    read = pq.read_table(model.folder / "trained_on.parquet").to_pylist()
    assert {row["split"] for row in read} == {"train", "validation"}
    page = next(row["url"] for row in read if row["split"] == "train")
    done = _loremill(line, "takedown", page, "--reason", "asked for", "--yes", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["models"]["keepers-gpt2"] >= 1
    anew = ("keepers/documents", "keepers/corpus", "keepers/index")
    assert set(told["made_anew"]) == {*anew, "keepers-gpt2/report", "keepers/models"}
    _the_page_of_models_is_of_today(line)
    page = (line.data / "reports/models/keepers.html").read_text("utf-8")
    assert "taken down since" in page
    assert "keepers-gpt2 was trained on an earlier version of the corpus" in page
    assert len(models.marks(model)) == 1

    report = Artifact.load(line.data / "reports/keepers-gpt2")
    told = (report.folder / "report.html").read_text("utf-8")
    assert "taken down since" in told
    assert "memorisation were measured on an earlier version of the corpus, which may have" in told
    assert "taken down since" in _loremill(line, "report", "keepers-gpt2").stdout
    os.environ["DAGSTER_HOME"] = line.env["DAGSTER_HOME"]
    with dg.DagsterInstance.get() as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey(["keepers-gpt2", "model"]))
        metadata = event.asset_materialization.metadata
        assert "taken down since" in metadata["taken_down"].value
        assert "loss" in metadata
        runs = instance.get_runs()
        # The line's, and the takedown's of corpora, and of reports and the page over models.
        assert len(runs) == 3
        again = materialize(load(line), instance, *(f"keepers-gpt2/{name}" for name in _MODEL))
        assert again.success
    trained = Artifact.load(line.data / "models/keepers-gpt2")
    assert trained.data_version != model.data_version
    assert models.marks(trained) == []
    report = Artifact.load(line.data / "reports/keepers-gpt2")
    told = (report.folder / "report.html").read_text("utf-8")
    assert "taken down since" not in told
    assert "measured on an earlier version" not in told


@pytest.fixture
def mixed(project, own_sites, load, materialize):
    """Two franchises, a wiki and a folder that has the same text, their corpora and a mix."""
    project.write_keepers(own_sites.bulbapedia, episodes=12)
    project.write("tales", _TALES)
    project.write("mix", _MIX)
    texts = project.folder / "corpora/tales/texts"
    texts.mkdir()
    for number, name in enumerate(("owls", "ferry", "stairs")):
        told = _TEXT if name == "owls" else f"{_STORIES[number]}"
        (texts / f"{name}.txt").write_text(told, "utf-8")
    with dg.DagsterInstance.ephemeral() as instance:
        done = materialize(
            load(project), instance,
            "keepers/bulbapedia_pages", "keepers/documents", "keepers/corpus",
            "tales/files_pages", "tales/documents", "tales/corpus", "mix/corpus",
            "keepers/index", "mix/index",
        )  # fmt: skip
        assert done.success
    return project


_STORIES = [
    "",
    "A ferry that nobody steered crossed the river every night at ten. On board there was a table "
    "laid for two, with bread and a candle, and the bread was always warm. The baker's son rode "
    "along once to see who came, ate both plates, and was never hungry again in his long life.",
    "There were forty stairs on the way up and forty-one on the way down. Old Petra had counted "
    "them since she was a child, and she knew which one was the stranger. She painted it blue, and "
    "from then on every visitor stepped over it politely, as one does with a sleeping dog.",
]

#: What the command says when it has just done a step; it is killed there.
_STEPS = (
    "erased 1 stored revision",
    "erased from the documents of keepers",
    "erased from the corpus keepers",
    "removed the index of keepers",
    "makes mix/corpus",
)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_at_any_step_the_same_command_ends_it(mixed, own_sites, tmp_path_factory) -> None:
    url = f"{own_sites.bulbapedia}/wiki/{PAGE}"
    command = ("takedown", url, "--reason", "asked for", "--yes")
    for step in _STEPS:
        project = type(mixed)(tmp_path_factory.mktemp("killed") / "project")
        shutil.copytree(mixed.folder, project.folder)
        process = subprocess.Popen(
            ["loremill", *command], cwd=project.folder, env=project.env, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        said: list[str] = []
        for line in process.stderr:
            said.append(line)
            if step in line:
                process.kill()
                break
        process.stderr.close()
        assert process.wait() == -9, (step, said)
        (begun,) = records(project.data)
        assert begun.state == BEGUN
        ended = _loremill(project, *command)
        assert ended.returncode == 0, (step, ended.stdout, ended.stderr)
        assert "was begun at" in ended.stdout
        (record,) = records(project.data)
        assert (record.takedown_id, record.state) == (begun.takedown_id, DONE)
        # The other franchise has the same words on a page of its own, which stays.
        assert not list(_holding(project.data / "pages/keepers", PIECE))
        assert not list(_holding(project.data / "documents/keepers", PIECE))
        assert not list(_holding(project.data / "corpora/keepers", PIECE))
        for corpus in ("keepers", "mix"):
            made = Artifact.load(project.data / "corpora" / corpus)
            urls = pq.read_table(made.folder / "manifest.parquet")["url"].to_pylist()
            assert urls
            assert not [name for name in urls if name and PAGE in name]
            index = Artifact.load(project.data / "indexes" / corpus)
            assert is_of(index.folder, made.folder), step
        assert not list(_holding(project.data / "indexes/keepers", PIECE.casefold()))


@pytest.mark.slow
def test_a_text_of_a_folder_goes_too_and_bad_input_is_one_line(mixed) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return _loremill(mixed, "takedown", *arguments, "--reason", "asked for", "--yes")

    nothing = run("No such tale")
    assert (nothing.returncode, nothing.stderr.count("\n")) == (2, 1)
    assert "nearest titles" in run("LK00").stderr

    (mixed.data / "pages/keepers/bulbapedia/.lock").touch()
    with (mixed.data / "pages/keepers/bulbapedia/.lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        busy = run("LK003")
    assert (busy.returncode, busy.stderr.count("\n")) == (2, 1)
    assert "wait for it to end" in busy.stderr
    assert not (mixed.data / "takedowns").exists()

    url = "file:texts/owls.txt"
    done = run(url)
    assert done.returncode == 1, done.stdout + done.stderr  # two tales are too few to split
    told = "error: tales/corpus could not be made anew: "
    (why,) = [line for line in done.stderr.splitlines() if line.startswith(told)]
    assert "dagster._core" not in why
    assert "mix/corpus" in done.stdout
    (record,) = records(mixed.data)
    assert record.state == DONE
    assert not _holding(mixed.data / "pages/tales", "Ines")
    assert not _holding(mixed.data, "a nest of owls")
    crawl = subprocess.run(
        [sys.executable, "-m", "scrapy", "crawl", "files", "-a", "franchise=tales"],
        cwd=mixed.folder, capture_output=True, text=True, check=False,
        env=mixed.env | {"SCRAPY_SETTINGS_MODULE": "crawlers.settings"},
    )  # fmt: skip
    assert crawl.returncode == 0, crawl.stderr
    assert "1 taken down" in crawl.stderr
    assert not _holding(mixed.data, "a nest of owls")
