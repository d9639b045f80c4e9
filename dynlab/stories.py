"""Puzzles whose answer is found step by step: running totals, groups, ages, weekdays. Checking one means solving it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import ClassVar, Self

from dynlab.answers import Kind
from dynlab.puzzles import GAINS, LOSSES, Split, Words, listed, running

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class Totals:
    """A number of things after gains and losses; `level` changes."""

    name: ClassVar[str] = "totals"
    kind: ClassVar[Kind] = "integer"
    levels: ClassVar[tuple[int, ...]] = (2, 3, 4, 5)
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
                f"At first {name} has {start} {things}. Then {name} {events}. How many {things} are left?",
            ),
            "dev": (f"{name} begins with {start} {things}, then {events}. How many {things} has {name} at last?",),
            "eval": (f"{name} owns {start} {things}, then {events}. How many {things} does {name} have in the end?",),
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
class Groups:
    """Several groups of equal size, something taken away; `level` counts groups and the taking away."""

    name: ClassVar[str] = "groups"
    kind: ClassVar[Kind] = "integer"
    levels: ClassVar[tuple[int, ...]] = (2, 3, 4)
    question: str
    groups: tuple[tuple[int, int], ...]
    taken: int

    @property
    def level(self) -> int:
        """Number of groups, plus one."""
        return len(self.groups) + 1

    @property
    def numbers(self) -> tuple[object, ...]:
        """Groups and what is taken away."""
        return (self.groups, self.taken)

    @property
    def target(self) -> str:
        """What is left."""
        return str(sum(count * size for count, size in self.groups) - self.taken)

    @classmethod
    def draw(cls, rng: random.Random, level: int, words: Words) -> Self:
        """Three to nine groups of six to nineteen."""
        groups = tuple((rng.randint(3, 9), rng.randint(6, 19)) for _ in range(level - 1))
        taken = rng.randint(11, min(99, sum(count * size for count, size in groups) - 1))
        name, things = rng.choice(words.names), rng.choice(words.things)
        holds = {"train": ("bags", "jars", "rows", "baskets"), "dev": ("trays", "piles"), "eval": ("packs", "sets")}
        sizes = [f"{count} {rng.choice(holds[words.split])} of {size} {things}" for count, size in groups]
        loss = rng.choice(LOSSES)
        frames: dict[Split, tuple[str, ...]] = {
            "train": (
                f"{name} has {listed(sizes)}. {name} {loss} {taken} {things}. How many are left?",
                f"There are {listed(sizes)}. {name} {loss} {taken} of them. How many {things} are left?",
            ),
            "dev": (f"{name} keeps {listed(sizes)}, and {loss} {taken}. How many {things} are left over?",),
            "eval": (f"{name} owns {listed(sizes)}. After that {name} {loss} {taken}. How many {things} remain?",),
        }
        return cls(rng.choice(frames[words.split]), groups, taken)

    def solution(self, rng: random.Random) -> str:
        """Products in any order, the taking away as soon as it can be done, or at last."""
        groups = rng.sample(self.groups, len(self.groups))
        products = [count * size for count, size in groups]
        steps = [f"{count}*{size}={count * size}" for count, size in groups]
        changes = [*products[1:], -self.taken]
        if rng.random() < 0.5 and products[0] >= self.taken:
            changes = [-self.taken, *products[1:]]
        return f"{', '.join(steps)}. {running(products[0], changes)}. Answer: {self.target}"

    def check(self, answer: str) -> None:
        """Only solving tells."""


@dataclass(frozen=True)
class Ages:
    """Ages told by comparison with one another; `level` persons, and the sum of two of them is asked for."""

    name: ClassVar[str] = "ages"
    kind: ClassVar[Kind] = "integer"
    levels: ClassVar[tuple[int, ...]] = (3, 4, 5)
    question: str
    persons: tuple[str, ...]
    first: int
    links: tuple[tuple[int, str, int], ...]  # of person i + 1: compared with whom, how ('+', '-', '*'), by how much
    asked: tuple[int, int]

    @property
    def level(self) -> int:
        """Number of persons."""
        return len(self.persons)

    @property
    def numbers(self) -> tuple[object, ...]:
        """The first age, the comparisons and who is asked for."""
        return (self.first, self.links, self.asked)

    @property
    def ages(self) -> list[int]:
        """Everybody's age."""
        ages = [self.first]
        for other, how, amount in self.links:
            ages.append({"+": ages[other] + amount, "-": ages[other] - amount, "*": ages[other] * amount}[how])
        return ages

    @property
    def target(self) -> str:
        """The sum of the two ages asked for."""
        return str(sum(self.ages[i] for i in self.asked))

    @classmethod
    def draw(cls, rng: random.Random, level: int, words: Words) -> Self:
        """Ages from 3 to 90; the last person is always asked for."""
        ages, links = [rng.randint(6, 30)], []
        while len(ages) < level:
            other, how = rng.randrange(len(ages)), rng.choice("++--*")
            amount = 2 if how == "*" else rng.randint(2, 19)
            age = {"+": ages[other] + amount, "-": ages[other] - amount, "*": ages[other] * amount}[how]
            if 3 <= age <= 90:
                ages.append(age)
                links.append((other, how, amount))
        persons = rng.sample(words.names, level)
        asked = (rng.randrange(level - 1), level - 1)
        says = [f"{persons[0]} is {ages[0]}"]
        for person, (other, how, amount) in zip(persons[1:], links, strict=True):
            more = {"+": f"{amount} years older than", "-": f"{amount} years younger than", "*": "twice as old as"}
            says.append(f"{person} is {more[how]} {persons[other]}")
        rng.shuffle(says)
        a, b = (persons[i] for i in asked)
        asks: dict[Split, str] = {
            "train": rng.choice((f"How old are {a} and {b} together?", f"What do the ages of {a} and {b} add up to?")),
            "dev": f"What is the age of {a} plus the age of {b}?",
            "eval": f"What is the sum of the ages of {a} and {b}?",
        }
        return cls(f"{'. '.join(says)}. {asks[words.split]}", tuple(persons), ages[0], tuple(links), asked)

    def solution(self, rng: random.Random) -> str:
        """The ages that are needed, in any order in which each can be computed; then the sum, either way round."""
        needed, ages = set(self.asked), self.ages
        for i in range(self.level - 1, 0, -1):
            needed |= {self.links[i - 1][0]} if i in needed else set()
        steps, known = [], set[int]()
        while needed - known:
            ready = [i for i in sorted(needed - known) if i == 0 or self.links[i - 1][0] in known]
            i = rng.choice(ready)
            known.add(i)
            if i == 0:
                steps.append(f"{self.persons[0]} {ages[0]}")
            else:
                other, how, amount = self.links[i - 1]
                steps.append(f"{self.persons[i]} {ages[other]}{how}{amount}={ages[i]}")
        a, b = rng.sample([ages[i] for i in self.asked], 2)
        return f"{', '.join(steps)}. {a}+{b}={a + b}. Answer: {self.target}"

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
                f"Today is {DAYS[today]}. {name} waits {', then '.join(days)}. Which weekday is it then?",
                f"{name} leaves on a {DAYS[today]} and is away for {', then '.join(days)}. "
                "On which weekday does it end?",
            ),
            "dev": (f"It is {DAYS[today]}. {name} works for {' and then '.join(days)}. What weekday comes out?",),
            "eval": (f"{name} starts on {DAYS[today]} and needs {', then '.join(days)}. Which weekday is the end?",),
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
