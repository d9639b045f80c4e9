"""What MLflow is told of reproduced figures: parameters, curves, the files of the figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from dynlab._util.tracking import Point, TrackedRun

_VALUES = {"accuracy": "budget", "saving": "at", "difference": "at"}  # a curve, and its steps
_LINES = ("recording", "unit", "method", "allocator", "stopping")  # what tells curves apart
_KINDS = ("svg", "png", "pdf", "csv")


def tracked_figures(
    out: Path, figures: Iterable[str], headlines: Iterable[str], parameters: Mapping[str, Any]
) -> TrackedRun:
    """The figures of a run of notebooks. Pages, which hold texts of a model, are not logged.

    Args:
        out: Their folder.
        figures: Their names; in a sweep, each in the folder of its setting.
        headlines: The findings, a line each.
        parameters: What the notebooks were given.
    """
    names = list(figures)
    files = [
        path for name in names for kind in _KINDS if (path := out / f"{name}.{kind}").is_file()
    ]
    points = [
        point
        for name in names
        if (table := out / f"{name}.csv").is_file()
        for point in curves_of(pd.read_csv(table), name)
    ]
    given = {key: value for key, value in parameters.items() if value not in (None, "")}
    listed = {key: ", ".join(map(str, v)) if isinstance(v, list) else v for key, v in given.items()}
    numbers = {"figures": float(len(names))}
    texts = {"headlines.txt": "\n".join([*headlines, ""])}
    return TrackedRun("reproduce", f"reproduce {out.name}", listed, numbers, points, files, texts)


def curves_of(table: pd.DataFrame, figure: str) -> list[Point]:
    """The curves of a figure's numbers, each named by what tells it apart.

    >>> rows = pd.DataFrame({"recording": ["a"], "allocator": ["ucb"], "at": [8], "saving": [0.4]})
    >>> curves_of(rows, "03-savings")
    [('03-savings/saving a ucb', 8.0, 0.4)]
    """
    value = next((name for name, by in _VALUES.items() if {name, by} <= set(table)), None)
    if value is None:
        return []
    lines = [name for name in _LINES if name in table]
    points = []
    for _, row in table.iterrows():
        told = [value, *(str(row[name]) for name in lines if pd.notna(row[name]))]
        step, height = float(row[_VALUES[value]]), float(row[value])
        points.append((f"{figure}/{' '.join(told)}", step, height))
    return points
