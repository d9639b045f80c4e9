"""What the page shows of a recording, as plain values that JSON knows.

A column holds a value for each question, or for each sample; null is unknown, and a column of which
nothing is known is left out. Texts stand once in `strings`, lists of parents once in `lists`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from dynlab._util.values import GREEDY
from dynlab.analysis.question_votes import STANDINGS, UNTARGETED, QuestionVotes, question_votes
from dynlab.recordings.arrays import Floats, Ints, cost_of, tokens_of
from dynlab.recordings.recording import Recording, right_of, text_or_none
from dynlab.recordings.streams import strategies_of

# of a card, shown above the questions
_FACTS = ("model", "adapter", "weights", "weights_license", "server", "date")
_NUMBERS = {  # columns of samples → significant digits
    "prompt_tokens": 12,
    "completion_tokens": 12,
    "reasoning_tokens": 12,
    "cached_tokens": 12,
    "cost_usd": 4,
    "billed_usd": 4,
    "latency_s": 3,
    "mean_logprob": 3,
    "picked": 12,
}
_HEAD = 0.6  # share of a text that is too long which is kept of its beginning; the rest of its end


def page_data(recording: Recording) -> dict[str, Any]:
    """A recording of any design, with or without targets, texts and tokens, as the page takes it.

    Raises:
        InputError: Which answers are right cannot be told: targets are lacking or several.
    """
    strings, lists = _Pool(), _Pool()
    frame, counts = recording.frame, recording.counts()
    held = strategies_of(recording)
    held += [GREEDY] if (frame["strategy"] == GREEDY).any() else []
    ids = sorted(frame["question_id"].unique())
    strategies = [
        _strategy(recording, question_votes(recording, name), ids, strings, lists)
        | {"right": _number(right, 6), "noAnswer": _number(missing, 6)}
        for name in held
        for right, missing in counts.loc[[name], ["right", "no answer"]].to_numpy()
    ]
    facts = [("design", recording.design), *((name, recording.card.get(name)) for name in _FACTS)]
    return {
        "name": recording.name,
        "facts": [[name, str(value)] for name, value in facts if value not in (None, "")],
        "hasTexts": "text" in frame and bool(frame["text"].notna().any()),
        "questions": {
            "id": ids,
            "text": _firsts(frame, "question", ids),
            "target": _firsts(frame, "target", ids),
        },
        "strings": strings.values,
        "lists": lists.values,
        "strategies": strategies,
    }


def with_short_texts(data: dict[str, Any], most: float) -> dict[str, Any]:
    """The data with at most so many characters of texts: the longest are without their middles."""
    texts = data["strings"]
    limit = text_limit(map(len, texts), most)
    if limit == math.inf:
        return data
    return data | {"cut": limit, "strings": [shortened(text, limit) for text in texts]}


def text_limit(lengths: Iterable[int], most: float) -> float:
    """The longest that a text may be so that all together have at most that many characters.

    >>> text_limit([10, 100, 200], 110), text_limit([10, 100], 110)
    (50, inf)
    """
    ordered = np.sort(np.asarray([*lengths], dtype=float))
    if ordered.sum() <= most:
        return math.inf
    rest = np.arange(len(ordered), 0, -1)
    limits = (most - (np.cumsum(ordered) - ordered)) / rest  # if those before are kept whole
    return max(int(limits[np.argmax(limits < ordered)]), 1)


def shortened(text: str, limit: float) -> str:
    """A text of at most so many characters: what is too long loses its middle.

    >>> shortened("abcdefghij" * 10, 60)
    'abcdefghijabcde\\n[… 75 characters are left out …]\\nabcdefghij'
    """
    if len(text) <= limit:
        return text
    note = f"\n[… {len(text)} characters are left out …]\n"
    kept = max(int(limit) - len(note), 2)
    head = math.ceil(kept * _HEAD)
    note = note.replace(str(len(text)), str(len(text) - kept))
    return text[:head] + note + text[len(text) - kept + head :]


class _Pool:
    """Values that many samples share, each once, in the order of their first appearance."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}

    @property
    def values(self) -> list[Any]:
        return [*self._numbers]

    def number(self, value: Any) -> int | None:
        """Where a value stands; None for None."""
        return None if value is None else self._numbers.setdefault(value, len(self._numbers))


