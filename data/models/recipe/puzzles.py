"""What a generated puzzle is: a question of exact difficulty, its solutions in words, its split.

Training, development and evaluation never share a question: a hash of a puzzle's numbers says to
which split it belongs, and names, things and phrasings differ between the splits besides.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol, Self, get_args

from dynlab.tasks.answers import Kind

Split = Literal["train", "dev", "eval"]
SPLITS: tuple[Split, ...] = get_args(Split)


@dataclass(frozen=True)
class Words:
    """The names and things of one split; no two splits share any, nor a family's phrasing. Verbs
    are shared.
    """

    split: Split
    names: tuple[str, ...]
    things: tuple[str, ...]


class Puzzle(Protocol):
    """One question of a family; `level`, its exact difficulty, counts steps or conditions."""

    name: ClassVar[str]
    kind: ClassVar[Kind]
    levels: ClassVar[tuple[int, ...]]

    @property
    def level(self) -> int:
        """Number of steps or conditions."""
        ...

    @property
    def question(self) -> str:
        """The question in words."""
        ...

    @property
    def numbers(self) -> tuple[object, ...]:
        """What it is about, without names and wording: equal numbers are the same question."""
        ...

    @property
    def target(self) -> str:
        """The right answer."""
        ...

    @classmethod
    def draw(cls, rng: random.Random, level: int, words: Words) -> Self:
        """A puzzle of that difficulty."""
        ...

    def solution(self, rng: random.Random) -> str:
        """A right solution in words that ends with `Answer: …`; `rng` picks one of several orders
        of its steps.
        """
        ...

    def check(self, answer: str) -> tuple[str, bool] | None:
        """A short computation on an answer, and whether it is right; None: only solving tells."""
        ...


GAINS = ("finds", "buys", "wins", "collects")
LOSSES = ("loses", "sells", "drops", "gives away")
WORDS: dict[Split, Words] = {
    "train": Words(
        split="train",
        names=tuple(
            "Ada Ali Amy Ann Ben Bob Carl Dan Emma Eva Finn Gus Hana Ian Ida Jack Jan Kai Kim Lea"
            " Leo Lily Lisa Mary Max Mia Nick Nina Noah Olga Omar Paul Pia Rita Sam Sara Ted Tim"
            " Tina Tom".split()
        ),
        things=tuple(
            "apples books cards coins cups eggs flowers keys lemons marbles nuts pears pens plums"
            " seeds shells stamps stones tickets toys".split()
        ),
    ),
    "dev": Words(
        split="dev",
        names=tuple("Alex Clara David Elena Felix Greta Hugo Julia Karl Laura Marco Nora".split()),
        things=tuple("balls beads bottles candles hats pencils rings ropes".split()),
    ),
    "eval": Words(
        split="eval",
        names=tuple(
            "Adam Anna Chris Diana Erik Fiona Henry Irene Jonas Kate Lucas Maria Oscar Peter Rosa"
            " Simon".split(" ")
        ),
        things=tuple(
            "badges boxes buttons cookies figs medals oranges photos pins stickers".split()
        ),
    ),
}


def split_of(puzzle: Puzzle) -> Split:
    """The split that a puzzle's numbers belong to: a tenth is for development, a tenth for
    evaluation.
    """
    bucket = zlib.crc32(repr((puzzle.name, puzzle.numbers)).encode()) % 10
    return {0: SPLITS[1], 1: SPLITS[2]}.get(bucket, SPLITS[0])


def listed(words: Sequence[object]) -> str:
    """Words as an enumeration.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    *first, last = map(str, words)
    return f"{', '.join(first)} and {last}" if first else last


def running(start: int, changes: Sequence[int]) -> str:
    """A running total in words.

    >>> running(34, [17, -23])
    '34 +17=51 -23=28'
    """
    text, total = str(start), start
    for change in changes:
        total += change
        text += f" {change:+}={total}"
    return text
