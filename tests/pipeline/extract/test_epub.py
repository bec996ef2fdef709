"""EPUB books to chapters; and what a hostile, locked or broken file is dropped for."""

import zipfile
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.extract.epub import read_epub
from pipeline.extract.epub_package import NOT_EPUB
from pipeline.extract.piece import NoStoryError
from tests.pipeline.extract.epub_files import (
    AGAIN,
    NAV,
    NCX,
    SEA,
    WORDS,
    book,
    epub,
    package,
    xhtml,
)


def read(entries: dict[str, str | bytes]) -> list[tuple[str | None, str, str | None]]:
    return [(p.section, p.text, p.left_out) for p in read_epub(epub(entries)).pieces]


def test_the_contents_part_a_book_into_chapters() -> None:
    result = read_epub(epub(book()))
    assert result.title == "The Glass & the Ferry"
    sections = {piece.section: piece for piece in result.pieces if not piece.left_out}
    assert list(sections) == ["Part One, 1. The River", "Part One, 2. The Sea"]
    paragraphs = sections["Part One, 1. The River"].text.split("\n\n")
    assert paragraphs == [
        WORDS.strip(), "Café —then she went.\nOn.", "* * *", AGAIN,
        f"It went on. {WORDS}".strip(),
    ]  # fmt: skip
    assert sections["Part One, 2. The Sea"].text == SEA


def test_what_tells_no_story_is_told_as_left_out() -> None:
    left = [(section, text[:8]) for section, text, why in read(book()) if why]
    assert left == [(None, "A cover."), ("Title Page", "by Nobod"), ("Endnotes", "1. The l")]
    everything = " ".join(text for _, text, _ in read(book()))
    assert everything.count("The lamp burned low") == 3 * (1 + 1 + 1 + 1)  # Gutenberg's words not


def test_an_old_book_has_its_contents_in_ncx_and_its_matter_in_the_guide() -> None:
    points = "".join(
        f"<navPoint id='n{n}'><navLabel><text>Chapter {n}</text></navLabel>"
        f"<content src='text/c{n}.xhtml'/></navPoint>"
        for n in (1, 2)
    )
    guide = '<guide><reference type="copyright-page" href="text/legal.xhtml"/></guide>'
    pieces = read(
        {
            "content.opf": package(["legal", "c1", "c2"], NCX, guide=guide),
            "toc.ncx": f"<ncx xmlns='http://www.daisy.org/z3986/2005/ncx/'><navMap>{points}"
            "</navMap></ncx>",
            "text/legal.xhtml": xhtml("<p>All rights.</p>"),
            "text/c1.xhtml": xhtml(f"<p class='big'>CHAPTER 1</p><p>{WORDS}</p>"),
            "text/c2.xhtml": xhtml(f"<p>{WORDS}</p>"),
        }
    )
    assert pieces == [
        (None, "All rights.", "front or back matter"),
        ("Chapter 1", WORDS.strip(), None),
        ("Chapter 2", WORDS.strip(), None),
    ]


def test_without_contents_the_headings_part_it() -> None:
    chapters = "<p>by Nobody</p>" + "".join(
        f"<h2>Tale<br/>{n}</h2><h3>A <i>s</i>cene</h3><p>{WORDS}</p>" for n in (1, 2)
    )
    pieces = read({"content.opf": package(["all"]), "text/all.xhtml": xhtml(chapters)})
    assert [(section, why) for section, _, why in pieces] == [
        (None, "front or back matter"), ("Tale 1, A scene", None), ("Tale 2, A scene", None)
    ]  # fmt: skip
    whole = read({"content.opf": package(["all"]), "text/all.xhtml": xhtml(f"<p>{WORDS}</p>")})
    assert whole == [("text", WORDS.strip(), None)]


def locked(algorithm: str, uri: str) -> str:
    return (
        "<encryption xmlns='urn:oasis:names:tc:opendocument:xmlns:container' "
        "xmlns:enc='http://www.w3.org/2001/04/xmlenc#'><enc:EncryptedData><enc:EncryptionMethod "
        f"Algorithm='{algorithm}'/><enc:CipherData><enc:CipherReference URI='{uri}'/>"
        "</enc:CipherData></enc:EncryptedData></encryption>"
    )


def test_a_locked_book_is_left_and_scrambled_fonts_are_no_lock() -> None:
    aes = "http://www.w3.org/2001/04/xmlenc#aes128-cbc"
    with pytest.raises(NoStoryError, match="is encrypted"):
        read(book() | {"META-INF/encryption.xml": locked(aes, "OEBPS/text/c2.xhtml")})
    fonts = locked("http://www.idpf.org/2008/embedding", "OEBPS/text/c2.xhtml")
    assert read(book() | {"META-INF/encryption.xml": fonts}) == read(book())
    image = locked(aes, "OEBPS/images/map.png")
    assert read(book() | {"META-INF/encryption.xml": image}) == read(book())


