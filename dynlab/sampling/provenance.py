"""Where samples come from: the settings that decide them, the table and card that keep them, and
the way back.

A recording that exists is continued only with the settings that it was made with, so what it says
of itself is compared with what is given now, field by field.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from dynlab import __version__, recordings
from dynlab._util.errors import InputError
from dynlab._util.values import GREEDY, Question, Sample, Usage
from dynlab.models.engines import describe
from dynlab.models.llama_cpp import Endpoint
from dynlab.sampling.plan import Plan
from dynlab.sampling.store import refuse_difference
from dynlab.sampling.store_rows import Key
from dynlab.tasks.answers import writable
from dynlab.tasks.prompts import prompter_for
from dynlab.tasks.task import Task

_DECIDING = (
    "weights_sha256",
    "adapter_sha256",
    "server",
    "server_version",
)  # of a local model's description


def is_local(model: str | Endpoint) -> bool:
    """Whether a model is served from an address that is given, or on this machine."""
    return (
        bool(model.api_base or model.answer)
        if isinstance(model, Endpoint)
        else model.startswith("local/")
    )


def settings_of(plan: Plan, model: str | Endpoint, engine: str | None = None) -> dict[str, Any]:
    """What decides the samples, and so must not change when a recording is continued."""
    if isinstance(model, Endpoint):
        described, name = model.card, model.card.get("model", model.litellm_model)
    else:
        described, name = describe(model, engine=engine) if is_local(model) else {}, model
    return {
        "dataset": plan.task.name,
        "model": name,
        **{field: described[field] for field in _DECIDING if field in described},
        "prompt_form": plan.task.form,
        "wording": _wording_digest(plan),
        "answer": plan.task.grader.name,
        "strategy": plan.strategy.name,
        **asdict(plan.strategy),  # type: ignore[call-overload]
        **asdict(plan.sampling),
        "seed": plan.seed,
    }


def _wording_digest(plan: Plan) -> str:
    """A fingerprint of how questions are worded and attempts shown, whatever the questions are."""
    asked, attempts = Question("id", "question"), [Sample("id", "parallel", 0, 0, "answer", "text")]
    prompter = prompter_for(plan.task, plan.strategy.shown)
    words = [prompter(asked, shown) for shown in ([], attempts)]
    return hashlib.blake2b(repr(words).encode(), digest_size=8).hexdigest()


def wording_of(question: Question) -> str:
    """What must not change of a question: its text and its choices."""
    return "\n".join([question.question, *question.choices])


def earlier_samples(out: Path, task: Task, settings: Mapping[str, Any]) -> dict[Key, Sample]:
    """The samples of a recording that exists already, if it was made with the same settings."""
    if not out.exists():
        return {}
    recording = recordings.load(out)
    recorded = recording.card.get("settings")
    if recorded is None or recording.design != "fixed":
        merged = (
            "it is merged; take it apart by `dynlab recordings split`, or "
            if "merged" in recording.card
            else ""
        )
        raise InputError(
            f"{out} exists, and not as a recording of planned samples: {merged}give another --out"
        )
    given = json.loads(json.dumps(settings))
    recorded.setdefault("answer", given["answer"])  # not noted by earlier versions
    refuse_difference(out, {name: (recorded.get(name), value) for name, value in given.items()})
    asked = dict(zip(recording.frame["question_id"], recording.frame["question"], strict=True))
    known = {question.id: question.question for question in task.questions}
    refuse_difference(
        out, {f"question {id_!r}": (text, known.get(id_)) for id_, text in asked.items()}
    )
    return {sample.key: sample for sample in samples_in(recording.frame)}


def without_text(out: Path) -> set[Key]:
    """The samples of a recording whose texts were not kept: what the model said of them is not
    known.
    """
    frame = recordings.load(out).frame
    unknown = frame["text"].isna() if "text" in frame else pd.Series(True, frame.index)
    if "finish_reason" in frame:  # a sample that could not be had has none
        unknown &= ~frame["finish_reason"].fillna("").str.startswith("error: ")
    return {sample.key for sample in samples_in(frame[unknown])}


def samples_in(frame: pd.DataFrame) -> list[Sample]:
    """The samples that a recording's table holds."""
    return [
        _sample(row) for row in frame.astype(object).where(frame.notna(), None).to_dict("records")
    ]


def _sample(row: Mapping[Any, Any]) -> Sample:
    values = {
        field.name: row[field.name] for field in fields(Sample) if row.get(field.name) is not None
    }
    usage = Usage(**{field.name: row[field.name] for field in fields(Usage) if field.name in row})
    return Sample(**({"text": ""} | values | {"usage": usage, "parents": tuple(row["parents"])}))


def frame_of(
    samples: list[Sample], plan: Plan, task: Task, model: str, keep_text: int | None
) -> pd.DataFrame:
    """The samples as a recording's table, with what is known of their questions.

    Args:
        task: With all the questions that samples are of, also where the plan is of fewer.
        keep_text: Texts are kept of so many samples of a stream, and of all parents of planned
            ones; None: of all.
    """
    questions = {question.id: question for question in task.questions}
    shown = (
        set()
        if keep_text is None
        else {parent for key in plan.keys for parent in plan.parents(key)}
    )

    def row(sample: Sample) -> dict[str, Any]:
        question = questions[sample.question_id]
        kept = keep_text is None or sample.sample_index < keep_text or sample.key in shown
        return {
            "dataset": task.name,
            "model": model,
            "question": question.question,
            **vars(sample),
            **vars(sample.usage),
            "awaited": [index for *_, index in plan.parents(sample.key)],
            "target": question.target,
            "correct": task.is_right(sample.answer, question),
            "text": writable(sample.text) if kept else None,
            "source": f"dynlab {__version__}",
        }

    return pd.DataFrame([row(sample) for sample in samples])


def card_of(
    plan: Plan, settings: Mapping[str, Any], described: Mapping[str, Any], frame: pd.DataFrame
) -> dict[str, Any]:
    """What a recording says about itself."""
    greedy = frame["strategy"] == GREEDY
    counts = {
        "questions": frame["question_id"].nunique(),
        "samples": int((~greedy).sum()),
        "greedy": int(greedy.sum()),
    }
    date = datetime.now(UTC).date().isoformat()
    return {
        "design": "fixed",
        **described,
        "model": settings["model"],
        "settings": settings,
        **({"task_origin": plan.task.origin} if plan.task.origin else {}),
        "date": date,
        **counts,
    }
