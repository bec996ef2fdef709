"""The little world of one story: its people, places and things, and what is true of them.

A story answers the slots of the rules (`{hero.his}`, `{place.detail}`) and keeps the facts and
memories that later events build on.
"""

import re
from dataclasses import dataclass, field

from crawlers.samplesite.grammar.engine import Grammar
from crawlers.samplesite.grammar.english import Tense

_WOMEN = re.compile(
    r"daughter|girl|woman|aunt|widow$|governess|midwife|maid\b|actress|mistress|sister|seamstress"
)
_MEN = re.compile(r"boy\b|man\b|vicar|abbot|uncle|fiance|widower|squire|baron|bishop$")
#: How often someone already known is called by trade instead of name.
_BY_TRADE = 0.12


@dataclass
class Person:
    """Somebody in a story. `name` is the short form once the full one has been told."""

    given: str
    surname: str
    female: bool
    role: str
    trait: str
    inside: dict[str, str] = field(default_factory=dict)  # want, fear, habit, secret
    known: bool = False

    @property
    def full(self) -> str:
        """Given name and surname."""
        return f"{self.given} {self.surname}"

    def pronoun(self, form: str) -> str:
        """he, him, his or himself, in the person's own gender."""
        women = {"he": "she", "him": "her", "his": "her", "himself": "herself"}
        return women[form] if self.female else form


@dataclass(frozen=True)
class Place:
    """Somewhere: a preposition, a name, and a clause that says what it is like."""

    preposition: str
    name: str
    detail: str


class Story:
    """People by role, places, phrases by name, facts and memories: the scope of its sentences."""

    def __init__(self, grammar: Grammar, tense: Tense):
        self.grammar, self.tense, self.rng = grammar, tense, grammar.rng
        self.people: dict[str, Person] = {}
        self.places: list[Place] = []
        self.place: Place
        self.home: Place
        self.lair: Place
        self.phrases: dict[str, str] = {}
        self.facts: set[str] = set()
        self.memories: list[str] = []
        self._self: Person | None = None

    def populate(self, cast: dict[str, str], fixed: dict[str, Person] | None = None) -> None:
        """Invent people (role in the story -> rule of trades), places, a thing and a scheme."""
        for name in ("town", "species", "gift"):
            if name in self.grammar:
                self.phrases[name] = self.phrase(f"${name}")
        for role, trades in cast.items():
            known = (fixed or {}).get(role)
            self.people[role] = known or self._person(trades)
        self.phrases["item"] = self.phrase("$item")
        lines = [self.phrase("$place") for _ in range(5)]
        self.places = list({place.name: place for place in map(_place, lines)}.values())
        self.home = self.place = self.places.pop()
        self.lair = _place(self.phrase("$lair"))
        for person in self.people.values():
            self._self = person
            for trait in ("fear", "want", "habit", "secret"):
                person.inside.setdefault(trait, self.phrase(f"${trait}"))
        for name in ("power", "plan"):
            if name in self.grammar:
                self.phrases[name] = self.phrase(f"${name}")
        for role, person in self.people.items():
            person.known = role in (fixed or {})

    def phrase(self, text: str) -> str:
        """A piece of text expanded in this story."""
        return self.grammar.expand(text, self).strip()

    def move_on(self) -> None:
        """Go to a place not yet seen, as long as there is one."""
        if self.places:
            self.place = self.places.pop()

    def slot(self, name: str) -> str:
        """The text of `{name}`."""
        role, _, form = name.partition(".")
        if role == "self" and self._self:
            return self._self.pronoun(form)
        if role in self.people:
            return self._mention(role, form)
        if role in ("place", "home", "lair"):
            return _where(getattr(self, role), form)
        if role == "other":
            return self.people["ally"].given
        if role == "item":
            return ("a " if form == "a" else "the ") + self.phrases["item"]
        if role == "memory":
            return self.rng.choice(self.memories)
        if role in ("clue", "hazard"):
            return self.phrase(f"${role}")
        return self.phrases[role]

    def _mention(self, role: str, form: str) -> str:
        person = self.people[role]
        if form in ("he", "him", "his", "himself"):
            return person.pronoun(form)
        if form == "given":
            return person.given
        if form in ("role", "trait"):
            return str(getattr(person, form))
        if form in person.inside:
            return person.inside[form]
        possessive = "'s" if form == "s" else ""
        if person.known:
            colleagues = [other for other in self.people.values() if other.role == person.role]
            by_trade = len(colleagues) == 1 and self.rng.random() < _BY_TRADE and not possessive
            return f"the {person.role}" if by_trade else person.given + possessive
        person.known = True
        if role == "hero" or possessive:
            return person.full + possessive
        return f"{person.full}, a {person.trait} {person.role},"

    def _person(self, trades: str) -> Person:
        """Somebody new, of a trade and a given name that nobody else in the story has."""
        others = self.people.values()
        while (trade := self.phrase(f"${trades}")) in {other.role for other in others}:
            continue
        female = bool(_WOMEN.search(trade)) or (not _MEN.search(trade) and self.rng.random() < 0.5)
        names = "$given_f" if female else "$given_m"
        while (given := self.phrase(names)) in {other.given for other in others}:
            continue
        return Person(given, self.phrase("$surname"), female, trade, self.phrase("$trait"))


def _place(line: str) -> Place:
    preposition, name, detail = (part.strip() for part in line.split(";"))
    return Place(preposition, name, detail)


def _where(place: Place, form: str) -> str:
    match form:
        case "in":
            return f"{place.preposition} {place.name}"
        case "to":
            return f"to {place.name}"
        case "detail":
            return place.detail
        case "short":
            return short_name(place)
        case _:
            return place.name


def short_name(place: Place) -> str:
    """A place's name as a title has it: the Drowned Chapel of Lethe Marsh."""
    small = {"the", "of", "in", "a", "an", "under", "for", "and", "that"}
    words = [w if w in small else w[:1].upper() + w[1:] for w in place.name.split()]
    return " ".join(words)
