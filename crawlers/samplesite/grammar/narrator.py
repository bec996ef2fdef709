"""Tells what happened: as the plot of a film or an episode, or as the chapters of a novel.

A plot is told in the present tense and close together, several events a paragraph. A novel takes
the same events in the past tense and gives them scenes, weather, talk and thought.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from crawlers.samplesite.grammar import planner
from crawlers.samplesite.grammar.engine import Grammar
from crawlers.samplesite.grammar.english import Tense, tidy
from crawlers.samplesite.grammar.world import Person, Story

_ANYWHERE = (
    *("travel", "discovery", "obstacle_pass", "obstacle_fail", "chase", "wound"),
    *("confide", "quarrel", "reconcile", "promise", "rest", "recall", "doubt"),
    *("bargain", "theft", "recover", "betrayal", "capture", "rescue", "villain_view", "reversal"),
)
#: What else can happen in each genre; named twice, it happens more often.
_OWN_MOVES = {
    "superhero": ("power_fails", "power_fails", "unmasked"),
    "mystery": ("suspicion", "suspicion", "suspicion", "deduction", "deduction"),
    "horror": ("haunting", "haunting", "haunting", "dread", "dread"),
    "scifi": ("signal", "signal", "signal", "paradox", "paradox"),
    "western": ("ride", "ride", "standoff", "standoff"),
    "romance": ("flirt", "flirt", "flirt", "heartache", "heartache"),
    "fantasy": ("marvel", "marvel", "court", "bell_lore", "marvel"),
}
_EPISODE_MOVES = (
    *("travel", "discovery", "obstacle_pass", "care", "care", "match", "gilt_hand", "evolve"),
    *("lesson", "mishap", "mishap", "memory_of_mother"),
)
_TRADES = {"hero": "role", "ally": "side_role", "rival": "side_role", "villain": "villain_role",
           "kin": "side_role", "mentor": "side_role"}  # fmt: skip


@dataclass(frozen=True)
class Plot:
    """A story as a wiki tells it: paragraphs, and what an article says beside them."""

    title: str
    paragraphs: tuple[str, ...]
    people: tuple[str, ...]
    town: str
    hero: str


class Teller:
    """Tells stories of one genre; keeps the decks, so that it does not repeat itself early."""

    def __init__(self, genre: str, seed: str, prose: bool = False):
        self.genre, self.rng = genre, random.Random(f"{genre} {seed}")  # noqa: S311
        files = ["people", "common", genre, *(["prose"] if prose else [])]
        self._titles = Grammar(["titles"], self.rng)
        self.grammar = Grammar(files, self.rng)

    def film(self, length: int, title: str = "") -> Plot:
        """The plot of a film or a comic: `length` events in the middle, titled by that rule."""
        story = self._story(Tense.PRESENT, {})
        moves = (*_ANYWHERE, *_OWN_MOVES[self.genre])
        return self._plot(story, moves, length, title or self.genre)

    def episode(self, length: int, fixed: dict[str, Person], pet: str) -> Plot:
        """The plot of an episode, with the series' own people and creature among its guests."""
        story = self._story(Tense.PRESENT, fixed)
        story.phrases["pet"] = pet
        story.facts |= {"allied", "left_home"}
        for person in fixed.values():
            person.known = True
        return self._plot(story, _EPISODE_MOVES, length, "episode")

    def titles(self, rule: str) -> list[str]:
        """All titles of a rule that asks nothing of a story, in their order."""
        return self._titles.texts(rule)

    def chapters(self, number: int) -> Iterator[tuple[str, list[str]]]:
        """The chapters of a novel: title, and paragraphs in the past tense."""
        story = self._story(Tense.PAST, {})
        everywhere = list(story.places)
        titles: set[str] = set()
        moves = (*_ANYWHERE, *_OWN_MOVES[self.genre])
        for index in range(number):
            if not story.places:
                story.places = self.rng.sample(everywhere, len(everywhere))
            if index:
                story.move_on()
            if index == 0:
                rules = planner.opening(story)
            elif index == number - 1:
                rules = planner.ending(story)
            else:
                rules = planner.muddle(story, moves, self.rng.randint(9, 12))
            paragraphs = [paragraph for paragraph in self._scenes(story, rules) if paragraph]
            while (title := tidy(story.phrase("$chapter_title"))) in titles:
                continue
            titles.add(title)
            yield title, paragraphs

    def _story(self, tense: Tense, fixed: dict[str, Person]) -> Story:
        story = Story(self.grammar, tense)
        story.populate(_TRADES, fixed)
        return story

    def _plot(self, story: Story, moves: tuple[str, ...], length: int, title: str) -> Plot:
        sentences = [self._tell(story, rule) for rule in planner.events(story, moves, length)]
        told = [sentence for sentence in sentences if sentence]
        paragraphs = []
        while told:
            size = self.rng.randint(3, 5)
            paragraphs.append(tidy(" ".join(told[:size])))
            told = told[size:]
        people = tuple(f"{p.full} as {p.role}" for p in story.people.values() if p.known)
        alternative = self._titles.deal(title)
        assert alternative is not None
        name = tidy(self._titles.expand(alternative.text, story))
        return Plot(name, tuple(paragraphs), people,
                    story.phrases["town"], story.people["hero"].full)  # fmt: skip

    def _tell(self, story: Story, rule: str) -> str:
        """One event in words; empty where the story has no way to tell it."""
        alternative = self.grammar.deal(rule, story.facts) if rule in self.grammar else None
        if alternative is None:
            return ""
        text = self.grammar.expand(alternative.text, story)
        story.facts = (story.facts - alternative.removes) | alternative.adds
        return text

    def _scenes(self, story: Story, rules: Iterator[str]) -> Iterator[str]:
        """The paragraphs of a chapter: events with what stands beside them, talk set apart."""
        rng = self.rng
        paragraph = self._tell(story, "scene")
        for rule in rules:
            event = self._tell(story, rule)
            if not event:
                continue
            if rng.random() < 0.6:
                yield tidy(paragraph)
                paragraph = ""
            paragraph += " " + event
            if rule == "travel" and rng.random() < 0.7:
                paragraph += " " + self._tell(story, "scene")
            elif rng.random() < 0.4:
                paragraph += " " + self._tell(story, "small_thing") + "."
            if talk := self._talk_after(story, rule):
                yield tidy(paragraph)
                yield from self._talk(story, talk)
                paragraph = ""
            elif aside := self._aside(story):
                paragraph += " " + aside
        yield tidy(f"{paragraph} {self._tell(story, 'chapter_end')}")

    def _talk_after(self, story: Story, rule: str) -> str:
        """The rule of a conversation that an event leads to; empty where nobody speaks."""
        if rule in ("confront", "villain_view", "capture"):
            return "talk_villain"
        if "allied" not in story.facts or self.rng.random() < 0.35:
            return ""
        kind = {"quarrel": "talk_quarrel", "betrayal": "talk_quarrel", "doubt": "talk_fear",
                "obstacle_fail": "talk_fear", "confide": "talk_trust", "rest": "talk_trust",
                "reconcile": "talk_trust", "travel": "talk_stranger"}.get(rule)  # fmt: skip
        talks = ("talk_plan", "talk_fear", "talk_trust", "talk_stranger", "talk_plan")
        return kind or self.rng.choice(talks)

    def _aside(self, story: Story) -> str:
        """A thought, or a small incident on the way; empty where neither fits."""
        rule = "vignette" if "allied" in story.facts and self.rng.random() < 0.5 else "thought"
        return self._tell(story, rule)

    def _talk(self, story: Story, rule: str) -> list[str]:
        speakers = [story.people["hero"], story.people["ally"]]
        self.rng.shuffle(speakers)
        story.people["one"], story.people["two"] = speakers
        talk = self._tell(story, rule)
        del story.people["one"], story.people["two"]
        return [tidy(paragraph) for paragraph in talk.split(" / ")]
