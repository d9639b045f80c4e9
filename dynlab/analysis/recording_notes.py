"""What a reader of numbers must know of the recordings that they are from, a sentence each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from dynlab.analysis.replays import Replays
from dynlab.recordings.streams import Flags, Floats


def notes_of(replays: Sequence[Replays]) -> list[str]:
    """Token counts that were filled in, and accuracy that is none, for want of targets."""
    said = []
    for own in replays:
        if own.streams.imputed and own.setup.unit != "samples":
            said.append(
                f"{own.streams.name}: {own.streams.imputed:.1%} of the token counts are unknown"
                " and taken as the mean of their question's."
            )
    without = [own.streams.name for own in replays if not own.streams.has_target]
    if without:
        of = f" of {', '.join(dict.fromkeys(without))}" if len(without) < len(replays) else " here"
        said.append(f"Accuracy{of} is the self-consistency rate: there are no targets.")
    simulated = [own.streams.name for own in replays if own.recording.simulated]
    if simulated:
        said.append(f"{', '.join(simulated)}: simulated; no model was asked for these samples.")
    return said


def left_out_of(replays: Sequence[Replays], at: Floats) -> list[str]:
    """Which budgets are more than any recording holds, in one sentence or none."""
    beyond = at[at > max((own.longest for own in replays), default=np.inf)]
    listed = ", ".join(f"{budget:g}" for budget in beyond)
    return [f"Budgets left out: {listed}, more than is recorded."] if listed else []


def ends_at(own: Replays, at: Floats) -> Flags:
    """[B] where B is all that is recorded, so that no saving can be told.

    Every policy has then drawn the same samples and none could go on with a hard question. Where
    its curve crosses what it ends at anyway is chance: another seed says another saving. A single
    stream in its order leaves nothing to chance.
    """
    drawn = own.streams.exchangeable or own.streams.codes.shape[1] > 1
    return np.isclose(at, own.longest) & drawn


def limits_of(replays: Iterable[Replays], at: Floats) -> list[str]:
    """Where a saving at B cannot be told, a sentence a recording."""
    return [
        f"{own.streams.name}: B = {own.longest:g} is all that is recorded, so that no question can"
        " be given more, and what a policy saves there cannot be told: record twice as many."
        for own in replays
        if ends_at(own, at).any()
    ]
