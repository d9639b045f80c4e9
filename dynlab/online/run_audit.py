"""The audit: a live run recomputed from samples, seed and arrivals, and compared."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd

from dynlab import recordings
from dynlab._util.errors import DynlabError, InputError
from dynlab._util.values import Sample
from dynlab.online.results import rows_of, samples_of, summary_of, totals_of, wording_digest
from dynlab.online.run_state import RunState, retraced, setup_of
from dynlab.online.runner import ARRIVALS, PICKS, QUESTIONS
from dynlab.policies.base import Allocator
from dynlab.sampling.provenance import samples_in
from dynlab.sampling.store import Store
from dynlab.sampling.store_rows import Key
from dynlab.strategies.registry import STRATEGIES, by_name
from dynlab.tasks.answers import clean

_NOT_RECOMPUTED = ("reserved_calls", "reserved_usd", "wall_s", "path_s")
_CAP = "cap: "
_MALFORMED = (KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError)


@dataclass(frozen=True)
class Run:
    """What is written down of a live run.

    Args:
        path: The file that it was read from.
        settings: As recorded.
        order: Question ids.
        wording: By id, of the questions that have a sample; none in a store.
        samples: By key.
        picks: Decisions in order, each with its place; a recording has none of samples that a cap
            left out.
        arrivals: In order, where there were no rounds.
        totals: As recorded; None in a store.
        rows: Of answers.jsonl; None where it is not there.
        digest: Of the samples, as written down and as it is.
        asked: The digest of the questions' wording; None where it is not written down.
    """

    path: Path
    settings: Mapping[str, Any]
    order: tuple[str, ...]
    wording: Mapping[str, str]
    samples: Mapping[Key, Sample]
    picks: Sequence[tuple[int, Key]]
    arrivals: Sequence[Key] = ()
    totals: Mapping[str, Any] | None = None
    rows: Sequence[Mapping[str, Any]] | None = None
    digest: tuple[Any, str] | None = None
    asked: str | None = None

    def retraced(self, allocator: Allocator | None = None) -> RunState:
        """The state that its samples lead to; picks, rows and totals are not looked at.

        Args:
            allocator: The one that ran, where it is not dynlab's own.
        """
        try:
            setup = setup_of(self.settings, self.order, allocator)
            return retraced(setup, self._awaited(), self.samples.get, self.arrivals)
        except _MALFORMED as error:
            raise _malformed(self.path, error) from None

    def _awaited(self) -> Callable[[Key], Iterable[Key]]:
        """What a sample waits for: by the strategy, or where that is not dynlab's own, what it was
        shown.
        """
        name = self.settings["strategy"]
        if name not in STRATEGIES:
            return lambda key: (
                [(*key[:3], i) for i in self.samples[key].parents] if key in self.samples else []
            )
        names = [field.name for field in fields(STRATEGIES[name])]
        strategy = by_name(name, **{field: self.settings[field] for field in names})
        return lambda key: [(*key[:3], index) for index in strategy.parents(key[3])]


def load_run(path: str | Path) -> Run:
    """A live run from its answers (.jsonl), its recording (.parquet) or its store (.sqlite).

    Raises:
        InputError: no such file, or none of a live run.
    """
    path = Path(path)
    if path.suffix not in (".jsonl", ".parquet", ".sqlite"):
        raise InputError(
            f"{path}: give a run's answers (.jsonl), recording (.parquet) or store (.sqlite)"
        )
    if not path.is_file():
        raise InputError(
            f"there is no file {path}: give a run's answers (.jsonl), recording or store"
        )
    try:
        return _from_store(path) if path.suffix == ".sqlite" else _from_recording(path)
    except _MALFORMED as error:
        raise _malformed(path, error) from None


def _malformed(path: Path, error: Exception) -> InputError:
    return InputError(
        f"{path} is not of a live run ({type(error).__name__}: {clean(str(error))}): give one of"
        " `solve`"
    )


def _from_recording(path: Path) -> Run:
    recording = recordings.load(path.with_suffix(".parquet"))
    if recording.design != "adaptive":
        raise InputError(
            f"{path} holds planned samples, not a live run: `dynlab compare` replays it"
        )
    card, frame, settings = recording.card, recording.frame, dict(recording.card["settings"])
    samples = samples_in(frame)
    keys = [sample.key for sample in samples]
    answers = path.with_suffix(".jsonl")
    return Run(
        path,
        settings,
        tuple(card["order"]),
        dict(zip(frame["question_id"], frame["question"], strict=True)),
        dict(zip(keys, samples, strict=True)),
        _placed(frame, "picked", keys),
        ([key for _, key in _placed(frame, "arrived", keys)] if settings["asynchronous"] else ()),
        dict(card["totals"]),
        (
            [dict(json.loads(line)) for line in answers.read_text("utf-8").splitlines()]
            if answers.is_file()
            else None
        ),
        (card.get("digest"), recordings.digest(frame)),
        card.get("questions_digest"),
    )


def _placed(frame: pd.DataFrame, column: str, keys: Sequence[Key]) -> list[tuple[int, Key]]:
    return sorted(zip(frame[column].astype(int).tolist(), keys, strict=True))


def _from_store(path: Path) -> Run:
    with Store(path, {}, {}) as store:
        settings, order = store.settings(), tuple(store.notes(QUESTIONS))
        if settings.get("design") != "adaptive":
            raise InputError(f"{path} holds planned samples, not a live run")

        def keys(kind: str) -> list[Key]:
            return [
                (order[number], settings["strategy"], 0, index)
                for number, index in store.notes(kind)
            ]

        samples = {sample.key: sample for sample in store.samples()}
        picks = list(enumerate(keys(PICKS)))
        return Run(path, settings, order, {}, samples, picks, keys(ARRIVALS))


def audit(path: str | Path, allocator: Allocator | None = None) -> str:
    """Recomputes a live run from its samples, seed and arrivals alone, and compares it with what is
    written down.

    Args:
        path: Its answers (.jsonl), recording (.parquet) or store (.sqlite).
        allocator: The one that ran, where it is not dynlab's own.

    Returns:
        One line that says what was found equal.

    Raises:
        InputError: no such file, or none of a live run.
        DynlabError: the first difference.
    """
    run = load_run(path)
    state = run.retraced(allocator)
    _compare_picks(run, state)
    if run.digest is not None:
        _compare(run, "digest of the samples", run.digest[0], run.digest[1])
    found = f"{run.path}: {len(run.samples)} samples lead to the same {len(run.picks)} picks"
    if run.totals is None:
        return f"{found} (a store: answers are not compared)"
    rows, totals = recomputed(run, state)
    for name, value in totals.items():
        _compare(run, f"total {name}", run.totals.get(name), value)
    if run.rows is None:
        return f"{found} and the same totals; there is no answers file beside it"
    _compare(run, "number of answers", len(run.rows), len(rows))
    for given, row in zip(run.rows, rows, strict=True):
        for name in (*row, *given):
            if name == "question" and row["id"] not in run.wording:
                continue  # it has no sample that says how it is worded
            _compare(run, f"question {row['id']!r}: {name}", given.get(name), row.get(name))
    if run.asked is not None:
        _compare(run, "digest of the questions", run.asked, wording_digest(run.rows))
    return f"{found}, votes, answers and spending: equal"


def recomputed(run: Run, state: RunState) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The answers and totals that a retraced state ends with."""
    missing = len(state.asked) - len(state.told)
    ended = "budget" if len(state.asked) >= state.setup.limit else "settled"
    recorded = str((run.totals or {}).get("ended"))
    if missing and recorded.startswith(_CAP):
        ended = recorded
    elif missing:
        ended = f"{missing} samples that are not there"
    rows = rows_of(state, run.samples, run.wording, ended)
    samples = [sample for own in samples_of(state, run.samples) for sample in own]
    return rows, totals_of(state, rows, samples) | {"ended": ended}


