"""What `loremill takedown` says where it cannot find a page, or cannot come to its end."""

import errno
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crawlers.page import Page
from crawlers.store.page_store import PageStore, pages_root
from crawlers.takedowns import BEGUN, records
from dagster_project import takedown
from dagster_project.cli import app
from pipeline.artifact import NoRoomError, materialize
from tests.corpus_documents import document, write_documents

URL = "https://w.example/wiki/List_of_tales"


@pytest.fixture
def data(project, load, monkeypatch) -> Path:
    project.write_keepers("http://127.0.0.1:9", episodes=2)
    load(project)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    writer = PageStore(pages_root(project.data, "keepers", "bulbapedia")).writer("c")
    writer.append(
        Page(url=URL, title="List of tales", body=b"<p>A tale.</p>", licence="CC0-1.0",
             crawl_id="c", spider="bulbapedia", franchise="keepers", source="bulbapedia")
    )  # fmt: skip
    writer.close()
    return project.data


def test_a_title_of_a_document_leads_to_its_page(data: Path) -> None:
    row = document(1, title="The Kiln", url=f"{URL}#Kiln")

    def build(folder: Path) -> dict:
        written = write_documents(folder, "keepers", [row])
        written.replace(folder / "documents.parquet")
        return {}

    materialize(data / "documents" / "keepers", "d" * 64, build)
    said = CliRunner().invoke(app, ["takedown", "The Kiln", "--reason", "asked", "--dry-run"])
    assert said.exit_code == 2
    assert f"a document of that title stands on {URL}: give the URL" in said.stderr
    found = CliRunner().invoke(app, ["takedown", URL, "--reason", "asked", "--dry-run"])
    assert found.exit_code == 0


def test_a_takedown_that_meets_a_full_disk_says_that_it_is_unfinished(data, monkeypatch) -> None:
    def full(*_: object) -> None:
        raise NoRoomError(data / "corpora")

    with monkeypatch.context() as patched:
        patched.setattr(takedown, "erase_outputs", full)
        said = CliRunner().invoke(app, ["takedown", URL, "--reason", "asked", "--yes"])
    assert said.exit_code == 1
    assert "no room to write" in said.stderr
    assert "MB free" in said.stderr, said.stderr
    assert "the takedown is unfinished" in said.stderr
    assert "run the same command again" in said.stderr
    (record,) = records(data)
    assert record.state == BEGUN
    assert NoRoomError(data / "corpora").errno == errno.ENOSPC
