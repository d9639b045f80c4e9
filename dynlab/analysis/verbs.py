"""The calls that make a comparison: policies against one another, or strategies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from dynlab._util.errors import InputError
from dynlab.analysis.budgets import checked_budgets
from dynlab.analysis.comparison import Comparison
from dynlab.analysis.methods import Policies, PolicyLike, named_policies, plays_as, warmup_of
from dynlab.analysis.replays import Names, Recordings, Setup, replays_of
from dynlab.policies.parsing import as_policy
from dynlab.policies.policy import Policy

STRATEGIES = ("parallel", "sequential", "integrated")
ABLATION: Names = {
    ("parallel", "uniform"): "neither",
    ("parallel", "ucb"): "bandit only",
    ("integrated", "uniform"): "integration only",
    ("integrated", "ucb"): "both",
}


def compare(
    recordings: Recordings,
    policies: Policies = ("uniform", "ucb"),
    budgets: float | Iterable[float] = (2, 4, 8, 16),
    *,
    reference: PolicyLike | None = None,
    strategies: str | Sequence[str] | None = None,
    unit: str = "samples",
    price: tuple[float, float] | None = None,
    replications: int = 200,
    seed: int = 0,
) -> Comparison:
    """Compares budget policies on recordings.

    Args:
        recordings: Paths, names of shipped recordings, DataFrames or Recordings, one or several.
        policies: Texts such as 'ucb', 'ucb(exploration=0.3)' or 'uniform+esc', or objects, or both;
            or such by names of your own. `oracle` is the hindsight bound.
        budgets: Mean samples per question, or in another unit what so many samples cost on average.
        reference: The policy that savings and differences are against: uniform by default, and
            with several strategies the first policy, or another of the policies, under the first
            strategy.
        strategies: Whose samples are drawn; by default the recording's first. Several are compared
            with one another, on the questions that all of them answered.
        unit: What budgets count: samples, tokens or usd.
        price: USD per million prompt and completion tokens, for recordings without costs.
        replications: Draw orders that are averaged over.
        seed: Of the draw orders, of ties and of the resamples of questions.

    Raises:
        InputError: an unknown name, a budget below the warm-up, unknown prices, ….
    """
    setup = Setup(unit, price, replications, seed)
    given = named_policies(policies)
    if not isinstance(strategies, str) and strategies is not None:
        strategies = list(strategies)
        if len(strategies) > 1:
            base = next(iter(given)) if reference is None else _alike(given, as_policy(reference))
            if not base:
                raise InputError(
                    f"reference {as_policy(reference or 'uniform').text!r} is none of the policies"
                    f" ({', '.join(given)}): with several strategies it must be one of them"
                )
            return _contrast(recordings, strategies, given, base, budgets, None, setup)
        strategies = strategies[0]
    against = as_policy("uniform" if reference is None else reference)
    base = _alike(given, against)
    hidden = "" if base else against.text if against.text not in given else "reference"
    played: dict[str, Policy | None] = {hidden: against} if hidden else {}
    played |= given
    grid = checked_budgets(budgets, warmup_of(played[base or hidden]))
    replays = replays_of(recordings, played, base or hidden, setup, strategies=strategies)
    return Comparison(tuple(replays), grid, hidden)


def savings(
    recordings: Recordings,
    policies: Policies = ("ucb",),
    at: float | Iterable[float] = (4, 8, 16),
    *,
    reference: PolicyLike | None = None,
    strategies: str | Sequence[str] | None = None,
    unit: str = "samples",
    price: tuple[float, float] | None = None,
    replications: int = 200,
    seed: int = 0,
) -> pd.DataFrame:
    """What policies save at equal accuracy against uniform, or another reference:
    `compare(…, budgets=at).savings()`.
    """
    return compare(
        recordings,
        policies,
        at,
        reference=reference,
        strategies=strategies,
        unit=unit,
        price=price,
        replications=replications,
        seed=seed,
    ).savings()


def contrast(
    recordings: Recordings,
    strategies: Sequence[str] = STRATEGIES,
    policies: Policies = "uniform",
    budgets: float | Iterable[float] = (2, 4, 8, 16),
    *,
    names: Names | None = None,
    unit: str = "tokens",
    price: tuple[float, float] | None = None,
    replications: int = 200,
    seed: int = 0,
) -> Comparison:
    """Compares strategies of a recording with one another, each under each policy, at equal cost.

    A budget of B means what B samples of the first strategy cost on average, whichever strategy
    spends it. Pairs share their questions, not their draws: each strategy was sampled on its own.
    Recordings that hold fewer than two of the strategies are left out.

    Args:
        recordings: As for `compare`.
        strategies: The first one, under the first policy, is what the others are held against.
        policies: As for `compare`.
        budgets: As for `compare`, in samples of the first strategy.
        names: What a (strategy, policy) is called, such as `ABLATION`; default: its strategy, and
            its policy where there are several. Those that a given mapping lacks are left out.
        unit: What budgets count: tokens, samples or usd.
        price: As for `compare`.
        replications: Draw orders, and streams, that are averaged over.
        seed: As for `compare`.

    Raises:
        InputError: As `compare`.
    """
    given, setup = named_policies(policies), Setup(unit, price, replications, seed)
    return _contrast(recordings, strategies, given, next(iter(given)), budgets, names, setup)


def _contrast(
    recordings: Recordings,
    strategies: Sequence[str],
    policies: dict[str, Policy | None],
    base: str,
    budgets: float | Iterable[float],
    names: Names | None,
    setup: Setup,
) -> Comparison:
    if names is None:
        pairs = [(strategy, policy) for strategy in strategies for policy in policies]
        names = {pair: pair[0] if len(policies) == 1 else ", ".join(pair) for pair in pairs}
    grid = checked_budgets(budgets, warmup_of(policies[base]))
    replays = replays_of(recordings, policies, base, setup, strategies=strategies, names=names)
    return Comparison(tuple(replays), grid, contrasted=True)


def _alike(policies: dict[str, Policy | None], reference: Policy) -> str:
    """The name of the policy that plays as the reference does, '' for none."""
    return next((name for name, own in policies.items() if plays_as(own, reference)), "")
