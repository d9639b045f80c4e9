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

    Where the first scorer names an answer other than the whole text, it is the answer.
    """
    about, samples = _packed(path) if zipfile.is_zipfile(path) else _plain(path)
    for sample in samples:
        output, scores = sample.get("output") or {}, sample.get("scores") or {}
        text = _completion(output)
        named = [score["answer"] for score in scores.values() if score.get("answer") is not None]
        own = named[0] if named and named[0].strip() != text.strip().lower() else text
        marks = [
            score["value"]
            for score in scores.values()
            if not isinstance(score["value"], dict | list)
        ]
        usage = (sample.get("model_usage") or {}).get(about.get("model")) or output.get("usage")
        target = sample["target"]
        yield {
            "dataset": about.get("task"),
            "model": about.get("model"),
            "question_id": text_of(sample["id"]),
            "sample_index": sample["epoch"] - 1,
            "answer": own,
            "text": text,
            "target": [target] if isinstance(target, str) else target,
            "correct": _mark(marks[0]) if marks else None,
            **_tokens(usage or {}),
        }


def _plain(path: Path) -> tuple[Mapping[str, Any], Iterable[Mapping[str, Any]]]:
    log = json.loads(text_of_file(path))
    return log["eval"], log["samples"]


def _packed(path: Path) -> tuple[Mapping[str, Any], Iterable[Mapping[str, Any]]]:
    with zipfile.ZipFile(path) as archive:
        names = sorted(name for name in archive.namelist() if name.startswith("samples/"))
        header = json.loads(_unpacked(archive, "header.json"))
        return header["eval"], [json.loads(_unpacked(archive, name)) for name in names]


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
        if isinstance(content, str):
            return content
        return "".join(part.get("text", "") for part in content)
    return ""


def _mark(value: object) -> bool | None:
    return True if value in _RIGHT else False if value in _WRONG else None


def _tokens(usage: Mapping[str, Any]) -> Row:
    """Tokens of a sample; cached input is input, unknown stays unknown."""
    if not {"input_tokens", "output_tokens"} <= usage.keys():
        return {"prompt_tokens": None, "completion_tokens": None}
    return {
        "prompt_tokens": sum(usage.get(name) or 0 for name in _INPUT),
        "completion_tokens": usage["output_tokens"],
    }


FORMAT = Format(
    "logs of Inspect AI (.eval or JSON)",
    signs("eval samples", "header.json _journal/start.json"),
    _read,
)