def test_a_bomb_is_not_unpacked() -> None:
    bomb = book() | {"text/c2.xhtml": xhtml("<p>" + "lamp " * (2 << 20) + "</p>")}
    body = epub(bomb)
    assert len(body) < 1 << 16
    with pytest.raises(NoStoryError, match="unpacks to more than a book"):
        read_epub(body)
    parts = {f"c{n}": xhtml("<p>" + "lamp " * (1 << 20) + "</p>") for n in range(7)}
    documents = {f"text/{name}.xhtml": part for name, part in parts.items()}
    with pytest.raises(NoStoryError, match="unpacks to more than a book"):
        read({"content.opf": package([*parts]), **documents})
    many = epub({f"{n}": b"" for n in range(10_001)}, zipfile.ZIP_STORED)
    with pytest.raises(NoStoryError, match="too many entries"):
        read_epub(many)


def test_entities_are_not_expanded_and_files_not_read(tmp_path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret of the operator")
    lol = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 9))
    document = (
        f'<!DOCTYPE html [<!ENTITY l0 "ha">{lol}<!ENTITY s SYSTEM "{secret.as_uri()}">]>'
        f"<html><body><p>{WORDS} &s; &l8; &amp; on.</p></body></html>"
    )
    ((_, text, _),) = read({"content.opf": package(["a"]), "text/a.xhtml": document})
    assert "secret" not in text
    assert "haha" not in text
    assert text.endswith("& on.")


@pytest.mark.parametrize("href", ["../../../../../etc/passwd", "/etc/passwd", "file:///etc/passwd"])
def test_a_path_out_of_the_book_is_no_document(href) -> None:
    opf = package(["a"]).replace("text/a.xhtml", href)
    with pytest.raises(NoStoryError, match="EPUB has no text"):
        read({"content.opf": opf})


@pytest.mark.parametrize(
    "body",
    [b"", b"PK\x03\x04", b"not a zip", epub({})[:200], epub({}), epub({"content.opf": "<"}),
     epub(book(), zipfile.ZIP_LZMA)],
)  # fmt: skip
def test_what_is_no_book_is_said_so(body) -> None:
    with pytest.raises(NoStoryError) as caught:
        read_epub(body)
    assert caught.value.reason in (NOT_EPUB, "EPUB has no text")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 6000), st.binary(min_size=1, max_size=8))
def test_damage_ends_in_chapters_or_a_reason(position: int, damage: bytes) -> None:
    body = bytearray(epub({**book(), "nav.xhtml": xhtml(""), "content.opf": package(["c2"], NAV)}))
    body[position : position + len(damage)] = damage
    with suppress(NoStoryError):
        assert all(piece.text for piece in read_epub(bytes(body)).pieces)


#: What could be looked through anew from each of its places: entries, of so many of something.
HOSTILE = {
    "blanks": lambda n: {"text/a.xhtml": " " * n + "<html><body><p>x</p></body></html>"},
    "declarations": lambda n: {"text/a.xhtml": "<!DOCTYPE [" * (n // 40) + xhtml("<p>x</p>")},
    "page numbers": lambda n: {
        "text/a.xhtml": xhtml("<span class='pagenum'>1</span>and on" * (n // 2))
    },
    "entities": lambda n: {"text/a.xhtml": xhtml("&_;a" * n)},
    "tables of contents": lambda n: {
        "text/a.xhtml": xhtml("<p id='a'>x</p>"),
        "nav.xhtml": xhtml("<nav epub:type='toc'>" * (n // 500) + "<a href='text/a.xhtml#a'>x</a>"
                           * (n // 50)),
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "n"),
    [("blanks", 10_000), ("declarations", 100_000), ("page numbers", 8_000), ("entities", 20_000),
     ("tables of contents", 20_000)],
)  # fmt: skip
def test_nothing_costs_more_than_its_length(name: str, n: int, grows_no_faster) -> None:
    def work(n: int) -> None:
        with suppress(NoStoryError):
            read({"content.opf": package(["a"], NAV), **HOSTILE[name](n)})

    grows_no_faster(work, n)


def test_a_book_of_tags_is_not_read() -> None:
    for documents, tags in ((1, 160_000), (8, 140_000)):
        parts = {f"c{n}": xhtml("<br/>" * tags) for n in range(documents)}
        entries = {f"text/{name}.xhtml": part for name, part in parts.items()}
        with pytest.raises(NoStoryError, match="more tags than a book"):
            read({"content.opf": package([*parts]), **entries})
