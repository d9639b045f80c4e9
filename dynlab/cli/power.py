"""`dynlab power`: how many questions and samples it takes to see a saving."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from dynlab._util.errors import InputError
from dynlab.cli.argument_types import numbers


def add(commands: Any) -> None:
    """The command and its flags."""
    command = commands.add_parser(
        "power",
        help="how many questions and samples it takes to see a saving, by simulation",
        example="dynlab power capitals--smollm2-135m --policy ucb --baseline uniform --saving 30%",
    )
    command.add_argument("recording", metavar="RECORDING", help="a path or a name, with targets")
    command.add_argument("--policy", default="ucb", help="what is to save (ucb)")
    command.add_argument("--baseline", default="uniform", help="what it is held against (uniform)")
    command.add_argument(
        "--saving",
        type=share,
        metavar="30%",
        help="the true saving to be seen (default: the one that the model of the recording has)",
    )
    command.add_argument(
        "--at", type=float, default=8.0, metavar="B", help="budget of the baseline (8)"
    )
    command.add_argument(
        "--questions", metavar="N,N,…", help="sizes to try (50, 100, … until it is enough)"
    )
    command.add_argument(
        "--samples", metavar="K,K,…", help="recorded samples of each question (2 B and 4 B)"
    )
    command.add_argument("--unit", default="samples", help="samples (default) or tokens")
    command.add_argument(
        "--simulations", type=int, default=100, help="experiments of each size (100)"
    )
    command.add_argument("--seed", type=int, default=0)
    command.add_argument(
        "--out", type=Path, default=Path("power"), metavar="DIR", help="default: power"
    )
    command.set_defaults(run=_power)


def share(text: str) -> float:
    """A share from '30%' or '0.3'.

    >>> share("30%"), share("0.3")
    (0.3, 0.3)

    Raises:
        InputError: It is no number above 0 and below 1.
    """
    digits = text.strip()
    try:
        value = float(digits.removesuffix("%")) / (100 if digits.endswith("%") else 1)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise InputError(f"--saving must be a share such as 30% or 0.3; not {text!r}")
    return value


def _power(given: argparse.Namespace) -> None:
    from dynlab._util.extras import require
    from dynlab.plots.figure_files import save
    from dynlab.plots.simulation import plot_power
    from dynlab.reports.simulation import of_power
    from dynlab.simulation import power

    require("power", "matplotlib", extra="notebooks")
    print(f"{given.simulations} experiments of each size are simulated …", file=sys.stderr)
    found = power(
        given.recording,
        given.policy,
        given.baseline,
        saving=given.saving,
        at=given.at,
        questions=_sizes("questions", given.questions),
        samples=_sizes("samples", given.samples),
        unit=given.unit,
        simulations=given.simulations,
        seed=given.seed,
    )
    save(plot_power(found), given.out, "power", found)
    shown = found[["questions", "samples", "total_samples", "saving", "power", "low", "high"]]
    print(shown.to_string(index=False, float_format="{:.3f}".format))
    print(of_power(found))
    print(f"wrote power.csv, power.svg and power.png to {given.out}")


def _sizes(flag: str, text: str | None) -> list[float] | None:
    return None if text is None else numbers(flag, text)
