"""How many questions and samples it takes to see a saving, by simulated experiments."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from dynlab._util.errors import InputError
from dynlab._util.parallel import in_order, num_workers
from dynlab.analysis.budgets import checked_budgets, dense_grid
from dynlab.analysis.methods import PolicyLike, warmup_of
from dynlab.analysis.metrics import saving_at
from dynlab.analysis.replays import Setup
from dynlab.analysis.resamples import question_resamples
from dynlab.policies.parsing import as_policy
from dynlab.policies.policy import Policy
from dynlab.recordings.arrays import Floats
from dynlab.recordings.recording import Recording, simulated_name
from dynlab.simulation.fitting import fit
from dynlab.simulation.likelihood import SURE
from dynlab.simulation.model import RecordingModel
from dynlab.simulation.pools import pool_curves, simulated_pool

ENOUGH = 0.8  # the power that is asked for
POWER = [
    "recording",
    "policy",
    "baseline",
    "unit",
    "at",
    "effect",
    "questions",
    "samples",
    "total_samples",
    "saving",
    "power",
    "low",
    "high",
    "simulations",
    "replications",
    "seed",
]
_FIRST, _LAST = 50, 1600  # questions that are tried where none are named, each twice the one before
_REPLICATIONS = 10  # draw orders that a simulated experiment averages over


@dataclass(frozen=True)
class Experiment:
    """A policy against another one, at the accuracy that the other has at B."""

    model: RecordingModel
    policy: Policy
    baseline: Policy
    at: float
    setup: Setup

    def savings(self, num_questions: int, num_samples: int, simulations: int) -> Floats:
        """[simulations, 2] the saving that each experiment finds, and its interval's lower end."""
        jobs = [(num_questions, num_samples, number) for number in range(simulations)]
        steps = num_questions * num_samples * self.setup.replications
        workers = num_workers(simulations * steps, steps)
        if workers == 1:
            return np.array([_saving(self, *job) for job in jobs])
        return np.array([*in_order(_saving, self, jobs, workers, num_bytes=0)])


def _saving(
    given: Experiment, num_questions: int, num_samples: int, number: int
) -> tuple[float, float]:
    """The saving of one experiment, and its interval's lower end; its number decides its draws."""
    setup = given.setup
    grid = dense_grid(warmup_of(given.baseline), np.array([given.at]), num_samples)
    rng = np.random.default_rng([setup.seed, num_questions, num_samples, number])
    pool = simulated_pool(given.model, num_questions, num_samples, rng)
    curves = pool_curves(pool, {"base": given.baseline, "own": given.policy}, grid, setup)
    resamples = question_resamples(num_questions, setup.seed)
    found = saving_at(curves["own"], curves["base"], given.at, setup.unit, resamples).saving
    return found.value, found.low


