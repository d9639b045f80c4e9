"""Details of lighteval: `details_TASK_DATE.parquet`, as `--save-details` writes them.

A row a question, with `doc` (`id, task_name, query, choices, gold_index`), `model_response`
(`text`, a list of samples, `text_post_processed, input_tokens, output_tokens`) and `metric`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dynlab._util.cells import text_of
from dynlab._util.errors import InputError
from dynlab.recordings.formats.base import Format, Row, mark_of, means, signs


def _read(path: Path) -> Iterator[Row]:
    """A row a sample; where reasoning was cut off the text, the answer stands in what is left."""
    for number, row in enumerate(_rows(path)):
        doc, response = row["doc"], row["model_response"]
        texts = response["text"] or []
        if not texts:
            raise InputError(
                f"{path} holds log-likelihoods of given choices, which cannot be drawn again and"
                " again: give the details of a task whose answers are generated"
            )
        read = response.get("text_post_processed") or texts
        tokens = response.get("output_tokens") or []
        marks = [mark_of(value) for value in row["metric"].values()] if len(texts) == 1 else []
        for index, text in enumerate(texts):
            yield {
                "dataset": doc["task_name"],
                "question_id": text_of(doc.get("id") or number),
                "question": doc.get("query"),
                "sample_index": index,
                "answer": read[index],
                "text": text,
                "target": _golds(doc),
                # of several samples there is one value, that of all of them
                "correct": marks[0] if marks else None,
                "prompt_tokens": len(response["input_tokens"] or []) or None,
                "completion_tokens": len(tokens[index]) if index < len(tokens) else None,
            }


def _golds(doc: Mapping[str, Any]) -> list[str]:
    """The accepted texts among a document's choices."""
    gold = doc["gold_index"]
    return [doc["choices"][at] for at in (gold if isinstance(gold, Sequence) else [gold])]


def _rows(path: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows


def _report(path: Path) -> dict[str, float]:
    """The mean of each metric over the questions."""
    values: dict[str, list[float]] = {}
    for row in _rows(path):
        for name, value in row["metric"].items():
            if isinstance(value, int | float):
                values.setdefault(name, []).append(float(value))
    return means(values)


FORMAT = Format("details of lighteval", signs("doc model_response metric"), _read, _report)
