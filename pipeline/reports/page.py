"""Puts the sections together into one HTML page.

Autoescape is on and every text shown passes through `plain` first, so what a page or a model said
stays text. The style sheet is inlined; a content security policy forbids all else.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pipeline.reports import text
from pipeline.reports.definitions import Definition
from pipeline.reports.sections.section import Section


def render(
    title: str, head: Section, sections: Sequence[Section], definitions: Mapping[str, Definition]
) -> str:
    """The page of a head and its sections; `title` is the browser's."""
    return (
        _environment()
        .get_template("report.html")
        .render(title=title, head=head, sections=sections, definitions=definitions)
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("pipeline.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for filter_ in (text.number, text.size, text.percent, text.web_link, text.counted):
        environment.filters[filter_.__name__] = filter_
    return environment


def _finalize(value: Any) -> Any:
    """Every text passes here on its way into the page; markup of our own is left as it is."""
    return text.plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value
