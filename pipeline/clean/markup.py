"""Removes what is left of markup in prose: wikitext's links and templates, stray tags.

Only what cannot be prose goes. `<EOS>` or another control token in a page stays text, so of the
things in angle brackets only HTML's own tags are taken out; two apostrophes stay too, since old
etexts write quotation marks so.
"""

import re

#: A reference ends before the next begins: looking past it would take forever on many of them.
_REFERENCES = re.compile(
    r"<ref\b[^<>]{0,500}/>|<ref\b[^<>]{0,500}>(?:[^<]|<(?!/?ref\b)){0,5000}</ref>"
)
#: HTML's and wikitext's tags as they occur in wikitext; not `s`, which models use as a token.
_TAGS = re.compile(
    r"</?(?:b|big|blockquote|br|center|code|div|em|font|gallery|hr|i|includeonly|li|noinclude"
    r"|nowiki|ol|onlyinclude|p|poem|pre|ref|references|small|span|strike|strong|sub|sup|table"
    r"|tbody|td|th|tr|tt|u|ul)(?:\s[^<>]{0,500})?/?>",
    re.IGNORECASE,
)
_TEMPLATE = re.compile(r"\{\{[^{}]{0,5000}\}\}")  # innermost first
_FILE_LINK = re.compile(r"\[\[(?:File|Image|Category):[^\[\]]{0,2000}\]\]", re.IGNORECASE)
_LINK = re.compile(r"\[\[(?:[^\[\]|]{0,500}\|)?([^\[\]|]{1,500})\]\]")


def remove_markup(text: str) -> str:
    """The text without its innermost markup; repeated, without all of it."""
    if "[[" in text:
        text = _LINK.sub(r"\1", _FILE_LINK.sub("", text))
    if "{{" in text:
        text = _TEMPLATE.sub("", text)
    if "<" in text:
        text = _TAGS.sub("", _REFERENCES.sub("", text))
    return text
