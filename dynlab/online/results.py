"""What a live run found: an answer for each question, with what it took and why it ended there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dynlab._util.durations import took
from dynlab._util.files import replacing
from dynlab._util.values import Sample, Usage
from dynlab.online.run_state import RunState
from dynlab.policies.votes import tie_break
from dynlab.sampling.store_rows import Key
from dynlab.tasks.answers import clean

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 5  # answers whose votes are listed
_ROWS = 20  # questions in a notebook's table
FAILED = "error: "  # what the finish_reason of a failed sample begins with


@dataclass(frozen=True)
class Solution:
    """The answers of a live run; `await` gives it back, so that `await dynlab.solve(…)` works as
    `dynlab.solve(…)`.

    Args:
        rows: One a question, as in answers.jsonl.
        totals: questions, answered, samples, missing, tokens, cost_usd, depth, and what the run was
            ended by.
        path: answers.jsonl.
        recording: All samples, as Parquet.
    """

    rows: tuple[Mapping[str, Any], ...]
    totals: Mapping[str, Any]
    path: Path
    recording: Path

    @property
    def answers(self) -> dict[str, str | None]:
        """Answer by question id; None where there is no vote."""
        return {row["id"]: row["answer"] for row in self.rows}

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The rows as a table."""
        import pandas as pd

        return pd.DataFrame(self.rows)

    @property
    def summary(self) -> str:
        """What the run came to, in a few lines."""
        return summary_of(self.totals)

    def _repr_html_(self) -> str:
        shown = (
            "id",
            "question",
            "answer",
            "share",
            "samples",
            "tokens",
            "cost_usd",
            "stop_reason",
        )
        head = "".join(f"<th>{name}</th>" for name in shown)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(_cell(row[name]))}</td>" for name in shown) + "</tr>"
            for row in self.rows[:_ROWS]
        )
        more = f"<p>… {len(self.rows) - _ROWS} more</p>" if len(self.rows) > _ROWS else ""
        return (
            f"<p>{escape(self.summary)}</p><table><thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table>{more}"
        )

    def __await__(self) -> Generator[None, None, Solution]:
        yield from ()
        return self


def _cell(value: Any) -> str:
    text = "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def summary_of(totals: Mapping[str, Any]) -> str:
    """The totals of a run in words.

    >>> none = {"failed": 0, "tokens": None, "cost_usd": None, "reserved_calls": 0}
    >>> none["reserved_usd"] = 0.0
    >>> some = {"how": "ucb in rounds of 4", "questions": 2, "answered": 2, "samples": 4}
    >>> some["depth"] = 2
    >>> summary_of(none | some | {"ended": "budget"})
    '2 of 2 questions answered by ucb in rounds of 4, with 4 samples, depth 2; ended by: budget'
    """
    spent = [
        f"{totals['samples']} samples"
        + (f" ({totals['failed']} failed)" if totals["failed"] else "")
    ]
    spent += [f"{totals['tokens']} tokens"] if totals["tokens"] is not None else []
    spent += [f"{totals['cost_usd']:.6f} USD"] if totals["cost_usd"] is not None else []
    line = (
        f"{totals['answered']} of {totals['questions']} questions answered by {totals['how']}, with"
        f" {', '.join(spent)}"
    )
    if totals["reserved_calls"]:
        usd = totals["reserved_usd"]
        most = "" if usd is None else f", up to {usd:.6f} USD"
        line += f"; {totals['reserved_calls']} calls of unknown outcome stay reserved{most}"
    times = [f"depth {totals['depth']}"]
    if totals.get("path_s") is not None:
        times.append(f"the longest path of calls {totals['path_s']:.2f} s")
    times += [f"took {took(totals['wall_s'])}"] if totals.get("wall_s") is not None else []
    return f"{line}, {', '.join(times)}; ended by: {totals['ended']}"


