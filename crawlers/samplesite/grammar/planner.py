"""Lets things happen: chooses, out of what is possible in a story, what comes next.

A move is possible where its facts hold, STRIPS-like (Fikes and Nilsson, 1971): nobody is rescued
who was not taken, no quarrel is mended that was not had. What a story has opened it closes before
it ends, and remarkable moves leave a memory that later ones speak of.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from crawlers.samplesite.grammar.world import Story


@dataclass(frozen=True)
class Move:
    """A kind of event; the rule of the same name tells it."""

    rule: str
    needs: frozenset[str] = frozenset()
    forbids: frozenset[str] = frozenset()
    adds: frozenset[str] = frozenset()
    removes: frozenset[str] = frozenset()
    memory: str = ""


def _move(
    rule: str,
    needs: str = "",
    forbids: str = "",
    adds: str = "",
    removes: str = "",
    memory: str = "",
) -> Move:
    needed, forbidden, added, removed = (
        frozenset(facts.split()) for facts in (needs, forbids, adds, removes)
    )
    return Move(rule, needed, forbidden, added, removed, memory)


MOVES = {
    move.rule: move
    for move in (
        _move("meet", forbids="allied ally_dead", adds="allied"),
        _move("travel", needs="allied", adds="left_home"),
        _move("discovery", needs="allied"),
        _move("obstacle_pass", needs="allied", memory="the way they came through {hazard}"),
        _move("obstacle_fail", needs="allied", memory="the day they turned back"),
        _move(
            "confide",
            needs="allied",
            forbids="confided",
            adds="confided",
            memory="what was said {place.in}",
        ),
        _move(
            "quarrel",
            needs="allied",
            forbids="item_lost",
            adds="estranged",
            removes="allied",
            memory="the quarrel {place.in}",
        ),
        _move("reconcile", needs="estranged", adds="allied", removes="estranged"),
        _move(
            "promise",
            needs="allied",
            forbids="promised",
            adds="promised",
            memory="the promise made {place.in}",
        ),
        _move(
            "bargain",
            needs="allied",
            forbids="indebted item_lost",
            adds="indebted",
            memory="the bargain with {rival.given}",
        ),
        _move(
            "theft",
            needs="allied",
            forbids="item_lost recovered",
            adds="item_lost",
            memory="the loss of {item}",
        ),
        _move("recover", needs="allied item_lost", adds="recovered", removes="item_lost"),
        _move(
            "betrayal",
            needs="allied",
            forbids="betrayed",
            adds="betrayed estranged",
            removes="allied",
            memory="the betrayal {place.in}",
        ),
        _move(
            "capture",
            needs="allied",
            forbids="captive freed",
            adds="captive",
            memory="the night when {kin.given} was taken",
        ),
        _move(
            "rescue",
            needs="captive",
            adds="freed",
            removes="captive",
            memory="the escape from {lair}",
        ),
        _move(
            "wound",
            needs="allied",
            forbids="wounded",
            adds="wounded",
            memory="the blow that fell {place.in}",
        ),
        _move("chase", needs="allied", memory="the chase that ended {place.in}"),
        _move("doubt", needs="remembered clouded"),
        _move("villain_view", forbids="villain_seen", adds="villain_seen"),
        _move("reversal", needs="left_home allied", forbids="reversed", adds="reversed"),
        _move("rest", needs="allied", memory="one evening {place.in}"),
        _move("recall", needs="remembered", forbids="estranged"),
        # Moves that only some kinds of story have rules for.
        _move("power_fails", needs="allied"),
        _move("unmasked", needs="left_home", forbids="captive"),
        _move("suspicion", needs="left_home allied"),
        _move("deduction", needs="left_home allied"),
        _move("haunting", needs="left_home"),
        _move("dread", needs="allied left_home"),
        _move("signal", needs="allied"),
        _move("paradox", needs="allied left_home"),
        _move("ride", needs="allied", adds="left_home"),
        _move("standoff", needs="allied left_home"),
        _move("flirt", needs="allied", memory="that evening {place.in}"),
        _move("heartache", needs="allied left_home"),
        _move("marvel", needs="allied", memory="what they saw {place.in}"),
        _move("court", needs="allied left_home", forbids="been_at_court", adds="been_at_court"),
        _move("bell_lore", needs="left_home", forbids="lore_told", adds="lore_told"),
        _move("care", needs="allied"),
        _move("match", needs="allied"),
        _move("gilt_hand", needs="allied"),
        _move("lesson", needs="allied"),
        _move("mishap", needs="allied"),
        _move("memory_of_mother", forbids="remembered_mother", adds="remembered_mother"),
        _move("evolve", needs="allied left_home", forbids="evolved", adds="evolved"),
    )
}
#: What may not stay open at the end, and the move that closes it.
_CLOSING = {"estranged": "reconcile", "item_lost": "recover", "captive": "rescue"}
#: Ends, in order; each is told at most once.
_ENDING = ("gather", "face_fear", "confront", "fall", "cost", "amends", "close")


def events(story: Story, middle: Sequence[str], length: int) -> Iterator[str]:
    """The story from beginning to end, as the rules to tell: `length` moves in the middle."""
    yield from opening(story)
    yield from muddle(story, middle, length)
    yield from ending(story)


def opening(story: Story) -> Iterator[str]:
    """Who it is about, what goes wrong, and who comes along."""
    rng = story.rng
    yield "open"
    if rng.random() < 0.6:
        yield "backstory"
    yield "disturbance"
    if rng.random() < 0.7:
        yield "resolve"
    if "allied" not in story.facts:
        yield from _play(story, MOVES["meet"])


def muddle(story: Story, kinds: Sequence[str], length: int) -> Iterator[str]:
    """The middle: possible moves by chance, none of the last four again, and loose ends tied."""
    recent: list[str] = []
    for _ in range(length):
        possible = [
            MOVES[kind]
            for kind in kinds
            if kind in story.grammar and kind not in recent[-4:] and _possible(MOVES[kind], story)
        ]
        if possible:
            move = story.rng.choice(possible)
            recent.append(move.rule)
            yield from _play(story, move)
    for fact, rule in _CLOSING.items():
        if fact in story.facts:
            yield from _play(story, MOVES[rule])


def ending(story: Story) -> Iterator[str]:
    """The reckoning; its smaller parts come or not."""
    for rule in _ENDING:
        if rule in ("confront", "fall", "close") or story.rng.random() < 0.5:
            yield rule


def _possible(move: Move, story: Story) -> bool:
    return move.needs <= story.facts and not move.forbids & story.facts


def _play(story: Story, move: Move) -> Iterator[str]:
    if move.rule in ("travel", "ride"):
        story.move_on()
    yield move.rule
    story.facts = (story.facts - move.removes) | move.adds
    if move.rule in ("obstacle_fail", "betrayal", "wound", "quarrel", "theft"):
        story.facts.add("clouded")
    if move.memory:
        story.memories.append(story.phrase(move.memory))
        story.facts.add("remembered")
