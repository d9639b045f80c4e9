"""Strategies: how the next sample of one question is drawn, from the earlier samples of its stream.

Which samples must have arrived (`parents`) and whether a sample votes depend on its index alone; who of the parents is
shown, and in which order, on their content and a number that is hashed from (run seed, question, stream, index), never
on arrival: so a recorded stream replays exactly, and a resumed one draws the same prompts.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal, get_args

from dynlab.errors import InputError, one_of
from dynlab.types import Sample, Strategy

Who = Literal["all", "last", "random", "distinct"]
Order = Literal["drawn", "shuffled", "shortest-first", "leader-first", "leader-last"]
Shown = Literal["listed", "prefill"]
Later = Literal["independents", "chain", "both"]
Voting = Literal["all", "chained"]
OPTIONS: dict[str, tuple[str, ...]] = {
    name: get_args(kind)
    for name, kind in {"who": Who, "order": Order, "shown": Shown, "later": Later, "voting": Voting}.items()
}


@dataclass(frozen=True)
class Parallel:
    """Independent samples: self-consistency (Wang et al. 2022, arXiv 2203.11171) when a plurality decides.

    >>> Parallel().parents(3)
    ()
    """

    name: ClassVar[str] = "parallel"
    shown: ClassVar[str] = "listed"
    finals_only: ClassVar[bool] = False

    def parents(self, sample_index: int) -> tuple[int, ...]:
        """() for every sample."""
        return ()

    def chosen(self, arrived: Sequence[Sample], lot: int) -> tuple[Sample, ...]:
        """()."""
        return ()

    def votes(self, sample_index: int) -> bool:
        """True."""
        return True


@dataclass(frozen=True, kw_only=True)
class Attempts:
    """Who of the samples that must have arrived is shown, in which order and form.

    Args:
        who: 'all'; 'last' or 'random': the last, or any, `num_shown` of them; 'distinct': the first of each answer (no
            answer counts as one).
        num_shown: How many 'last' and 'random' show, all where there are fewer.
        order: 'drawn'; 'shuffled'; 'shortest-first' in characters; 'leader-first' or 'leader-last': the attempts with
            the answer that most of all arrived ones give, before or after the others, which stay as drawn.
        shown: 'listed' in the user's message, or 'prefill': as the model's own words, which it goes on from.
        finals_only: Show final answers instead of whole responses.
    """

    who: Who = "all"
    num_shown: int | None = None
    order: Order = "drawn"
    shown: Shown = "listed"
    finals_only: bool = False

    def __post_init__(self) -> None:
        for name, options in OPTIONS.items():
            if (given := getattr(self, name, options[0])) not in options:
                raise one_of(name, given, options)
        for name in ("width", "chain", "rounds", "num_shown"):
            if (given := getattr(self, name, None)) is not None:
                _at_least_one(name, given)
        if not isinstance(self.finals_only, bool):
            raise InputError(f"finals_only is {self.finals_only!r}: give True or False")
        counted = self.who in ("last", "random")
        if counted and self.num_shown is None:
            raise InputError(f"who = {self.who!r} needs to know how many are shown: give num_shown")
        if self.num_shown is not None and not counted:
            raise InputError(f"num_shown is {self.num_shown} with who = {self.who!r}: give who = 'last' or 'random'")

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
            drawn = {sample.sample_index for sample in _by_lot(arrived, lot, "who")[: self.num_shown]}
            return [sample for sample in arrived if sample.sample_index in drawn]
        return list(arrived if self.num_shown is None else arrived[-self.num_shown :])

    def _ordered(self, members: Sequence[Sample], arrived: Sequence[Sample], lot: int) -> list[Sample]:
        if self.order == "shuffled":
            return _by_lot(members, lot, "order")
        if self.order == "shortest-first":
            return sorted(members, key=lambda sample: len(sample.text))
        if self.order == "drawn":
            return list(members)
        leader, last = _leader(arrived, lot), self.order == "leader-last"
        return sorted(members, key=lambda sample: (sample.answer == leader) == last)

    def _before(self, indices: Iterable[int]) -> tuple[int, ...]:
        """Those of the indices that must have arrived: 'last' need not wait for any that it never shows."""
        known = tuple(indices)
        return known[-self.num_shown :] if self.who == "last" and self.num_shown else known


@dataclass(frozen=True)
class Sequential(Attempts):
    """Sequential revision: sample i is shown all earlier ones of its stream, or those of them that `who` names.

    >>> Sequential().parents(3), Sequential(who="last", num_shown=2).parents(3)
    ((0, 1, 2), (1, 2))
    """

    name: ClassVar[str] = "sequential"
    voting: Voting = "all"

    def parents(self, sample_index: int) -> tuple[int, ...]:
        """The indices before `sample_index`, oldest first."""
        return self._before(range(sample_index))

    def votes(self, sample_index: int) -> bool:
        """Whether the sample votes: all do, or only those that were shown another ('chained')."""
        return self.voting == "all" or sample_index > 0


@dataclass(frozen=True)
class Integrated(Attempts):
    """Integrated parallel–sequential sampling, after DynScaling (Wang et al. 2025, arXiv 2506.16043).

    Samples 0 … width − 1 are independent; each later one continues a synthetic chain made of them. With `chain` there
    are rounds, parallel → chain → parallel …: `width` independent samples, then `chain` chained ones, and again. How a
    chain is made is our choice, and every part of it a parameter.

    >>> [Integrated(width=2).parents(i) for i in range(4)]
    [(), (), (0, 1), (0, 1)]
    >>> [Integrated(width=2, chain=1, later="chain").parents(i) for i in range(6)]
    [(), (), (0, 1), (), (), (2,)]

    Args:
        width: Independent samples before each chain, 1 to 16.
        chain: Chained samples before the next round; None: the first chain goes on for ever.
        rounds: The number of rounds, of which the last one's chain goes on; None: as many as the stream holds.
        later: What the chains after the first are made of: the 'independents' of their own round, the last round's
            'chain', or 'both'.
        voting: 'all' samples vote, or the 'chained' ones only.
    """

    name: ClassVar[str] = "integrated"
    width: int = 4
    chain: int | None = None
    rounds: int | None = None
    later: Later = "independents"
    voting: Voting = "all"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width not in range(1, 17):
            raise InputError(f"width is {self.width!r}: give a whole number from 1 to 16")
        if self.chain is None and (self.rounds or 1) > 1:
            raise InputError(f"rounds is {self.rounds} and no chain ends: give chain, the chained samples of a round")

    def parents(self, sample_index: int) -> tuple[int, ...]:
        """() for the independent samples, else the indices of those that the round's chain is made of."""
        start, place = self._round(sample_index)
        if place < self.width:
            return ()
        own = range(start, start + self.width)
        last = range(start - (self.chain or 0), start)
        made_of = own if not start or self.later == "independents" else last if self.later == "chain" else (*last, *own)
        return self._before(made_of)

    def votes(self, sample_index: int) -> bool:
        """Whether the sample votes: all do, or the chained ones only."""
        return self.voting == "all" or self._round(sample_index)[1] >= self.width

    def _round(self, sample_index: int) -> tuple[int, int]:
        """The index that a sample's round starts at, and its place in the round."""
        length = self.width + self.chain if self.chain else sample_index + 1
        number = sample_index // length
        start = length * (number if self.rounds is None else min(number, self.rounds - 1))
        return start, sample_index - start


