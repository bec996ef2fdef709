"""The sections of a report, in the order in which a curious person reads.

A section is a function from the material to a `Section`, or to None where it has nothing to say;
its template of the same name stands in `templates/`. To add one, write both and name it here.
"""

from collections.abc import Callable

from pipeline.reports.material import Material
from pipeline.reports.sections import (
    corpus,
    held_out,
    learning,
    making,
    memorisation,
    quality,
    rated,
    stories,
)
from pipeline.reports.sections.section import Section

SECTIONS: tuple[Callable[[Material], Section | None], ...] = (
    held_out.section,
    stories.section,
    quality.section,
    rated.section,
    memorisation.section,
    learning.section,
    corpus.section,
    making.section,
)
