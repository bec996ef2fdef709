"""Wikitext -> the HTML that MediaWiki would make of it, as far as prose and its tables go.

So one story gives one text, whether it came as HTML or as wikitext: what is no text, where
paragraphs end, how blanks are written is decided once, in wiki_prose.py and wiki_table.py.
mwparserfromhell reads templates and links, which nest; lines (lists, tables, paragraphs, quotes)
are read here, in the order in which MediaWiki's own parser takes them (includes/parser/Parser.php).
"""

import re
from collections.abc import Callable, Iterator
from html import escape

import mwparserfromhell
from lxml.html import fragment_fromstring, tostring
from mwparserfromhell.nodes import Argument, Heading, HTMLEntity, Template, Text, Wikilink
from mwparserfromhell.wikicode import Wikicode

from pipeline.extract.wikitext_lines import blocks
from pipeline.extract.wikitext_scan import BAR, GONE, GREATER, ITEM, LESS, balanced
from pipeline.extract.wikitext_templates import words

#: The template of an episode in a table, and of one in a list of a season that a larger list shows.
EPISODE = re.compile(r"\s*(?:Japanese )?episode list(?:[ /]sublist)?\s*", re.IGNORECASE)
#: The tags that MediaWiki lets through (includes/parser/Sanitizer.php); any other is dropped.
_HTML = frozenset((
    "abbr", "b", "bdi", "bdo", "big", "blockquote", "br", "caption", "center", "cite", "code", "dd",
    "del", "dfn", "div", "dl", "dt", "em", "font", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i",
    "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "rb", "rp", "rt", "ruby", "s", "samp",
    "small", "span", "strike", "strong", "sub", "sup", "table", "td", "th", "time", "tr", "tt", "u",
    "ul", "var", "wbr",
))  # fmt: skip
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})((?:[\s/][^<>]{0,2000})?)>")
_TABLE_START = re.compile(r"^([ \t]*+:*+[ \t]*+)\{\|", re.MULTILINE)
_ITEM = re.compile(r"^(?=[*#:;])", re.MULTILINE)
_EXTERNAL = re.compile(
    r"(?<!\[)\[(?:(?:https?|ftp|ircs?)://|//|mailto:|news:)[^\s\[\]<>\"]{0,2000}"
    r"(?P<text>[ \t][^\[\]\n]{0,2000})?\]",
    re.IGNORECASE,
)
#: What looked like a template or link and is none, such as `{{a [[b]]}}`.
_UNREAD = re.compile(r"\{\{+|\}\}+|\[\[+|\]\]+")
_MAGIC_WORD = re.compile(r"__[A-Z\u00c0-\u024f\u0370-\u052f]{3,30}__")
#: A file, by how its name ends, since its namespace is called otherwise in each language.
_FILE = re.compile(
    r":[^|]*\.(?:jpe?g|png|gif|svg|webp|tiff?|xcf|bmp|og[gav]|opus|flac|mp3|mp4|wav|midi?|webm|mpe?g"
    r"|pdf|djvu|stl)\s*$",
    re.IGNORECASE,
)
#: Files and categories in the languages of the largest wikis (MediaWiki's languages/messages).
_NO_TEXT = frozenset((
    "file", "image", "media", "category", "datei", "bild", "kategorie", "fichier", "catégorie",
    "archivo", "imagen", "categoría", "immagine", "categoria", "ficheiro", "imagem", "bestand",
    "afbeelding", "categorie", "plik", "grafika", "kategoria", "файл", "изображение", "категория",
    "категорія", "fil", "kategori", "tiedosto", "kuva", "luokka", "soubor", "kategória", "fájl",
    "kép", "dosya", "fitxer", "berkas", "tập tin", "thể loại", "ملف", "تصنيف", "קובץ", "קטגוריה",
    "ファイル", "画像", "カテゴリ", "文件", "图像", "分类", "分類", "檔案", "파일", "그림", "분류",
))  # fmt: skip
#: The same page in another language: its code, and no text of its own.
_LANGUAGE = re.compile(r"^(?:[a-z]{2,3}(?:-[a-z-]{2,12})?|simple)$")


