"""Documents that say the same: exactly, nearly, or in another spelling, across all franchises.

`sign` hashes the texts that were never hashed before, `find_matches` names the pairs with their
similarity, `choose` says which documents go, `components` what must stay on one side of a split.
All are functions of what they are given: the order of files, rows and runs changes nothing.
"""

from pipeline.dedup.choice import Keep, Removal, choose
from pipeline.dedup.components import components
from pipeline.dedup.errors import DedupError
from pipeline.dedup.matches import THRESHOLD, WORK_THRESHOLD, find_matches
from pipeline.dedup.sign import sign

__all__ = [
    "THRESHOLD",
    "WORK_THRESHOLD",
    "DedupError",
    "Keep",
    "Removal",
    "choose",
    "components",
    "find_matches",
    "sign",
]
