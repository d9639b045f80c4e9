"""What a recording on disk holds, from two of its columns: nothing else of the file is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from dynlab._util.values import GREEDY


@dataclass(frozen=True)
class Overview:
    """Counts of a recording: its questions, its samples without the greedy ones, its strategies."""

    num_questions: int
    num_samples: int
    strategies: tuple[str, ...]


def overview(path: Path) -> Overview:
    """Counts of a recording that dynlab wrote (.parquet)."""
    # `read_table` would import pandas, which takes longer than all the rest of a listing
    table = pq.ParquetFile(path).read(columns=["question_id", "strategy"])
    counts = {
        each["values"]: each["counts"] for each in table["strategy"].value_counts().to_pylist()
    }
    num_samples = sum(count for strategy, count in counts.items() if strategy != GREEDY)
    return Overview(len(table["question_id"].unique()), num_samples, tuple(sorted(counts)))
