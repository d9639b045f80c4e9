"""What a provider answered, read with suspicion: nothing in it can break a run, and no count is
taken on trust.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dynlab._util.values import Usage
from dynlab.tasks.answers import writable

_FARTHEST = 1e9  # from 0: what is farther is no log-probability


@dataclass(frozen=True)
class Response:
    """One choice of an answer.

    Log-probabilities of its tokens, None if not given: `mean_logprob` over all of them, the others
    over the tenth that is least likely, the first fifth and the last fifth.
    """

    text: str
    reasoning: str | None = None
    usage: Usage = field(default_factory=Usage)
    finish_reason: str | None = None
    mean_logprob: float | None = None
    lowest_logprob: float | None = None
    first_logprob: float | None = None
    last_logprob: float | None = None
    latency_s: float | None = None


@dataclass(frozen=True)
class Reply:
    """What one call brought: its choices, the tokens of all of them, and the usage as the provider
    reported it.
    """

    choices: tuple[Response, ...]
    usage: Usage = field(default_factory=Usage)
    reported: str | None = None


def answer_in(body: bytes) -> Mapping[str, Any] | None:
    """The JSON of an HTTP answer if it brings choices, even none; else None.

    >>> answer_in(b'{"choices": []}')
    {'choices': []}
    >>> answer_in(b'{"choices": [')
    """
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):  # nested without end
        return None
    usable = (
        isinstance(answer, dict)
        and isinstance(answer.get("choices", 0), list | None)
        and not answer.get("error")
    )
    return answer if usable else None


def reply(
    choices: Iterable[Any],
    counted: Any,
    latency_s: float,
    said: Mapping[str, Any] | None = None,
) -> Reply:
    """A reply from choices and usage, either mappings as they came or LiteLLM's objects.

    Args:
        choices: Of the answer.
        counted: Its usage.
        latency_s: Seconds that the call took.
        said: The answer as it came, where it was seen: LiteLLM calls an end by an error 'stop'.
    """
    responses = []
    ends = [_of(choice, "finish_reason") for choice in (said or {}).get("choices") or ()]
    for place, choice in enumerate(choices):
        message, reason = _of(choice, "message"), _of(choice, "finish_reason")
        reason = "error" if ends[place : place + 1] == ["error"] else reason
        reasoning = _of(message, "reasoning_content")
        responses.append(
            Response(
                text=writable(_text(_of(message, "content") or _of(choice, "text"))),
                reasoning=None if reasoning is None else writable(_text(reasoning)),
                finish_reason=None if reason is None else writable(str(reason)),
                **_confidence(_logprobs(_of(choice, "logprobs"))),
                latency_s=latency_s,
            )
        )
    if hasattr(counted, "model_dump"):
        counted = counted.model_dump(exclude_none=True)
    return Reply(
        tuple(responses), _usage(counted), None if counted is None else json.dumps(counted)
    )


def _text(content: Any) -> str:
    """The text of a message, which may come in parts; those of other kinds hold no answer, nor do
    those that are nested without end.

    >>> _text([{"type": "thinking", "thinking": "…"}, {"type": "text", "text": "Lima"}, "."])
    'Lima.'
    """
    if isinstance(content, list | tuple):
        try:
            return "".join(map(_text, content))
        except RecursionError:
            return ""
    if content is None or isinstance(content, str):
        return content or ""
    return _text(_of(content, "text"))


def _usage(counted: Any) -> Usage:
    """The tokens of a call; LiteLLM fills in zeros where a provider says nothing, and no prompt has
    0 tokens.
    """
    prompt, completion = _count(counted, "prompt_tokens"), _count(counted, "completion_tokens")
    if not prompt or completion is None:
        return Usage()
    reasoning = _count(_of(counted, "completion_tokens_details"), "reasoning_tokens")
    cached = _count(_of(counted, "prompt_tokens_details"), "cached_tokens")
    return Usage(
        prompt,
        completion,
        reasoning if reasoning is None or 0 <= reasoning <= completion else None,
        cached if cached is None or 0 <= cached <= prompt else None,
    )


def _logprobs(logprobs: Any) -> list[float]:
    """The log-probabilities of the response's tokens; the empty end token, which not every response
    has, is out, and so is what is no number that a log-probability may be.
    """
    content, tokens = _of(logprobs, "content"), _of(logprobs, "tokens")
    if isinstance(content, list):
        pairs = [(_of(each, "token"), _of(each, "logprob")) for each in content]
    else:  # of OpenAI's own completions
        values = _of(logprobs, "token_logprobs")
        known = isinstance(tokens, list) and isinstance(values, list)
        pairs = list(zip(tokens, values, strict=False)) if known else []
    numbers = [value for token, value in pairs if token and isinstance(value, float | int)]
    return [float(value) for value in numbers if abs(value) <= _FARTHEST]


def _confidence(values: Sequence[float]) -> dict[str, Any]:
    """Means of log-probabilities: of all, of the lowest tenth, of the first and the last fifth.

    >>> _confidence([-1.0, -2.0, -3.0, -4.0, -5.0])["last_logprob"]
    -5.0
    """
    if not values:
        return {}
    tenth, fifth = math.ceil(len(values) / 10), math.ceil(len(values) / 5)
    lowest = sorted(values)[:tenth]
    parts = {"mean": values, "lowest": lowest, "first": values[:fifth], "last": values[-fifth:]}
    return {f"{name}_logprob": math.fsum(part) / len(part) for name, part in parts.items()}


def _count(counts: Any, name: str) -> int | None:
    value = _of(counts, name)
    return value if type(value) is int else None


def _of(holder: Any, name: str) -> Any:
    """What a mapping or an object holds by a name; None where it holds nothing of that name."""
    return holder.get(name) if isinstance(holder, Mapping) else getattr(holder, name, None)
