"""Which names in the stores are one page's: an address that was a page's once may be another's now.

A wiki's page keeps its number when it is moved, so that two numbers of one wiki are two pages
whatever address both have had. Nor are pages one because they arrived at the same address, as at a
page to log in. Those that are kept apart so are told to the person, and stay.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace

from crawlers.takedowns import PageName, address


def same_pages(
    seeds: Iterable[PageName], stored: Callable[[], Iterable[PageName]]
) -> tuple[set[PageName], set[PageName]]:
    """All names that these lead to, and those of other pages that share an address with them.

    `stored` gives every name of the stores; it is called until nothing new is found. A name has no
    final_url where other pages arrived there too.
    """
    names, others, meeting = set(seeds), set[PageName](), set[str]()
    before = 0
    while len(names) > before:
        before = len(names)
        numbers = {name.number for name in names}
        addresses = {one for name in names for one in name.addresses}
        near = {
            name
            for name in stored()
            if not addresses.isdisjoint(name.addresses) or (name.number or 0) in numbers
        }
        meeting = _meeting(near)
        others = near - names
        ours = {one for name in names for one in _own(name, meeting)}
        # A later page has the higher number: it is tried first where an address may be either's.
        for name in sorted(others, key=_later, reverse=True):
            number = name.number
            if number in numbers and number is not None:
                joins = True
            else:
                joins = not ours.isdisjoint(_own(name, meeting)) and not _differs(number, numbers)
            if joins:
                names.add(name)
                numbers.add(number)
        others -= names
    return {_without(name, meeting) for name in names}, others


def _meeting(names: Iterable[PageName]) -> set[str]:
    """Addresses at which several pages have arrived that are listed under others."""
    arrived = defaultdict[str, set[object]](set)
    for name in names:
        if name.final_url and address(name.final_url) != address(name.url):
            arrived[address(name.final_url)].add(name.number or address(name.url))
    return {one for one, pages in arrived.items() if len(pages) > 1}


def _own(name: PageName, meeting: set[str]) -> set[str]:
    return _without(name, meeting).addresses


def _without(name: PageName, meeting: set[str]) -> PageName:
    met = name.final_url and address(name.final_url) in meeting
    return replace(name, final_url=None) if met else name


def _differs(number: tuple[str, str] | None, numbers: set[tuple[str, str] | None]) -> bool:
    """Whether it is another page of a wiki than these."""
    return number is not None and any(known and known[0] == number[0] for known in numbers)


def _later(name: PageName) -> tuple[int, str, str]:
    return (int(name.number[1]) if name.number else 0, name.url, name.final_url or "")
