"""The Gutenberg spider against a served library, and what the catalogue makes of a source."""

from dataclasses import replace

import pytest

from crawlers.catalogue import read_catalogue, select
from crawlers.explain import SourceError
from crawlers.page import Page
from crawlers.samplesite.bundle import bundled_sites
from crawlers.samplesite.library import Book, LibrarySite
from crawlers.samplesite.server import SiteServer
from crawlers.sources import GutenbergSource

BAUM = "Baum, L. Frank (Lyman Frank), 1856-1919; Denslow, W. W., 1856-1915 [Illustrator]"
BOOKS = [
    Book(7, "The Emerald Stair", BAUM, {"pg7.txt": b"cache"}),
    Book(55, "The Stair of Oz", BAUM, {"55-0.txt": "pósted".encode(), "55-8.txt": b"old"}),
    Book(66, "Emerald ashes", "Baum, L. Frank", {"66.txt": b"ascii"}),
    Book(67, "Emerald silence", "Baum, L. Frank", {"67.mp3": b""}),
    Book(123, "Lichter", "Weber, Anna", {"123-8.txt": b"latin-1"}, language="de"),
    Book(77, "Mine", "Ann", {"pg77.txt": b"** This is a COPYRIGHTED Project Gutenberg eBook **"}),
    Book(900, "No text", "Weber, Anna", {}, subjects="Ghost stories; Fiction"),
    Book(12345, "Deep", "Pratt, Jo", {"12345-0.txt": b"deep"}, subjects="Ghost stories -- Fiction"),
]


class MirrorOnly(LibrarySite):
    """A mirror, which has only the folders of one digit each."""

    def answer(self, request):
        if request.path.startswith(("/files/", "/cache/epub/1")):
            request = type(request)(request.method, "/none", request.headers, "", request.origin)
        return super().answer(request)


@pytest.fixture
def library():
    library = MirrorOnly({book.number: book for book in BOOKS})
    with SiteServer([library], [0]) as server:
        library.origin = server.origins[0]
        library.log = server.log
        yield library


def test_books_by_number_author_and_subject(workplace, library) -> None:
    workplace.franchise(
        "oz",
        {
            "spider": "gutenberg",
            "site": library.origin,
            "books": [123, 12345],
            "authors": ["Baum, L. Frank"],
            "title_contains": "emerald",
        },
    )
    crawl = workplace.crawl("gutenberg", "oz")
    assert crawl.status == 0, crawl.stderr
    pages = crawl.pages()
    assert {row["title"]: row["body"] for row in pages.values()} == {
        "Lichter": b"latin-1",
        "Deep": b"deep",
        "The Emerald Stair": b"cache",
        "Emerald ashes": b"ascii",
    }
    deep = pages[f"{library.origin}/ebooks/12345"]
    assert deep["final_url"].endswith("/1/2/3/4/12345/12345-0.txt")
    assert deep["page_id"] == "12345"
    assert deep["licence"] == "LicenseRef-PublicDomainUS"
    assert f"{library.origin}/ebooks/55" not in pages
    assert [failure["url"] for failure in crawl.outcome.failures] == [f"{library.origin}/ebooks/67"]


def test_the_catalogue_is_fetched_once_a_crawl(workplace, library) -> None:
    site = {"spider": "gutenberg", "site": library.origin}
    workplace.franchise(
        "oz", {**site, "name": "a", "books": [7]}, {**site, "name": "b", "books": [123]}
    )
    assert workplace.crawl("gutenberg", "oz").outcome.fetched == 2
    paths = [entry.path for entry in library.log.entries()]
    assert sum(path.endswith("pg_catalog.csv") for path in paths) == 1


def test_unchanged_books_are_not_stored_again(workplace, library) -> None:
    workplace.franchise("oz", {"spider": "gutenberg", "site": library.origin, "books": [7]})
    version = workplace.crawl("gutenberg", "oz").store.data_version()
    again = workplace.crawl("gutenberg", "oz")
    assert (again.outcome.fetched, again.outcome.unchanged) == (0, 1)
    assert library.log.entries()[-1].status == 304
    # Rebuilt: a new date, the same text.
    library.put(Book(7, "The Emerald Stair", BAUM, {"pg7.txt": b"cache", "x": b""}))
    rebuilt = workplace.crawl("gutenberg", "oz")
    assert library.log.entries()[-1].status == 200
    assert (rebuilt.outcome.fetched, rebuilt.outcome.unchanged) == (0, 1)
    assert len(rebuilt.store.parts()) == 1
    library.put(Book(7, "The Emerald Stair", BAUM, {"pg7.txt": b"another text"}))
    changed = workplace.crawl("gutenberg", "oz")
    assert changed.outcome.fetched == 1
    assert changed.store.data_version() != version


