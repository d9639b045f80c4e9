"""Replays: methods on the same draws of one recording. Every analysis stands on this one loop.

Recordings are loaded, turned into streams, replayed and resampled here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dynlab._util.errors import InputError, one_of
from dynlab.analysis.methods import Method, allocator_of, plays_as
from dynlab.analysis.resamples import Resamples, question_resamples
from dynlab.policies.policy import Policy
from dynlab.recordings.recording import Recording, load
from dynlab.recordings.streams import UNITS, Floats, Streams, strategies_of, streams_of
from dynlab.replay.draws import Draws
from dynlab.replay.loop import Curve, replay_in_units
from dynlab.replay.oracle import oracle

Source = str | Path | pd.DataFrame | Recording
Recordings = Source | Iterable[Source]
Names = Mapping[tuple[str, str], str]  # (strategy, policy) → what the method is called


@dataclass(frozen=True)
class Setup:
    """What budgets count, and which draws are averaged over.

    Args:
        unit: samples, tokens or usd.
        price: USD per million prompt and completion tokens, for recordings without `cost_usd`.
        replications: Draw orders that are averaged over.
        seed: Of the draw orders, of ties and of the resamples of questions.

    Raises:
        InputError: An unknown unit, or a number out of range.
    """

    unit: str = "samples"
    price: tuple[float, float] | None = None
    replications: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise one_of("unit", self.unit, UNITS)
        for name, value, least in (
            ("replications", self.replications, 1),
            ("seed", self.seed, 0),
        ):
            if not isinstance(value, int | np.integer) or value < least:
                raise InputError(f"{name} must be a whole number from {least} on; not {value!r}")


@dataclass(frozen=True, eq=False)
class Replays:
    """Methods on the same draws of one recording.

    What was played is kept: a policy is anytime, so its run to the last of some budgets serves all
    of them. One that plans for its budget is played anew for other budgets.

    Args:
        recording: On the questions that all methods have.
        methods: In the order of tables and figures.
        reference: The method that the others are held against, one of them.
        setup: What budgets count, and which draws are averaged over.
        price: What a budget of 1 is worth in the unit: the mean price of the reference's samples.
        done: Told the number of replications that a policy has just been played on.
        drawn: Strategy and whether vote profiles are needed → the draws, where they are kept.
        kept: Curves played before, by the method's name and, of one that plans, its budgets.
        units: The same methods counted in other units, by `in_unit`, and these.
    """

    recording: Recording
    methods: tuple[Method, ...]
    reference: Method
    setup: Setup
    price: float
    done: Callable[[int], object] = lambda replications: None
    drawn: Callable[[Streams, bool], Iterable[Draws] | None] = lambda streams, profiles: None
    kept: dict[tuple[str, tuple[float, ...]], Curve] = field(default_factory=dict, repr=False)
    units: dict[str, Replays] = field(default_factory=dict, repr=False)

    @property
    def streams(self) -> Streams:
        """The samples of the reference."""
        return self.reference.streams

    @property
    def rivals(self) -> list[Method]:
        """The methods that compete with the reference: without its like, and without the bound."""
        return [
            m
            for m in self.methods
            if (policy := m.policy) is not None
            and (m.streams is not self.streams or not plays_as(policy, self.reference.policy))
        ]

    @property
    def longest(self) -> float:
        """Mean number of samples per question that the reference has."""
        return float(self.streams.lengths.mean(axis=1).mean())

    @property
    def measure(self) -> str:
        """What accuracy is: 'accuracy', or without targets 'self-consistency rate'."""
        return self.streams.measure

    @cached_property
    def resamples(self) -> Resamples:
        """Of the questions, which all intervals are taken over."""
        return question_resamples(self.streams.num_questions, self.setup.seed)

    def curves(self, budgets: Floats, beyond: Floats | None = None) -> dict[str, Curve]:
        """The curve of every method, by its name, at the budgets.

        Args:
            budgets: [C] ascending; per question, in multiples of the reference's mean price.
            beyond: Budgets that will be asked for as well, and are played together with these.

        Raises:
            InputError: the unit's prices are not known.
        """
        grid = budgets if beyond is None else np.union1d(budgets, beyond)
        lacking = [method for method in self.methods if self._held(method, budgets) is None]
        self._play([method for method in lacking if method.plans], budgets)
        self._play([method for method in lacking if not method.plans], grid)
        return {method.name: self._cut(method, budgets) for method in self.methods}

    def in_unit(self, unit: str) -> Replays:
        """The same methods with budgets counted in another unit, in the reference's mean price.

        What is played later is played in all units that were asked for, at once.

        Raises:
            InputError: An unknown unit, or its prices are not known.
        """
        if unit == self.setup.unit:
            return self
        self.units.setdefault(self.setup.unit, self)
        if unit not in self.units:
            setup = replace(self.setup, unit=unit)
            price = self.streams.per_sample(unit)
            self.units[unit] = replace(self, setup=setup, price=price, kept={})
        there = self.units[unit]
        return replace(self, setup=there.setup, price=there.price, kept=there.kept)

    def against(self, reference: str, rivals: Iterable[str]) -> Replays:
        """Some of the methods, by name, held against another reference; what was played is kept."""
        known = {method.name: method for method in self.methods}
        methods = tuple(known[name] for name in (reference, *rivals))
        return replace(self, methods=methods, reference=methods[0])

    def holds(self, budgets: Floats) -> bool:
        """Whether every method's curve at these budgets is kept, so that it costs no replay."""
        return all(self._held(method, budgets) is not None for method in self.methods)

    def _key(self, method: Method, budgets: Floats) -> tuple[str, tuple[float, ...]]:
        return method.name, tuple(budgets) if method.plans else ()

    def _held(self, method: Method, budgets: Floats) -> Curve | None:
        """What is kept of a method, if it has all of these budgets."""
        kept = self.kept.get(self._key(method, budgets))
        return kept if kept is not None and np.isin(budgets, kept.budgets).all() else None

    def _play(self, methods: Sequence[Method], budgets: Floats) -> None:
        """Plays methods at the budgets, those of one strategy on the same draws.

        With them those units are played in which they are not held, either.
        """
        others = [
            own
            for unit, own in self.units.items()
            if unit != self.setup.unit and any(own._held(m, budgets) is None for m in methods)
        ]
        how: dict[str, Any] = {"replications": self.setup.replications, "seed": self.setup.seed}
        for streams in {id(method.streams): method.streams for method in methods}.values():
            # the same money buys fewer samples of a strategy whose samples are dearer
            worth = {
                own.setup.unit: budgets * (own.price / streams.per_sample(own.setup.unit))
                for own in (self, *others)
            }
            here = [method for method in methods if method.streams is streams]
            policies = {m: m.policy for m in here if m.policy is not None}
            draws = self.drawn(streams, any(policy.profiles for policy in policies.values()))
            played = replay_in_units(
                streams, list(policies.values()), worth, done=self.done, drawn=draws, **how
            )
            for own in (self, *others):
                unit = own.setup.unit
                found = dict(zip(policies, played[unit], strict=True))
                bounds = [m for m in here if m.policy is None]
                found |= {m: oracle(streams, worth[unit], unit=unit, **how) for m in bounds}
                for method, curve in found.items():
                    own.kept[own._key(method, budgets)] = replace(curve, budgets=budgets)

    def _cut(self, method: Method, budgets: Floats) -> Curve:
        """A kept curve at some of its budgets."""
        curve = self.kept[self._key(method, budgets)]
        if np.array_equal(curve.budgets, budgets):
            return curve
        at = np.searchsorted(curve.budgets, budgets)
        spent = {unit: table[at] for unit, table in curve.spent.items()}
        tables = (curve.exhausted[at], curve.depth[at], curve.unspent[at])
        return Curve(budgets, curve.accuracy[at], spent, *tables)


