"""What a recording came to, in a few lines, and what looks wrong with how it was asked or read."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

import pandas as pd

from dynlab._util.durations import took
from dynlab.recordings.blocks import FileBlocks
from dynlab.recordings.critical_path import longest_path
from dynlab.recordings.recording import right_of

SILENT = 0.2  # more samples without an answer than this are told
WRONG = 0.95  # and more wrong ones than this, where the texts hold the targets
_HELD = 0.5  # of the texts, more than this
_SEVERAL = 3  # questions with the same text again and again are no accident


def summary_of(rows: pd.DataFrame | FileBlocks, wall_s: float | None = None) -> str:
    """Samples, answers, accuracy where targets are known, tokens, cost, depth and time, in a line.

    >>> rows = [("q", "4", "4", 10, 5), ("q", "", "4", 10, 7)]
    >>> columns = ["question_id", "answer", "target", "prompt_tokens", "completion_tokens"]
    >>> summary_of(pd.DataFrame(rows, columns=columns))
    '2 samples of 1 question: 50.0% without an answer, right 0.500, 16.0 tokens each'
    """
    parts = [(_sums(frame), longest_path(frame)) for frame in _frames(rows)]
    sums = _total(each for each, _ in parts)
    paths = [path for _, path in parts if path is not None]
    num_samples, num_questions = int(sums["samples"]), int(sums["questions"])
    said = [f"{sums['silent'] / num_samples:.1%} without an answer"]
    said += [f"right {sums['right'] / sums['judged']:.3f}"] if sums["judged"] else ["no targets"]
    known = [
        sums[name] / sums[f"known {name}"]
        for name in ("prompt_tokens", "completion_tokens")
        if sums[f"known {name}"]
    ]
    said += [f"{sum(known):.1f} tokens each"] if known else []
    if sums["known cost_usd"]:
        said.append(f"{sums['cost_usd']:.6f} USD")
    said += _times(sums, paths, wall_s)
    of = f"{num_questions:,} question{'s' * (num_questions != 1)}"
    return f"{num_samples:,} sample{'s' * (num_samples != 1)} of {of}: {', '.join(said)}"


def _frames(rows: pd.DataFrame | FileBlocks) -> Iterable[pd.DataFrame]:
    return [rows] if isinstance(rows, pd.DataFrame) else rows


def _total(parts: Iterable[Mapping[str, float]]) -> Mapping[str, float]:
    """The sums of what has the same name; 0 of what no part has."""
    sums: defaultdict[str, float] = defaultdict(float)
    for part in parts:
        for name, value in part.items():
            sums[name] += value
    return sums


def _sums(frame: pd.DataFrame) -> dict[str, float]:
    """What adds up over the blocks of a recording; `known …` counts the samples that know it."""
    right = right_of(frame)
    found: dict[str, float] = {
        "samples": len(frame),
        "questions": frame["question_id"].nunique(),
        "silent": float((frame["answer"] == "").sum()),
        "right": float(right.sum()),
        "judged": float(right.notna().sum()),
    }
    for name in ("prompt_tokens", "completion_tokens", "cost_usd", "latency_s"):
        if name in frame:
            values = frame[name].astype(float)
            found |= {name: values.sum(), f"known {name}": float(values.notna().sum())}
    return found


def _times(
    sums: Mapping[str, float], paths: list[tuple[int, float]], wall_s: float | None
) -> list[str]:
    """'depth 16', 'a call 2.1 s, the longest path of calls 38.0 s', 'took 3 min 20 s'."""
    said = [f"depth {max(calls for calls, _ in paths)}"] if paths else []
    if num := sums["known latency_s"]:
        said.append(f"a call {sums['latency_s'] / num:.2f} s")
        seconds = [each for _, each in paths]
        if seconds and not any(map(math.isnan, seconds)):
            said[-1] += f", the longest path of calls {max(seconds):.2f} s"
    return said if wall_s is None else [*said, f"took {took(wall_s)}"]


def doubts_about(rows: pd.DataFrame | FileBlocks, kind: str) -> list[str]:
    """What looks wrong, a sentence each: too few answers, right texts that are read as wrong, or
    samples of a question that are all one text.

    Args:
        rows: Of a recording, with texts where they are kept.
        kind: The task's kind of answer or grader.
    """
    seen = _total(map(_signs, _frames(rows)))
    doubts = []
    silent = seen["silent"] / seen["samples"]
    if silent > SILENT:
        cut = seen["cut"] / seen["silent"]
        mend = (
            f"{cut:.0%} of these were cut off: raise --max-tokens"
            if cut > 0.5
            else "read some texts, and change --kind, --direct, --form or --instruction"
        )
        doubts.append(f"{silent:.0%} of the samples give no answer of kind {kind!r}; {mend}")
    if seen["wrong texts"] and seen["wrong"] / seen["samples"] > WRONG:
        share = sum(map(_num_holding, _frames(rows))) / seen["wrong texts"]
        if share > _HELD:
            right = seen["right"] / seen["judged"]
            doubts.append(
                f"{right:.1%} of the samples are right, but {share:.0%} of the other texts"
                f" hold their target: answers may not be read as meant; change --kind (now"
                f" {kind!r}), --direct or --instruction"
            )
    if seen["several texts"] >= _SEVERAL and seen["several texts"] == seen["one text"]:
        doubts.append(
            "the samples of each question are all the same text, so that a vote decides nothing:"
            " does the server sample at this temperature, and heed each call's seed?"
        )
    return doubts


def _signs(frame: pd.DataFrame) -> dict[str, float]:
    """What doubts go by, as counts that add up over the blocks of a recording."""
    right, silent = right_of(frame), frame["answer"] == ""
    wrong = _wrong(frame)
    found: dict[str, float] = {
        "samples": len(frame),
        "silent": int(silent.sum()),
        "judged": int(right.notna().sum()),
        "right": int(right.sum()),
        "wrong": int(wrong.sum()),
    }
    if "finish_reason" in frame:
        found["cut"] = int((frame.loc[silent, "finish_reason"] == "length").sum())
    if "text" in frame:
        found["wrong texts"] = int((wrong & frame["text"].notna()).sum())
        # of several independent samples
        drawn = frame[frame["strategy"] == "parallel"] if "strategy" in frame else frame
        texts = drawn[drawn["text"].notna()].groupby("question_id")["text"].agg(["size", "nunique"])
        several = texts[texts["size"] > 1]
        found["several texts"] = len(several)
        found["one text"] = int((several["nunique"] == 1).sum())
    return found


def _wrong(frame: pd.DataFrame) -> pd.Series:
    right = right_of(frame)
    return right.notna() & ~right.fillna(True)


def _num_holding(frame: pd.DataFrame) -> int:
    """How many texts of wrong samples hold their target."""
    wrong = frame[_wrong(frame) & frame["text"].notna()]
    return sum(_holds(*pair) for pair in zip(wrong["text"], wrong["target"], strict=True))


def _holds(text: str, target: str | None) -> bool:
    """Whether the words of the target stand in the text: _holds("2 + 2 = 4.", "4") → True."""
    words = str(target or "").strip()
    pattern = rf"(?<!\w){re.escape(words)}(?!\w)"
    return bool(words) and re.search(pattern, text, re.IGNORECASE) is not None