def test_a_corrected_row_is_stored_anew_and_the_rest_is_left(workplace, library) -> None:
    source = {"spider": "gutenberg", "site": library.origin}
    workplace.franchise("oz", {**source, "authors": ["Baum"], "books": [12345]})
    first = workplace.crawl("gutenberg", "oz")
    before = first.pages()
    assert {row["page_id"] for row in before.values()} == {"7", "55", "66", "12345"}
    library.log.clear()
    again = workplace.crawl("gutenberg", "oz")
    assert (again.outcome.fetched, again.outcome.unchanged, again.outcome.gone) == (0, 4, 0)
    # Each book is asked for where it lay, in one request; only 67 has no text anywhere.
    asked = {
        (entry.path, entry.status) for entry in library.log.entries() if "67" not in entry.path
    }
    assert asked == {
        ("/robots.txt", 200),
        ("/cache/epub/feeds/pg_catalog.csv", 200),
        ("/cache/epub/7/pg7.txt", 304),
        ("/5/55/55-0.txt", 304),
        ("/6/66/66.txt", 304),
        ("/1/2/3/4/12345/12345-0.txt", 304),
    }

    # The bodies stay; of one book the title, of another the author is corrected, one is refiled.
    title, author, shelf = (library.books[number] for number in (7, 55, 66))
    library.books[7] = replace(title, title="The Emerald Stairs")
    library.books[55] = replace(author, authors="Baum, Lyman Frank")
    library.books[66] = replace(shelf, bookshelves="Category: Novels")
    changed = workplace.crawl("gutenberg", "oz")
    assert (changed.outcome.fetched, changed.outcome.unchanged) == (2, 2)
    pages = changed.pages()
    one, other = (f"{library.origin}/ebooks/{number}" for number in (7, 55))
    assert pages[one]["title"] == "The Emerald Stairs"
    assert {url for url in pages if pages[url]["revision"] != before[url]["revision"]} == {
        one,
        other,
    }
    assert {pages[url]["body_sha256"] for url in pages} == {
        row["body_sha256"] for row in before.values()
    }

    # Out of the catalogue, out of the current view.
    del library.books[55]
    gone = workplace.crawl("gutenberg", "oz")
    assert (gone.outcome.fetched, gone.outcome.unchanged, gone.outcome.gone) == (0, 3, 1)
    assert other not in gone.pages()


def test_books_stored_before_their_rows_were_kept_are_left(workplace, library) -> None:
    workplace.franchise("oz", {"spider": "gutenberg", "site": library.origin, "books": [7]})
    first = workplace.crawl("gutenberg", "oz")
    (row,) = first.pages().values()
    writer = first.store.writer("older")
    writer.append(Page(**{**row, "revision": None}))
    writer.close()
    version = first.store.data_version()
    again = workplace.crawl("gutenberg", "oz")
    assert (again.outcome.fetched, again.outcome.unchanged) == (0, 1)
    assert again.store.data_version() == version


def test_missing_books_are_named(workplace, library) -> None:
    workplace.franchise(
        "oz", {"spider": "gutenberg", "site": library.origin, "books": [7, 77, 900, 4711]}
    )
    crawl = workplace.crawl("gutenberg", "oz")
    assert crawl.status == 1
    assert crawl.store.count() == 1
    (unknown,) = [error for error in crawl.errors if "book 4711 is not in the catalogue" in error]
    assert "leave it out" in unknown
    assert any("book 900, 'No text', has no plain text" in error for error in crawl.errors)
    assert any("under copyright" in failure["what"] for failure in crawl.outcome.failures)
    assert all("defs.yaml: source gutenberg" in error for error in crawl.errors)


HEADER = "Text#,Type,Issued,Title,Language,Authors,Subjects,LoCC,Bookshelves\r\n"
CATALOGUE = HEADER + (
    '1,Text,1971-12-01,"A Title\r\nWith a subtitle",en,"Ann, A.",Fairies,E,Fantasy\r\n'
    '2,Sound,1971-12-01,Spoken,en,"Ann, A.",Fairies,E,Fantasy\r\n'
    '3,Text,1971-12-01,Deux,fr; en,"Bob, B.; Ann, A. [Translator]",Fairies -- France,E,\r\n'
    '4,Text,1971-12-01,Drei,de,"Ann, A.",Elfen,E,Fantasy\r\n'
)


@pytest.mark.parametrize(
    ("wanted", "numbers", "not_found"),
    [
        ({"authors": ["ann, a"]}, [1], []),
        ({"subjects": ["fairies"]}, [1, 3], []),
        ({"bookshelves": ["fantasy"], "language": "de"}, [4], []),
        ({"books": [4, 1]}, [4, 1], []),
        ({"books": [2]}, [], ["book 2 is Sound, not Text"]),
        ({"authors": ["Zoe"]}, [], ["the author 'Zoe' has no text in language 'en'"]),
        ({"authors": ["Ann"], "books": [4]}, [4, 1], []),
    ],
)
def test_selection(wanted, numbers, not_found) -> None:
    source = GutenbergSource(spider="gutenberg", **wanted)
    selection = select(source, read_catalogue(CATALOGUE.encode()))
    assert [book.number for book in selection.books] == numbers
    assert selection.not_found == not_found


def test_titles_are_one_line() -> None:
    assert next(read_catalogue(CATALOGUE.encode())).title == "A Title With a subtitle"


def test_a_page_in_place_of_the_catalogue_is_an_error() -> None:
    with pytest.raises(SourceError, match="lacks columns"):
        list(read_catalogue(b"<html>Please prove that you are human</html>"))


def test_every_book_of_the_sample_library_has_its_end(workplace) -> None:
    """Their ends are of every age, with every line end; the demo is made of them."""
    _, _, bundled = bundled_sites()
    with SiteServer([bundled], [0]) as server:
        numbers = sorted(bundled.books)
        workplace.franchise(
            "shelf", {"spider": "gutenberg", "site": server.origins[0], "books": numbers}
        )
        done = workplace.crawl("gutenberg", "shelf")
    assert done.status == 0, done.stderr
    assert done.outcome.fetched == len(numbers)
    assert not done.outcome.failures
