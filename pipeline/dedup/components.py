"""Connected components of the matches: what must stand on one side of a split.

Here a chain does join its ends. Of A, B and C, each resembling the next, none may be held out while
another is trained on, whoever of them a policy keeps.
"""

from collections.abc import Iterable


def connected(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Each name -> the least name it is joined with, itself included (union-find)."""
    parents: dict[str, str] = {}

    def root(name: str) -> str:
        parents.setdefault(name, name)
        while parents[name] != name:
            parents[name] = name = parents[parents[name]]
        return name

    for one, other in pairs:
        least, greatest = sorted((root(one), root(other)))
        parents[greatest] = least
    return {name: root(name) for name in parents}
