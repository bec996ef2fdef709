"""EPUB files made for tests, original text (CC0): packages as well-kept publishers write them."""

import zipfile
from io import BytesIO

WORDS = "The lamp burned low and the keeper counted the waves that struck the stones below. " * 3
#: A second paragraph and a long chapter that do not say the same again.
AGAIN = " ".join(f"{word}{n}" for n, word in enumerate((WORDS * 2).split()))
SEA = WORDS + " ".join(f"{word}{n}" for n, word in enumerate((WORDS * 8).split()))

CONTAINER = (
    '<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OEBPS/content.opf" media-type="application/oebps-package+xml"/>'
    "</rootfiles></container>"
)


def xhtml(body: str, attributes: str = "") -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" '
        '"http://www.w3.org/TR/xhtml11/DTD/xhtml11.dtd">\n'
        '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops">'
        f"<head><title/></head><body {attributes}>{body}</body></html>"
    )


def package(names: list[str], *items: str, spine: str = "<spine>", guide: str = "") -> str:
    documents = "".join(
        f'<item id="{name}" href="text/{name}.xhtml" media-type="application/xhtml+xml"/>'
        for name in names
    )
    references = "".join(f'<itemref idref="{name}"/>' for name in names)
    return (
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0">'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>The Glass &amp; the Ferry'
        f"</dc:title></metadata><manifest>{documents}{''.join(items)}</manifest>"
        f"{spine}{references}</spine>{guide}</package>"
    )


NAV = '<item id="nav" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/>'
NCX = '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'


def epub(entries: dict[str, str | bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Entries of OEBPS/, or of the whole file where they name a folder in capitals."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr("META-INF/container.xml", CONTAINER)
        for name, content in entries.items():
            archive.writestr(name if name.startswith("META-INF") else f"OEBPS/{name}", content)
    return file.getvalue()


def book() -> dict[str, str | bytes]:
    """Two chapters in a part, the first cut over two documents; cover, title page, endnotes."""
    chapter = (
        "<section id='p1'><h1>Part One</h1><section><a id='c1'/><p>1. The River</p>"
        f"<p>{WORDS}</p><p>Caf&eacute;&nbsp;&mdash;then<a epub:type='noteref' href='#n'>1</a> she"
        f" went.<br/>On.</p><hr/><p>{AGAIN}</p><script src='a'/></section></section>"
    )
    nav = (
        "<nav epub:type='toc'><ol><li><a href='text/title.xhtml'>Title Page</a></li>"
        "<li><a href='text/c1.xhtml#p1'>Part One</a><ol>"
        "<li><a href='text/c1.xhtml#c1'>1. The <i>River</i></a></li>"
        "<li><a href='text/c2.xhtml'>2. The Sea</a></li></ol></li>"
        "<li><a href='text/notes.xhtml'>Endnotes</a></li></ol></nav>"
    )
    return {
        "content.opf": package(["cover", "title", "c1", "c1b", "c2", "notes", "pg"], NAV),
        "nav.xhtml": xhtml(nav),
        "text/cover.xhtml": xhtml("<p>A cover.</p>", "epub:type='cover'"),
        "text/title.xhtml": xhtml("<h1>The Glass</h1><p>by Nobody At All</p>"),
        "text/c1.xhtml": xhtml(chapter),
        "text/c1b.xhtml": xhtml(f"<p>It went on. {WORDS}</p>"),
        "text/c2.xhtml": xhtml(f"<h2>2. The Sea</h2><p>{SEA}</p>"),
        "text/notes.xhtml": xhtml(f"<p>1. {WORDS}</p>"),
        "text/pg.xhtml": xhtml(f"<div class='pg-boilerplate'><p>{WORDS}</p></div>"),
    }
