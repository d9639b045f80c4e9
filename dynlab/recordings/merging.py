"""Merging: recordings of one model on one task, of different strategies, as one that compares them;
and apart again.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from dynlab._util.errors import InputError
from dynlab._util.values import GREEDY
from dynlab.recordings.blocks import blocks_of, in_step
from dynlab.recordings.recording import Recording
from dynlab.recordings.schema import KEY
from dynlab.recordings.shards import is_shard, merge_shards
from dynlab.recordings.writing import Counts, write_blocks

_SAME = (
    "dataset",
    "model",
    "question",
    "target",
)  # what a question must have in common wherever it is recorded
_COMMON = (
    "model",
    "weights_sha256",
    "server",
    "server_version",
    "prompt_form",
    "dataset",
)  # of cards and settings
_COUNTED = ("questions", "samples", "greedy", "date", "settings", "design", "merged")


def merge(sources: Sequence[str | Path], out: str | Path) -> Path:
    """Writes the samples of several recordings as one.

    Shards (`record --shard`) make the recording that one run would have made; `record` goes on
    from it.

    Of greedy answers that several hold, the first part's are kept. The card says at its top what
    all parts agree on, and keeps each part's own under `merged`. A merged recording is not
    continued by `record`: its parts are, which `split` gives back, and are merged again.

    Args:
        sources: Two or more recordings, paths or names, of fixed design; or all shards of one.
        out: The recording to write, a path that ends in .parquet.

    Returns:
        The path of the recording.

    Raises:
        InputError: fewer than two; another design; different models, tasks or questions; a sample
            that two hold; a shard that is missing or given twice.
    """
    parts = [blocks_of(source) for source in sources]
    out = Path(out)
    if len(parts) < 2:
        raise InputError(f"{len(parts)} recording given: name two or more to merge")
    if out.suffix != ".parquet":
        raise InputError(f"out is {str(out)!r}: give a path that ends in .parquet")
    known = [part.overview for part in parts]
    if any(map(is_shard, known)):
        return merge_shards(parts, out)
    for part in known:
        if part.design != "fixed":
            raise InputError(
                f"{part.name} is of {part.design} design: only planned recordings (fixed) are"
                " merged"
            )
        if part is not known[0]:
            _check_like(known[0], part)
    return write_blocks(map(_without_doubles, in_step(parts)), partial(_card, known), out)


def _without_doubles(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows without the greedy answers that stand there already; no other may stand twice."""
    greedy = frame["strategy"] == GREEDY
    frame = frame[~(greedy & frame.duplicated(list(KEY)))]
    again = frame[frame.duplicated(list(KEY))]
    if len(again):
        key = ", ".join(f"{name}={again[name].iloc[0]}" for name in KEY)
        raise InputError(
            f"two of the recordings hold the sample of {key}: merge different strategies or streams"
        )
    return frame


def split(source: str | Path, out: str | Path) -> dict[str, Path]:
    """Writes the parts of a merged recording, each with its own card; `record` can go on from them.

    Greedy answers go to the first part that has any.

    Args:
        source: A merged recording, a path or a name.
        out: The folder that NAME.STRATEGY.parquet is written to.

    Returns:
        The path of each strategy's part.

    Raises:
        InputError: it is not merged, or two of its parts have the same strategy.
    """
    blocks = blocks_of(source)
    whole = blocks.overview
    merged = whole.card.get("merged", [])
    cards = {str(card.get("settings", {}).get("strategy")): card for card in merged}
    if not cards or len(cards) < len(merged):
        raise InputError(
            f"{whole.name} is not merged of different strategies: only such a recording is taken"
            " apart"
        )
    greedy = next((name for name, card in cards.items() if card.get("greedy") != 0), None)
    made = {}
    for name, card in cards.items():
        own = (name, GREEDY) if name == greedy else (name,)
        part = (frame[frame["strategy"].isin(own)] for frame in blocks)
        path = Path(out) / f"{whole.name}.{name}.parquet"
        made[name] = write_blocks(part, partial(operator.or_, card), path)
    return made


def _check_like(one: Recording, other: Recording) -> None:
    """Refuses recordings that differ in model, task, or what they know of a common question."""
    settings = [part.card.get("settings", {}) | dict(part.card) for part in (one, other)]
    pairs: dict[str, tuple[Any, Any]] = {
        name: (settings[0].get(name), settings[1].get(name)) for name in _COMMON
    }
    for column in _SAME:
        if column in one.frame and column in other.frame:
            known, given = (
                part.frame.groupby("question_id")[column].first() for part in (one, other)
            )
            both = known.index.intersection(given.index)
            for question in both[(known[both].fillna("") != given[both].fillna("")).to_numpy()]:
                pairs.setdefault(f"{column} of {question!r}", (known[question], given[question]))
    for name, (known_value, given_value) in pairs.items():
        if known_value != given_value and None not in (known_value, given_value):
            raise InputError(
                f"{one.name} has {name} = {known_value!r}, {other.name} has {given_value!r}: "
                "only recordings of one model on one task are merged"
            )
    tasks = [_task_of(part) for part in (one, other)]
    if None in tasks and not _share_questions(one, other):
        raise InputError(
            f"nothing tells that {one.name} and {other.name} are of one task: give both a column"
            " 'dataset', or 'question' or 'target' of a question that both hold"
        )


def _task_of(part: Recording) -> str | None:
    named = part.frame["dataset"].dropna() if "dataset" in part.frame else pd.Series(dtype=object)
    known = part.card.get("settings", {}).get("dataset") or part.card.get("dataset")
    return str(known or named.iloc[0]) if known or len(named) else None


def _share_questions(one: Recording, other: Recording) -> bool:
    """Whether a question that both hold is known to be the same by its text or its target."""
    for column in ("question", "target"):
        if column in one.frame and column in other.frame:
            pairs = [
                set(map(tuple, part.frame[["question_id", column]].dropna().to_numpy()))
                for part in (one, other)
            ]
            if pairs[0] & pairs[1]:
                return True
    return False


def _card(parts: Sequence[Recording], counts: Counts) -> dict[str, Any]:
    """What the parts agree on, the counts of the whole, and each part's own card."""
    first = parts[0].card
    agreed = {
        name: value
        for name, value in first.items()
        if name not in _COUNTED and all(part.card.get(name) == value for part in parts)
    }
    own = [card for part in parts for card in part.card.get("merged", [dict(part.card)])]
    date = max(str(part.card.get("date", "")) for part in parts)
    return {"design": "fixed", **agreed, "date": date, **counts, "merged": own}
