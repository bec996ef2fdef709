"""What a person may write about a source: each mistake is told in one line, none is a traceback."""

import re

import pytest
from pydantic import ValidationError

from crawlers.franchise import FranchiseSpec
from crawlers.sources import FilesSource, MediaWikiSource, Series


def wiki(**written: object) -> MediaWikiSource:
    keys = {"spider": "mediawiki", "site": "http://w.example", "licence": "CC0-1.0"}
    return MediaWikiSource.model_validate(keys | {"titles": ["A"]} | written)


def mistake(make, **written: object) -> str:
    with pytest.raises(ValidationError) as refused:
        make(**written)
    (detail,) = refused.value.errors()
    assert "\n" not in detail["msg"]
    return str(detail["msg"])


@pytest.mark.parametrize(
    ("written", "origin"),
    [
        ("http://LOCALHOST:8080", "http://localhost:8080"),
        ("HTTPS://Wiki.Example/", "https://wiki.example"),
        ("http://[::1]:80", "http://[::1]:80"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("http://my_wiki.example", "http://my_wiki.example"),
    ],
)
def test_a_site_is_written_as_requests_have_it(written: str, origin: str) -> None:
    assert wiki(site=written).site == origin


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("http://[::1", "Invalid IPv6 URL"),
        ("http://[w.example]", "w.example"),
        ("http://w.example:99999", "[Pp]ort"),
        ("http://w.example:abc", "[Pp]ort"),
        ("http://w.example:", "port"),
        ("http://w.example?a", "leave out what follows the host"),
        ("http://w.example#x", "leave out what follows the host"),
        ("http://w.example/wiki/", "leave out what follows the host"),
        ("http://w.example\\x", "host is no name"),
        ("http://w..example", "label empty"),
        ("http://w.example\n", "control characters"),
        ("ftp://w.example", "scheme"),
        ("w.example", "names no host"),
        ("http://", "names no host"),
    ],
)
def test_what_is_no_site_is_told(written: str, why: str) -> None:
    said = mistake(wiki, site=written)
    assert f"{written!r} is not http(s)://host[:port]: " in said
    assert re.search(why, said)


def test_a_password_is_refused_and_not_repeated() -> None:
    said = mistake(wiki, site="https://ada:secret@w.example")
    assert "without user and password" in said
    assert "secret" not in said


def test_an_article_path_may_stand_as_special_version_has_it() -> None:
    assert wiki(article_path="/wiki/$1").article_path == "/wiki/"
    assert wiki(article_path="/w/index.php?title=$1").article_path == "/w/index.php?title="
    assert "goes on behind the title" in mistake(wiki, article_path="/wiki/$1/view")


def test_a_series_without_end_is_refused() -> None:
    assert "more than 100,000 numbers" in mistake(Series, prefix="EP", last=1_000_000_000)
    assert len(Series(prefix="EP", first=1, last=100_000).titles()) == 100_000


@pytest.mark.parametrize(
    ("path", "why"), [("~nosuchuser/x", "no such user's home"), ("a\0b", "NUL")]
)
def test_what_is_no_path_is_told(path: str, why: str) -> None:
    assert why in mistake(FilesSource, spider="files", licence="CC0-1.0", path=path)


@pytest.mark.parametrize(
    ("genres", "why"),
    [
        ({}, "at least 1 item"),
        ({"drama": []}, "at least 1 item"),
        ({"…": ["drama"]}, "'…' has no letter"),
        ({"drama": ["-"]}, "'-' has no letter"),
        ({"sci_fi": ["sf"], "Sci-Fi": ["science fiction"]}, "'sci_fi' stands twice"),
        ({"sci_fi": ["sci-fi"], "fantasy": ["Sci fi"]}, "'sci-fi' stands twice"),
    ],
)
def test_genres_that_are_none_are_told(genres: dict[str, list[str]], why: str) -> None:
    written = {"spider": "files", "licence": "CC0-1.0", "path": "a.csv"}
    assert why in mistake(FilesSource, **written, genres=genres)


def test_a_source_is_in_the_franchises_language_where_it_names_none() -> None:
    sources = [
        {"spider": "gutenberg", "books": [1]},
        {"spider": "files", "path": "a.txt", "licence": "CC0-1.0"},
        {"spider": "gutenberg", "name": "french", "books": [2], "language": "fr"},
    ]
    spec = FranchiseSpec.model_validate({"title": "Lamps", "language": "de", "sources": sources})
    assert [source.language for source in spec.sources] == ["de", "de", "fr"]
