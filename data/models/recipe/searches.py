"""Puzzles whose answer is searched for but quickly checked: `digits`, `sums`."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import ClassVar, Self

from dynlab.tasks.answers import Kind
from recipe.puzzles import Split, Words, listed

NUMBERS = range(10, 100)
PAIR = re.compile(r"(\d\d) and (\d\d)", re.ASCII)


@dataclass(frozen=True)
class Condition:
    """What a number between 10 and 99 must fulfil: its digits have the 'sum' or the 'difference'
    `value`.

    Further kinds: 'above' and 'below' `value`.
    """

    kind: str
    value: int

    def holds(self, number: int) -> bool:
        """Whether a number fulfils it."""
        match self.kind:
            case "sum":
                return number // 10 + number % 10 == self.value
            case "difference":
                return abs(number // 10 - number % 10) == self.value
            case "above":
                return number > self.value
        return number < self.value

    def phrase(self) -> str:
        """The condition in words."""
        return {
            "sum": f"has digits that add up to {self.value}",
            "difference": f"has digits that differ by {self.value}",
            "above": f"is greater than {self.value}",
            "below": f"is less than {self.value}",
        }[self.kind]

    def shown(self, number: int) -> str:
        """The computation that shows whether a number fulfils it: '3+8=11', '8-3=5', '38>20'."""
        match self.kind:
            case "sum":
                return f"{number // 10}+{number % 10}={number // 10 + number % 10}"
            case "difference":
                low, high = sorted((number // 10, number % 10))
                return f"{high}-{low}={high - low}"
        sign = ">" if number > self.value else "<" if number < self.value else "="
        return f"{number}{sign}{self.value}"


@dataclass(frozen=True)
class Digits:
    """The only number between 10 and 99 that fits `level` conditions, each of which is needed."""

    name: ClassVar[str] = "digits"
    kind: ClassVar[Kind] = "integer"
    levels: ClassVar[tuple[int, ...]] = (3,)
    question: str
    conditions: tuple[Condition, ...]

    @property
    def level(self) -> int:
        """Number of conditions."""
        return len(self.conditions)

    @property
    def numbers(self) -> tuple[object, ...]:
        """The conditions, in a fixed order."""
        return tuple(sorted((c.kind, c.value) for c in self.conditions))

    @property
    def target(self) -> str:
        """The number that fits."""
        return str(*fitting(self.conditions))

    @classmethod
    def draw(cls, rng: random.Random, level: int, words: Words) -> Self:
        """A digit sum, a difference of digits and a bound, with one number that fits."""
        while True:
            number = rng.choice(NUMBERS)
            tens, units = divmod(number, 10)
            bound = rng.choice(
                (
                    Condition("above", number - rng.randint(1, 30)),
                    Condition("below", number + rng.randint(1, 30)),
                )
            )
            conditions = [
                Condition("sum", tens + units),
                Condition("difference", abs(tens - units)),
                bound,
            ][:level]
            rng.shuffle(conditions)
            others = [conditions[:i] + conditions[i + 1 :] for i in range(level)]
            if (
                10 < bound.value < 99
                and len(fitting(conditions)) == 1
                and all(len(fitting(c)) > 1 for c in others)
            ):
                break
        says, name = (
            listed([condition.phrase() for condition in conditions]),
            rng.choice(words.names),
        )
        frames: dict[Split, tuple[str, ...]] = {
            "train": (
                f"Which number between 10 and 99 {says}?",
                f"Find the number from 10 to 99 that {says}.",
                f"{name} looks for a number from 10 to 99. It {says}. What is the number?",
                f"There is exactly one two-digit number that {says}. Say which.",
            ),
            "dev": (f"One number between 10 and 99 {says}. Which number is it?",),
            "eval": (f"{name} thinks of a number between 10 and 99 that {says}. Which is it?",),
        }
        return cls(rng.choice(frames[words.split]), tuple(conditions))

    def solution(self, rng: random.Random) -> str:
        """The numbers that fit one of the conditions, the rarest two in turn; then the one of them
        that fits all.
        """
        few = sorted(self.conditions, key=lambda condition: len(fitting([condition])))[:2]
        first = rng.choice(
            [condition for condition in few if len(fitting([condition])) <= 12] or few[:1]
        )
        return f"{' '.join(map(str, fitting([first])))}. Answer: {self.target}"

    def check(self, answer: str) -> tuple[str, bool] | None:
        """Condition by condition, up to the first that fails: '3+8=11, 8-3=5 no'."""
        if not answer.isdecimal() or int(answer) not in NUMBERS:
            return f"{answer[:3]} no", False
        shown = []
        for condition in self.conditions:
            shown.append(condition.shown(int(answer)))
            if not condition.holds(int(answer)):
                return f"{', '.join(shown)} no", False
        return f"{', '.join(shown)} yes", True


def fitting(conditions: Sequence[Condition]) -> list[int]:
    """The numbers between 10 and 99 that fulfil all conditions."""
    return sorted(frozenset(NUMBERS).intersection(*map(_fits, conditions)))


@cache
def _fits(condition: Condition) -> frozenset[int]:
    return frozenset(filter(condition.holds, NUMBERS))


@dataclass(frozen=True)
class Sums:
    """Which two of `level` numbers have a given sum; the answer names both, the smaller first."""

    name: ClassVar[str] = "sums"
    kind: ClassVar[Kind] = "text"
    levels: ClassVar[tuple[int, ...]] = (3, 4, 5)
    question: str
    items: tuple[int, ...]
    total: int

    @property
    def level(self) -> int:
        """How many numbers there are to choose from."""
        return len(self.items)

    @property
    def numbers(self) -> tuple[object, ...]:
        """The numbers, sorted, and the sum."""
        return (tuple(sorted(self.items)), self.total)

    @property
    def pair(self) -> tuple[int, int]:
        """The two numbers, the smaller first."""
        ((a, b),) = [
            pair for pair in combinations(sorted(self.items), 2) if sum(pair) == self.total
        ]
        return a, b

    @property
    def target(self) -> str:
        """The pair, the smaller first."""
        return listed(self.pair)

    @classmethod
    def draw(cls, rng: random.Random, level: int, words: Words) -> Self:
        """Different two-digit numbers, one pair of which has the sum, and the sum's last digit."""
        while True:
            items = rng.sample(range(11, 90), level)
            total = sum(rng.sample(items, 2))
            if sum(sum(pair) % 10 == total % 10 for pair in combinations(items, 2)) == 1:
                break
        says, name, things = listed(items), rng.choice(words.names), rng.choice(words.things)
        frames: dict[Split, tuple[str, ...]] = {
            "train": (
                f"Which two of {says} add up to {total}? Give the smaller one first.",
                f"Two of the numbers {says} have the sum {total}. Which two, the smaller first?",
                (
                    f"{name} counts {says} {things} in boxes and fills a cart with {total} from two"
                    " of them. Which two?"
                ),
                (
                    f"Choose a pair from {says} whose sum is {total}, and write the smaller number"
                    " first."
                ),
            ),
            "dev": (f"Of {says}, two make {total} together. Name them, smaller before larger.",),
            "eval": (
                (
                    f"{name} has bags of {says} {things}. Two bags hold {total} together. "
                    "Name both, beginning with the smaller."
                ),
            ),
        }
        return cls(rng.choice(frames[words.split]), tuple(items), total)

    def solution(self, rng: random.Random) -> str:
        """The pair, added either way round."""
        a, b = rng.sample(self.pair, 2)
        return f"{a}+{b}={self.total}. Answer: {self.target}"

    def check(self, answer: str) -> tuple[str, bool] | None:
        """The last digits added, which the sum's last digit decides.

        '38+46: 8+6=14 yes', '23+45: 3+5=8 no', '23+61: no 61'; without a pair only the answer: '38
        no'.
        """
        pair = PAIR.fullmatch(answer)
        if pair is None:
            return f"{answer[:3]} no", False
        a, b = map(int, pair.groups())
        if missing := [number for number in (a, b) if number not in self.items]:
            return f"{a}+{b}: no {missing[0]}", False
        right = answer == self.target
        return f"{a}+{b}: {a % 10}+{b % 10}={a % 10 + b % 10} {'yes' if right else 'no'}", right
