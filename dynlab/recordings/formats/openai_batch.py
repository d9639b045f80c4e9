"""Output of OpenAI's Batch API, and of those that follow it: a line a request, in any order.

A line has `custom_id, response` (with `status_code, body`) and `error`; the body is that of a chat
completion, a completion or a response. Which requests asked the same question does not stand in it:
the batch's input, or a task, says it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dynlab._util.errors import DynlabError, InputError
from dynlab._util.redaction import scrubbed
from dynlab.recordings.formats.base import Format, Row, lines_of, signs


def _read(path: Path) -> Iterator[Row]:
    """A row a choice of each request, whose `custom_id` stands for its question; a request that
    failed is a sample without an answer and a vote.
    """
    lines = lines_of(path)
    names = [line["custom_id"] for line in lines]
    if len(set(names)) < len(names):
        raise InputError(f"{path} has a custom_id more than once: give the output of one batch")
    for line in sorted(lines, key=lambda line: _order(line["custom_id"])):
        response = line.get("response") or {}
        row: Row = {"question_id": line["custom_id"], "target": None}
        if line.get("error") or response.get("status_code", 200) != 200:
            yield row | {"answer": "", "votes": False, "finish_reason": _failure(line)}
            continue
        body = response["body"]
        samples = list(_samples(body))
        usage = _usage(body.get("usage") or {}) if len(samples) == 1 else {}
        for text, finish_reason, logprob in samples:
            row |= {"model": body.get("model"), "answer": text, "text": text, "votes": True}
            yield row | usage | {"finish_reason": finish_reason, "mean_logprob": logprob}


def _order(name: str) -> list[tuple[int, str]]:
    """Sorts numbers as numbers, q2-10 behind q2-9: the shorter is the smaller."""
    return [(len(part) if part.isdecimal() else 0, part) for part in re.split(r"(\d+)", name)]


def _failure(line: Mapping[str, Any]) -> str:
    """Why a request has no answer, as the samples that `record` could not have are marked."""
    response = line.get("response") or {}
    error = line.get("error") or (response.get("body") or {}).get("error") or {}
    said = error.get("message") or error.get("code") if isinstance(error, Mapping) else error
    # a provider may repeat the key that it refuses
    return f"error: {scrubbed(DynlabError(said or response.get('status_code')))}"


def _samples(body: Mapping[str, Any]) -> Iterator[tuple[str, str | None, float | None]]:
    """Text, finish reason and mean log-probability of each choice."""
    if "choices" not in body:  # of the endpoint /v1/responses
        parts = [part for item in body["output"] for part in item.get("content") or ()]
        yield "".join(part.get("text") or "" for part in parts), body.get("status"), None
        return
    for choice in body["choices"]:
        text = choice["message"].get("content") if "message" in choice else choice["text"]
        tokens = (choice.get("logprobs") or {}).get("content") or []
        values = [token["logprob"] for token in tokens]
        mean = math.fsum(values) / len(values) if values else None
        yield text or "", choice.get("finish_reason"), mean


def _usage(usage: Mapping[str, Any]) -> Row:
    """Tokens of a request of one choice; those of several are counted together."""
    details = usage.get("completion_tokens_details") or usage.get("output_tokens_details") or {}
    prompt = usage.get("prompt_tokens_details") or usage.get("input_tokens_details") or {}
    return {
        "prompt_tokens": usage.get("prompt_tokens", usage.get("input_tokens")),
        "completion_tokens": usage.get("completion_tokens", usage.get("output_tokens")),
        "reasoning_tokens": details.get("reasoning_tokens"),
        "cached_tokens": prompt.get("cached_tokens"),
    }


FORMAT = Format("output of OpenAI's Batch API", signs("custom_id response"), _read)
