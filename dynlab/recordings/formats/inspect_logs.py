"""Logs of Inspect AI, in JSON or packed (.eval), as rows of samples.

A packed log is a ZIP file with `header.json` and a file a sample under `samples/`, compressed by
zstd, which the standard library reads from Python 3.14 on.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from dynlab._util.cells import text_of
from dynlab._util.table_files import text_of_file
from dynlab.recordings.formats.base import Format, Row, signs

_RIGHT = ("C", 1, True)  # Inspect's marks: correct
_WRONG = ("I", "P", "N", 0, False)  # incorrect, partial, no answer
_ZSTD = 93  # how a ZIP file calls it
_INPUT = ("input_tokens", "input_tokens_cache_read", "input_tokens_cache_write")


def _read(path: Path) -> Iterator[Row]:
    """A row a sample and epoch; tokens are the model's own, without those of judges.

    Where the first scorer names an answer other than the whole text, it is the answer. A sample of
    a recording that was exported is that recording's row again.
    """
    about, samples = _contents(path)
    for sample in samples:
        output, scores = sample.get("output") or {}, sample.get("scores") or {}
        text = _completion(output)
        usage = (sample.get("model_usage") or {}).get(about.get("model")) or output.get("usage")
        said = {"question": _question(sample), "text": text, **_tokens(usage or {})}
        if own := _exported(sample):
            yield said | own | {"keyed": True}
            continue
        answers = [score.get("answer") for score in scores.values()]
        named = [text_of(answer) for answer in answers if answer is not None]
        marks = [
            score["value"]
            for score in scores.values()
            if not isinstance(score["value"], dict | list)
        ]
        target = sample["target"]
        yield said | {
            "dataset": about.get("task"),
            "model": about.get("model"),
            "question_id": text_of(sample["id"]),
            "sample_index": sample["epoch"] - 1,
            "answer": named[0] if named and named[0].strip() != text.strip().lower() else text,
            "target": [target] if isinstance(target, str) else target,
            "correct": _mark(marks[0]) if marks else None,
        }


def _exported(sample: Mapping[str, Any]) -> Row:
    """The row of a recording that a sample was made from; {} where it was not."""
    own = (sample.get("metadata") or {}).get("dynlab")
    return own if isinstance(own, dict) and "sample_index" in own else {}


def _question(sample: Mapping[str, Any]) -> str | None:
    """The text that was asked: the input, or the last of its messages."""
    asked = sample.get("input")
    content = asked[-1].get("content") if isinstance(asked, list) and asked else asked
    return content if isinstance(content, str) and content else None


def _card(path: Path) -> Row:
    about, _ = _contents(path, header_only=True)
    card = (about.get("metadata") or {}).get("dynlab")
    return card if isinstance(card, dict) else {}


def _report(path: Path) -> dict[str, float]:
    """What the log says of each scorer: {'match/accuracy': 0.5}."""
    about, _ = _contents(path, header_only=True)
    return {
        f"{score['name']}/{name}": metric["value"]
        for score in about["scores"]
        for name, metric in score["metrics"].items()
        if isinstance(metric["value"], int | float)
    }


def _contents(
    path: Path, *, header_only: bool = False
) -> tuple[Mapping[str, Any], Iterable[Mapping[str, Any]]]:
    """What a log says of its evaluation, with its `scores`, and its samples."""
    log, samples = _packed(path, header_only) if zipfile.is_zipfile(path) else _plain(path)
    return {**log["eval"], "scores": (log.get("results") or {}).get("scores") or []}, samples


def _plain(path: Path) -> tuple[Mapping[str, Any], Iterable[Mapping[str, Any]]]:
    log = json.loads(text_of_file(path))
    return {"eval": log["eval"], "results": log.get("results")}, log["samples"]


def _packed(path: Path, header_only: bool) -> tuple[Mapping[str, Any], Iterable[Mapping[str, Any]]]:
    with zipfile.ZipFile(path) as archive:
        held = [] if header_only else archive.namelist()
        names = sorted(name for name in held if name.startswith("samples/"))
        header = json.loads(_unpacked(archive, "header.json"))
        return header, [json.loads(_unpacked(archive, name)) for name in names]


def _unpacked(archive: zipfile.ZipFile, name: str) -> bytes:
    """A member's content, also where zstd packed it."""
    member = archive.getinfo(name)
    if member.compress_type != _ZSTD:
        return archive.read(name)
    assert archive.fp is not None
    archive.fp.seek(member.header_offset)
    # of the header before the content, 30 bytes and two fields of these lengths
    lengths = struct.unpack("<HH", archive.fp.read(30)[26:])
    archive.fp.seek(member.header_offset + 30 + sum(lengths))
    packed = io.BytesIO(archive.fp.read(member.compress_size))
    with pa.CompressedInputStream(packed, "zstd") as stream:
        content: bytes = stream.read()
    return content


def _completion(output: Mapping[str, Any]) -> str:
    """The text of an output's first choice; '' where the sample failed."""
    for choice in output.get("choices") or ():
        content = choice["message"]["content"]
        if isinstance(content, list):
            return "".join(part.get("text") or "" for part in content)
        return "" if content is None else text_of(content)
    return ""


def _mark(value: object) -> bool | None:
    return True if value in _RIGHT else False if value in _WRONG else None


def _tokens(usage: Mapping[str, Any]) -> Row:
    """Tokens of a sample; cached input is input, unknown stays unknown."""
    known = {"input_tokens", "output_tokens"} <= usage.keys()
    return {
        "prompt_tokens": sum(usage.get(name) or 0 for name in _INPUT) if known else None,
        "completion_tokens": usage["output_tokens"] if known else None,
        "cached_tokens": usage.get("input_tokens_cache_read"),
        "reasoning_tokens": usage.get("reasoning_tokens"),
    }


FORMAT = Format(
    "logs of Inspect AI (.eval or JSON)",
    signs("eval samples", "header.json _journal/start.json"),
    _read,
    _report,
    _card,
)
