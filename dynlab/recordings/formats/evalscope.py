"""Reviews of EvalScope: `reviews/MODEL/BENCHMARK_SUBSET.jsonl`, a line a sample and its scores.

A line has `index, target, sample_score`, the latter `group_id` (which question; its repeats share
it) and `score` with `value, extracted_prediction, prediction`. Tokens stand in the file of the same
name under `predictions/`, which is read beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dynlab._util.cells import text_of
from dynlab._util.errors import InputError
from dynlab.recordings.formats.base import Format, Row, lines_of, mark_of, means, signs

_REVIEWS, _PREDICTIONS = "reviews", "predictions"


def _read(path: Path) -> Iterator[Row]:
    """A row a sample; the answer is the one that EvalScope took out, where it did."""
    drawn = {line["index"]: line for line in _lines_beside(path, _PREDICTIONS)}
    # lines stand as they were finished; by their index, repeats of a question stand in order
    for line in sorted(_lines_beside(path, _REVIEWS), key=lambda line: int(line["index"])):
        if "sample_score" not in line:
            raise InputError(
                f"{path} holds predictions without scores and targets: give the file of the same"
                " name under reviews/"
            )
        of, score = line["sample_score"], line["sample_score"]["score"]
        text = score.get("prediction")
        extracted = score.get("extracted_prediction")
        group = of.get("group_id")
        output = drawn.get(line["index"], {})
        yield {
            "dataset": path.stem,
            "model": output.get("model"),
            "question_id": text_of(line["index"] if group is None else group),
            "answer": (text if extracted is None else extracted) or "",
            "text": text,
            "target": line.get("target"),
            "correct": mark_of(_main(score)),
            **_tokens((output.get("model_output") or {}).get("usage") or {}),
        }


def _main(score: Mapping[str, Any]) -> object:
    """The value of a score's main metric, the first where none is named."""
    values = score.get("value") or {}
    return values.get(score.get("main_score_name") or next(iter(values), ""))


def _tokens(usage: Mapping[str, Any]) -> Row:
    return {
        "prompt_tokens": usage.get("input_tokens"),
        "completion_tokens": usage.get("output_tokens"),
        "reasoning_tokens": usage.get("reasoning_tokens"),
        "cached_tokens": usage.get("input_tokens_cache_read"),
    }


def _lines_beside(path: Path, folder: str) -> list[dict[str, Any]]:
    """The lines of the file of this name in `folder`, in the place of reviews or predictions."""
    places = list(path.parts)
    for at, place in enumerate(places[:-1]):
        if place in (_REVIEWS, _PREDICTIONS):
            places[at] = folder
    beside = Path(*places)
    if beside == path or beside.is_file():
        return lines_of(beside)
    return [] if folder == _PREDICTIONS else lines_of(path)


def _report(path: Path) -> dict[str, float]:
    """The mean of each metric over the samples that have it."""
    values: dict[str, list[float]] = {}
    for line in _lines_beside(path, _REVIEWS):
        for name, value in (line["sample_score"]["score"].get("value") or {}).items():
            values.setdefault(name, []).append(float(value))
    return means(values)


FORMAT = Format(
    "reviews of EvalScope",
    signs("index sample_score", "index model_output"),
    _read,
    _report,
)
