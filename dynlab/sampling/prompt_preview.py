"""A look before anything is paid for: prompts as they will be sent, and a few answers as read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from itertools import count
from pathlib import Path
from typing import Any

from dynlab._util.errors import InputError
from dynlab._util.options import Limits, RecordingOptions, RequestOptions, Sampling, require_count
from dynlab.models.llama_cpp import Endpoint
from dynlab.recordings.recording import load
from dynlab.sampling.preparation import asked_of
from dynlab.sampling.recorder import record
from dynlab.strategies.base import Strategy
from dynlab.strategies.registry import as_strategy
from dynlab.tasks.plain_text import clean
from dynlab.tasks.prompts import prompter_for
from dynlab.tasks.task import Task, as_task

_MARKS: Mapping[object, str] = {True: "right", False: "wrong"}


@dataclass(frozen=True)
class Previewed:
    """One question as it is asked and, where a model answered, what was read out of its text."""

    question_id: str
    prompt: str
    target: str | None
    text: str | None = None
    answer: str | None = None
    correct: bool | None = None

    @property
    def lines(self) -> list[str]:
        """It in words, its parts."""
        said = [f"── question {self.question_id} ──", self.prompt]
        if self.text is not None:
            read = repr(self.answer) if self.answer else "nothing"
            mark = _MARKS.get(self.correct, "no target")
            said += ["── answered ──", self.text, f"── read as {read}: {mark} ──"]
        return said


@dataclass(frozen=True)
class Preview:
    """A few questions as they are asked; shown in a notebook and by `print`, as plain text."""

    questions: tuple[Previewed, ...]

    def __str__(self) -> str:
        return "\n".join(clean(part) for one in self.questions for part in one.lines)

    def _repr_html_(self) -> str:
        return f"<pre style='white-space: pre-wrap'>{escape(str(self))}</pre>"


def preview(
    task: Any,
    model: str | Endpoint | None = None,
    *,
    num_questions: int = 3,
    out: str | Path | None = None,
    strategy: str | Strategy = "parallel",
    sampling: Sampling | None = None,
    limits: Limits | None = None,
    requests: RequestOptions | None = None,
    seed: int = 0,
) -> Preview:
    """Prompts of a task's first questions and, with a model, one answer to each with what is read
    out of it.

    Args:
        task: A task, its name, a file, or questions, as `solve` takes them.
        model: As `record` takes it; None: nothing is sent.
        num_questions: How many questions.
        out: With a model: the recording that the answers go to, so that `record` of the same task
            to the same file goes on from them and nothing is paid for twice.
        strategy: As `record` takes it; its first sample is drawn, which is shown no attempts.
        sampling: As `record` takes it.
        limits: As `record` takes it.
        requests: As `record` takes it; live, since a batch may take a day.
        seed: As `record` takes it.

    Raises:
        InputError: The arguments cannot work.
        DynlabError: The model does not answer.
    """
    require_count("num_questions", num_questions)
    whole = as_task(task)
    asked = whole if model is None else asked_of(model, whole)
    shown = asked.questions[:num_questions]
    previewed = [_asked(question, asked) for question in shown]
    if model is None:
        return Preview(tuple(previewed))
    if out is None:
        raise InputError("a preview with a model needs out: the recording its answers go to")
    if requests is not None and requests.provider_batch:
        raise InputError("a preview is drawn live: leave --provider-batch out for it")
    chosen = as_strategy(strategy)
    path = record(
        whole,
        model,
        num_samples=next(index for index in count() if chosen.votes(index)) + 1,
        out=out,
        strategy=chosen,
        sampling=sampling,
        limits=limits,
        requests=replace(requests or RequestOptions(), progress=False),
        options=RecordingOptions(num_questions=num_questions, greedy=False),
        seed=seed,
    )
    frame = load(path).frame
    drawn = frame[frame["strategy"] == chosen.name].drop_duplicates("question_id")
    rows = {row["question_id"]: row for row in drawn.to_dict("records")}
    return Preview(tuple(_answered(one, rows.get(one.question_id, {})) for one in previewed))


def _asked(question: Any, task: Task) -> Previewed:
    return Previewed(question.id, _words(prompter_for(task)(question, ())), question.target)


def _words(prompt: str | Sequence[Mapping[str, Any]]) -> str:
    """A prompt as text: that of a completion, or the messages of a chat with who says them."""
    if isinstance(prompt, str):
        return prompt
    return "\n".join(f"[{message['role']}] {message['content']}" for message in prompt)


def _answered(one: Previewed, row: Mapping[Any, Any]) -> Previewed:
    correct = row.get("correct")
    return replace(
        one,
        text=str(row.get("text") or ""),
        answer=str(row.get("answer") or ""),
        correct=None if correct is None or correct != correct else bool(correct),
    )
