"""What a section hands to the page."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Section:
    """A part of the page: its template, what the template shows, and its key figures."""

    anchor: str  # the id in the page
    title: str
    template: str
    content: Mapping[str, Any]
    figures: Mapping[str, Any] = field(default_factory=dict)  # JSON values
