"""What counts as the same, and which of those that are the same stays: what a person configures.

Apart from the search itself, so that reading a corpus's YAML does not import Daft.
"""

from typing import Literal

#: Which of the documents that say the same stays: "none" keeps none of them.
Keep = Literal["longest", "newest", "first", "none"]

#: Two texts are near-duplicates from this Jaccard similarity on: The Pile's bound (Gao et al. 2020,
#: appendix C). Scenes of the First Folio's plays that were cut alike mostly have 0.5 to 0.8 with a
#: modern edition's; scenes that merely touch have 0.1 to 0.4.
THRESHOLD = 0.5
#: Two works of several documents are one from here on. Wholes are long, so that chance has no part
#: in it: the 35 plays of the First Folio have 0.39 to 0.68 with a modern edition, no other two 0.1.
WORK_THRESHOLD = 0.35

#: The kinds of a match: of documents with one text, of documents, of works as wholes.
EXACT, NEAR, WORK = "exact", "near", "work"
