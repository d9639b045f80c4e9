"""Tasks: questions and how they are best asked, from built-in files or JSONL, CSV or Parquet.

A file has the columns `id, question, target`, and optionally `choices` and `aliases` (lists;
'|'-separated in CSV). A JSONL file may begin with a header line `{"task": {…}}` that says how the
task is asked: the fields of `Task`.
"""

from __future__ import annotations

import json
import reprlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

from dynlab._util import shipped_files
from dynlab._util.cells import refuse_two_spellings
from dynlab._util.errors import InputError, one_of
from dynlab._util.options import Asking
from dynlab._util.table_files import format_of, refuse_doubled, stem_of
from dynlab._util.values import Question
from dynlab.tasks.answers import KINDS, Kind
from dynlab.tasks.graders import Grader, KeyFunction, as_grader
from dynlab.tasks.questions import checked, question_of
from dynlab.tasks.task_columns import said_by, tell_misnamed
from dynlab.tasks.task_files import found, read_rows
from dynlab.tasks.task_names import loader

Form = Literal["completion", "chat"]
FORMS: tuple[Form, ...] = get_args(Form)
_NEXT = ("\nQuestion:",)  # else a completion model goes on to the next question


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


_CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "instruction": (lambda value: isinstance(value, str), "a text"),
    "origin": (lambda value: isinstance(value, str), "a text"),
    "tolerance": (
        lambda value: type(value) in (int, float) and 0 <= value < float("inf"),
        "a number of at least 0",
    ),
    "reasoned": (lambda value: isinstance(value, bool), "true or false"),
    "max_tokens": (lambda value: type(value) is int and value > 0, "a number of at least 1"),
    "stop": (_are_texts, "a list of texts"),
    "demos": (
        lambda value: (
            isinstance(value, list) and all(_are_texts(pair) and len(pair) == 2 for pair in value)
        ),
        "a list of [question, response] pairs",
    ),
}


@dataclass(frozen=True)
class Task:
    """Questions and how a model is asked them.

    `demos` are worked (question, response) pairs that precede each question and are never
    evaluated; `reasoned` says that a response is a solution in words that ends with `Answer: …`; a
    response ends at any of the strings `stop`. `answer` is a kind of answer, or a grader of one's
    own: a `Grader`, a function of a response and a question, or its path `module:function`. A
    'number' is right within `tolerance` of its target. `origin` says where the questions are from:
    data set, commit and file.
    """

    name: str
    questions: tuple[Question, ...]
    form: Form = "chat"
    answer: Kind | str | Grader | KeyFunction = "text"
    demos: tuple[tuple[str, str], ...] = ()
    instruction: str = ""
    reasoned: bool = True
    max_tokens: int = 1024
    stop: tuple[str, ...] = ()
    tolerance: float = 0.0
    origin: str = ""

    @cached_property
    def grader(self) -> Grader:
        """What gives answers their keys and judges them."""
        return as_grader(self.answer, reasoned=self.reasoned, tolerance=self.tolerance)

    def final_answer(self, text: str, question: Question) -> str:
        """The key of a response's final answer to one of the questions; '' if it gives none."""
        return self.grader.key(text, question)

    def is_right(self, answer: str, question: Question) -> bool | None:
        """Whether a final answer is right; None if the question's target is unknown."""
        return self.grader.is_right(answer, question)


def names() -> list[str]:
    """The built-in tasks."""
    return list(shipped_files.named("data/tasks", (".jsonl",)))


def load_task(
    name_or_path: str | Path, *, limit: int | None = None, asking: Asking | None = None
) -> Task:
    """A built-in task or a benchmark by its name, or a task file by its path.

    A file without a header is asked in chat, reasoned out, with answers of kind 'choice' where
    choices are given. CSV and Parquet files say it in columns, the same in every row: `kind`,
    `instruction`, `form`, `reasoned`, `tolerance`.

    Args:
        name_or_path: 'capitals'; a path that ends in .jsonl, .json, .csv (also .gz) or .parquet;
            'gsm8k', 'gpqa-diamond?seed=1', 'bbh/navigate', a benchmark;
            'hf:OWNER/NAME?split=test&question=…&target=…', a data set of the hub; or
            'reasoning-gym:gsm_symbolic?size=100&seed=7', a generator.
        limit: Keep the first `limit` questions; None keeps all.
        asking: What is asked and read otherwise than the task says.

    Raises:
        InputError: The task or file is unknown, empty or malformed; the message says where.
    """
    if limit is not None and limit < 1:
        raise InputError(f"limit is {limit}: give the number of questions to keep, at least 1")
    if not isinstance(name_or_path, str | Path):
        raise InputError(
            "a task is a name or the path of a file; questions of one's own go to record or solve"
            f" as they are; not {reprlib.repr(name_or_path)}"
        )
    if (load := loader(str(name_or_path))) is not None:
        form = asking.form if asking else None
        return _asked(load(str(name_or_path), limit, form), asking)
    path = found(name_or_path)
    header, rows = read_rows(path)
    questions: list[Question] = []
    seen: dict[str, str] = {}
    said: dict[str, Any] = {}
    columns: dict[str, None] = {}  # in their order
    for where, row in rows:
        question = question_of(row, where)
        columns |= dict.fromkeys(map(str, row))
        if format_of(path) not in (".jsonl", ".json"):
            said = said_by(row, said, where)
        if question.id in seen:
            raise InputError(
                f"{where}: id {question.id!r} is already used in {seen[question.id]}: ids must be"
                " unique"
            )
        seen[question.id] = where
        questions.append(question)
    if not questions:
        raise InputError(
            f"{path} holds no questions: give one a line, with the columns id, question and target"
        )
    refuse_two_spellings(seen, path)
    tell_misnamed(columns, path)
    defaults = {"answer": "choice"} if all(question.choices for question in questions) else {}
    settings = _settings(defaults | header | said, path)
    task = _asked(Task(stem_of(path), tuple(questions[:limit]), **settings), asking)
    return replace(
        task, questions=tuple(checked(question, task.answer, path) for question in task.questions)
    )