def _strategy(
    recording: Recording,
    votes: QuestionVotes,
    ids: Sequence[str],
    strings: _Pool,
    lists: _Pool,
) -> dict[str, Any]:
    frame = recording.frame.iloc[votes.rows]
    code, answers = _by_votes(votes)
    place = {name: number for number, name in enumerate(ids)}
    tokens, kind, _ = tokens_of(frame, votes.question)
    latency = frame["latency_s"] if "latency_s" in frame else pd.Series(np.nan, frame.index)
    cost = cost_of(frame, votes.question, None, recording.name)
    standings = STANDINGS if votes.has_target else UNTARGETED
    wrong = np.where(votes.winner < 0.5, votes.top_share, 0.0) if votes.has_target else None
    columns = {
        "share": votes.share_right,
        "top": votes.top_share,
        "disagreement": votes.uncertainty("top-share"),
        "entropy": votes.uncertainty("entropy"),
        "winner": votes.winner,
        "wrong": wrong,
        "tokens": _means(tokens, votes),
        "cost": _means(cost, votes) * votes.samples,
        "latency": _means(latency.to_numpy(dtype=float, na_value=np.nan), votes),
    }
    return {
        "name": votes.strategy,
        "hasTarget": votes.has_target,
        "tokensKind": kind,
        "standings": [[name, meaning] for name, meaning in standings.items()],
        "questions": [place[name] for name in votes.question_ids],
        "starts": [0, *np.cumsum(votes.samples).tolist()],
        "standing": [list(standings).index(name) for name in votes.standing],
        "answers": answers,
        **{
            name: _rounded(values, 6)
            for name, values in columns.items()
            if values is not None and not np.isnan(values).all()
        },
        "samples": _samples(frame, code, strings, lists),
    }


def _by_votes(votes: QuestionVotes) -> tuple[Ints, list[list[list[Any]]]]:
    """[S] codes that count from the answer of most votes on, and [Q] lists of answer, votes, right.

    Right is 1, 0, or null where no target is known.
    """
    order = np.argsort(-votes.counts, axis=1, kind="stable")
    rank = np.argsort(order, axis=1, kind="stable")
    code = np.where(votes.code < 0, -1, rank[votes.question, np.maximum(votes.code, 0)])
    answers = [
        [
            [own[k], int(votes.counts[q, k]), int(votes.right[q, k]) if votes.has_target else None]
            for k in order[q][: len(own)]
        ]
        for q, own in enumerate(votes.answers)
    ]
    return code, answers


def _samples(frame: pd.DataFrame, code: Ints, strings: _Pool, lists: _Pool) -> dict[str, Any]:
    columns: dict[str, list[Any]] = {
        "stream": frame["stream"].tolist(),
        "index": frame["sample_index"].tolist(),
        "code": code.tolist(),
        "text": _numbers_in(strings, frame, "text"),
        "finish": _numbers_in(strings, frame, "finish_reason"),
        "role": _numbers_in(strings, frame, "role"),
    }
    if "parents" in frame:
        columns["parents"] = [
            lists.number(tuple(value)) if isinstance(value, list) else None
            for value in frame["parents"]
        ]
    silent = (code < 0) & (frame["answer"] != "").to_numpy()  # answers that do not vote
    if silent.any():
        answers, right = frame["answer"].tolist(), right_of(frame).tolist()
        columns["silent"] = [
            [answers[row], None if pd.isna(right[row]) else int(right[row])]
            if silent[row]
            else None
            for row in range(len(frame))
        ]
    for name, digits in _NUMBERS.items():
        if name in frame:
            columns[name] = _rounded(frame[name].to_numpy(dtype=float, na_value=np.nan), digits)
    return {name: values for name, values in columns.items() if any(v is not None for v in values)}


def _numbers_in(strings: _Pool, frame: pd.DataFrame, column: str) -> list[int | None]:
    """[S] where the texts of a column stand in the pool, None where there is none."""
    if column not in frame:
        return [None] * len(frame)
    codes, texts = pd.factorize(frame[column])
    numbers = [*(strings.number(text) for text in texts), None]  # code −1, a missing one, is last
    return [numbers[code] for code in codes.tolist()]


def _firsts(frame: pd.DataFrame, column: str, ids: Sequence[str]) -> list[str | None]:
    """What a column says of each question first, None where it says nothing."""
    if column not in frame:
        return [None] * len(ids)
    found = frame.groupby("question_id")[column].first().to_dict()
    return [text_or_none(found.get(name)) for name in ids]


def _means(values: Floats, votes: QuestionVotes) -> Floats:
    """[Q] the mean of a question's samples; NaN where one of them is unknown."""
    sums = np.bincount(votes.question, weights=values, minlength=len(votes.samples))
    return np.asarray(sums / votes.samples)


def _rounded(values: Floats, digits: int) -> list[float | int | None]:
    return [_number(value, digits) for value in values.tolist()]


def _number(value: float, digits: int) -> float | int | None:
    """A number to so many significant digits, whole ones as int; None for NaN.

    >>> _number(0.0361234, 3), _number(64.0, 12), _number(float("nan"), 3)
    (0.0361, 64, None)
    """
    if math.isnan(value):
        return None
    if value == int(value):
        return int(value)
    return float(f"{value:.{digits}g}")
