"""A comparison: policies, or strategies, on the same questions and draws of recordings.

One load, one set of draws, one replay; every table, figure and sentence is read from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dynlab._util.errors import InputError, one_of
from dynlab.analysis.budgets import checked_budgets, dense_grid, unaffordable
from dynlab.analysis.greedy_answers import greedy_accuracy
from dynlab.analysis.measures import framed
from dynlab.analysis.methods import Method, warmup_of
from dynlab.analysis.metrics import difference
from dynlab.analysis.recording_notes import ends_at, left_out_of, limits_of, notes_of
from dynlab.analysis.replays import Replays
from dynlab.analysis.rows import (
    CURVES,
    DIFFERENCES,
    GREEDY_VOTE,
    METHOD_CURVES,
    METHOD_DIFFERENCES,
    METHOD_SAVINGS,
    SAVINGS,
    Row,
    curve_rows,
    described,
    difference_row,
    greedy_row,
    interval,
    saving_row,
)
from dynlab.analysis.times import timed
from dynlab.recordings.streams import Floats
from dynlab.replay.loop import Curve

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from dynlab.reports.wording import Words

At = float | Iterable[float] | None


@dataclass(frozen=True, eq=False)
class Comparison:
    """Methods (policies, or strategies under policies) on the same questions and draws.

    What is asked for is played once: the first table costs a replay, those after it nearly nothing.

    Args:
        replays: The methods on each recording.
        budgets: [C] per question, in multiples of the mean price of the reference's samples.
        hidden: The name of a reference that is no part of tables and figures, '' for none.
        contrasted: Whether methods differ in strategy; tables then have the columns `method`,
            `questions` and `against`.
    """

    replays: tuple[Replays, ...]
    budgets: Floats
    hidden: str = ""
    contrasted: bool = False

    @cached_property
    def curves(self) -> pd.DataFrame:
        """Accuracy and spending of every method at every budget: a row each, columns `CURVES`.

        A curve ends where its budget can't be spent any more. Recordings that hold greedy answers
        (temperature 0) have one more row for them. Without targets `accuracy` is the
        self-consistency rate, the agreement with the plurality of all samples, which a last column
        `measure` then says.

        Raises:
            InputError: no budget can be spent on a recording, or its prices are not known.
        """
        rows: list[Row] = []
        for own in self.replays:
            curves = self._curves(own, self.budgets)
            found = [
                row
                for m in self.shown(own)
                for row in curve_rows(m, curves[m.name], own.resamples, own.setup)
            ]
            if not found and not self.contrasted:
                raise unaffordable(own.streams, self.budgets)
            rows += found
            greedy = greedy_accuracy(own.recording, own.streams)
            if greedy is not None:
                args = (own.recording, own.reference, greedy, own.resamples, own.setup)
                rows.append(greedy_row(*args))
        table = framed(rows, METHOD_CURVES if self.contrasted else CURVES)
        table.attrs["measure"] = self.measure
        return table

    @property
    def measure(self) -> str:
        """What accuracy is: 'accuracy', or without targets 'self-consistency rate'."""
        return " / ".join(sorted({own.measure for own in self.replays} or {"accuracy"}))

    @property
    def notes(self) -> list[str]:
        """What a reader of the numbers must know of the recordings, a sentence each."""
        return [*notes_of(self.replays), *left_out_of(self.replays, self.budgets)]

    def in_units(self, units: Iterable[str]) -> dict[str, Comparison]:
        """By unit, the same policies with budgets counted in it, from one replay.

        Raises:
            InputError: An unknown unit, or its prices are not known; strategies are compared.
        """
        if self.contrasted:
            raise InputError("strategies differ in price; compare them anew for each unit")
        parts = {unit: tuple(own.in_unit(unit) for own in self.replays) for unit in units}
        return {unit: replace(self, replays=part) for unit, part in parts.items()}

    def limits(self, at: At = None) -> list[str]:
        """Where a saving at one of these budgets cannot be told, a sentence a recording."""
        return limits_of(self.replays, self.budgets_at(at))

    @property
    def unit(self) -> str:
        """What budgets count."""
        return self.replays[0].setup.unit

    def savings(self, at: At = None) -> pd.DataFrame:
        """What each method saves at the accuracy that the reference has at B: columns `SAVINGS`.

        The grid of budgets goes in quarter samples to 4, then in whole ones, to twice the largest B
        or as far as the recording does. A B that not even the reference can spend has no row; at
        one that is all that is recorded nothing can be told (`limits`), and the saving is NaN.

        Args:
            at: B, one or several; by default the comparison's budgets.

        Raises:
            InputError: the lowest B of `at` is more than any recording holds.
        """
        wanted = self._spendable(at)
        rows: list[Row] = []
        for own in self.replays:
            held = wanted[wanted <= own.longest]
            if not held.size:
                continue
            grid = self._dense(own, wanted)
            curves = self._curves(own, grid)
            base = curves[own.reference.name]
            held = held[base.unspent[np.searchsorted(grid, held)] < 1]
            for method in own.rivals:
                curve = curves[method.name]
                for budget, ends in zip(held, ends_at(own, held), strict=True):
                    row = saving_row(method, curve, base, float(budget), own, told=not ends)
                    rows.append(row | {"against": own.reference.name})
        return framed(rows, METHOD_SAVINGS if self.contrasted else SAVINGS)

    def differences(self, at: At = None) -> pd.DataFrame:
        """Accuracy of each method minus the reference's, at equal budgets: columns `DIFFERENCES`.

        It is paired over questions, and over draws where both sample one strategy. A cell that the
        reference, or a method on another strategy, cannot spend any more is left out, and so is
        all that is recorded where both end alike. Of strategies, one where no chain makes
        the difference yet is `unchained`: both draw independent samples, under one policy.

        Args:
            at: B, one or several; by default the comparison's budgets; refused as by `savings`.
        """
        grid = self._spendable(at)
        rows: list[Row] = []
        for own in self.replays:
            curves = self._curves(own, grid)
            base = curves[own.reference.name]
            for method in own.rivals:
                curve = curves[method.name]
                spent = base.unspent < 1
                if method.streams is not own.streams:
                    spent &= curve.unspent < 1
                spent &= ~(ends_at(own, grid) & (curve.accuracy == base.accuracy).all(axis=1))
                for c in np.flatnonzero(spent).tolist():
                    row = difference_row(method, curve, base, c, own)
                    rows.append(row if self.contrasted else row | {"allocator": method.name})
        return framed(rows, METHOD_DIFFERENCES if self.contrasted else DIFFERENCES)

    def greedy_vs_vote(self, at: float | None = None) -> pd.DataFrame:
        """The reference's vote at a budget minus the greedy answer, paired over questions.

        Args:
            at: B; by default the largest of the comparison's budgets.

        Returns:
            A row for each recording that holds greedy answers: columns `GREEDY_VOTE`.
        """
        grid = self.budgets_at(self.budgets.max() if at is None else at)
        rows: list[Row] = []
        for own in self.replays:
            greedy = greedy_accuracy(own.recording, own.streams)
            if greedy is None:
                continue
            vote = self._curves(own, grid)[own.reference.name].accuracy[0]
            row = described(own.reference, own.setup) | {"at": grid[0]}
            row |= {"greedy": greedy.mean(), "vote": vote.mean()}
            rows.append(row | interval("difference", difference(vote, greedy, own.resamples)))
        return pd.DataFrame(rows, columns=GREEDY_VOTE)

    def times(self) -> pd.DataFrame:
        """The curves with wall-clock time: `depth` × `latency_s`, as recorded, is `spent_seconds`.

        It assumes that calls do not slow one another down; see `dynlab.analysis.times.timed`.
        """
        return timed(self.curves, {own.streams.name: own.recording for own in self.replays})

    def budgets_at(self, at: At) -> Floats:
        """Budgets as they are asked for, ascending; by default the comparison's own.

        Raises:
            InputError: One is no number, or below the warm-up.
        """
        if at is None:
            return self.budgets
        warmup = max((warmup_of(own.reference.policy) for own in self.replays), default=1)
        return checked_budgets(at, warmup)

    def _spendable(self, at: At) -> Floats:
        """The same; of policies, those asked for are refused where all are more than is held."""
        budgets, asked = self.budgets_at(at), at is not None and not self.contrasted
        if asked and all(own.longest < budgets.min() for own in self.replays):
            raise unaffordable(max(self.replays, key=lambda own: own.longest).streams, budgets)
        return budgets

    def shown(self, own: Replays) -> list[Method]:
        """The methods that stand in tables and figures, in their order."""
        return [method for method in own.methods if method.name != self.hidden]

    def plot(self) -> Figure:
        """Accuracy against cost, a panel a recording."""
        from dynlab.plots.curves import plot_curve_grid

        return plot_curve_grid(self.curves)

    def to_latex(self, value: str = "accuracy", at: At = None) -> str:
        """A table for a paper: a row a method, a column a budget, each number with its interval.

        It is a `tabular` that needs LaTeX's package booktabs; names are escaped.

        Args:
            value: 'accuracy', 'saving' (against the reference) or 'difference' (from it).
            at: B, for savings and differences; by default the comparison's budgets.

        Raises:
            InputError: Another value, or a table without rows.
        """
        from dynlab.reports.latex import latex
        from dynlab.reports.tables import table

        if value not in ("accuracy", "saving", "difference"):
            raise one_of("value of a table", value, ["accuracy", "saving", "difference"])
        if value == "accuracy":
            return latex(table(self.curves))
        return latex(table(self.savings(at) if value == "saving" else self.differences(at)))

    def report(self) -> Words:
        """The comparison in words: accuracy against cost, what is saved at equal accuracy, time."""
        from dynlab.reports import contrasts, curves, savings, times
        from dynlab.reports.wording import Words

        if self.contrasted:
            words = [contrasts.of_curves(self.curves), contrasts.of_savings(self.savings())]
        else:
            words = [curves.of_curves(self.curves, self.greedy_vs_vote())]
            saved = self.savings()
            words += [savings.of_savings(saved)] if len(saved) else []
            words.append(times.of_times(self.times()))
        return Words("\n".join([*words, *self.notes]))

    def _repr_html_(self) -> str:
        from dynlab.reports.tables import table

        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return table(self.curves)._repr_html_() + notes

    def __repr__(self) -> str:
        methods = ", ".join(dict.fromkeys(m.name for own in self.replays for m in self.shown(own)))
        budgets = ", ".join(f"{budget:g}" for budget in self.budgets)
        recordings = ", ".join(own.streams.name for own in self.replays)
        return f"Comparison of {methods} at budgets {budgets} on {recordings or 'nothing'}"

    def _dense(self, own: Replays, wanted: Floats) -> Floats:
        """The grid that savings at these budgets are read from."""
        return dense_grid(warmup_of(own.reference.policy), wanted, own.longest)

    def _curves(self, own: Replays, budgets: Floats) -> dict[str, Curve]:
        """Every method's curve at the budgets, played together with what is likely asked next."""
        return own.curves(budgets, np.union1d(self.budgets, self._dense(own, self.budgets)))
