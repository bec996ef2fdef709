"""What the words of the page of documents mean."""

from pipeline.reports.definitions import Definition

DEFINITIONS: dict[str, Definition] = {
    "document": Definition(
        "Document",
        "A piece of story cut out of a page: a plot section, a summary in a list, a chapter.",
    ),
    "reason": Definition(
        "Reason and figure",
        "A document is dropped by the first rule that it fails. The figure is what that rule "
        "measured: words, a share, a probability. The rules and where their thresholds are from "
        "stand in pipeline/clean/, one a file.",
    ),
    "stage": Definition(
        "Stage",
        "Extraction leaves out what is no story by its place on the page, such as front matter; "
        "cleaning drops what is no story by its text.",
    ),
    "draw": Definition(
        "Random draw",
        "Documents are ordered by a hash of the seed and their names, and the first are shown: "
        "the same seed draws the same, whatever the order in which pages came.",
    ),
    "boilerplate": Definition(
        "Boilerplate",
        "A line that stands at the beginning or end of at least ten documents of a source, and of "
        "at least one in a hundred. It is taken off; changed.parquet names every document.",
    ),
}
