"""What the explorer computes: a setting in, a view out; what did not change is kept.

A policy is anytime: one run gives every budget on the way. Its curve is kept, so that a moved
budget costs nothing, and a moved setting replays the policies that have it, on draws that are kept
as well. The tables are those of a `Comparison`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from time import sleep
from typing import Any

import numpy as np

from dynlab._util.errors import InputError
from dynlab.analysis.budgets import checked_budgets, dense_grid
from dynlab.analysis.comparison import Comparison
from dynlab.analysis.methods import Method, named_policies, plays_as, warmup_of
from dynlab.analysis.metrics import NOT_TOLD, Estimate
from dynlab.analysis.replays import Replays, Setup
from dynlab.explorer.policy_choice import shared_settings
from dynlab.explorer.sized_cache import SizedCache
from dynlab.explorer.state import ControlValues, Material, View, horizon, material_of
from dynlab.explorer.worker import CancelCheck
from dynlab.policies.parsing import parse_policy
from dynlab.recordings.recording import Recording, load
from dynlab.recordings.streams import Floats, strategies_of
from dynlab.replay.draws import draws_of
from dynlab.replay.loop import Curve

COARSE = 20  # replications of the first picture
PAUSE_S = 0.12  # before the fine one: a slider that is still dragged asks again meanwhile
KEPT_BYTES = 400_000_000  # of draws, and of curves
_SAMPLE_BYTES = 80  # that draws hold for each sample and replication, at most


def _never(*_: object) -> None:
    """The work is not given up."""


class Workbench:
    """Recordings, draws and curves, computed once and kept while they fit.

    Args:
        given: Recordings that have no file, by the names that settings call them.
    """

    def __init__(self, given: Mapping[str, Recording] | None = None) -> None:
        self.given = dict(given or {})
        self._read, self._materials = SizedCache(8), SizedCache(8)  # of size 1 each
        self._draws, self._curves = SizedCache(KEPT_BYTES), SizedCache(KEPT_BYTES)

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
        if made is None:
            made = self._materials.put(key, material_of(key, found, strategy), 1)
        return made

    def views(self, setting: ControlValues, check: CancelCheck = _never) -> Iterator[View]:
        """A coarse view of few replications, unless the fine one is at hand; then the fine one."""
        if setting.replications > COARSE and not self._at_hand(setting, check):
            coarse = self.view(replace(setting, replications=COARSE), check)
            yield replace(coarse, setting=setting)
            sleep(PAUSE_S)
            check()
        yield self.view(setting, check)

    def view(self, setting: ControlValues, check: CancelCheck = _never) -> View:
        """The numbers of a setting: those that `dynlab.compare` gives for it.

        Raises:
            InputError: as `compare`, or the budget is more than what is recorded.
        """
        material = self.material(setting.recording, setting.strategy)
        comparison = self._comparison(setting, material, check)
        (own,) = comparison.replays
        at = comparison.budgets_at(setting.budget)
        if setting.budget > material.longest:
            raise InputError(
                f"{own.streams.name} holds {material.longest:g} samples per question; lower the"
                " budget to that"
            )
        # played in one run with all that a moved budget would ask for
        own.curves(comparison.budgets, _grid(setting, material, comparison.budgets))
        here = own.curves(at)
        self._keep(material, own)
        # a view may be asked for more tables when newer views are asked for already
        lasting = replace(own, done=_never, drawn=lambda streams, profiles: None)
        comparison = replace(comparison, replays=(lasting,))
        gained = {method.name: NOT_TOLD for method in own.rivals} | {
            row["allocator"]: Estimate(row["difference"], row["low"], row["high"])
            for row in comparison.differences(at).to_dict("records")
        }
        shown = [method.name for method in comparison.shown(own)]
        return View(
            setting,
            material,
            setting.replications,
            comparison,
            comparison.curves,
            comparison.savings(at),
            gained,
            {name: here[name].spent[setting.unit][0] for name in shown},
            {name: here[name].spent["samples"][0] for name in shown},
        )

    def _comparison(
        self, setting: ControlValues, material: Material, check: CancelCheck
    ) -> Comparison:
        """The comparison behind a view, with what is kept of its curves."""
        if not setting.policies:
            raise InputError("no policy is chosen; tick one, such as 'priced'")
        streams = material.streams
        policies = named_policies(list(setting.policies))
        reference = parse_policy(shared_settings(setting.policies).reference)
        methods = [Method(text, text, policy, streams) for text, policy in policies.items()]
        alike = [method for method in methods if plays_as(method.policy, reference)]
        base, hidden = Method(reference.text, reference.text, reference, streams), ""
        if alike:
            base = alike[0]
        else:
            methods, hidden = [base, *methods], base.name
        setup = Setup(setting.unit, None, setting.replications, setting.seed)
        own = Replays(
            material.recording,
            tuple(methods),
            base,
            setup,
            streams.per_sample(setting.unit),
            check,
            drawn=lambda streams, profiles: self._drawn(material, setup, profiles, check),
            kept=self._held(material, setup),
        )
        budgets = checked_budgets(setting.budgets(material.longest), warmup_of(reference))
        return Comparison((own,), budgets, hidden)

    def _at_hand(self, setting: ControlValues, check: CancelCheck) -> bool:
        """Whether a view costs no replay."""
        material = self.material(setting.recording, setting.strategy)
        comparison = self._comparison(setting, material, check)
        return all(own.holds(comparison.budgets) for own in comparison.replays)

    def _held(self, material: Material, setup: Setup) -> dict[tuple[str, tuple[float, ...]], Curve]:
        """The kept curves of a recording under a setup."""
        keys = [key for key in self._curves.values if key[:2] == (material.key, setup)]
        return {key[2]: self._curves.get(key) for key in keys}

    def _keep(self, material: Material, own: Replays) -> None:
        """Keeps the curves that a view is made of."""
        names = {method.name for method in own.methods}
        for key, curve in own.kept.items():
            if key[0] in names:
                tables = (curve.accuracy, curve.exhausted, *curve.spent.values())
                size = sum(table.nbytes for table in tables)
                self._curves.put((material.key, own.setup, key), curve, size)

    def _drawn(self, material: Material, setup: Setup, profiles: bool, check: CancelCheck) -> Any:
        """The draws, None where they are too many to be kept: they are drawn anew then."""
        streams = material.streams
        size = _SAMPLE_BYTES * setup.replications * streams.codes[:, 0].size
        if size > KEPT_BYTES:
            return None
        key = (material.key, setup)
        for have in (True, profiles):  # draws with profiles also serve those who need none
            if (kept := self._draws.get((key, have))) is not None:
                return kept
        drawn = []
        for part in draws_of(streams, setup.replications, setup.seed, setup.unit, profiles):
            drawn.append(part)
            check()
        return self._draws.put((key, profiles), drawn, size)


def _grid(setting: ControlValues, material: Material, budgets: Floats) -> Floats:
    """Every budget up to the horizon that any saving asks for."""
    top = horizon(setting.budget, material.longest)
    return np.union1d(budgets, dense_grid(1, np.array([top / 2]), material.longest))
