"""What a recording on disk holds, from two of its columns: nothing else of the file is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from dynlab.recordings.streams import GREEDY


@dataclass(frozen=True)
class Overview:
    """Counts of a recording: its questions, its samples without the greedy ones, its strategies."""

    num_questions: int
    num_samples: int
    strategies: tuple[str, ...]


def overview(path: Path) -> Overview:
    """Counts of a recording that dynlab wrote (.parquet)."""
    table = pq.read_table(path, columns=["question_id", "strategy"])
    strategies = table["strategy"]
    sampled = pc.sum(pc.not_equal(strategies, GREEDY)).as_py()
    questions = pc.count_distinct(table["question_id"]).as_py()
    return Overview(questions, sampled, tuple(sorted(strategies.unique().to_pylist())))
