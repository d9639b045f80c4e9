"""Published samples of Best-of-∞ (BoInf, ICLR 2026): a line a question, with all its answers.

A line has `problem_num, gold_answer, all_answers`, an answer is [what was parsed, tokens]; data set
and model stand in the file's name, `analysis_DATASET_MODEL.jsonl`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from dynlab.recordings.formats.base import Format, Row, lines_of, signs

FILE = re.compile(r"analysis_(aime2024|aime2025|gpqa_diamond|math500)_(.+)\.jsonl")


def read(path: Path) -> Iterator[Row]:
    """A row a sample; no tokens are recorded where none were counted."""
    named = FILE.fullmatch(path.name)
    dataset, model = named.groups() if named else (path.stem, None)
    for question in lines_of(path):
        for index, (answer, tokens) in enumerate(question["all_answers"]):
            yield {
                "dataset": dataset,
                "model": model,
                "question_id": f"{dataset}-{question['problem_num']:03}",
                "sample_index": index,
                "answer": answer or "",
                "target": str(question["gold_answer"]),
                "completion_tokens": tokens or None,
            }


FORMAT = Format("published samples of Best-of-∞", signs("problem_num all_answers"), read)