def rows_of(
    state: RunState,
    held: Mapping[Key, Sample],
    questions: Mapping[str, str],
    ended: str,
) -> list[dict[str, Any]]:
    """A row for each question, as in answers.jsonl.

    Args:
        state: Where the run has ended.
        held: The samples that it was told of.
        questions: The wording by id.
        ended: What ended the run.
    """
    counts = state.policy.finish()
    rows = []
    for number, samples in enumerate(samples_of(state, held)):
        id_ = state.setup.question_ids[number]
        votes = sorted(
            zip(counts.answers[number], counts.counts[number], strict=True),
            key=lambda pair: -pair[1],
        )
        answer = _chosen(state, number)
        num_votes = int(counts.votes[number])
        usage = sum((sample.usage for sample in samples), Usage(0, 0, 0, 0, 0.0, 0.0))
        prompt, completion = usage.prompt_tokens, usage.completion_tokens
        rows.append(
            {
                "id": id_,
                "question": clean(questions.get(id_, "")),
                "answer": answer,
                "share": None if answer is None else dict(votes)[answer] / num_votes,
                "votes": dict(votes[:_SHOWN]),
                "samples": len(samples),
                "missing": len(samples) - num_votes,
                "tokens": None if prompt is None or completion is None else prompt + completion,
                "cost_usd": None if not samples else usage.cost_usd,
                "depth": max((state.depth[sample.key] for sample in samples), default=0),
                "stop_reason": _stop_reason(state, number, samples, ended),
            }
        )
    return rows


def wording_digest(rows: Sequence[Mapping[str, Any]]) -> str:
    """Of what rows say was asked, also of questions that a cap left without a sample."""
    asked = json.dumps([(row.get("id"), row.get("question")) for row in rows])
    return hashlib.blake2b(asked.encode(), digest_size=16).hexdigest()


def samples_of(state: RunState, held: Mapping[Key, Sample]) -> list[list[Sample]]:
    """All samples that a run was told of, by question, each question's in order; a cap may have
    left some out between them.
    """
    found: dict[str, list[Sample]] = {id_: [] for id_ in state.setup.question_ids}
    for key in sorted(state.told):
        found[key[0]].append(held[key])
    return list(found.values())


def _chosen(state: RunState, number: int) -> str | None:
    """The voted answer; a tie falls by (seed, 0, question, pulls), like every other."""
    setup, counts = state.setup, state.policy.counts
    if not counts.counts[number]:
        return None
    known: list[str] = list(counts.answers[number])
    chances = counts.chances(number, setup.policy.vote or setup.policy.stopping)
    tied = np.flatnonzero(chances >= chances.max() - 1e-9)
    lot = float(tie_break(setup.seed, np.array(0), np.array(number), counts.arrived[number]))
    return known[int(tied[int(lot * len(tied))])]


def _stop_reason(state: RunState, number: int, samples: list[Sample], ended: str) -> str:
    reasons = [sample.finish_reason or "" for sample in samples]
    if reasons and all(reason.startswith(FAILED) for reason in reasons):
        return clean("failed: " + reasons[-1].removeprefix(FAILED))
    return "settled" if state.policy.settled[number] else ended


def totals_of(state: RunState, rows: list[dict[str, Any]], samples: list[Sample]) -> dict[str, Any]:
    """What a run came to, from its rows and samples."""
    usage = sum((sample.usage for sample in samples), Usage(0, 0, 0, 0, 0.0, 0.0))
    known = usage.prompt_tokens is not None and usage.completion_tokens is not None
    return {
        "how": state.setup.how,
        "questions": len(rows),
        "answered": sum(row["answer"] is not None for row in rows),
        "samples": len(samples),
        "failed": sum((sample.finish_reason or "").startswith(FAILED) for sample in samples),
        "missing": sum(row["missing"] for row in rows),
        "tokens": (usage.prompt_tokens or 0) + (usage.completion_tokens or 0) if known else None,
        "cost_usd": usage.cost_usd if samples else None,
        "depth": max(state.depth[sample.key] for sample in samples) if samples else 0,
    }


def path_seconds(state: RunState, held: Mapping[Key, Sample]) -> float | None:
    """Seconds of the longest path of calls, None where how long a call took is not known.

    A call begins when those have ended that it is shown, and those that its pick waited for: of an
    adaptive allocator of all questions, else of its own.
    """
    adaptive = state.setup.policy.allocator.adaptive
    ends: dict[Key, float] = {}
    # question ('' = any) → by depth, the last end of the calls of that depth or less
    latest: dict[str, list[float]] = {}
    for key in sorted(held, key=lambda key: state.depth[key]):
        seconds, whose = held[key].latency_s, "" if adaptive else key[0]
        if seconds is None:
            return None
        known, depth = latest.setdefault(whose, [0.0]), state.depth[key]
        known += known[-1:] * (depth + 1 - len(known))
        shown = [ends[parent] for parent in state.awaited(key) if parent in ends]
        ends[key] = seconds + max(known[state.waited[key]], *shown, 0.0)
        known[depth] = max(known[depth], ends[key])
    return max(ends.values(), default=None)


def write_rows(rows: list[dict[str, Any]], path: Path) -> None:
    """Writes answers.jsonl: whole, or not at all."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