@dataclass(frozen=True, kw_only=True)
class Recursive(Attempts):
    """Recursive self-aggregation (RSA, arXiv 2509.26626): each of T loops rebuilds every member of a population.

    Samples are the members of the populations, one after the other: `width` (N) each, `rounds` (T) of them. A member
    of a later population is made of `num_shown` (K) members of the one before, drawn without replacement, and the last
    population votes. The paper asks the model to combine solutions; here the wording is that of every chain.

    >>> [Recursive(width=2, rounds=2, num_shown=1).parents(i) for i in range(4)]
    [(), (), (0, 1), (0, 1)]
    """

    name: ClassVar[str] = "rsa"
    width: int = 16
    rounds: int = 10
    who: Who = "random"
    num_shown: int | None = None  # 4 where some are shown, 'last' or 'random'

    def __post_init__(self) -> None:
        if self.num_shown is None and self.who in ("last", "random"):
            object.__setattr__(self, "num_shown", 4)
        super().__post_init__()

    def parents(self, sample_index: int) -> tuple[int, ...]:
        """The whole population before the sample's own; () in the first one."""
        start = sample_index // self.width * self.width
        return self._before(range(max(0, start - self.width), start))

    def votes(self, sample_index: int) -> bool:
        """Whether the sample belongs to the last population (or one that is drawn after it)."""
        return sample_index >= self.width * (self.rounds - 1)


STRATEGIES: dict[str, type[Parallel] | type[Sequential] | type[Integrated] | type[Recursive]] = {
    kind.name: kind for kind in (Parallel, Sequential, Integrated, Recursive)
}


def by_name(name: str, **parameters: Any) -> Strategy:
    """The strategy of that name: by_name('integrated', width=2) → Integrated(width=2).

    Raises:
        InputError: the name or a parameter is unknown, or a parameter is out of range.
    """
    if name not in STRATEGIES:
        raise one_of("strategy", name, STRATEGIES)
    known = [field.name for field in fields(STRATEGIES[name])]
    for parameter in parameters:
        if parameter not in known:
            raise one_of(f"parameter of strategy {name!r}:", parameter, known)
    return STRATEGIES[name](**parameters)


def _by_lot(samples: Iterable[Sample], lot: int, what: str) -> list[Sample]:
    """The samples in an order drawn by lot: a hash of the lot and of each one's index, the same on every machine."""

    def drawn(sample: Sample) -> bytes:
        return hashlib.blake2b(repr((lot, what, sample.sample_index)).encode(), digest_size=8).digest()

    return sorted(samples, key=drawn)


def _leader(samples: Sequence[Sample], lot: int) -> str | None:
    """The answer that most samples give, a tie decided by lot; None where none gives one."""
    counts = Counter(sample.answer for sample in samples if sample.answer)
    most = max(counts.values(), default=0)
    tied = [sample for sample in samples if sample.answer and counts[sample.answer] == most]
    firsts = list({sample.answer: sample for sample in reversed(tied)}.values())
    return _by_lot(firsts, lot, "leader")[0].answer if firsts else None


def _at_least_one(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InputError(f"{name} is {value!r}: give a whole number of at least 1")
