"""Words that all reports share: numbers with their intervals, counts, lists of bullets."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pandas as pd

from dynlab.plots.style import title


class Words(str):
    """Markdown that a notebook shows as such."""

    def _repr_markdown_(self) -> str:
        return str(self)


def pooled(frame: pd.DataFrame, value: str) -> tuple[float, float, float]:
    """The mean of a column over recordings, with an interval made of theirs.

    low = mean − √Σ(vᵢ − lowᵢ)² / m, high likewise (the variance estimates recovered from each
    interval; Zou and Donner 2008). It takes the recordings as independent and given; it says
    nothing on recordings that are not there.

    >>> cells = pd.DataFrame({"saving": [2.0, 4.0], "low": [1.25, 3.0], "high": [2.75, 5.0]})
    >>> pooled(cells, "saving")
    (3.0, 2.375, 3.625)
    """
    values = frame[value].astype(float)
    below = math.hypot(*(values - frame["low"])) / len(frame)
    above = math.hypot(*(frame["high"] - values)) / len(frame)
    mean = float(values.mean())
    return mean, mean - below, mean + above


def verdict(cells: pd.DataFrame, value: str, cut: float) -> str:
    """Whether the mean of a column lies above a cut, by its interval."""
    _, low, high = pooled(cells, value)
    if low > cut:
        return "found"
    return "not found" if high < cut else "neither shown nor excluded"


def tally(differences: pd.DataFrame, who: str) -> str:
    """In how many rows the paired interval lies above zero, below it, or holds it."""
    ahead, behind = differences[differences["low"] > 0], differences[differences["high"] < 0]
    level = len(differences) - len(ahead) - len(behind)
    return (
        f"by the paired interval {who} is ahead in {len(ahead)}{names_of(ahead)}, behind in"
        f" {len(behind)}{names_of(behind)}, and not told apart in {level}"
    )


def over(values: pd.Series | pd.DataFrame) -> str:
    """' (mean of 6 recordings)', nothing for a single one."""
    return f" (mean of {count(len(values), 'recording')})" if len(values) > 1 else ""


def names_of(rows: pd.DataFrame) -> str:
    """' (capitals · small, french · small)': the recordings of rows; '' for none."""
    names = [title(str(name)) for name in dict.fromkeys(rows["recording"])]
    return f" ({', '.join(names)})" if names else ""


def count(number: int, noun: str) -> str:
    """'1 recording', '2 recordings'."""
    return f"{number} {noun}{'s' * (number != 1)}"


def percent(estimate: tuple[float, float, float]) -> str:
    """(0.31, 0.05, 0.48) → '31 % [5 %, 48 %]'."""
    mean, low, high = (
        "unknown" if math.isnan(value) else f"{round(100 * value)} %" for value in estimate
    )
    return f"{mean} [{low}, {high}]"


def signed(estimate: tuple[float, float, float]) -> str:
    """(0.012, −0.001, 0.03) → '+0.012 [-0.001, +0.030]'."""
    mean, low, high = map(plus, estimate)
    return f"{mean} [{low}, {high}]"


def plus(value: float) -> str:
    """A signed number to three places, never '-0.000'."""
    return f"{round(value, 3) + 0.0:+.3f}"


def bullet_list(lines: Iterable[str]) -> Words:
    """A line a bullet."""
    return Words("\n".join(f"- {line}" for line in lines))


def worth_of(frame: pd.DataFrame) -> str:
    """What budgets of a frame count: 'samples', or 'samples' worth of tokens'."""
    unit = str(frame["unit"].iloc[0])
    return unit if unit == "samples" else f"samples' worth of {unit}"
