"""Shards: equal parts of a task's questions, recorded apart, by any scheduler, and merged."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from dynlab._util.errors import InputError
from dynlab._util.options import Limits
from dynlab._util.values import Question


@dataclass(frozen=True)
class Shard:
    """Every M-th question of a task from the K-th on: M shards hold each question once.

    Args:
        number: K, from 1 on.
        of: M.
        asked: All questions that the shards record together, in their order.
    """

    number: int
    of: int
    asked: tuple[Question, ...]

    @property
    def questions(self) -> tuple[Question, ...]:
        """Its own."""
        return self.asked[self.number - 1 :: self.of]

    def limits(self, whole: Limits) -> Limits:
        """Its share of limits over all shards, by its share of the questions, rounded down."""
        share = Fraction(len(self.questions), len(self.asked))
        usd, tokens, calls = (
            None if most is None else Fraction(most) * share
            for most in (whole.usd, whole.tokens, whole.calls)
        )
        return Limits(
            None if usd is None else math.floor(usd * 10**12) / 1e12,
            None if tokens is None else math.floor(tokens),
            None if calls is None else math.floor(calls),
        )

    def words(self, whole: Limits) -> str:
        """What it is, and what it may cost of limits over all shards."""
        told = f"shard {self}: {len(self.questions)} of {len(self.asked)} questions"
        units = {"usd": "USD", "tokens": "tokens", "calls": "calls"}
        own = vars(self.limits(whole))
        parts = [
            f"{own[name]:.10g} of {most:.10g} {units[name]}"
            for name, most in vars(whole).items()
            if most is not None
        ]
        return f"{told}; of its limits over all shards, {' and '.join(parts)}" if parts else told

    def told(self, planned: Mapping[str, Any]) -> dict[str, Any]:
        """What its card says of it, so that shards of one recording know one another.

        Args:
            planned: What is drawn for each question.
        """
        digest = hashlib.blake2b(digest_size=8)
        for question in self.asked:
            digest.update(repr((question.id, question.question, question.choices)).encode())
        return {
            "number": self.number,
            "of": self.of,
            "questions": len(self.asked),
            "asked": digest.hexdigest(),
            **planned,
        }

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def shard_of(text: str, asked: Sequence[Question]) -> Shard:
    """The shard that a text names.

    >>> str(shard_of("3/16", [Question(str(n), "?", "1") for n in range(40)]))
    '3/16'

    Raises:
        InputError: It is no K/M with K from 1 to M, or there are fewer questions than shards.
    """
    found = re.fullmatch(r"(\d+)/(\d+)", text.strip(), re.ASCII)
    number, of = map(int, found.groups()) if found else (0, 0)
    if not 1 <= number <= of:
        raise InputError(f"shard is {text!r}: give K/M with K from 1 to M, such as 3/16")
    if of > len(asked):
        raise InputError(f"{len(asked)} questions make no {of} shards: give at most {len(asked)}")
    return Shard(number, of, tuple(asked))
