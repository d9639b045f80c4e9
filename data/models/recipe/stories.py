"""Puzzles solved step by step, which checking means as well: `totals`, `calendar`."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import ClassVar, Self

from dynlab.tasks.answers import Kind
from recipe.puzzles import GAINS, LOSSES, Split, Words, listed, running

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class Totals:
    """A number of things after gains and losses; `level` changes."""

    name: ClassVar[str] = "totals"
    kind: ClassVar[Kind] = "integer"
    levels: ClassVar[tuple[int, ...]] = (2, 3, 4)
    question: str
    start: int
    changes: tuple[int, ...]

    @property
    def level(self) -> int:
        """Number of changes."""
        return len(self.changes)

    @property
    def numbers(self) -> tuple[object, ...]:
        """Start and changes."""
        return (self.start, self.changes)

    @property
    def target(self) -> str:
        """The last total."""
        return str(self.start + sum(self.changes))

    @classmethod
    def draw(cls, rng: random.Random, level: int, words: Words) -> Self:
        """Two-digit numbers; no total is ever below zero."""
        start = total = rng.randint(20, 99)
        changes: list[int] = []
        for _ in range(level):
            loss = total >= 15 and rng.random() < 0.5
            changes.append(-rng.randint(11, min(total, 99)) if loss else rng.randint(11, 99))
            total += changes[-1]
        name, things = rng.choice(words.names), rng.choice(words.things)
        events = listed([f"{rng.choice(GAINS if c > 0 else LOSSES)} {abs(c)}" for c in changes])
        frames: dict[Split, tuple[str, ...]] = {
            "train": (
                f"{name} has {start} {things}, {events}. How many {things} has {name} now?",
                (
                    f"At first {name} has {start} {things}. Then {name} {events}. How many {things}"
                    " are left?"
                ),
                (
                    f"There are {start} {things} in the bag of {name}, who {events}. Count the"
                    f" {things}."
                ),
            ),
            "dev": (
                (
                    f"{name} begins with {start} {things}, then {events}. How many {things} has"
                    f" {name} at last?"
                ),
            ),
            "eval": (
                (
                    f"{name} owns {start} {things}, then {events}. How many {things} does {name}"
                    " have in the end?"
                ),
            ),
        }
        return cls(rng.choice(frames[words.split]), start, tuple(changes))

    def solution(self, rng: random.Random) -> str:
        """As told, gains first, or in any order that stays above zero."""
        order = list(self.changes)
        match rng.randrange(3):
            case 1:
                order.sort(key=lambda change: change < 0)
            case 2:
                rng.shuffle(order)
                while min(self.start + sum(order[: i + 1]) for i in range(len(order))) < 0:
                    rng.shuffle(order)
        return f"{running(self.start, order)}. Answer: {self.target}"

    def check(self, answer: str) -> None:
        """Only solving tells."""


@dataclass(frozen=True)
class Calendar:
    """The weekday after `level` spans of days."""

    name: ClassVar[str] = "calendar"
    kind: ClassVar[Kind] = "text"
    levels: ClassVar[tuple[int, ...]] = (1, 2, 3)
    question: str
    today: int
    spans: tuple[int, ...]

    @property
    def level(self) -> int:
        """Number of spans."""
        return len(self.spans)

    @property
    def numbers(self) -> tuple[object, ...]:
        """The first weekday and the spans."""
        return (self.today, self.spans)

    @property
    def target(self) -> str:
        """The last weekday."""
        return DAYS[(self.today + sum(self.spans)) % 7]

    @classmethod
    def draw(cls, rng: random.Random, level: int, words: Words) -> Self:
        """Spans of 8 to 69 days."""
        today, spans = rng.randrange(7), tuple(rng.randint(8, 69) for _ in range(level))
        name = rng.choice(words.names)
        days = [f"{span} days" for span in spans]
        frames: dict[Split, tuple[str, ...]] = {
            "train": (
                (
                    f"Today is {DAYS[today]}. {name} waits {', then '.join(days)}. Which weekday is"
                    " it then?"
                ),
                (
                    f"{name} leaves on a {DAYS[today]} and is away for {', then '.join(days)}. "
                    "On which weekday does it end?"
                ),
                (
                    f"The work of {name} begins on {DAYS[today]} and takes {' plus '.join(days)}. "
                    "Say the weekday after it."
                ),
            ),
            "dev": (
                (
                    f"It is {DAYS[today]}. {name} works for {' and then '.join(days)}. What weekday"
                    " comes out?"
                ),
            ),
            "eval": (
                (
                    f"{name} starts on {DAYS[today]} and needs {', then '.join(days)}. Which"
                    " weekday is the end?"
                ),
            ),
        }
        return cls(rng.choice(frames[words.split]), today, spans)

    def solution(self, rng: random.Random) -> str:
        """Span by span in any order, whole weeks left out; or all of them added up first."""
        spans = rng.sample(self.spans, self.level)
        if self.level > 1 and rng.random() < 0.5:
            steps = [running(spans[0], spans[1:])]
            spans = [sum(spans)]
        else:
            steps = []
        today = self.today
        for span in spans:
            today = (today + span) % 7
            steps.append(f"{span}={span // 7 * 7}+{span % 7} {DAYS[today]}")
        return f"{', '.join(steps)}. Answer: {self.target}"

    def check(self, answer: str) -> None:
        """Only solving tells."""
