"""ZIM files written here with libzim, crawled for real, in the markup that mwoffliner writes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from crawlers.on_disk.zim_file import ZimFile
from pipeline.extract import SourceRules, extract

writer = pytest.importorskip("libzim.writer", reason="the extra loremill[zim] is not installed")

STORY = (
    "Maren carried the last lamp over the bridge while the river rose behind her. "
    "Nobody in the village had seen the ferryman since the ice broke, and nobody asked."
)
#: As mwoffliner writes it for small screens: Parsoid's sections, each folded into <details>.
ARTICLE = """<!DOCTYPE html><html><head><meta charset="utf-8"><title>{title}</title>
<link rel="canonical" href="https://lamps.example/wiki/{path}" /></head><body class="mw-body">
<h1 id="openzim-page-title" class="article-header">{title}</h1>
<div id="mw-content-text"><div class="mw-parser-output">
<section data-mw-section-id="0" id="mwAQ"><p>A book.</p></section>
<details data-level="2" open=""><summary class="section-heading"><h2 id="Plot">Plot</h2></summary>
<section data-mw-section-id="1" id="mwAg"><p>{story}<sup class="mw-ref reference" id="cite_ref-1">
<a href="#cite_note-1"><span class="mw-reflink-text">[1]</span></a></sup></p>
<details data-level="3" open=""><summary class="section-heading"><h3 id="End">End</h3></summary>
<section data-mw-section-id="2"><p>The lamp went out.</p></section></details></section></details>
<details data-level="2" open=""><summary class="section-heading"><h2 id="Cast">Cast</h2></summary>
<section data-mw-section-id="3"><p>Nobody was cast.</p></section></details>
</div></div></body></html>"""


def article(title: str, story: str = STORY) -> str:
    return ARTICLE.format(title=title, path=title.replace(" ", "_"), story=story)


class Entry(writer.Item):
    """An item of a ZIM file."""

    def __init__(self, path: str, title: str, content: str, mimetype: str = "text/html"):
        super().__init__()
        self._of = (path, title, content, mimetype)

    def get_path(self) -> str:
        return self._of[0]

    def get_title(self) -> str:
        return self._of[1]

    def get_mimetype(self) -> str:
        return self._of[3]

    def get_contentprovider(self) -> object:
        return writer.StringProvider(self._of[2])

    def get_hints(self) -> dict[object, bool]:
        return {writer.Hint.FRONT_ARTICLE: self._of[3] == "text/html"}


def write_zim(path: Path, entries: list[Entry], **metadata: str) -> None:
    with writer.Creator(path) as creator:
        creator.set_mainpath("index")
        for entry in entries:
            creator.add_item(entry)
        creator.add_redirection("Old_Lamp", "Old Lamp", "The_Long_Lamp", {})
        for name, value in {"Name": "lamps_en", "Source": "lamps.example", **metadata}.items():
            creator.add_metadata(name, value)


ENTRIES = [
    Entry("index", "Welcome", article("Welcome")),
    Entry("The_Long_Lamp", "The Long Lamp", article("The Long Lamp")),
    Entry("Ferry", "Ferry", article("Ferry").replace("canonical", "other")),
    Entry("Lamp", "Lamp", "<div id='disambigbox' class='dmbox-disambig'>Lamp may be</div>"),
    Entry("style.css", "", "a {}", "text/css"),
    Entry("Lantern.png", "", "x", "image/png"),
]


@pytest.fixture
def crawl_zim(workplace) -> Callable[..., object]:
    def crawl(entries: list[Entry] = ENTRIES, *options: str, **source: object) -> object:
        path = workplace.folder / "corpora" / "lamps" / "lamps.zim"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        write_zim(path, entries)
        written = {"spider": "zim", "path": "lamps.zim", "licence": "CC-BY-SA-4.0", **source}
        workplace.franchise("lamps", written)
        return workplace.crawl("zim", "lamps", *options)

    return crawl


def test_a_zim_becomes_documents_through_the_same_door(crawl_zim, tmp_path) -> None:
    finished = crawl_zim()
    assert (finished.status, finished.errors) == (0, [])
    pages = finished.pages()
    assert set(pages) == {"zim://lamps_en/The_Long_Lamp", "zim://lamps_en/Ferry"}
    row = pages["zim://lamps_en/The_Long_Lamp"]
    assert row["body"] == article("The Long Lamp").encode()
    assert row["attribution_url"] == "https://lamps.example/wiki/The_Long_Lamp"
    assert pages["zim://lamps_en/Ferry"]["attribution_url"] == "https://lamps.example/"
    assert (row["title"], row["licence"]) == ("The Long Lamp", "CC-BY-SA-4.0")
    folder = tmp_path / "documents"
    folder.mkdir()
    figures = extract(finished.store.current(), {"zim": SourceRules(None, None, "en")}, folder)
    assert figures["documents"] == 2
    assert figures["characters"] == 2 * len(f"{STORY}\n\nThe lamp went out.")


@pytest.mark.parametrize(
    ("source", "path", "original"),
    [
        ("en.wikipedia.org", "The_Lamp_(film)", "https://en.wikipedia.org/wiki/The_Lamp_(film)"),
        ("https://lamps.fandom.com/", "Lämp", "https://lamps.fandom.com/wiki/L%C3%A4mp"),
        ("lamps.example", "www.lamps.example/a/b", "https://www.lamps.example/a/b"),
        ("https://www.lamps.example/start", "lamps.example/a", "https://lamps.example/a"),
        ("https://www.lamps.example/start", "Lamp", "https://www.lamps.example/"),
        ("a disk of mine", "Lamp", None),
        ("file:///home/me/lamps", "Lamp", None),
    ],
)
def test_what_names_no_original_leads_to_the_site_that_was_packed(
    tmp_path: Path, source: str, path: str, original: str | None
) -> None:
    file = tmp_path / "lamps.zim"
    write_zim(file, [ENTRIES[0], Entry(path, "Lamp", "<p>It burns.</p>")], Source=source)
    (found,) = [entry for entry in ZimFile(file, 10_000).articles() if entry]
    assert found.original == original


@pytest.mark.parametrize(
    ("source", "taken"),
    [
        ({"titles": ["Old Lamp"]}, {"The_Long_Lamp"}),
        ({"titles": ["The_Long_Lamp", "Ferry"], "title_contains": "ferr"}, {"Ferry"}),
        ({"title_contains": "LAMP"}, {"The_Long_Lamp"}),
    ],
)
def test_what_a_source_names_is_taken(crawl_zim, source, taken) -> None:
    finished = crawl_zim(**source)
    assert finished.status == 0
    assert set(finished.pages()) == {f"zim://lamps_en/{path}" for path in taken}


def test_what_names_nothing_is_told(crawl_zim) -> None:
    finished = crawl_zim(titles=["Nobody", "Lamp"])
    assert finished.status == 1
    assert "'Nobody' has no article of this title in the file; leave it out" in finished.stderr
    assert "none of the titles has an article" in finished.errors[0]
    none = crawl_zim(title_contains="submarine")
    assert "there is no article whose title contains 'submarine'" in none.errors[0]


def test_a_newer_edition_changes_what_changed(crawl_zim) -> None:
    crawl_zim()
    edited = [ENTRIES[0], Entry("Ferry", "Ferry", article("Ferry", "It sank.")), *ENTRIES[3:],
              Entry("The_Long_Lamp", "The Long Lamp", article("The Long Lamp"))]  # fmt: skip
    outcome = crawl_zim(edited).outcome
    assert (outcome.fetched, outcome.unchanged, outcome.gone) == (1, 1, 0)


def test_an_article_larger_than_allowed_fails_alone(crawl_zim) -> None:
    entries = [*ENTRIES, Entry("Huge", "Huge", "x" * 50_000)]
    finished = crawl_zim(entries, "-s", "DOWNLOAD_MAXSIZE=20000")
    assert len(finished.pages()) == 2
    assert "zim://lamps_en/Huge: the page is larger than allowed" in finished.stderr


def test_a_file_that_is_broken_or_missing_is_one_clear_error(workplace) -> None:
    path = workplace.folder / "lamps.zim"
    workplace.franchise("lamps", {"spider": "zim", "path": str(path), "licence": "CC0-1.0"})
    (error,) = workplace.crawl("zim", "lamps").errors
    assert f"there is no file {path}" in error
    path.write_bytes(b"ZIM\x04 and no more")
    broken = workplace.crawl("zim", "lamps")
    assert f"{path} is no ZIM file, or is broken" in broken.errors[0]
    assert "defs.yaml: source zim" in broken.errors[0]
    assert "Traceback" not in broken.stderr


def test_without_libzim_the_extra_is_named(workplace) -> None:
    hidden = workplace.folder / "libzim"
    hidden.mkdir()
    (hidden / "__init__.py").write_text("raise ImportError('no libzim here')")
    (workplace.folder / "lamps.zim").write_bytes(b"x")
    workplace.franchise("lamps", {"spider": "zim", "path": "../../lamps.zim", "licence": "CC0-1.0"})
    workplace.environment["PYTHONPATH"] = (
        f"{workplace.folder}:{workplace.environment['PYTHONPATH']}"
    )
    (error,) = workplace.crawl("zim", "lamps").errors
    assert "pip install 'loremill[zim]'" in error
