"""Attempts: which earlier samples a sample is shown, in which order and form."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from dynlab._util.errors import InputError, one_of
from dynlab._util.values import Sample
from dynlab.strategies.base import Strategy

Who = Literal["all", "last", "random", "distinct"]
Order = Literal["drawn", "shuffled", "shortest-first", "leader-first", "leader-last"]
Shown = Literal["listed", "prefill"]
Later = Literal["independents", "chain", "both"]
Voting = Literal["all", "chained"]
_KINDS = {"who": Who, "order": Order, "shown": Shown, "later": Later, "voting": Voting}
OPTIONS: dict[str, tuple[str, ...]] = {name: get_args(kind) for name, kind in _KINDS.items()}


@dataclass(frozen=True, kw_only=True)
class Attempts(Strategy):
    """Who of the samples that must have arrived is shown, in which order and form.

    Args:
        who: 'all'; 'last' or 'random': the last, or any, `num_shown` of them; 'distinct': the first
            of each answer (no answer counts as one).
        num_shown: How many 'last' and 'random' show, all where there are fewer.
        order: 'drawn'; 'shuffled'; 'shortest-first' in characters; 'leader-first' or 'leader-last':
            the attempts with the answer that most of all arrived ones give, before or after the
            others, which stay as drawn.
        shown: 'listed' in the user's message, or 'prefill': as the model's own words, which it goes
            on from.
        finals_only: Show final answers instead of whole responses.
    """

    who: Who = "all"
    num_shown: int | None = None
    order: Order = "drawn"
    shown: Shown = "listed"
    finals_only: bool = False

    def __post_init__(self) -> None:
        check_choices(who=self.who, order=self.order, shown=self.shown)
        check_counts(num_shown=self.num_shown)
        if not isinstance(self.finals_only, bool):
            raise InputError(f"finals_only is {self.finals_only!r}: give True or False")
        counted = self.who in ("last", "random")
        if counted and self.num_shown is None:
            raise InputError(f"who = {self.who!r} needs to know how many are shown: give num_shown")
        if self.num_shown is not None and not counted:
            raise InputError(
                f"num_shown is {self.num_shown} with who = {self.who!r}: give who = 'last' or"
                " 'random'"
            )

    def chosen(self, arrived: Sequence[Sample], lot: int) -> tuple[Sample, ...]:
        """Who of the arrived parents is shown, in that order.

        Args:
            arrived: All parents of a sample, as drawn.
            lot: The number that decides what is random: the sample's own seed.
        """
        return tuple(self._ordered(self._members(arrived, lot), arrived, lot))

    def _members(self, arrived: Sequence[Sample], lot: int) -> list[Sample]:
        if self.who == "distinct":
            first: dict[str, Sample] = {}
            for sample in arrived:
                first.setdefault(sample.answer, sample)
            return list(first.values())
        if self.who == "random":
            drawn = _by_lot(arrived, lot, "who")[: self.num_shown]
            indices = {sample.sample_index for sample in drawn}
            return [sample for sample in arrived if sample.sample_index in indices]
        return list(arrived if self.num_shown is None else arrived[-self.num_shown :])

    def _ordered(
        self, members: Sequence[Sample], arrived: Sequence[Sample], lot: int
    ) -> list[Sample]:
        if self.order == "shuffled":
            return _by_lot(members, lot, "order")
        if self.order == "shortest-first":
            return sorted(members, key=lambda sample: len(sample.text))
        if self.order == "drawn":
            return list(members)
        leader, last = _leader(arrived, lot), self.order == "leader-last"
        return sorted(members, key=lambda sample: (sample.answer == leader) == last)

    def _before(self, indices: Iterable[int]) -> tuple[int, ...]:
        """The indices that must have arrived: 'last' waits for none that it never shows."""
        known = tuple(indices)
        return known[-self.num_shown :] if self.who == "last" and self.num_shown else known


def _by_lot(samples: Iterable[Sample], lot: int, what: str) -> list[Sample]:
    """The samples in an order drawn by lot: by a hash of the lot and of each one's index."""

    def drawn(sample: Sample) -> bytes:
        key = repr((lot, what, sample.sample_index)).encode()
        return hashlib.blake2b(key, digest_size=8).digest()

    return sorted(samples, key=drawn)


def _leader(samples: Sequence[Sample], lot: int) -> str | None:
    """The answer that most samples give, a tie decided by lot; None where none gives one."""
    counts = Counter(sample.answer for sample in samples if sample.answer)
    most = max(counts.values(), default=0)
    tied = [sample for sample in samples if sample.answer and counts[sample.answer] == most]
    firsts = list({sample.answer: sample for sample in reversed(tied)}.values())
    return _by_lot(firsts, lot, "leader")[0].answer if firsts else None


def check_choices(**given: str) -> None:
    """Refuses settings that are not among their `OPTIONS`."""
    for name, value in given.items():
        if value not in OPTIONS[name]:
            raise one_of(name, value, OPTIONS[name])


def check_counts(**given: int | None) -> None:
    """Refuses settings that are no whole numbers of at least 1; None = not set."""
    for name, value in given.items():
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InputError(f"{name} is {value!r}: give a whole number of at least 1")
