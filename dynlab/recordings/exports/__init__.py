"""Recordings for other tools: logs of Inspect AI, samples of lm-evaluation-harness, a data set.

What a tool has no place for goes along under the name `dynlab`, so that its import gives the same
recording again; what cannot go along is told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from dynlab._util.errors import one_of

if TYPE_CHECKING:  # the command line lists the tools without pandas
    from dynlab.recordings.blocks import Blocks
    from dynlab.recordings.recording import Recording

_MODULES = {"inspect": "inspect_log", "lm-eval": "lm_eval_samples", "hub": "hub_folder"}
TARGETS = tuple(_MODULES)


@dataclass(frozen=True)
class Exported:
    """What was written, and a sentence each on what was left out or is still to be done."""

    path: Path
    notes: tuple[str, ...] = ()


def export_recording(source: str | Path | Recording, to: str, out: str | Path) -> Exported:
    """Writes a recording as another tool's file.

    Args:
        source: A recording, its path or its name.
        to: 'inspect' (a log, .eval), 'lm-eval' (samples, .jsonl) or 'hub' (the folder of a data
            set).
        out: What to write.

    Raises:
        InputError: An unknown tool, an `out` that is none of its files, or a recording of which it
            could hold nothing.
    """
    from dynlab.recordings.blocks import blocks_of

    if to not in _MODULES:
        raise one_of("tool to export to", to, TARGETS)
    write: Callable[[Blocks, Path], Exported] = import_module(f"{__name__}.{_MODULES[to]}").export
    return write(blocks_of(source), Path(out))
