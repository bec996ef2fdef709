"""Elements that lxml has parsed -> a BeautifulSoup of them, with no second parse.

A section is cut out of a page's tree by lxml and cleaned by BeautifulSoup, whose own builders take
markup only: writing the section as HTML and parsing it anew took longer than all the cleaning, most
of all for a table's hundred small cells. BeautifulSoup lets one bring a builder
(bs4.builder.TreeBuilder), so this one hands it the elements as they are, and leaves out at once
what would be removed first thing: an element costs BeautifulSoup ten times what it costs lxml.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from typing import Any

from bs4 import BeautifulSoup
from bs4.builder import HTMLTreeBuilder
from lxml import etree

#: Whether an element is left out with all that is in it, by its name and attributes.
Unwanted = Callable[[str, Mapping[str, str]], bool]


def soup_of(parts: Sequence[Any], unwanted: Unwanted, names: Set[str]) -> BeautifulSoup:
    """A soup of lxml elements with their tails, and of bare text (str), in this order.

    It has elements of these names only; of others that are not unwanted it has the contents.
    """
    # BeautifulSoup asks of its markup only that it has a length; the builder alone reads it.
    return BeautifulSoup(parts, builder=_ElementBuilder(unwanted, names))  # type: ignore[arg-type]


def events_of(parts: Sequence[Any], unwanted: Unwanted) -> Iterator[tuple[str, str]]:
    """`start` and `end` with an element's name and `text` with text, in document order.

    Not recursive, as hostile pages nest deeper than Python's stack.
    """
    for part in parts:
        if isinstance(part, str):
            yield "text", part
            continue
        walk = etree.iterwalk(part, events=("start", "end", "comment", "pi"))
        left_out = None
        for event, element in walk:
            if event == "start":
                if unwanted(element.tag, element.attrib):
                    left_out = element
                    walk.skip_subtree()
                    continue
                yield event, element.tag
                if element.text:
                    yield "text", element.text
                continue
            if event == "end" and element is not left_out:
                yield event, element.tag
            if element.tail:
                yield "text", element.tail


class _ElementBuilder(HTMLTreeBuilder):
    def __init__(self, unwanted: Unwanted, names: Set[str]):
        super().__init__()
        self._unwanted = unwanted
        self._names = names

    def feed(self, markup: Any) -> None:
        soup = self.soup
        assert soup is not None
        for event, content in events_of(markup, self._unwanted):
            if event == "text":
                soup.handle_data(content)
            elif content in self._names:
                if event == "start":
                    soup.handle_starttag(content, None, None, {})
                else:
                    soup.handle_endtag(content)
