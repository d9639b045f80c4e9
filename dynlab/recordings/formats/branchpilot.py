"""Trajectories of BranchPilot: a line a question, with its complete samples.

A line has `uid, question, gold, samples, prompt_tokens`; a sample `text, answer, token_count,
mean_logprob, finish_reason` (github.com/mottopanikeiku/branchpilot, `schema.py`, version 2).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dynlab.recordings.formats.base import Format, Row, lines_of, signs


def _read(path: Path) -> Iterator[Row]:
    """A row a sample; the answer is the one that BranchPilot took out, '' where there is none."""
    for line in lines_of(path):
        for index, sample in enumerate(line["samples"]):
            yield {
                "question_id": line["uid"],
                "question": line["question"],
                "sample_index": index,
                "answer": sample["answer"] or "",
                "text": sample["text"],
                "target": line["gold"],
                "finish_reason": sample.get("finish_reason"),
                "mean_logprob": sample.get("mean_logprob"),
                # BranchPilot writes 0 where it does not know them
                "prompt_tokens": line.get("prompt_tokens") or None,
                "completion_tokens": sample["token_count"],
            }


FORMAT = Format("trajectories of BranchPilot", signs("uid question gold samples"), _read)
