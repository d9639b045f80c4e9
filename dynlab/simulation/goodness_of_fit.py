"""How well a model fits: what policies reach on a recording, and on samples of its model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

import numpy as np
import pandas as pd

from dynlab._util.errors import InputError
from dynlab.analysis.budgets import dense_grid, held_budgets
from dynlab.analysis.methods import PolicyLike, named_policies, warmup_of
from dynlab.analysis.metrics import estimates, saving_at
from dynlab.analysis.replays import Recordings, Setup, loaded
from dynlab.analysis.resamples import question_resamples
from dynlab.policies.parsing import as_policy
from dynlab.policies.policy import Policy
from dynlab.recordings.arrays import Floats
from dynlab.recordings.recording import Recording
from dynlab.recordings.streams import Streams, strategies_of, streams_of
from dynlab.simulation.fitting import fit
from dynlab.simulation.observations import observed
from dynlab.simulation.pools import pool_curves, simulated_pool

AGREEMENT = [
    *("recording", "allocator", "unit", "value", "budget"),
    *("recorded", "recorded_low", "recorded_high"),
    *("simulated", "simulated_low", "simulated_high"),
    *("gap", "gap_low", "gap_high"),
    *("questions", "simulated_questions", "replications", "seed"),
]
_QUESTIONS = 400  # of a simulated pool: its own interval is then narrow beside a recording's


def fittable(recordings: Recordings) -> list[Recording]:
    """Those of the recordings that `agreement` can tell of: independent samples, known targets."""
    found = []
    for each in loaded(recordings):
        with suppress(InputError):
            observed(each)
            if "parallel" in strategies_of(each):
                found.append(each)
    return found


def agreement(
    recordings: Recordings,
    policies: PolicyLike | Sequence[PolicyLike] = ("uniform", "ucb"),
    budgets: Iterable[float] = (2, 4, 8, 16),
    *,
    unit: str = "samples",
    replications: int = 20,
    seed: int = 0,
) -> pd.DataFrame:
    """Recordings beside pools of 400 questions drawn from their models, under the same policies.

    The value `accuracy` is a policy's at a budget; the value `saving` is what it saves against the
    first policy at the accuracy that this one has at the budget. A gap is simulated − recorded,
    with its 95 % interval over the questions of both; difficulty is spread evenly over its
    distribution in the pool, so that a gap is no luck of its draw. A model is fitted to the samples
    that it is held against: where its form is wrong the gap shows it, where it says too much it
    does not.

    Args:
        recordings: As for `dynlab.compare`; their independent samples are drawn.
        policies: The first one is what the others' savings are against.
        budgets: Mean samples per question, or what they cost.
        unit: What budgets count: samples or tokens.
        replications: Draw orders that are averaged over.
        seed: Of all draws.

    Returns:
        A row for each recording, policy, budget and value: columns `AGREEMENT`.

    Raises:
        InputError: As `dynlab.fit` and `dynlab.compare`.
    """
    named = {
        name: as_policy(name) if policy is None else policy
        for name, policy in named_policies(policies).items()
    }
    setup = Setup(unit, None, replications, seed)
    wanted = np.asarray(list(budgets), float)
    rows = [row for each in loaded(recordings) for row in _rows(each, named, wanted, setup)]
    return pd.DataFrame(rows, columns=AGREEMENT)


def _rows(
    recording: Recording, policies: dict[str, Policy], wanted: Floats, setup: Setup
) -> list[dict[str, object]]:
    """The rows of one recording."""
    real = streams_of(recording, "parallel")
    length = int(real.lengths.max())
    model, rng = fit(recording), np.random.default_rng(setup.seed)
    made = simulated_pool(model, _QUESTIONS, length, rng, even=True)
    at = held_budgets(wanted, float(real.lengths.mean()))
    reference = next(iter(policies))
    warmup = warmup_of(policies[reference])
    grid = dense_grid(warmup, at, length)
    sides = [_Side(pool, policies, grid, setup) for pool in (real, made)]
    shared = {
        "recording": recording.name,
        "unit": setup.unit,
        "questions": real.num_questions,
        "simulated_questions": _QUESTIONS,
        "replications": setup.replications,
        "seed": setup.seed,
    }
    rows: list[dict[str, object]] = []
    for name in policies:
        for budget in at:
            found = {"accuracy": [side.accuracy(name, budget) for side in sides]}
            # at the warm-up all policies are alike; beyond half of a recording they run dry
            if name != reference and warmup < budget <= length / 2:
                found["saving"] = [side.saving(name, reference, budget) for side in sides]
            rows += [
                shared | {"allocator": name, "budget": budget, "value": value} | _ends(*pair)
                for value, pair in found.items()
            ]
    return rows


class _Side:
    """The recorded samples, or the simulated ones, under all policies."""

    def __init__(
        self, pool: Streams, policies: dict[str, Policy], grid: Floats, setup: Setup
    ) -> None:
        self._curves = pool_curves(pool, policies, grid, setup)
        self._grid, self._unit = grid, setup.unit
        self._resamples = question_resamples(pool.num_questions, setup.seed)

    def accuracy(self, name: str, budget: float) -> tuple[float, float, float]:
        """A policy's accuracy at a budget, with its interval over questions."""
        at = int(np.searchsorted(self._grid, budget))
        found = estimates(self._curves[name].accuracy[at][None, :], self._resamples)[0]
        return found.value, found.low, found.high

    def saving(self, name: str, reference: str, budget: float) -> tuple[float, float, float]:
        """What a policy saves against another one, with its interval."""
        pair = self._curves[name], self._curves[reference]
        found = saving_at(*pair, budget, self._unit, self._resamples).saving
        return found.value, found.low, found.high


def _ends(real: tuple[float, float, float], made: tuple[float, float, float]) -> dict[str, float]:
    """Two estimates and their gap; its interval is made of theirs (Zou and Donner 2008)."""
    gap = made[0] - real[0]
    below = np.hypot(made[0] - made[1], real[2] - real[0])
    above = np.hypot(made[2] - made[0], real[0] - real[1])
    return {
        **dict(zip(("recorded", "recorded_low", "recorded_high"), real, strict=True)),
        **dict(zip(("simulated", "simulated_low", "simulated_high"), made, strict=True)),
        **{"gap": gap, "gap_low": float(gap - below), "gap_high": float(gap + above)},
    }