def replays_of(
    recordings: Recordings,
    policies: Mapping[str, Policy | None],
    reference: str,
    setup: Setup,
    *,
    strategies: str | Sequence[str] | None = None,
    names: Names | None = None,
    done: Callable[[int], object] = lambda replications: None,
) -> list[Replays]:
    """Policies on every recording, one strategy of it or several.

    Args:
        recordings: Paths, names of shipped recordings, DataFrames or Recordings, one or several.
        policies: By name; None is the oracle.
        reference: The policy that the others are held against, on the first strategy.
        setup: What budgets count, and which draws are averaged over.
        strategies: The one that is sampled; by default the recording's first. Several: each policy
            on each of them, on the questions that all of them answered; recordings that hold fewer
            than two of them are left out.
        names: What a (strategy, policy) is called; those that are not in it are left out.
        done: As for `Replays`.

    Raises:
        InputError: No recording, an unknown strategy, unknown prices, ….
    """
    found = []
    for recording, held in _streams(recordings, strategies, setup):
        methods = []
        for streams in held:
            for policy in policies:
                name = policy if names is None else names.get((streams.strategy, policy))
                if name is not None:
                    allocator = allocator_of(policy, policies[policy])
                    methods.append(Method(name, allocator, policies[policy], streams))
        if methods:
            own = [method for method in methods if method.policy is policies[reference]]
            price = held[0].per_sample(setup.unit)
            args = ((own or methods)[0], setup, price, done)
            found.append(Replays(recording, tuple(methods), *args))
    return found


def loaded(recordings: Recordings) -> list[Recording]:
    """The recordings behind one source or several; none at all is refused."""
    alone = isinstance(recordings, str | Path | pd.DataFrame | Recording)
    sources: list[Any] = [recordings]
    if isinstance(recordings, Iterable) and not alone:
        sources = list(recordings)
    if sources and all(isinstance(each, Mapping) for each in sources):  # samples of one recording
        sources = [sources]
    if not sources:
        raise InputError(
            "no recording was given; give a path or a name (`dynlab recordings list` shows the"
            " shipped ones)"
        )
    return [load(source, texts=False) for source in sources]


def _streams(
    recordings: Recordings, strategies: str | Sequence[str] | None, setup: Setup
) -> list[tuple[Recording, list[Streams]]]:
    """Every recording with its streams; of several strategies, those that hold two or more."""
    if strategies is None or isinstance(strategies, str):
        return [
            (recording, [streams_of(recording, strategies, setup.price)])
            for recording in loaded(recordings)
        ]
    found = []
    for recording in loaded(recordings):
        known = strategies_of(recording)
        held = [name for name in strategies if name in known]
        part = answered_by_all(recording, held)
        if len(held) >= 2 and part is not None:
            found.append((part, [streams_of(part, name, setup.price) for name in held]))
    return found


def answered_by_all(recording: Recording, strategies: Sequence[str]) -> Recording | None:
    """A recording on the questions that all of these strategies answered; None: there are none."""
    frame = recording.frame
    answered = [set(frame.loc[frame["strategy"] == name, "question_id"]) for name in strategies]
    common = set.intersection(*answered) if answered else set()
    if not common:
        return None
    return Recording(frame[frame["question_id"].isin(common)], recording.card, recording.name)
