"""Removes what is left of markup in prose: citation marks, edit links, wikitext, stray tags.

Only what cannot be prose goes. `<EOS>` or another control token in a page stays text, so of the
things in angle brackets only HTML's own tags are taken out; two apostrophes stay too, since old
etexts write quotation marks so.
"""

import re

_CITATIONS = re.compile(
    r"[^\S\n]?\[(?:\d{1,3}|(?:notes?|nb|n|fn) ?\d{1,3}|edit(?: \| edit source)?|edit source"
    r"|citation needed|clarification needed|verification needed|dubious(?: [–-] discuss)?"
    r"|who\?|when\?|where\?|by whom\?|which\?|why\?)\]",
    re.IGNORECASE,
)
#: Notes are lettered [a], [b]; only after a stop, since editors mend a word's letter so, too.
_LETTERED_NOTE = re.compile(r"(?<=[.,;:!?\"”’)])\[[a-z]\]")
_REFERENCES = re.compile(r"<ref\b[^<>]{0,500}/>|<ref\b[^<>]{0,500}>.{0,5000}?</ref>", re.DOTALL)
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
#: Templates nested deeper are left: each level is one more pass.
_DEEPEST = 10


def remove_markup(text: str) -> str:
    """The text without markup; a paragraph that was nothing else is gone."""
    if "[" in text:
        text = _LETTERED_NOTE.sub("", _CITATIONS.sub("", text))
        text = _LINK.sub(r"\1", _FILE_LINK.sub("", text))
    if "{{" in text:
        for _ in range(_DEEPEST):
            text, found = _TEMPLATE.subn("", text)
            if not found:
                break
    if "<" in text:
        text = _TAGS.sub("", _REFERENCES.sub("", text))
    lines = "\n".join(line.rstrip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n")
