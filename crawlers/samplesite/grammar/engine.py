"""Expands rules into sentences.

A rules file holds `[name]` lines with one alternative a line below each. In an alternative
`(a|b|)` chooses, `$name` expands a rule, `{hero.his}` asks the story, `<find>` is a verb in the
story's tense, `<find+>` its plural, `<-find>` what happened before. Alternatives of a rule are
dealt like cards: none comes again until all have been seen, so that a long text does not repeat
itself early. Marks at the end of an alternative tie it to what is true in the story: `?fact` and
`?!fact` say when it may be told, `+fact` and `-fact` what it changes. `[!name]` replaces what
earlier files said.
"""

import random
import re
from collections.abc import Iterable, Set
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

from crawlers.samplesite.grammar.english import Tense, anterior, conjugate

RULES = Path(__file__).parent / "rules"
_TOKEN = re.compile(r"[(|)]|\$\w+|\{[\w.]+\}|<-?[a-z]+\+?>|[^(|)${<]+")


class Scope(Protocol):
    """What a story answers while its sentences are made."""

    tense: Tense

    def slot(self, name: str) -> str:
        """The text of `{name}`."""


@dataclass(frozen=True)
class Alternative:
    """One way to say a rule, when it may be said, and what is true afterwards."""

    text: str
    needs: frozenset[str] = frozenset()
    forbids: frozenset[str] = frozenset()
    adds: frozenset[str] = frozenset()
    removes: frozenset[str] = frozenset()

    def fits(self, facts: Set[str]) -> bool:
        """Whether it may be told where these facts hold."""
        return self.needs <= facts and not self.forbids & facts


class Grammar:
    """The rules of some files together; alternatives of rules of one name are put together."""

    def __init__(self, files: Iterable[str], rng: random.Random):
        self.rng = rng
        self._rules: dict[str, list[Alternative]] = {}
        for file in files:
            for name, alternatives in read_rules(file).items():
                if name.startswith("!"):
                    self._rules[name[1:]] = list(alternatives)
                else:
                    self._rules.setdefault(name, []).extend(alternatives)
        self._decks: dict[str, list[Alternative]] = {}

    def __contains__(self, rule: str) -> bool:
        return rule in self._rules

    def texts(self, rule: str) -> list[str]:
        """All alternatives of a rule as they are written."""
        return [alternative.text for alternative in self._rules[rule]]

    def deal(self, rule: str, facts: Set[str] = frozenset()) -> Alternative | None:
        """The next alternative of a rule that fits the facts; None where there is none."""
        deck = self._decks.setdefault(rule, [])
        for cards in (deck, self._rules[rule]):
            if cards is not deck:
                deck[:] = self.rng.sample(cards, len(cards))
            for index in range(len(deck) - 1, -1, -1):
                if deck[index].fits(facts):
                    return deck.pop(index)
        return None

    def expand(self, text: str, scope: Scope) -> str:
        """An alternative with all choices made; `english.tidy` is left to do."""
        return "".join(self._expand(_parse(text), scope))

    def _expand(self, sequence: tuple["Node", ...], scope: Scope) -> Iterable[str]:
        for node in sequence:
            if isinstance(node, list):
                yield from self._expand(self.rng.choice(node), scope)
            elif node[0] == "$":
                alternative = self.deal(node[1:])
                if alternative is None:
                    raise ValueError(f"no alternative of [{node[1:]}] can stand in a sentence")
                yield self.expand(alternative.text, scope)
            elif node[0] == "{":
                yield scope.slot(node[1:-1])
            elif node[0] == "<":
                yield _verb(node[1:-1], scope.tense)
            else:
                yield node


#: A literal or token, or a list of sequences to choose from.
Node = str | list[tuple["Node", ...]]


@cache
def _parse(text: str) -> tuple[Node, ...]:
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != text:
        raise ValueError(f"cannot read the alternative {text!r}")
    sequence, position = _sequence(tokens, 0)
    if position != len(tokens):
        raise ValueError(f"unbalanced parentheses in the alternative {text!r}")
    return sequence


def _sequence(tokens: list[str], position: int) -> tuple[tuple[Node, ...], int]:
    nodes: list[Node] = []
    while position < len(tokens) and tokens[position] not in "|)":
        if tokens[position] != "(":
            nodes.append(tokens[position])
            position += 1
            continue
        branches = []
        while tokens[position] != ")":
            branch, position = _sequence(tokens, position + 1)
            branches.append(branch)
            if position == len(tokens):
                raise ValueError(f"a parenthesis is not closed in {''.join(tokens)!r}")
        nodes.append(branches)
        position += 1
    return tuple(nodes), position


def _verb(mark: str, tense: Tense) -> str:
    if mark.startswith("-"):
        return anterior(mark[1:].rstrip("+"), tense, plural=mark.endswith("+"))
    return conjugate(mark.rstrip("+"), tense, plural=mark.endswith("+"))


_MARKS = re.compile(r"((?: [?+-]!?[a-z_]+)*)$")
#: Who is dead takes part in nothing, unless an alternative says `?…_dead`.
_MORTAL = ("ally", "mentor")


@cache
def read_rules(file: str) -> dict[str, list[Alternative]]:
    """The rules of `rules/FILE.txt`: name -> alternatives."""
    rules: dict[str, list[Alternative]] = {}
    name = ""
    for line in (RULES / f"{file}.txt").read_text("utf-8").splitlines():
        if line.startswith("[") and line.endswith("]"):
            name = line[1:-1]
            rules[name] = []
        elif line and not line.startswith("#"):
            rules[name].append(_alternative(line))
    return rules


def _alternative(line: str) -> Alternative:
    found = _MARKS.search(line)
    marks = found[1].split() if found else []
    text = line[: found.start()] if found else line

    def named(sign: str) -> set[str]:
        return {m.removeprefix(sign) for m in marks if m.startswith(sign)}

    forbids = named("?!")
    needs = {m[1:] for m in marks if m.startswith("?") and not m.startswith("?!")}
    if "{memory}" in text:
        needs.add("remembered")
    dead = {f"{role}_dead" for role in _MORTAL if f"{{{role}" in text} - needs
    adds = frozenset(named("+"))
    return Alternative(
        text,
        frozenset(needs),
        frozenset(forbids | dead),
        adds,
        frozenset(named("-")),
    )
