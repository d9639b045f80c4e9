"""A recording as samples of lm-evaluation-harness, as `--log_samples` writes them: a line a
question, with its repeats.

Such a file holds independent samples of one prompt, so chained and greedy ones are left out. Its
filter is called `dynlab`, or `simulated` where no model said them. What lm-eval has no field for
stands under `dynlab`, a list a column, and the recording's card in the first line.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from dynlab._util.errors import InputError
from dynlab._util.files import replacing
from dynlab.recordings.blocks import Blocks
from dynlab.recordings.exports import Exported
from dynlab.recordings.exports.rows import Values, json_rows
from dynlab.recordings.recording import SIMULATED, right_of

_HELD = "parallel"  # the strategy whose samples are independent
_UNREAD = "[invalid]"  # lm-eval's word for a response without an answer


def export(blocks: Blocks, out: Path) -> Exported:
    """Writes the lines.

    Raises:
        InputError: `out` is no .jsonl file, or there are no independent samples.
    """
    if out.suffix != ".jsonl":
        raise InputError(
            f"samples of lm-eval end in .jsonl: give such an --out, best samples_TASK.jsonl; not"
            f" {str(out)!r}"
        )
    recording = blocks.overview
    strategies = recording.frame["strategy"]
    if not (strategies == _HELD).any():
        raise InputError(
            f"{recording.name} has no parallel samples, and lm-eval's files hold no others: export"
            " it --to inspect"
        )
    with replacing(out) as temporary, temporary.open("w", encoding="utf-8") as file:
        for line in _lines(blocks):
            line |= {"dynlab_card": dict(recording.card)} if line["doc_id"] == 0 else {}
            line |= {"filter": SIMULATED} if recording.simulated else {}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    left = strategies[strategies != _HELD].value_counts().sort_index()
    named = ", ".join(f"{number:,} {strategy}" for strategy, number in left.items())
    notes = (f"left out, since lm-eval's files hold independent samples alone: {named}",)
    return Exported(out, notes if named else ())


def _lines(blocks: Blocks) -> Iterator[Values]:
    """A line a question."""
    numbers = count()
    for frame in blocks:
        held = frame[frame["strategy"] == _HELD]
        right = right_of(held)
        for _, own in held.groupby("question_id", sort=True):
            marks = [bool(mark) for mark in right[own.index].dropna()]
            yield _line(next(numbers), list(json_rows(own)), marks)


def _line(number: int, rows: list[Values], marks: list[bool]) -> Values:
    """A question's line; its metric is the share of right answers among its repeats."""
    first = rows[0]
    question, target = first.get("question", ""), first.get("target", "")
    document = {"question_id": first["question_id"], "question": question}
    names = list(dict.fromkeys(name for row in rows for name in row if name != "question"))
    columns: dict[str, list[Any]] = {name: [row.get(name) for row in rows] for name in names}
    columns |= {"question": [question or None] * len(rows)}
    return {
        "doc_id": number,
        "doc": document,
        "target": target,
        "arguments": {"gen_args_0": {"arg_0": question, "arg_1": {}}},
        "resps": [[row.get("text", row["answer"]) for row in rows]],
        "filtered_resps": [[row["answer"] or _UNREAD for row in rows]],
        "filter": "dynlab",
        "metrics": ["exact_match"] if marks else [],
        "doc_hash": _hash(json.dumps(document, ensure_ascii=False)),
        "prompt_hash": _hash(question),
        "target_hash": _hash(target),
        **({"exact_match": math.fsum(marks) / len(marks)} if marks else {}),
        "dynlab": columns,
    }


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
