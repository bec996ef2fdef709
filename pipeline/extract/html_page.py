"""An HTML page's bytes -> its tree, whatever the encoding, however broken the markup.

What a page says of its encoding is at times wrong, and text in another encoding is hardly ever
UTF-8 by chance, so that is tried first; then what the header and the page declare; then cp1252, as
browsers do (https://encoding.spec.whatwg.org/#names-and-labels).
"""

import codecs
import re
from typing import Any

from bs4.dammit import EncodingDetector
from lxml import etree, html

from pipeline.extract.piece import NoStoryError

_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
#: Python's encodings that no page is in, some of which take forever.
_NO_CHARSETS = frozenset(("idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape"))
#: No table of ids, since nothing is looked up by one.
_PARSER = html.HTMLParser(
    encoding="utf-8", remove_comments=True, remove_pis=True, collect_ids=False
)
#: Forms and labels have classes of their own in lxml.html; to choose one takes Python each time.
_PARSER.set_element_class_lookup(etree.ElementDefaultClassLookup(element=html.HtmlElement))
_MARKS = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def decode_html(body: bytes, content_type: str | None = None) -> str:
    """The text; `content_type` as the server's header has it. Undefined bytes become U+FFFD."""
    for mark, name in _MARKS:
        if body.startswith(mark):
            return body.decode(name, "replace")
    header = _CHARSET.search(content_type or "")
    declared = EncodingDetector.find_declared_encoding(body, is_html=True)
    for name in filter(None, ("utf-8-sig", header and header[1], declared)):
        try:
            if codecs.lookup(name).name not in _NO_CHARSETS:
                return body.decode(name)
        except (LookupError, ValueError):  # an encoding nobody knows, or not the page's
            continue
    return body.decode("cp1252", "replace")


def parse_html(text: str) -> Any:
    """The page's tree; comments are left out. Raises NoStoryError for what is no HTML at all."""
    return parse_utf8(text.encode("utf-8", "replace"))


def parse_utf8(body: bytes) -> Any:
    """The same of a page's bytes. libxml2 guesses an encoding anew at the first bad byte, so those
    that are no UTF-8 become U+FFFD."""
    try:
        body.decode()
    except UnicodeDecodeError:
        body = body.decode("utf-8", "replace").encode()
    # NUL goes because libxml2 stops there.
    source = body.removeprefix(codecs.BOM_UTF8).replace(b"\0", b"")
    try:
        return html.document_fromstring(source, parser=_PARSER)
    except (etree.LxmlError, ValueError) as error:
        raise NoStoryError("is not HTML", len(source)) from error
