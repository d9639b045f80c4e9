"""Numbers of the committed figures as cells and tables of Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from dynlab.reports.wording import pooled

ROOT = Path(__file__).resolve().parents[2]
Interval = tuple[float, float, float]  # value, low, high


def numbers(name: str) -> pd.DataFrame:
    """The numbers of a committed figure."""
    return pd.read_csv(ROOT / "figures" / f"{name}.csv")


def of_recording(table: pd.DataFrame, recording: str) -> pd.DataFrame:
    return table[table["recording"] == recording]


def mean_at(rows: pd.DataFrame, at: float, value: str, shown: Callable[[Interval], str]) -> str:
    """The mean over recordings at one budget, '' where there is none."""
    cells = rows[rows["at"] == at]
    return "" if cells.empty else shown(pooled(cells, value))


def percent(interval: Interval) -> str:
    """(0.31, 0.05, 0.48) → '31 % [5, 48]'."""
    value, low, high = (round(100 * each) for each in interval)
    return f"{value} % [{low}, {high}]"


def signed(interval: Interval, places: int = 2) -> str:
    """(0.39, 0.35, 0.42) → '+0.39 [+0.35, +0.42]'; '-0.00' is below zero."""
    value, low, high = (f"{each:+.{places}f}" for each in interval)
    return f"{value} [{low}, {high}]"


def table_of(head: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown, with true minus signs."""
    lines = [head, *rows]
    text = [f"| {' | '.join(line)} |" for line in lines]
    body = [line.replace("-", "−") if number else line for number, line in enumerate(text)]
    body[1:] = [
        re.sub(r"`[^`]*`", lambda name: name[0].replace("−", "-"), each) for each in body[1:]
    ]
    return "\n".join([body[0], "|" + "---|" * len(head), *body[1:]])
