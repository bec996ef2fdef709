"""What the words of the page of changes mean."""

from pipeline.drift import LEAST
from pipeline.drift_pages import BOUND
from pipeline.drift_record import KEPT
from pipeline.reports.definitions import Definition

DEFINITIONS: dict[str, Definition] = {
    "document": Definition(
        "Document",
        "A piece of story cut out of a page: a plot section, a summary in a list, a chapter. It "
        "is the same document as long as source, page and section are the same.",
    ),
    "came": Definition("Came", "Documents that are there now and were not in the build before."),
    "went": Definition("Went", "Documents that were in the build before and are not there now."),
    "changed": Definition(
        "Changed",
        "Documents in both builds whose text, licence, title, section, genre or address is "
        "another now. A new revision with the same story is no change.",
    ),
    "taken-down": Definition(
        "Taken down",
        "Documents of pages that `loremill takedown` erased. The build before was edited at once, "
        "so they are in neither build, and do not count among what went.",
    ),
    "reason": Definition(
        "Reason",
        "Read off what either build left behind: which pages were there, what was left out and "
        "why, and whether a page's bytes are those of last time.",
    ),
    "draw": Definition(
        "Random draw",
        "Documents are ordered by a hash of the seed and their names, and the first are shown: "
        "the same seed draws the same, whatever the order in which pages came.",
    ),
    "drift": Definition(
        "Drift",
        "Pages that had a story at the last good extraction and are still there are held against "
        f"what they gave then. A fall of more than {BOUND:.0%} in pages with a story, sections or "
        f"characters a page, in which at least {LEAST} pages fell by as much, is taken for a site "
        "that changed its markup: the new documents are refused. Pages that changed since are "
        "compared by themselves too, for a crawl fetches only those. What a page gave before it "
        f"fell is remembered for {KEPT.days} days, so that falls of a few pages a crawl add up.",
    ),
    "side": Definition(
        "Side",
        "Train, validation or test. A work keeps the side it was once dealt, whatever else comes "
        "or goes.",
    ),
}
