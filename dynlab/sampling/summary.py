"""What a recording came to, in a few lines, and what looks wrong with how it was asked or read."""

from __future__ import annotations

import re

import pandas as pd

from dynlab._util.durations import took
from dynlab.recordings.critical_path import longest_path
from dynlab.recordings.recording import right_of

SILENT = 0.2  # more samples without an answer than this are told
WRONG = 0.95  # and more wrong ones than this, where the texts hold the targets
_HELD = 0.5  # of the texts, more than this
_SEVERAL = 3  # questions with the same text again and again are no accident


def summary_of(frame: pd.DataFrame, wall_s: float | None = None) -> str:
    """Samples, answers, accuracy where targets are known, tokens, cost, depth and time, in a line.

    >>> rows = [("q", "4", "4", 10, 5), ("q", "", "4", 10, 7)]
    >>> columns = ["question_id", "answer", "target", "prompt_tokens", "completion_tokens"]
    >>> summary_of(pd.DataFrame(rows, columns=columns))
    '2 samples of 1 question: 50.0% without an answer, right 0.500, 16.0 tokens each'
    """
    right = right_of(frame)
    said = [f"{(frame['answer'] == '').mean():.1%} without an answer"]
    said += [f"right {right.mean():.3f}"] if right.notna().any() else ["no targets"]
    known = [
        frame[name].astype(float).mean()
        for name in ("prompt_tokens", "completion_tokens")
        if name in frame and frame[name].notna().any()
    ]
    said += [f"{sum(known):.1f} tokens each"] if known else []
    if "cost_usd" in frame and frame["cost_usd"].notna().any():
        said.append(f"{frame['cost_usd'].sum():.6f} USD")
    said += _times(frame, wall_s)
    num_questions = frame["question_id"].nunique()
    of = f"{num_questions:,} question{'s' * (num_questions != 1)}"
    return f"{len(frame):,} sample{'s' * (len(frame) != 1)} of {of}: {', '.join(said)}"


def _times(frame: pd.DataFrame, wall_s: float | None) -> list[str]:
    """'depth 16', 'a call 2.1 s, the longest path of calls 38.0 s', 'took 3 min 20 s'."""
    path = longest_path(frame)
    said = [] if path is None else [f"depth {path[0]}"]
    if "latency_s" in frame and frame["latency_s"].notna().any():
        said.append(f"a call {frame['latency_s'].astype(float).mean():.2f} s")
        if path is not None and path[1] == path[1]:
            said[-1] += f", the longest path of calls {path[1]:.2f} s"
    return said if wall_s is None else [*said, f"took {took(wall_s)}"]


def doubts_about(frame: pd.DataFrame, kind: str) -> list[str]:
    """What looks wrong, a sentence each: too few answers, right texts that are read as wrong, or
    samples of a question that are all one text.

    Args:
        frame: Rows of a recording, with texts where they are kept.
        kind: The task's kind of answer or grader.
    """
    doubts = []
    silent = frame["answer"] == ""
    if silent.mean() > SILENT:
        cut = (frame.loc[silent, "finish_reason"] == "length").mean() if _has(frame) else 0.0
        mend = (
            f"{cut:.0%} of these were cut off: raise --max-tokens"
            if cut > 0.5
            else "read some texts, and change --kind, --direct, --form or --instruction"
        )
        doubts.append(f"{silent.mean():.0%} of the samples give no answer of kind {kind!r}; {mend}")
    right = right_of(frame)
    wrong = right.notna() & ~right.fillna(True)
    if "text" in frame and wrong.mean() > WRONG:
        rows = frame[wrong & frame["text"].notna()]
        held = [_holds(*pair) for pair in zip(rows["text"], rows["target"], strict=True)]
        share = sum(held) / max(1, len(held))
        if share > _HELD:
            doubts.append(
                f"{right.mean():.1%} of the samples are right, but {share:.0%} of the other texts"
                f" hold their target: answers may not be read as meant; change --kind (now"
                f" {kind!r}), --direct or --instruction"
            )
    if "text" in frame and _alike(frame):
        doubts.append(
            "the samples of each question are all the same text, so that a vote decides nothing:"
            " does the server sample at this temperature, and heed each call's seed?"
        )
    return doubts


def _alike(frame: pd.DataFrame) -> bool:
    """Whether each of several questions has one text alone, by several independent samples."""
    if "strategy" in frame:
        frame = frame[frame["strategy"] == "parallel"]
    drawn = frame[frame["text"].notna()]
    texts = drawn.groupby("question_id")["text"].agg(["size", "nunique"])
    several = texts[texts["size"] > 1]
    return len(several) >= _SEVERAL and bool((several["nunique"] == 1).all())


def _has(frame: pd.DataFrame) -> bool:
    return "finish_reason" in frame and bool(frame["finish_reason"].notna().any())


def _holds(text: str, target: str | None) -> bool:
    """Whether the words of the target stand in the text: _holds("2 + 2 = 4.", "4") → True."""
    words = str(target or "").strip()
    pattern = rf"(?<!\w){re.escape(words)}(?!\w)"
    return bool(words) and re.search(pattern, text, re.IGNORECASE) is not None
