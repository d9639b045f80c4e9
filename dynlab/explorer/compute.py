"""What the explorer computes: a setting in, a view out; what did not change is kept.

A policy is anytime: one run gives every budget on the way. Its curve on a dense grid is kept, so
that a moved budget costs nothing, and a moved parameter replays the policies that have it, on draws
that are kept as well.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import sleep
from typing import Any

import numpy as np
import pandas as pd

from dynlab._util.errors import InputError
from dynlab.analysis.budgets import dense_grid
from dynlab.analysis.methods import ORACLE
from dynlab.analysis.metrics import difference, question_resamples
from dynlab.analysis.options import Options, checked_budgets, curve_rows, saving_rows
from dynlab.analysis.rows import CURVES, SAVINGS
from dynlab.explorer.state import Material, Setting, View, horizon, material_of
from dynlab.explorer.worker import CancelCheck
from dynlab.policies.policy import Policy
from dynlab.recordings.recording import Recording, load
from dynlab.recordings.streams import Floats, strategies_of
from dynlab.replay.draws import draws_of
from dynlab.replay.loop import Curve, replay
from dynlab.replay.oracle import oracle

COARSE = 20  # replications of the first picture
PAUSE_S = 0.12  # before the fine one: a slider that is still dragged asks again meanwhile
KEPT_BYTES = 400_000_000  # of draws, and of curves
_SAMPLE_BYTES = 80  # that draws hold for each sample and replication, at most


def _never(*_: object) -> None:
    """The work is not given up."""


@dataclass
class Kept:
    """The values used last, as many as fit by their sizes.

    >>> kept = Kept(most=2)
    >>> [kept.put(letter, letter.upper(), 1) for letter in "abc"], kept.get("a"), kept.get("c")
    (['A', 'B', 'C'], None, 'C')
    """

    most: int
    values: OrderedDict[Hashable, tuple[int, Any]] = field(default_factory=OrderedDict)

    def get(self, key: Hashable) -> Any:
        """The value, None if it is not kept."""
        if key not in self.values:
            return None
        self.values.move_to_end(key)
        return self.values[key][1]

    def put(self, key: Hashable, value: Any, size: int) -> Any:
        """Keeps a value, forgets those that no longer fit, and returns it."""
        self.values[key] = (size, value)
        self.values.move_to_end(key)
        while sum(size for size, _ in self.values.values()) > self.most and len(self.values) > 1:
            self.values.popitem(last=False)
        return value


class Workbench:
    """Recordings, draws and curves, computed once and kept while they fit.

    Args:
        given: Recordings that have no file, by the names that settings call them.
    """

    def __init__(self, given: Mapping[str, Recording] | None = None) -> None:
        self.given = dict(given or {})
        self._read, self._materials, self._shares = Kept(8), Kept(8), Kept(4)  # of size 1 each
        self._draws, self._curves = Kept(KEPT_BYTES), Kept(KEPT_BYTES)

    def material(self, recording: str, strategy: str | None = None) -> Material:
        """A strategy of a recording, read once while its file stays as it is.

        Raises:
            InputError: no such recording, not one, or no such strategy.
        """
        file = Path(recording)
        source = (recording, file.stat().st_mtime_ns if recording and file.is_file() else 0)
        found: Recording | None = self._read.get(source)
        if found is None:
            found = self._read.put(source, self.given.get(recording) or load(recording), 1)
        key = (*source, strategy or next(iter(strategies_of(found)), ""))
        made: Material | None = self._materials.get(key)
        return (
            self._materials.put(key, material_of(key, found, strategy), 1) if made is None else made
        )

    def views(self, setting: Setting, check: CancelCheck = _never) -> Iterator[View]:
        """A coarse view of few replications, unless the fine one is at hand; then the fine one."""
        material, options = self.material(setting.recording, setting.strategy), setting.options()
        drawn = np.array(setting.budgets(material.longest))
        policies = _policies(setting, options).values()
        if setting.replications > COARSE and not all(
            self._kept(material, options, p, drawn) for p in policies
        ):
            coarse = self.view(replace(setting, replications=COARSE), check)
            yield replace(coarse, setting=setting)
            sleep(PAUSE_S)
            check()
        yield self.view(setting, check)

    def view(self, setting: Setting, check: CancelCheck = _never) -> View:
        """The numbers of a setting: exactly those of `compare`, `savings` and
        `pairing.differences`.

        Raises:
            InputError: as these three, or the budget is more than what is recorded.
        """
        material, options = self.material(setting.recording, setting.strategy), setting.options()
        streams, policies, at = (
            material.streams,
            _policies(setting, options),
            checked_budgets([setting.budget], options),
        )
        if setting.budget > material.longest:
            raise InputError(
                f"{streams.name} holds {material.longest:g} samples per question; lower the budget"
                " to that"
            )
        drawn = np.array(setting.budgets(material.longest))
        dense = dense_grid(options.opening, at, material.longest)
        grid = np.union1d(drawn, _grid(horizon(setting.budget, material.longest), material.longest))

        def played(policy: Policy | None, budgets: Floats) -> tuple[Policy | None, Curve]:
            return policy, self._curve(material, options, policy, budgets, grid, check)

        reference = played(
            Policy(options.policy("uniform").allocator, None, options.opening), dense
        )[1]
        level = played(options.policy("uniform"), at)[1].accuracy[0]
        curves = {name: played(policy, drawn) for name, policy in policies.items()}
        rivals = {
            name: played(policies[name], dense)
            for name in policies
            if name not in ("uniform", ORACLE)
        }
        here = {name: played(policy, at)[1] for name, policy in policies.items()}
        share = self._share(streams.num_questions, options.seed)
        table = pd.DataFrame(
            curve_rows(material.recording, streams, curves, share, options), columns=CURVES
        )
        table.attrs["measure"] = "accuracy" if streams.has_target else "self-consistency rate"
        return View(
            setting,
            material,
            options.replications,
            table,
            pd.DataFrame(
                saving_rows(streams, rivals, reference, at, share, options), columns=SAVINGS
            ),
            {name: difference(here[name].accuracy[0], level, share) for name in rivals},
            {name: curve.spent[setting.unit][0] for name, curve in here.items()},
            {name: curve.spent["samples"][0] for name, curve in here.items()},
        )

    def _curve(
        self,
        material: Material,
        options: Options,
        policy: Policy | None,
        budgets: Floats,
        grid: Floats,
        check: CancelCheck,
    ) -> Curve:
        """The policy's curve (None: the oracle's) at the budgets: kept, or played now on the grid,
        which has them.
        """
        kept = self._kept(material, options, policy, budgets)
        if kept is not None:
            return _cut(kept, budgets)
        if policy is not None and policy.allocator.plans:
            grid = budgets
        given: dict[str, Any] = {
            name: getattr(options, name) for name in ("unit", "replications", "seed")
        }
        if policy is None:
            curve = oracle(material.streams, grid, **given)
        else:
            drawn = self._drawn(material, policy.profiles, given, check)
            (curve,) = replay(material.streams, [policy], grid, **given, done=check, drawn=drawn)
        check()
        size = sum(
            table.nbytes for table in (curve.accuracy, curve.exhausted, *curve.spent.values())
        )
        self._curves.put(_key(material, options, policy, budgets), curve, size)
        return _cut(curve, budgets)

    def _kept(
        self, material: Material, options: Options, policy: Policy | None, budgets: Floats
    ) -> Curve | None:
        """A kept curve that has all these budgets."""
        kept: Curve | None = self._curves.get(_key(material, options, policy, budgets))
        return kept if kept is not None and np.isin(budgets, kept.budgets).all() else None

    def _drawn(
        self, material: Material, profiles: bool, given: Mapping[str, Any], check: CancelCheck
    ) -> Any:
        """The draws, None where they are too many to be kept: they are drawn anew then."""
        size = _SAMPLE_BYTES * given["replications"] * material.streams.codes[:, 0].size
        if size > KEPT_BYTES:
            return None
        key = (material.key, *given.values())
        for have in (True, profiles):  # draws with profiles also serve those who need none
            if (kept := self._draws.get((key, have))) is not None:
                return kept
        drawn = []
        for part in draws_of(
            material.streams, given["replications"], given["seed"], given["unit"], profiles
        ):
            drawn.append(part)
            check()
        return self._draws.put((key, profiles), drawn, size)

    def _share(self, num_questions: int, seed: int) -> Floats:
        key = (num_questions, seed)
        kept: Floats | None = self._shares.get(key)
        return (
            self._shares.put(key, question_resamples(num_questions, seed), 1)
            if kept is None
            else kept
        )


def _policies(setting: Setting, options: Options) -> dict[str, Policy | None]:
    """The chosen policies by name; the oracle is none."""
    if not setting.allocators:
        raise InputError("no policy is chosen; tick one, such as 'priced'")
    return {name: None if name == ORACLE else options.policy(name) for name in setting.allocators}


def _key(material: Material, options: Options, policy: Policy | None, budgets: Floats) -> Hashable:
    """What a curve depends on."""
    planned: tuple[float, ...] = ()
    if policy is not None:
        if not policy.allocator.adaptive and policy.stopping is None:
            policy = replace(policy, warmup=2, batch=1)  # neither has a say
        planned = tuple(budgets.tolist()) if policy.allocator.plans else ()
    return (material.key, options.unit, options.replications, options.seed, policy, planned)


def _grid(top: float, longest: float) -> Floats:
    """Every budget up to the top that any saving asks for: quarter samples from 1 on, then whole
    ones.
    """
    return dense_grid(1, np.array([top / 2]), longest)


def _cut(curve: Curve, budgets: Floats) -> Curve:
    """The curve at some of its budgets."""
    at = np.searchsorted(curve.budgets, budgets)
    spent = {unit: table[at] for unit, table in curve.spent.items()}
    return Curve(
        budgets, curve.accuracy[at], spent, curve.exhausted[at], curve.depth[at], curve.unspent[at]
    )
