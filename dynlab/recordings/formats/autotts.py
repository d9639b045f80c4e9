"""Replay stores of AutoTTS (arXiv 2605.08083): an array of questions, with their whole branches.

A question has `question, gold_answer, probe_freq, each_branch`; a branch is [answers at probes,
tokens, final answer] (github.com/zhengkid/AutoTTS, `data_loader.py`). A branch that is followed to
its end is an independent sample; what it answers on the way, at a probe, is not kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dynlab.recordings.formats.base import Format, Row, lines_of, signs

_UNREAD = "ERR"  # where AutoTTS found no answer


def _read(path: Path) -> Iterator[Row]:
    """A row a branch; questions have no ids, so they are numbered by their place in the file."""
    for number, question in enumerate(lines_of(path)):
        for index, (_, tokens, answer) in enumerate(question["each_branch"]):
            yield {
                "dataset": path.stem,
                "question_id": f"{path.stem}-{number:03}",
                "question": question["question"],
                "sample_index": index,
                "answer": "" if answer in (_UNREAD, None) else answer,
                "target": question["gold_answer"],
                "completion_tokens": tokens,
            }


FORMAT = Format("replay stores of AutoTTS", signs("each_branch gold_answer"), _read)
