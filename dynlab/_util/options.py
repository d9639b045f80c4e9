"""The options that users write as objects: how to sample, what it may cost, how calls are made.

A field's help stands in its metadata, and so does its flag where it has one: the command line is
generated from these classes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dynlab._util.errors import InputError

MOST = 2**31 - 1  # of any count: what a recording's columns hold
TIMEOUT_S = 600.0
PAGE_MB = 24.0  # of a page of samples, about
_DEAREST = 1e6  # USD per million tokens
_MOST_SPENT = 1e15  # of a limit, in any unit


def option(default: Any, text: str, flag: str = "", metavar: str | None = None) -> Any:
    """A field with its help text, and its flag on the command line ('' = it has none).

    Args:
        default: The value where none is given.
        text: What it means, in one line.
        flag: Such as '--max-usd'; '--no-X' turns off what is on by default.
        metavar: The word for its value in the command line's help.
    """
    return field(default=default, metadata={"help": text, "flag": flag, "metavar": metavar})


def require_count(name: str, count: int | None) -> None:
    """Raises an InputError for what is no whole number of at least 1; None is left alone."""
    if count is not None and (not isinstance(count, int) or count < 1):
        raise InputError(f"{name} is {count!r}: give a whole number of at least 1")
    if count is not None and count > MOST:
        raise InputError(f"{name} is {count}: give at most {MOST}")


def _require_amount(name: str, amount: float | None) -> None:
    if amount is not None and not 0 <= amount < math.inf:
        raise InputError(f"{name} is {amount}: give a number of at least 0")


@dataclass(frozen=True)
class Asking:
    """How questions are asked and answers read, where that is to differ from what the task says."""

    answer: str | None = option(
        None,
        "what answers are: text, choice, integer, number, expression, or a grader module:function",
        "--kind",
        "KIND",
    )
    instruction: str | None = option(None, "a text before every question", "--instruction", "TEXT")
    form: str | None = option(None, "how a model is asked: chat or completion", "--form")
    tolerance: float | None = option(
        None, "how far a right 'number' may be from its target", "--tolerance", "X"
    )
    direct: bool = option(False, "a response is its answer alone, without steps", "--direct")

    def __post_init__(self) -> None:
        _require_amount("tolerance", self.tolerance)

    @property
    def given(self) -> dict[str, Any]:
        """The fields of a task that are set."""
        own = {name: value for name, value in vars(self).items() if name != "direct"}
        own["reasoned"] = False if self.direct else None
        return {name: value for name, value in own.items() if value is not None}


@dataclass(frozen=True)
class Sampling:
    """How a model is sampled; None = the task's or the server's own. Part of every card."""

    temperature: float = option(1.0, "of all but the greedy answers (1.0)", "--temperature")
    top_p: float | None = option(None, "default: the server's", "--top-p")
    top_k: int | None = option(None, "default: the server's", "--top-k")
    max_tokens: int | None = option(
        None, "of one response; default: the task's", "--max-tokens", "N"
    )
    stop: tuple[str, ...] | None = option(None, "texts that end a response; default: the task's")
    logprobs: bool | None = option(None, "ask for log-probabilities; default: where they are used")
    extra_body: Mapping[str, Any] = field(
        default_factory=dict, metadata={"help": "further fields of the request's body"}
    )

    def __post_init__(self) -> None:
        _require_amount("temperature", self.temperature)
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise InputError(f"top_p is {self.top_p}: give a number above 0, and at most 1")
        require_count("top_k", self.top_k)
        require_count("max_tokens", self.max_tokens)

    @property
    def num_tokens(self) -> int:
        """The most tokens of a response, once a task has settled that."""
        if self.max_tokens is None:
            raise InputError("max_tokens is not set: a request needs it to bound its cost")
        return self.max_tokens


@dataclass(frozen=True)
class Limits:
    """Hard limits on what a recording may cost, earlier parts of it included; None sets none."""

    usd: float | None = option(None, "hard limit on spending, at list price", "--max-usd", "X")
    tokens: int | None = option(
        None, "hard limit on tokens, prompts and answers", "--max-total-tokens", "T"
    )
    calls: int | None = option(
        None, "hard limit on calls that were answered, or may have been", "--max-calls", "C"
    )

    def __post_init__(self) -> None:
        for name, most in vars(self).items():
            if most is not None and not 0 <= most <= _MOST_SPENT:
                raise InputError(
                    f"the limit of {name} is {most}: give a number from 0 to {_MOST_SPENT:g}, or"
                    " leave it out"
                )


@dataclass(frozen=True)
class RequestOptions:
    """How calls are made, counted and watched."""

    concurrency: int | None = option(
        None, "calls in flight at once; default: what suits the server", "--concurrency", "M"
    )
    timeout_s: float = option(
        TIMEOUT_S,
        "seconds without any answer after which calls are given up (600; local: none)",
        "--timeout",
        "S",
    )
    price: tuple[float, float] | None = option(
        None, "USD per million prompt, completion tokens; default: LiteLLM's", "--price", "IN,OUT"
    )
    num_per_call: int = option(
        1, "independent samples of a stream that a call asks for (1)", "--n-per-call", "K"
    )
    asynchronous: bool = option(
        False, "solve without rounds: each arrival counts at once", "--async"
    )
    unit: str = option(
        "tokens", "what allocators count as spent: tokens (default), samples or usd", "--unit"
    )
    engine: str | None = option(
        None, "of a local model: openvino or llama.cpp; default: the faster one", "--engine"
    )
    api_base: str | None = option(
        None, "where the model is served; of several servers, commas between", "--api-base", "URL"
    )
    provider_batch: bool = option(
        False,
        "by the provider's batch endpoint: mostly at half the price, up to 24 h a batch; a run that"
        " is stopped goes on with what waits there",
        "--provider-batch",
    )
    lines_per_batch: int = option(
        1000, "calls of such a batch at most (1000)", "--lines-per-batch", "L"
    )
    first_poll_s: float = option(5.0, "seconds before such a batch is looked at; later up to 60")
    progress: bool = option(True, "show progress")

    def __post_init__(self) -> None:
        require_count("concurrency", self.concurrency)
        require_count("lines_per_batch", self.lines_per_batch)
        if not 0 < self.first_poll_s < math.inf:
            raise InputError(f"first_poll_s is {self.first_poll_s}: give a number above 0")
        if self.provider_batch and self.asynchronous:
            raise InputError("batches are rounds: leave --async or --provider-batch out")
        require_count("num_per_call", self.num_per_call)
        _require_amount("timeout_s", self.timeout_s)
        price = self.price
        if price is not None and (
            len(price) != 2 or not all(0 <= each <= _DEAREST for each in price)
        ):
            raise InputError(
                f"price is {price}: give USD per million prompt tokens and per million completion"
                " tokens"
            )


@dataclass(frozen=True)
class RecordingOptions:
    """What a recording holds beside its planned samples."""

    num_streams: int = option(1, "streams per question (1)", "--streams", "S")
    greedy: bool = option(True, "no temperature-0 baseline answer per question", "--no-greedy")
    num_questions: int | None = option(None, "only the first Q questions", "--limit", "Q")
    keep_text: int | None = option(
        None,
        "keep the text of a stream's first K samples, and of parents, only",
        "--keep-text",
        "K",
    )
    shard: str | None = option(
        None,
        "the K-th of M parts of the questions alone, with its share of the limits; `recordings"
        " merge` joins the M recordings",
        "--shard",
        "K/M",
    )

    def __post_init__(self) -> None:
        require_count("num_streams", self.num_streams)
        if self.num_questions is not None:
            require_count("limit", self.num_questions)
        _require_amount("keep_text", self.keep_text)