def _compare_picks(run: Run, state: RunState) -> None:
    asked = dict(enumerate(state.asked))
    for place, written in run.picks:
        found = asked.get(place)
        if found is None:
            raise DynlabError(
                f"{run.path}: pick {place} (question {written[0]!r}) is not among the recomputed"
            )
        if written != found:
            what = "question {!r} sample {}"
            raise DynlabError(
                f"{run.path}: pick {place} is written down as"
                f" {what.format(written[0], written[3])}, and recomputed as"
                f" {what.format(found[0], found[3])}"
            )
    if extra := run.samples.keys() - set(state.told):
        key = min(extra)
        raise DynlabError(
            f"{run.path}: sample {key[3]} of question {key[0]!r} is one that was never asked for"
        )


def _compare(run: Run, what: str, written: Any, found: Any) -> None:
    if written != found:
        raise DynlabError(
            f"{run.path}: {what} is written down as {written!r}, and recomputed as {found!r}"
        )


def summary(path: str | Path, allocator: Allocator | None = None) -> str:
    """A live run in a table and a line: samples, votes and spending by why its questions ended."""
    run = load_run(path)
    rows, totals = recomputed(run, run.retraced(allocator))
    table = (
        pd.DataFrame(rows)
        .groupby("stop_reason")
        .agg(
            questions=("id", "size"),
            answered=("answer", "count"),
            samples=("samples", "sum"),
            missing=("missing", "sum"),
            tokens=("tokens", lambda t: t.sum(min_count=len(t))),
            share=("share", "mean"),
            depth=("depth", "max"),
        )
    )
    reserved = {name: (run.totals or {}).get(name) for name in _NOT_RECOMPUTED}
    how = "{model}, {strategy}, {allocator}, batch {batch}, seed {seed}".format(**run.settings)
    return clean(
        f"{how}\n{table.to_string(float_format='{:.3f}'.format)}\n{summary_of(totals | reserved)}"
    )
