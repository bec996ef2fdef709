"""Which work is held out: by a hash of its name, so that no other work can change its side.

A work is a book or a wiki page; all its documents share a split, because chapters of a book that
was trained on would flatter the perplexity. So do near-duplicates: what resembles each other,
be it in a chain, stands on one side. The hash falls evenly in [0, 1): the first share of that range
is validation, the next is test, the rest is train. Only who has no side yet is dealt one.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from hashlib import sha256
from heapq import heapify, heappop, heappush

from pipeline.dedup.components import connected

TRAIN, VALIDATION, TEST = "train", "validation", "test"
SPLITS = (TRAIN, VALIDATION, TEST)

#: Why a unit stands where it does.
HASH, NEAR_DUPLICATE, EMPTY_SPLIT = "hash", "near-duplicate", "empty split"

#: Changing it deals every corpus anew.
_SALT = "loremill-split-1"


@dataclass(frozen=True)
class Side:
    """Where a unit stands, and why."""

    split: str
    reason: str


class DealError(ValueError):
    """Too few units are free to give each split one."""


def split_of(unit: str, validation: float, test: float) -> str:
    """The split of a unit by its own hash; `validation` and `test` are shares of the units."""
    position = _position(unit)
    if position < validation:
        return VALIDATION
    return TEST if position < validation + test else TRAIN


def settle(
    units: Iterable[str],
    links: Iterable[tuple[str, str]],
    recorded: Mapping[str, Side],
    validation: float,
    test: float,
    leaving: Set[str] = frozenset(),
) -> dict[str, Side]:
    """The sides of those units that have none recorded, no split being empty.

    Units that are `leaving` get a side and hand it on to what they match, but fill no split.

    `links` are the pairs of units that match. Those that are joined with recorded ones of one side
    take that side; what is joined with none is dealt together, by the hash of its least name. What
    would bridge two sides is settled one by one, from the recorded ones outwards: a unit that
    touches several sides goes to train, where it loses what matches held-out text. Raises
    DealError.
    """
    there = set(units)
    pairs = [pair for pair in links if pair[0] != pair[1] and there.issuperset(pair)]
    least = connected(pairs)
    groups: dict[str, list[str]] = defaultdict(list)
    for unit in there:
        groups[least.get(unit, unit)].append(unit)
    result: dict[str, Side] = {}
    free: dict[str, list[str]] = {}
    bridges: list[list[str]] = []
    for name, members in groups.items():
        touched = {recorded[unit].split for unit in members if unit in recorded}
        if not touched:
            free[name] = members
        elif len(touched) == 1:
            side = Side(touched.pop(), NEAR_DUPLICATE)
            result.update((unit, side) for unit in members if unit not in recorded)
        else:
            bridges.append(members)
    result.update(_bridged(bridges, pairs, recorded))
    taken = Counter((recorded.get(u) or result[u]).split
                    for u in (recorded.keys() & there | result.keys()) - leaving)  # fmt: skip
    left = [name for name, members in free.items() if set(members) - leaving]
    dealt = {name: Side(split_of(name, validation, test), HASH) for name in free}
    for name, side in (dealt | _dealt(left, taken, validation, test)).items():
        # Its least name was dealt; the others follow it.
        result.update((u, side if u == name else Side(side.split, NEAR_DUPLICATE))
                      for u in free[name])  # fmt: skip
    return result


def _dealt(
    names: Iterable[str], taken: Mapping[str, int], validation: float, test: float
) -> dict[str, Side]:
    """A side for each name; `taken` counts who stands on each already."""
    result = {name: Side(split_of(name, validation, test), HASH) for name in names}
    count = Counter(taken) + Counter(side.split for side in result.values())
    for split in (VALIDATION, TEST, TRAIN):
        if count[split]:
            continue
        spare = [name for name, side in result.items() if count[side.split] > 1]
        if not spare:
            raise DealError(f"no {split}")
        begin = {VALIDATION: 0.0, TEST: validation, TRAIN: validation + test}[split]
        end = {VALIDATION: validation, TEST: validation + test, TRAIN: 1.0}[split]
        nearest = min(spare, key=lambda name: (_distance(_position(name), begin, end), name))
        count[result[nearest].split] -= 1
        count[split] += 1
        result[nearest] = Side(split, EMPTY_SPLIT)
    return result


def _bridged(
    bridges: Iterable[list[str]], pairs: Iterable[tuple[str, str]], recorded: Mapping[str, Side]
) -> dict[str, Side]:
    """The sides of what is joined with recorded units of several sides."""
    groups = list(bridges)
    within = {unit for members in groups for unit in members}
    neighbours: dict[str, set[str]] = defaultdict(set)
    for one, other in pairs:
        if one in within:
            neighbours[one].add(other)
            neighbours[other].add(one)
    settled = {unit: recorded[unit].split for unit in within if unit in recorded}
    result: dict[str, Side] = {}
    frontier = list({other for unit in settled for other in neighbours[unit]} - settled.keys())
    heapify(frontier)
    while frontier:
        unit = heappop(frontier)
        if unit in settled:
            continue
        touched = {settled[other] for other in neighbours[unit] if other in settled}
        settled[unit] = touched.pop() if len(touched) == 1 else TRAIN
        result[unit] = Side(settled[unit], NEAR_DUPLICATE)
        for other in neighbours[unit]:
            if other not in settled:
                heappush(frontier, other)
    return result


def _distance(position: float, begin: float, end: float) -> float:
    return max(begin - position, position - end, 0.0)


def _position(unit: str) -> float:
    """Where in [0, 1) the unit's hash falls."""
    digest = sha256(f"{_SALT}\0{unit}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64