def power(
    recording: str | Path | pd.DataFrame | Recording | RecordingModel,
    policy: PolicyLike = "ucb",
    baseline: PolicyLike = "uniform",
    *,
    saving: float | None = None,
    at: float = 8.0,
    questions: Iterable[float] | None = None,
    samples: Iterable[float] | None = None,
    unit: str = "samples",
    simulations: int = 100,
    seed: int = 0,
) -> pd.DataFrame:
    """The power to see a saving: how often an experiment's 95 % paired interval is above zero.

    Every experiment is simulated from the model of a recording, replayed under both policies on the
    same draws, and judged as `dynlab.savings` judges a recording. Where another saving than the
    model's own is asked for, the experiments' savings are moved by the difference of the two: their
    spread is taken to be that of the policy itself.

    Args:
        recording: What the model is fitted to, or a model.
        policy: What is to save.
        baseline: What it is held against.
        saving: The true saving to be seen, a share such as 0.3; None: the one that the model has.
        at: B, the budget of the baseline, in samples per question or what so many cost.
        questions: How many questions an experiment has, one or several sizes; None: 50, twice as
            many, …, until that is enough, 1600 at most.
        samples: How many samples of each are recorded; None: 2 B and 4 B.
        unit: What is saved: samples or tokens.
        simulations: Experiments of each size.
        seed: Of the simulations, the replays and the resamples.

    Returns:
        A row a size, columns `POWER`: `saving` is the mean that experiments find, `power` the share
        of those that see it, with the 95 % interval that so many simulations leave (Wilson's,
        widened by what is not known of the model's own saving).

    Raises:
        InputError: A number out of range, an unknown policy or unit, or a recording that tells too
            little.
    """
    model = recording if isinstance(recording, RecordingModel) else fit(recording)
    one, base = as_policy(policy), as_policy(baseline)
    budget = float(checked_budgets(at, max(warmup_of(one), warmup_of(base)))[0])
    setup = Setup(unit, None, _REPLICATIONS, seed)
    if saving is not None and not 0 < saving < 1:
        raise InputError(f"saving is {saving!r}: give a share above 0 and below 1, such as 0.3")
    depths = _sizes("samples", [2 * budget, 4 * budget] if samples is None else samples, budget)
    given = None if questions is None else _sizes("questions", questions, 2)
    if not isinstance(simulations, int | np.integer) or simulations < 20:
        raise InputError(f"simulations must be a whole number from 20 on; not {simulations!r}")
    experiment = Experiment(model, one, base, budget, setup)
    shared = {
        "recording": simulated_name(model.source),
        "policy": one.text,
        "baseline": base.text,
        "unit": unit,
        "at": budget,
        "simulations": simulations,
        "replications": _REPLICATIONS,
        "seed": seed,
    }
    rows = [
        shared | row
        for depth in depths
        for row in _rows(experiment, depth, given, saving, int(simulations))
    ]
    return pd.DataFrame(rows, columns=POWER)


def wilson(events: int, trials: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927), which holds at 0 and 1 as well.

    >>> [round(end, 3) for end in wilson(8, 10)]
    [0.49, 0.943]
    """
    share, more = events / trials, SURE**2 / trials
    middle = share + more / 2
    half = SURE * math.sqrt(share * (1 - share) / trials + more / (4 * trials))
    return max(0.0, (middle - half) / (1 + more)), min(1.0, (middle + half) / (1 + more))


def _rows(
    experiment: Experiment,
    depth: int,
    given: list[int] | None,
    effect: float | None,
    simulations: int,
) -> Iterator[dict[str, float]]:
    """The rows of one number of samples per question."""
    found: dict[int, Floats] = {}
    for size in given or [_FIRST * 2**k for k in range(99) if _FIRST * 2**k <= _LAST]:
        found[size] = experiment.savings(size, depth, simulations)
        if given is None and _seen(found[size], found[size], effect)[1] >= ENOUGH:
            break
    # the model's own saving is best known from the largest experiments
    largest = found[max(found)]
    for size, savings in found.items():
        share, low, high = _seen(savings, largest, effect)
        yield {
            "effect": float(largest[:, 0].mean()) if effect is None else effect,
            "questions": size,
            "samples": depth,
            "total_samples": size * depth,
            "saving": float(savings[:, 0].mean()),
            "power": share,
            "low": low,
            "high": high,
        }


def _seen(savings: Floats, largest: Floats, effect: float | None) -> tuple[float, float, float]:
    """The share of experiments that see the effect, with its interval.

    An experiment whose saving is moved from the model's own to `effect` sees it where its lower end
    lies above zero, that is where it lay above own − effect.
    """
    cut, error = 0.0, 0.0
    if effect is not None:
        own = largest[:, 0]
        cut = float(own.mean()) - effect
        error = SURE * float(own.std(ddof=1)) / math.sqrt(len(own))
    events = [int((savings[:, 1] > level).sum()) for level in (cut, cut + error, cut - error)]
    share = events[0] / len(savings)
    return share, wilson(events[1], len(savings))[0], wilson(events[2], len(savings))[1]


def _sizes(name: str, given: Iterable[float], least: float) -> list[int]:
    """Whole numbers ascending, each once.

    Raises:
        InputError: None, or one that is no whole number or too small.
    """
    values = list(given) if isinstance(given, Iterable) else [given]
    if not values or any(value != int(value) or value < least for value in values):
        raise InputError(f"{name} must be whole numbers from {least:g} on; not {values}")
    return sorted({int(value) for value in values})
