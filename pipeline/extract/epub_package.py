"""An EPUB file as its package describes it: title, documents in reading order, table of contents.

An own small reader, since the libraries for it are under the AGPL or no longer kept. The file is
hostile until proven otherwise: entries and unpacked bytes are bounded, nothing is written to disk,
entities are never expanded, and what is encrypted is left alone.
Specification: https://www.w3.org/TR/epub-33/, and OPF 2.0.1 with its NCX for older files.
"""

import posixpath
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.entities import html5
from io import BytesIO
from typing import Any
from urllib.parse import unquote, urldefrag

from lxml import etree

from pipeline.extract.piece import NoStoryError

#: The most of any EPUB known are some 3,000, an encyclopaedia's.
_MOST_ENTRIES = 10_000
#: Of all text together, and of one document; the Bible has 5 MB, War and Peace in one piece 4 MB.
_MOST_UNPACKED = 32 << 20
_LARGEST_DOCUMENT = 8 << 20
#: The same of tags, closing ones too: nothing but tags would take gigabytes of memory. A Bible has
#: 31,000 verses at some six tags each, and readers ask for documents under 300 kB.
_MOST_TAGS = 600_000
_MOST_TAGS_OF_A_DOCUMENT = 150_000
_ENTRY_MARK = b"PK\x01\x02"
_READ = frozenset((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
#: Scrambled fonts are no lock on the text.
_FONTS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
_DOCUMENTS = frozenset(("application/xhtml+xml", "text/html", "application/x-dtbook+xml"))
#: What stands before the first element. Its DOCTYPE may declare entities, which are not wanted; the
#: ones HTML knows are put in place. Matched at the start and never given back: searched for, what
#: never closes would be read through from each of its places.
_PROLOG = re.compile(
    r"\A\s*+(?:<\?.*?\?>\s*+|<!--.*?-->\s*+)*+(?:<!DOCTYPE[^>\[]*+(?:\[[^\]]*+\][^>]*+)?>)?",
    re.IGNORECASE | re.DOTALL,
)
_ENTITY = re.compile(r"&([^\s#;&<>][^\s;&<>]*+);")
_XML_ENTITIES = frozenset(("amp", "lt", "gt", "quot", "apos"))
#: Of a label with its blanks, which nested links repeat.
_LONGEST_LABEL = 10_000
_EPUB_TYPE = "{http://www.idpf.org/2007/ops}type"
#: What zipfile and lxml raise at a file that is not what it says.
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, RuntimeError,
           OSError, etree.LxmlError)  # fmt: skip
NOT_EPUB = "is no EPUB that can be read"


@dataclass
class Document:
    """A document of the book and what the package says it is, e.g. `cover`, `titlepage`."""

    root: Any  # the XHTML's tree, names without namespaces
    kinds: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Entry:
    """A line of the table of contents: where it leads, and how deep it stands, from 1."""

    path: str
    fragment: str
    label: str
    depth: int


@dataclass(frozen=True)
class Package:
    """A book's title, its documents by path in reading order, its table of contents, languages."""

    title: str | None
    documents: dict[str, Document]
    contents: dict[str, list[Entry]]  # by document
    languages: str  # as written, parted by commas; "" where none is told


def open_epub(body: bytes) -> Package:
    """The package of an EPUB file. Raises NoStoryError for what cannot be or must not be read."""
    if body.count(_ENTRY_MARK) > _MOST_ENTRIES:
        raise NoStoryError("EPUB has too many entries", body.count(_ENTRY_MARK))
    try:
        with zipfile.ZipFile(BytesIO(body)) as file:
            return _package(_Archive(file))
    except _BROKEN as error:
        raise NoStoryError(NOT_EPUB, len(body)) from error


class _Archive:
    """The entries of a ZIP file, read as long as the budget of unpacked bytes lasts."""

    def __init__(self, file: zipfile.ZipFile):
        self._file = file
        self._names = set(file.namelist())
        self._left = _MOST_UNPACKED
        self._tags_left = _MOST_TAGS

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def tree(self, name: str) -> Any:
        """The XML of an entry. Raises NoStoryError where there is none."""
        entry = self._file.getinfo(name) if name in self._names else None
        if entry is None or entry.compress_type not in _READ:
            raise NoStoryError(NOT_EPUB, 0)
        if entry.flag_bits & 1:
            raise NoStoryError("is encrypted")
        with self._file.open(entry) as opened:
            data = opened.read(_LARGEST_DOCUMENT + 1)
        self._left -= len(data)
        if len(data) > _LARGEST_DOCUMENT or self._left < 0:
            raise NoStoryError("EPUB unpacks to more than a book", _MOST_UNPACKED - self._left)
        tags = data.count(b"<")
        self._tags_left -= tags
        if tags > _MOST_TAGS_OF_A_DOCUMENT or self._tags_left < 0:
            raise NoStoryError("EPUB has more tags than a book", _MOST_TAGS - self._tags_left)
        return _tree(data)


def _tree(data: bytes) -> Any:
    declared = re.search(rb"^[^>]{0,200}encoding=[\"']([\w.-]{1,20})", data[:300])
    utf16 = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    latin = declared is not None and declared[1].lower() in (b"iso-8859-1", b"windows-1252")
    encoding = "utf-16" if utf16 else "cp1252" if latin else "utf-8-sig"
    text = data.decode(encoding, "replace").replace("\0", "")
    text = _ENTITY.sub(_character, _PROLOG.sub("", text, count=1))
    parser = etree.XMLParser(
        recover=True, resolve_entities=False, no_network=True, load_dtd=False,
        remove_comments=True, remove_pis=True, encoding="utf-8",
    )  # fmt: skip
    root = etree.fromstring(text.strip().encode("utf-8", "replace") or b"<none/>", parser)
    if root is None:
        raise NoStoryError(NOT_EPUB, len(data))
    for element in root.iter(etree.Element):
        element.tag = element.tag.rpartition("}")[2].rpartition(":")[2].lower()
    etree.cleanup_namespaces(root)
    return root


def _character(entity: re.Match[str]) -> str:
    return entity[0] if entity[1] in _XML_ENTITIES else html5.get(f"{entity[1]};", "")


def _package(archive: _Archive) -> Package:
    container = archive.tree("META-INF/container.xml")
    path = next((p for f in container.iter("rootfile") if (p := f.get("full-path"))), "")
    package = archive.tree(path)
    items = {item.get("id"): item for item in package.iter("item")}
    paths = {key: _path(path, item.get("href", "")) for key, item in items.items()}
    spine = [
        (paths[key], itemref.get("linear") != "no")
        for itemref in package.iter("itemref")
        if (key := itemref.get("idref")) in items
        and items[key].get("media-type", "").lower() in _DOCUMENTS
    ]
    if locked := _locked(archive).intersection(name for name, _ in spine):
        raise NoStoryError("is encrypted", len(locked))
    documents = {}
    for name, linear in dict(spine).items():
        if name in archive:
            documents[name] = Document(archive.tree(name))
            documents[name].kinds.update(_types(documents[name].root))
            if not linear:
                documents[name].kinds.add("aside")
    _guide(package, path, documents)
    navigation = next(
        (paths[k] for k, i in items.items() if "nav" in i.get("properties", "").split()), ""
    )
    contents: list[Entry] = []
    if navigation in archive:
        root = documents[navigation].root if navigation in documents else archive.tree(navigation)
        contents = [*_navigation(root, navigation, documents)]
        if navigation in documents:
            documents[navigation].kinds.add("toc")
    ncx = next(
        (paths[k] for k, i in items.items() if i.get("media-type") == "application/x-dtbncx+xml"),
        "",
    )
    if not contents and ncx in archive:
        contents = [*_ncx(archive.tree(ncx), ncx)]
    title = next((" ".join(t.itertext()) for t in package.iter("title")), "")
    by_document: dict[str, list[Entry]] = {}
    for entry in contents:
        if entry.path in documents and entry.label:
            by_document.setdefault(entry.path, []).append(entry)
    languages = ",".join("".join(element.itertext()) for element in package.iter("language"))
    return Package(" ".join(title.split())[:300] or None, documents, by_document, languages[:100])


def _path(base: str, href: str) -> str:
    """An entry's name: `href` as it stands in the entry `base`."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(base), unquote(urldefrag(href).url)))


def _locked(archive: _Archive) -> set[str]:
    """The entries that are encrypted, other than fonts."""
    if "META-INF/encryption.xml" not in archive:
        return set()
    locked = set()
    for data in archive.tree("META-INF/encryption.xml").iter("encrypteddata"):
        methods = {m.get("Algorithm") for m in data.iter("encryptionmethod")}
        if not methods.issubset(_FONTS):
            locked |= {unquote(r.get("URI", "")) for r in data.iter("cipherreference")}
    return locked


def _types(root: Any) -> Iterator[str]:
    """What a document says it is, on its body or the section that is all of it."""
    body = next(root.iter("body"), root)
    for element in (body, *([body[0]] if len(body) == 1 else [])):
        yield from kinds_of(element)


def kinds_of(element: Any) -> list[str]:
    """What an element says it is, by `epub:type`."""
    return str(element.get(_EPUB_TYPE) or element.get("epub:type") or "").lower().split()


def _guide(package: Any, path: str, documents: dict[str, Document]) -> None:
    """EPUB 2 names cover, title page and contents here."""
    for reference in package.iter("reference"):
        document = documents.get(_path(path, reference.get("href", "")))
        if document is not None:
            document.kinds.add(reference.get("type", "").lower())


def _navigation(root: Any, path: str, documents: dict[str, Document]) -> Iterator[Entry]:
    """The table of contents of EPUB 3; its landmarks say what documents are."""
    for nav in root.iter("nav"):
        if next(nav.iterancestors("nav"), None) is not None:
            continue  # else a link in a hundred of them would be told a hundred times
        kinds = kinds_of(nav)
        for link in nav.iter("a"):
            href = link.get("href", "")
            target = _path(path, href)
            if "toc" in kinds:
                depth = sum(1 for _ in link.iterancestors("ol"))
                yield Entry(target, _fragment(href), _words(link), max(depth, 1))
            elif "landmarks" in kinds and target in documents and not _fragment(href):
                documents[target].kinds.update(kinds_of(link))


def _ncx(root: Any, path: str) -> Iterator[Entry]:
    """The table of contents of EPUB 2."""
    for point in root.iter("navpoint"):
        label, content = point.find("navlabel"), point.find("content")
        if label is not None and content is not None:
            depth = 1 + sum(1 for _ in point.iterancestors("navpoint"))
            href = content.get("src", "")
            yield Entry(_path(path, href), _fragment(href), _words(label), depth)


def _fragment(href: str) -> str:
    return unquote(urldefrag(href).fragment)


def _words(element: Any) -> str:
    return " ".join("".join(element.itertext())[:_LONGEST_LABEL].split())[:300]
