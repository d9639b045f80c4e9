"""`explore`: recordings and where the controls stand at first, checked, then the widget."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import pandas as pd

from dynlab._util.errors import InputError
from dynlab.analysis.budgets import checked_budgets
from dynlab.analysis.methods import Policies, named_policies
from dynlab.analysis.replays import Setup, Source
from dynlab.explorer.compute import Workbench
from dynlab.explorer.policy_choice import shared_settings
from dynlab.explorer.state import ControlValues
from dynlab.explorer.widget import Explorer
from dynlab.policies.uniform import Uniform
from dynlab.recordings.recording import Recording, load, shipped


def explore(
    recording: Source | Iterable[Source] | None = None,
    policies: Policies = ControlValues.policies,
    *,
    budget: float = ControlValues.budget,
    unit: str = ControlValues.unit,
    strategy: str | None = None,
    replications: int = ControlValues.replications,
    seed: int = ControlValues.seed,
) -> Explorer:
    """Sliders over budget policies on recordings, shown as the last value of a notebook's cell.

    The arguments are where the sliders stand at first.

    Args:
        recording: A path, the name of a shipped recording, a DataFrame or a Recording; several make
            a choice beside those that come with dynlab, the first is shown.
        policies: As for `dynlab.compare`: 'ucb', 'ucb(exploration=0.3)', 'uniform+esc', ….
        budget: B, mean samples per question, or in another unit what they cost on average.
        unit: What budgets count: samples, tokens or usd.
        strategy: Whose samples are drawn; by default the recording's first.
        replications: Draw orders that are averaged over.
        seed: Of the draw orders, of ties and of the resamples of questions.

    Raises:
        InputError: A setting that cannot work, a recording that cannot be read, or ipywidgets or
            anywidget is not installed.
    """
    known, given = _sources(recording)
    texts = tuple(named_policies(policies))
    # names and numbers are refused here, in one line; a notebook's parameters have no None
    setup = Setup(unit, None, replications, seed)
    checked_budgets(budget, shared_settings(texts).warmup or Uniform.warmup)
    first = ControlValues(
        known[0], texts, budget, setup.unit, strategy or None, setup.replications, setup.seed
    )
    return Explorer(known, first, Workbench(given))


def _sources(recording: Source | Iterable[Source] | None) -> tuple[list[str], dict[str, Recording]]:
    """Paths and names to choose from, and the recordings among them that have no file."""
    single = recording is None or isinstance(recording, str | Path | pd.DataFrame | Recording)
    sources: list[Any] = [recording] if single else list(cast("Iterable[Source]", recording))
    known, given = [], {}
    for source in sources:
        if isinstance(source, pd.DataFrame | Recording):
            made = load(source)
            known.append(made.source or made.name)
            if not made.source:
                if made.name in given:
                    raise InputError(
                        f"two recordings are named {made.name!r}, and a picker tells them by name;"
                        " rename one"
                    )
                given[made.name] = made
        elif source:
            known.append(str(source))
    known = list(dict.fromkeys([*known, *shipped()]))
    if not known:
        raise InputError(
            "dynlab comes without recordings here; give one: dynlab.explore('my.parquet')"
        )
    return known, given