def as_html(wikitext: str) -> str:
    """Wikitext, prepared by wikitext_scan.py, as HTML for `prose` and `summaries` to read."""
    text = _TAG.sub(_hide_tag, _MAGIC_WORD.sub("", wikitext)).replace("<", "&lt;")
    text = _TABLE_START.sub(rf"\1{{{BAR}", text)
    text = balanced(_EXTERNAL.sub(_external, text))
    code = mwparserfromhell.parse(_ITEM.sub(ITEM, text), skip_style_tags=True)
    found = _UNREAD.sub("", _blocks("".join(_shown(code))).replace(GONE, ""))
    # Once through libxml2, which cuts off what nests deeper than any page: BeautifulSoup would
    # take minutes for ten thousand tags that nothing closes.
    tree = fragment_fromstring(found, create_parent="div")
    return str(tostring(tree, encoding="unicode")).removeprefix("<div>").removesuffix("</div>")


def _blocks(shown: str) -> str:
    revealed = shown.replace(LESS, "<").replace(GREATER, ">").replace(BAR, "|").replace(ITEM, "")
    return "\n".join(blocks(revealed))


def _hide_tag(tag: re.Match[str]) -> str:
    """A tag as the parser of templates passes it by; one unknown to MediaWiki is dropped."""
    name = tag[2].lower()
    return f"{LESS}{tag[1]}{name}{tag[3]}{GREATER}" if name in _HTML else GONE


def _external(link: re.Match[str]) -> str:
    """A link's text; one without a text shows a number, which is none."""
    return (link["text"] or GONE).strip(" \t")


def _shown(code: Wikicode) -> Iterator[str]:
    """What a reader sees, escaped for HTML but for the hidden tags."""
    for node in code.nodes:
        match node:
            case Text():
                yield escape(node.value, quote=False)
            case HTMLEntity():
                yield str(node)
            case Wikilink():
                yield _link(node)
            case Template():
                yield _template(node)
            case Argument():
                yield GONE if node.default is None else "".join(_shown(node.default))
            case Heading():
                yield "\n"
            case _:
                yield GONE


def _link(link: Wikilink) -> str:
    """A link's text; none where it is a file, a category or the same page in another language."""
    target = str(link.title).strip()
    prefix, colon, _ = target.partition(":")
    prefix = prefix.strip()
    if colon and (prefix.casefold() in _NO_TEXT or _FILE.search(target) or _LANGUAGE.match(prefix)):
        return GONE
    text = "" if link.text is None else "".join(_shown(link.text)).rpartition("|")[2]
    if not text.strip():
        text = "".join(_shown(link.title)).strip().removeprefix(":")
    return f"{LESS}a{GREATER}{text}{LESS}/a{GREATER}"


def _template(template: Template) -> str:
    """What a template shows, as far as it is text."""
    rendered: dict[str, str] = {}  # each once, however templates nest

    def parameter(name: str) -> str:
        if name not in rendered:
            given = template.has(name)
            rendered[name] = "".join(_shown(template.get(name).value)) if given else ""
        return rendered[name]

    name = str(template.name)
    if EPISODE.fullmatch(name):
        return _episode(parameter)
    shown = words(name, parameter)
    return GONE if shown is None else shown


def _episode(parameter: Callable[[str], str]) -> str:
    """An episode as Wikipedia's tables have it: a row with its title, below it the summary."""
    titles = (parameter(name).strip() for name in ("Title", "EnglishTitle", "RTitle"))
    title = _line(next(filter(None, titles), ""))
    summary = _line(parameter("ShortSummary"))
    row = (
        f'<table><tr><td class="summary">{title}</td></tr>'
        f'<tr class="expand-child"><td class="description">{summary}</td></tr></table>'
    )
    return row.replace("<", LESS).replace(">", GREATER).replace("|", "&#124;")


def _line(shown: str) -> str:
    return _blocks(shown).replace("\n", " ")
