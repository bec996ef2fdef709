"""A story as Markdown shows it: a quotation of paragraphs, nothing in it markup.

What a model wrote is a stranger's text: no character of it may become a heading, a list, a link or
HTML where a card is shown as a web page.
"""

import re
import textwrap

from pipeline.corpus.markdown import plain as escaped
from pipeline.reports.text import cut, plain

#: Characters of a line; `escaped` would cut a longer one.
_LINE = 280
#: What begins a list, a rule or a heading at the beginning of a line.
_BEGINS = re.compile(r"^(?:([-=])|(\d+)([.)]))")
#: What some renderers make a link of, unasked.
_ADDRESS = re.compile(r"(?i)(https?|ftp|mailto)(:)|(www)(\.)")
#: After an @, against links to e-mail and mentions: those are looked for in the text that is left
#: when a backslash is gone, but not across a comment, which nobody sees.
_APART = "<!-- -->"


def quoted(text: str, most: int) -> str:
    """At most `most` characters of the text, a quotation; […] where it goes on."""
    shown, rest = cut(plain(text), most)
    lines = []
    for paragraph in shown.split("\n"):
        chunks = textwrap.wrap(paragraph, _LINE) if paragraph.strip() else []
        if chunks:
            lines += [*(f"> {_literal(chunk)}" for chunk in chunks), ">"]
    lines = lines[:-1] or ["> (nothing)"]
    return "\n".join([*lines, *([">", "> […]"] if rest else [])])


def _literal(line: str) -> str:
    said = escaped(line).replace("@", f"@{_APART}")
    said = _ADDRESS.sub(lambda found: f"{found[1] or found[3]}\\{found[2] or found[4]}", said)
    return _BEGINS.sub(
        lambda found: f"\\{found[1]}" if found[1] else f"{found[2]}\\{found[3]}", said
    )