def _asked(task: Task, asking: Asking | None) -> Task:
    """The task with what is given set.

    Raises:
        InputError: There is no such kind of answer, grader or form.
    """
    if asking is None or not asking.given:
        return task
    if asking.form not in (None, *FORMS):
        raise one_of("form", asking.form, FORMS)
    task = replace(task, **asking.given)
    if asking.form == "completion" and not task.stop:
        task = replace(task, stop=_NEXT)
    _ = task.grader  # an unknown one is told now
    return task


def as_task(questions: Any) -> Task:
    """A task from whatever holds questions: a task, its name, a file, or rows, asked in chat and
    reasoned out.

    Args:
        questions: As `load_task`; or a DataFrame or a list, of dicts with at least `id` and
            `question`, of `Question`s, or of plain texts (whose ids are q1, q2, …).

    Raises:
        InputError: there are none, or one is malformed.
    """
    if isinstance(questions, Task):
        return questions
    if isinstance(questions, str | Path):
        return load_task(questions)
    refuse_doubled(getattr(questions, "columns", ()), "the DataFrame")
    rows = questions.to_dict("records") if hasattr(questions, "to_dict") else list(questions)
    asked: list[Question] = []
    said: dict[str, Any] = {}
    for number, row in enumerate(rows, start=1):
        where = f"question {number}"
        if isinstance(row, Question):
            row = asdict(row) | {"choices": list(row.choices), "aliases": list(row.aliases)}
        elif isinstance(row, str):
            row = {"id": f"q{number}", "question": row}
        if not isinstance(row, Mapping):
            raise InputError(
                f"{where} is a {type(row).__name__}: give a dict with id and question, or a text"
            )
        known = {
            name: value
            for name, value in row.items()
            if not (isinstance(value, float) and value != value)
        }
        plain = {
            name: value.tolist() if hasattr(value, "tolist") else value
            for name, value in known.items()
        }
        asked.append(question_of(plain, where))
        if hasattr(questions, "to_dict"):
            said = said_by(plain, said, where)
    if not asked:
        raise InputError("there are no questions: give at least one")
    if again := [
        id_ for id_, count in Counter(question.id for question in asked).items() if count > 1
    ]:
        raise InputError(f"the id {again[0]!r} is used twice: ids must be unique")
    refuse_two_spellings((question.id for question in asked), "the questions")
    path = Path("questions")
    kind: Kind = "choice" if all(question.choices for question in asked) else "text"
    task = Task("questions", tuple(asked), **_settings({"answer": kind} | said, path))
    return replace(task, questions=tuple(checked(each, task.answer, path) for each in asked))


def to_jsonl(task: Task) -> str:
    """A task as the text of its file: header, then one question a line; `load_task` gives the same
    task back.
    """
    settings = {field.name: getattr(task, field.name) for field in fields(Task)[2:]}
    if not isinstance(task.answer, str):
        settings["answer"] = task.grader.name
    changed = {
        name: value
        for name, value in settings.items()
        if value != Task.__dataclass_fields__[name].default
    }
    rows = [{"task": changed}] if changed else []
    rows += [
        {k: v for k, v in asdict(question).items() if v or k in ("id", "question")}
        for question in task.questions
    ]
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _settings(header: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Checked fields of `Task` from a header: lists become tuples."""
    known = {field.name for field in fields(Task)} - {"name", "questions"}
    for key in header:
        if key not in known:
            raise one_of(f"field in the header of {path}:", key, known)
    if "form" in header and header["form"] not in FORMS:
        raise one_of(f"form in the header of {path}:", header["form"], FORMS)
    answer = header.get("answer", "text")
    if not (answer in KINDS or str(answer).startswith("dynlab.")):
        # a file may come from others: it names no code that is not ours
        raise one_of(f"answer in the header of {path}:", answer, KINDS)
    for key, (holds, expected) in _CHECKS.items():
        if key in header and not holds(header[key]):
            raise InputError(f"{path}: {key!r} must be {expected}, not {header[key]!r}")
    settings = dict(header)
    if header.get("form") == "completion":
        settings.setdefault("stop", [*_NEXT])
    for key in settings.keys() & {"demos", "stop"}:
        settings[key] = tuple(
            tuple(item) if isinstance(item, list) else item for item in settings[key]
        )
    return settings
