"""What MLflow is told of a recording: its settings, its counts, how it came together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dynlab._util.tracking import Point, TrackedRun, plain, track, tracks_texts
from dynlab.recordings.recording import Recording, load, right_of

# of a card: what was asked, of which model; no text, and nothing of the machine
_FACTS = (
    *("design", "date", "model", "weights", "weights_sha256", "server", "server_version"),
    *("digest", "questions", "samples", "greedy"),
)
_POINTS = 100  # of a curve over samples as they were drawn


def track_recording(kind: str, path: Path, *files: Path) -> None:
    """Logs a recording that was just written, where a tracking server is named.

    Args:
        kind: record or solve.
        path: The recording.
        files: What else is made of texts, logged where texts are.
    """
    track(lambda: tracked_recording(kind, path, files))


def tracked_recording(kind: str, path: Path, files: tuple[Path, ...] = ()) -> TrackedRun:
    """What is logged of it; arguments as for `track_recording`."""
    recording = load(path, texts=False)
    settings = recording.card.get("settings", {})
    facts = {name: recording.card[name] for name in _FACTS if name in recording.card}
    counts = json.loads(recording.counts().to_json(orient="index"))  # unknown is null
    summary = {"card": facts, "settings": plain(settings), "strategies": counts}
    totals = recording.card.get("totals", {})
    numbers = {
        name: float(value)
        for name, value in totals.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    return TrackedRun(
        kind,
        f"{kind} {recording.name}",
        facts | settings,
        _sums(recording.frame) | numbers,
        _curves(recording),
        (path, *files) if tracks_texts() else (),
        {"recording.json": json.dumps(summary, indent=1)},
    )


def _sums(frame: pd.DataFrame) -> dict[str, float | None]:
    """Totals of a recording; None = unknown."""
    found: dict[str, float | None] = {
        "questions": float(frame["question_id"].nunique()),
        "samples": float(len(frame)),
        "no_answer": float((frame["answer"] == "").mean()),
    }
    right = right_of(frame)
    if right.notna().any():
        found["right"] = float(right.mean())
    for name in ("prompt_tokens", "completion_tokens", "cost_usd"):
        if name in frame and frame[name].notna().all():
            found[name] = float(frame[name].sum())
    return found


def _curves(recording: Recording) -> list[Point]:
    """Of a planned recording, what is right by the sample's index; of a run, what it has spent."""
    frame = recording.frame
    points: list[Point] = []
    if recording.design == "fixed":
        right = right_of(frame)
        for strategy, own in frame[right.notna()].groupby("strategy"):
            by_index = right[own.index].astype(float).groupby(own["sample_index"]).mean()
            steps = by_index.index.to_numpy(dtype=float)
            points += [
                (f"right by index/{strategy}", float(step), float(share))
                for step, share in zip(steps, by_index, strict=True)
            ]
        return points
    drawn = frame.sort_values("picked") if "picked" in frame else frame
    places = np.unique(np.linspace(1, len(drawn), min(_POINTS, len(drawn))).astype(int))
    for name in ("completion_tokens", "cost_usd"):
        if name in drawn and drawn[name].notna().all():
            spent: Any = drawn[name].astype(float).cumsum().to_numpy()
            points += [(f"spent/{name}", float(step), float(spent[step - 1])) for step in places]
    return points
