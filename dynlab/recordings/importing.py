"""Samples of other tools as recordings: Inspect AI's logs, lm-evaluation-harness's samples, plain
JSON lines.

The shapes are those of the tools (inspect.aisi.org.uk, "Log Files"; lm-evaluation-harness with
`--log_samples`):

- `inspect`: a log in JSON with `eval` and `samples`, each with `id, epoch, target, output, scores,
  model_usage`;
- `lm-eval`: `samples_TASK_….jsonl`, a line a document and filter, with `doc_id, target, resps,
  filtered_resps`;
- `samples`: a line a sample, with `id`, `answer` or `response`, and where known `target` and
  columns of a recording.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd

from dynlab._util.errors import InputError, one_of
from dynlab.recordings.recording import write
from dynlab.recordings.schema import SCHEMA
from dynlab.tasks.answers import Kind, extract, normalise

_RIGHT, _WRONG = (
    ("C", 1, True),
    (
        "I",
        "P",
        "N",
        0,
        False,
    ),
)  # Inspect's marks: correct, incorrect, partial, no answer
_KEPT = (
    "model",
    "dataset",
    "mean_logprob",
    "prompt_tokens",
    "completion_tokens",
    "cost_usd",
    "latency_s",
    "correct",
)

_MEANT = {"answer": "answer", "target": "target", "gold": "target", "targets": "target"}

Row = dict[str, Any]


def import_recording(path: str | Path, form: str, out: str | Path, *, kind: Kind = "text") -> Path:
    """Writes what another tool has sampled as a recording (.parquet).

    Answers and targets are taken out of what was said and normalised in the same way. A question's
    samples count as exchangeable, so they must have been drawn independently, from one prompt.

    Args:
        path: The tool's file.
        form: 'inspect', 'lm-eval' or 'samples'.
        out: The recording to write.
        kind: What answers are: 'text', 'choice', 'integer' or 'expression'.

    Raises:
        InputError: An unknown form or kind, a file that is not of that form, or samples without
            answers.
    """
    if Path(out).suffix != ".parquet":
        raise InputError(
            f"a recording is written as Parquet: give the path of a .parquet file; not {str(out)!r}"
        )
    if form not in FORMS:
        raise one_of("form of samples", form, FORMS)
    path = Path(path)
    if path.suffix == ".eval":
        raise InputError(
            f"{path} is a packed log; unpack it first: inspect log convert {path.name} --to json"
            " --output-dir ."
        )
    try:
        rows = list(FORMS[form](path))
    except OSError as error:
        raise InputError(f"cannot read {path} ({error.strerror}); give a file of samples") from None
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        what = f"lacks {error}" if isinstance(error, KeyError) else f"has another shape ({error})"
        raise InputError(f"{path} is not of the form {form!r}: it {what}") from None
    if not rows:
        raise InputError(f"{path} holds no samples")
    for row in rows:
        row["answer"], row["target"] = _keys(
            row["answer"], row["target"], kind, str(row["question_id"])
        )
    frame = pd.DataFrame(rows).dropna(axis="columns", how="all")
    if "sample_index" not in frame:
        frame["sample_index"] = frame.groupby("question_id").cumcount()
    if "correct" in frame and _disputed(frame):
        frame = frame.drop(
            columns="correct"
        )  # a judge that contradicts itself: answers are compared with targets
    return write(frame, {"design": "fixed", "imported": form, "source": path.name}, out)


def _keys(answer: Any, target: Any, kind: Kind, question: str) -> tuple[str | None, str | None]:
    """The keys of an answer and of the target; an accepted alias counts as the first of them.

    Raises:
        InputError: A target is none of its kind: nothing could be right.
    """
    key = None if answer is None else normalise(extract(_text(answer), kind), kind)
    accepted = []
    for text in _accepted(target):
        right = normalise(extract(text, kind), kind)
        if not right:
            raise InputError(
                f"question {question!r}: the target {text!r} is no answer of kind {kind!r}; give"
                " the kind of the answers, or targets that can be read"
            )
        accepted.append(right)
    if not accepted:
        return key, None
    return accepted[0] if key in accepted else key, accepted[0]


def _accepted(target: Any) -> list[str]:
    """The texts of a target: one, or a list of aliases, which may be given as its text.

    >>> _accepted("['Lima', 'Ciudad']"), _accepted(29.0), _accepted(float("nan")), _accepted("None")
    (['Lima', 'Ciudad'], ['29'], [], [])
    """
    if target is None or target != target or target in ("", "None", "nan", "NaN"):
        return []
    if isinstance(target, str) and re.fullmatch(r"\s*\[\s*['\"].*['\"]\s*\]\s*", target, re.DOTALL):
        with suppress(ValueError, SyntaxError, MemoryError, RecursionError):
            listed = ast.literal_eval(target.strip())
            if isinstance(listed, list):
                target = listed
    if isinstance(target, list | tuple):
        return [text for one in target for text in _accepted(one)]
    return [_text(target)]


def _text(value: object) -> str:
    """The text of a value: 5.0, which is how a column with gaps stores 5, is '5'."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)


