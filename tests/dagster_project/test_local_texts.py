"""Dagster runs what needs no wiki: files on this disk, and a spider that somebody added."""

import csv

import pyarrow.parquet as pq
import pytest

from crawlers.samplesite.exchange import Request, Response, text
from crawlers.samplesite.server import SiteServer
from pipeline.artifact import Artifact

_SPIDER = '''\
"""Tales named by their number."""

from crawlers.spiders.web import WebSpider


class NumberedSpider(WebSpider):
    """Says all that the YAML does not."""

    name = "numbered"
    story_types = ("text/plain",)

    async def listing(self, source):
        for number in range(1, 31):
            yield self.story(f"{source.site}/tales/{number}.txt", source, title=f"Tale {number}")
'''

_TALES = """\
type: dagster_project.components.Franchise
attributes:
  title: Tales
  genre: fable
  sources:
    - spider: files
      path: plots.csv
      licence: CC0-1.0
    - spider: numbered
      site: {site}
      licence: CC-BY-4.0
      pages: [/tales]
"""


def story(name: str) -> str:
    """Some thirty words that differ from name to name."""
    return " ".join(f"{name} lit lamp {n} and counted the waves below it." for n in range(3))


class Tales:
    """A site of thirty plain texts."""

    name = "tales"

    def answer(self, request: Request) -> Response:
        """Each tale is at its number."""
        if request.path == "/robots.txt":
            return text(404, "none")
        return text(200, story(request.path))

    def content_hash(self) -> str:
        """Nothing asks."""
        return ""


@pytest.mark.slow
def test_files_and_a_spider_of_ones_own_become_a_corpus(project, monkeypatch) -> None:
    spiders = project.folder / "spiders"
    spiders.mkdir()
    (spiders / "numbered.py").write_text(_SPIDER)
    monkeypatch.setenv("LOREMILL_SPIDERS", str(spiders))
    with SiteServer([Tales()], [0]) as server:
        project.write("tales", _TALES.format(site=server.origins[0]))
        with (project.folder / "corpora/tales/plots.csv").open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["Title", "Genre", "Wiki Page", "Plot"])
            for n in range(30):
                genre = "unknown" if n % 2 else "western"
                rows.writerow([f"Film {n}", genre, f"https://f.example/{n}", story(f"Film {n}")])
        launched = project.launch('+key:"tales/corpus"')
    assert launched.returncode == 0, launched.stdout + launched.stderr
    folder = Artifact.load(project.data / "documents/tales").folder
    documents = pq.read_table(folder / "documents.parquet").to_pylist()
    films = [row for row in documents if row["source"] == "files"]
    assert {row["genre"] for row in films} == {"western", "fable"}
    assert {row["url"] for row in films} == {f"https://f.example/{n}" for n in range(30)}
    tales = [row for row in documents if row["source"] == "numbered"]
    assert {row["title"] for row in tales} == {f"Tale {n}" for n in range(1, 31)}
    assert {row["licence"] for row in tales} == {"CC-BY-4.0"}
    corpus = Artifact.load(project.data / "corpora/tales").folder
    manifest = pq.read_table(corpus / "manifest.parquet").to_pylist()
    assert {row["doc_id"] for row in manifest if row["doc_id"]} == {
        row["doc_id"] for row in documents
    }
