"""Which crawls of a store have not come to their end: the next one goes on with them.

A site that lists no revisions is asked for every page in every crawl; what a crawl that was killed
has stored already is not asked for again in the one after it, and in the next after that it is. The
file has a crawl id a line, so that a torn write costs requests and nothing else.
"""

from pathlib import Path

_FILE = "unfinished.txt"


def begin(root: Path, crawl_id: str) -> frozenset[str]:
    """Note that a crawl begins; the ids of those before it since the last that ended by itself.

    The store must be locked for this crawl. Raises OSError.
    """
    path = root / _FILE
    try:
        before = frozenset(path.read_text("utf-8", "replace").split())
    except FileNotFoundError:
        before = frozenset()
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{crawl_id}\n")
    return before


def end(root: Path) -> None:
    """Note that a crawl has come to its end. Raises OSError."""
    (root / _FILE).unlink(missing_ok=True)