def _disputed(frame: pd.DataFrame) -> bool:
    """Whether the same answer to the same question was marked both right and wrong."""
    marks = frame[frame["answer"] != ""].groupby(["question_id", "answer"])["correct"].nunique()
    return bool((marks > 1).any())


def _inspect(path: Path) -> Iterator[Row]:
    """A row a sample and epoch of an Inspect AI log."""
    log = json.loads(path.read_text(encoding="utf-8-sig"))
    about = log["eval"]
    for sample in log["samples"]:
        output, scores = sample.get("output") or {}, sample.get("scores") or {}
        said = next(
            (score["answer"] for score in scores.values() if score.get("answer") is not None), None
        )
        marks = [
            score["value"]
            for score in scores.values()
            if not isinstance(score["value"], dict | list)
        ]
        targets = [sample["target"]] if isinstance(sample["target"], str) else sample["target"]
        yield {
            "dataset": about.get("task"),
            "model": about.get("model"),
            "question_id": _text(sample["id"]),
            "sample_index": sample["epoch"] - 1,
            "answer": _completion(output) if said is None else said,
            "target": targets,
            "correct": _mark(marks[0]) if marks else None,
            **_usage(
                list((sample.get("model_usage") or {}).values()) or [output.get("usage") or {}]
            ),
        }


def _completion(output: Mapping[str, Any]) -> str:
    """The text of an output's first choice; '' where the sample failed."""
    for choice in output.get("choices") or ():
        content = choice["message"]["content"]
        return (
            content
            if isinstance(content, str)
            else "".join(part.get("text", "") for part in content)
        )
    return ""


def _mark(value: object) -> bool | None:
    return True if value in _RIGHT else False if value in _WRONG else None


def _usage(calls: list[Mapping[str, Any]]) -> Row:
    """Tokens over all calls of a sample; cached input is input, unknown stays unknown."""
    read = ("input_tokens", "input_tokens_cache_read", "input_tokens_cache_write")
    known = all("input_tokens" in call and "output_tokens" in call for call in calls)
    return {
        "prompt_tokens": (
            sum(call.get(name) or 0 for call in calls for name in read) if known else None
        ),
        "completion_tokens": sum(call["output_tokens"] for call in calls) if known else None,
    }


def _lm_eval(path: Path) -> Iterator[Row]:
    """A row a repeat of each document: of the first filter that keeps all, else what was said."""
    lines = _lines(path)
    names = list(dict.fromkeys(line.get("filter") for line in lines))
    partial = {
        line.get("filter")
        for line in lines
        if len(_repeats(line, "filtered_resps")) != len(_repeats(line, "resps"))
    }
    whole = [name for name in names if name not in partial]
    chosen = (whole or names or [None])[0]
    task = re.sub(r"_\d{4}-\d\d-\d\dT.*$", "", path.stem.removeprefix("samples_"))
    for line in lines:
        if line.get("filter") != chosen:
            continue
        for index, response in enumerate(
            _repeats(line, "filtered_resps" if chosen in whole else "resps")
        ):
            if not isinstance(response, str):
                raise ValueError("log-likelihoods, where generated answers are needed")
            answer = "" if response == "[invalid]" else response
            yield {
                "dataset": task,
                "question_id": _text(line["doc_id"]),
                "sample_index": index,
                "answer": answer,
                "target": _lettered(line["target"], line.get("doc")),
            }


def _lettered(target: Any, document: Any) -> Any:
    """A target that is an index into the document's choices, counted from 0, is their letter."""
    choices = document.get("choices") if isinstance(document, dict) else None
    choices = choices.get("text") if isinstance(choices, dict) else choices
    if not isinstance(choices, list) or not re.fullmatch(r"\d{1,2}", str(target).strip()):
        return target
    index = int(target)
    known = str(target).strip() in [str(choice).strip() for choice in choices]
    return target if known or index >= len(choices) else chr(ord("A") + index)


def _repeats(line: Mapping[str, Any], column: str) -> list[Any]:
    """The responses of a document: [[a, b]] or [a, b] → [a, b]."""
    responses = list(line[column])
    return (
        list(responses[0]) if len(responses) == 1 and isinstance(responses[0], list) else responses
    )


def _samples(path: Path) -> Iterator[Row]:
    """A row a line."""
    for line in _lines(path):
        answer = line["answer"] if "answer" in line else line["response"]
        row = {name: line[name] for name in _KEPT if name in line and name in SCHEMA}
        if "sample_index" in line:
            row["sample_index"] = line["sample_index"]
        question = line["question_id"] if "question_id" in line else line["id"]
        if question is None:
            raise ValueError("a line whose id is null")
        for name in line:
            if name not in ("answer", "target") and name.casefold() in _MEANT:
                raise InputError(
                    f"{path} has a column {name!r}: rename it {_MEANT[name.casefold()]!r}"
                )
        yield {
            **row,
            "question_id": _text(question),
            "answer": "" if answer is None else answer,
            "target": line.get("target"),
        }


def _lines(path: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for line in path.read_text(encoding="utf-8-sig").split("\n")
        if line.strip()
    ]


FORMS: Mapping[str, Callable[[Path], Iterator[Row]]] = {
    "inspect": _inspect,
    "lm-eval": _lm_eval,
    "samples": _samples,
}
