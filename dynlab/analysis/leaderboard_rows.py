"""Rows of a leaderboard: means over the cells of all recordings, resample by resample."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dynlab.analysis.leaderboard_cells import Cells
from dynlab.analysis.methods import ORACLE
from dynlab.analysis.replays import Setup
from dynlab.recordings.streams import Flags, Floats

CELLS = [
    "policy",
    "kind",
    "recording",
    "unit",
    "tokens_kind",
    "at",
    "saving",
    "saving_low",
    "saving_high",
    "reached",
    "flat",
    "difference",
    "difference_low",
    "difference_high",
    "accuracy",
    "depth",
    "exhausted",
    "replications",
    "seed",
]


def row_of(name: str, kind: str, found: Sequence[Cells], held: Flags) -> dict[str, Any]:
    """A policy's row: means over the recordings that have it, taken resample by resample."""
    own = [cells for cells in found if name in cells.saving]
    at = own[0].at[held]
    flat = np.stack([cells.flat[held] for cells in own])  # [C, B]
    saving = _steep(np.stack([cells.saving[name][held] for cells in own]), flat)  # [C, B, S]
    bound = _steep(np.stack([cells.saving[ORACLE][held] for cells in own]), flat)
    difference = np.stack([cells.difference[name][held] for cells in own])
    row: dict[str, Any] = {"policy": name, "kind": kind, "recordings": len(own)}
    row |= _interval("saving", saving)
    for b, values in zip(at, np.moveaxis(saving, 1, 0), strict=True):
        row |= _interval(f"saving_{b:g}", values[:, None])
    for b, values in zip(at, np.moveaxis(difference, 1, 0), strict=True):
        row |= _interval(f"difference_{b:g}", values[:, None])
    depth = _mean(np.stack([cells.depth[name][held] for cells in own]), 0)
    row |= {f"depth_{b:g}": value for b, value in zip(at, depth, strict=True)}
    row |= _worst(saving[..., 0], difference[..., 0], [cells.streams.name for cells in own], at)
    row |= _interval("of_oracle", saving, bound)
    reached = _steep(np.stack([cells.reached[name][held] for cells in own]), flat)
    reached = np.where(np.isnan(saving[..., 0]), np.nan, reached)
    row |= {f"reached_{b:g}": share for b, share in zip(at, _mean(reached, 0), strict=True)}
    return row | {
        "reached": int(np.nansum(reached)),
        "cells": int((~np.isnan(reached)).sum()),
        "flat": int(flat.sum()),
    }


def behind(name: str, first: str, found: Sequence[Cells]) -> dict[str, float]:
    """What the policy `first` saves more than another, paired over their common cells."""
    both = [cells for cells in found if name in cells.saving and first in cells.saving]
    if not both:
        return {"behind": np.nan, "behind_low": np.nan, "behind_high": np.nan}
    gaps = np.stack([cells.saving[first] - cells.saving[name] for cells in both])
    return _interval("behind", _steep(gaps, np.stack([cells.flat for cells in both])))


def origin(method: object) -> dict[str, str]:
    """The paper of a method and what is done otherwise here, as its docstring says it."""
    text = " ".join((type(method).__doc__ or "").partition("Args:")[0].split())
    paper = re.search(r"\b\d{4}\.\d{5}\b", text)
    before, mark, after = text.partition("Deviation")
    ours = [
        sentence
        for sentence in re.split(r"(?<=\.) ", before)
        if re.search(r"\b(deviation|our|ours)\b", sentence)
    ]
    return {
        "paper": f"arXiv {paper[0]}" if paper else "",
        "deviates": " ".join([*ours, mark + after]).strip(),
    }


def _worst(
    saving: Floats, difference: Floats, recordings: Sequence[str], at: Floats
) -> dict[str, Any]:
    """The least saving and the least difference of all cells [C, B], and where the latter is."""
    known = np.where(np.isnan(difference), np.inf, difference)
    row, column = divmod(int(known.argmin()), known.shape[1])
    return {
        "worst_saving": float(np.nanmin(saving)) if not np.isnan(saving).all() else np.nan,
        "worst_difference": float(difference[row, column]),
        "worst_cell": f"{recordings[row]} at {at[column]:g}",
    }


def _steep(values: Floats, flat: Flags) -> Floats:
    """[C, B, …] NaN in the flat cells."""
    return np.where(flat.reshape(flat.shape + (1,) * (values.ndim - 2)), np.nan, values)


def _interval(name: str, values: Floats, bound: Floats | None = None) -> dict[str, float]:
    """The mean over cells [C, B, S] with its interval; given a bound, the ratio of both means."""
    mean = _mean(values, (0, 1))
    if bound is not None:
        of = _mean(np.where(np.isnan(values), np.nan, bound), (0, 1))
        mean = np.where(of > 0, mean / np.where(of > 0, of, 1.0), np.nan)
    low, high = (
        np.nanpercentile(mean[1:], [2.5, 97.5])
        if not np.isnan(mean[1:]).all()
        else (np.nan, np.nan)
    )
    return {name: float(mean[0]), f"{name}_low": float(low), f"{name}_high": float(high)}


def _mean(values: Floats, axes: int | tuple[int, ...]) -> Floats:
    """The mean of what is known, NaN where nothing is."""
    known = ~np.isnan(values)
    count = known.sum(axis=axes)
    return np.asarray(
        np.where(
            count > 0, np.where(known, values, 0.0).sum(axis=axes) / np.maximum(count, 1), np.nan
        )
    )


def rows_of_cells(
    names: Mapping[str, str], found: Sequence[Cells], setup: Setup
) -> list[dict[str, Any]]:
    """A row for every policy, recording and B that the recording holds."""
    return [
        {
            "policy": name,
            "kind": kind,
            "recording": cells.streams.name,
            "unit": setup.unit,
            "tokens_kind": cells.streams.tokens_kind,
            "measure": cells.streams.measure,
            "at": b,
        }
        | _cell("saving", cells.saving[name][number])
        | _cell("difference", cells.difference[name][number])
        | {"reached": bool(cells.reached[name][number]), "flat": bool(cells.flat[number])}
        | {"accuracy": cells.accuracy[name][number], "depth": cells.depth[name][number]}
        | {
            "exhausted": cells.exhausted[name][number],
            "replications": setup.replications,
            "seed": setup.seed,
        }
        for cells in found
        for name, kind in names.items()
        if name in cells.saving
        for number, b in enumerate(cells.at)
        if not np.isnan(cells.accuracy["uniform"][number])
    ]


def _cell(name: str, values: Floats) -> dict[str, float]:
    return _interval(name, values[None, None])
