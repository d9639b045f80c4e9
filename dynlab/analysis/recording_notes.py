"""What a reader of numbers must know of the recordings that they are from, a sentence each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from dynlab.analysis.replays import Replays
from dynlab.recordings.streams import Floats


def notes_of(replays: Sequence[Replays]) -> list[str]:
    """Token counts that were filled in, and accuracy that is none, for want of targets."""
    said = []
    for own in replays:
        if own.streams.imputed and own.setup.unit != "samples":
            said.append(
                f"{own.streams.name}: {own.streams.imputed:.1%} of the token counts are unknown"
                " and taken as the mean of their question's."
            )
    if any(own.measure != "accuracy" for own in replays):
        said.append("Accuracy is the self-consistency rate here: there are no targets.")
    return said


def limits_of(replays: Iterable[Replays], at: Floats) -> list[str]:
    """Where a saving at B cannot be told: B is all that is recorded.

    Every policy has then drawn the same samples at B, and none could go on with a hard question.
    """
    return [
        f"{own.streams.name}: B = {own.longest:g} is all that is recorded, so that no question can"
        " be given more. A saving there says what may be left out; what more samples of hard"
        " questions would save cannot be told: record twice as many."
        for own in replays
        if np.any(np.isclose(at, own.longest))
    ]
