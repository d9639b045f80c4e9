"""What a recording is made of, checked before anything is sent: task, plan, settings, and what is
there already.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dynlab._util.errors import InputError
from dynlab._util.values import Sample, Sampling, Strategy
from dynlab.models.client import list_price
from dynlab.models.llama_cpp import Endpoint
from dynlab.models.prices import Price
from dynlab.sampling.plan import Plan
from dynlab.sampling.provenance import earlier_samples, is_local, settings_of, wording_of
from dynlab.sampling.store import Key, Store, store_path
from dynlab.strategies.registry import by_name
from dynlab.tasks.task import Task, load_task

_MOST = 2**31 - 1  # of any count: what a recording's columns hold
_FAR = 1_000_000  # samples of a stream: as far as a first vote is looked for
_DEAREST = 1e6  # USD per million tokens


@dataclass(frozen=True)
class Prepared:
    """A recording that can be drawn, and what is there of it already."""

    out: Path
    task: Task  # with all of its questions
    plan: Plan
    settings: Mapping[str, Any]
    earlier: Mapping[Key, Sample]

    def store(self) -> Store:
        """Its store, opened."""
        return store_of(self.out, self.settings, self.plan.task)


def prepared(
    task: str | Path | Task,
    model: str | Endpoint,
    out: str | Path,
    *,
    num_samples: int,
    strategy: str | Strategy = "parallel",
    num_streams: int = 1,
    seed: int = 0,
    temperature: float | None = None,
    max_tokens: int | None = None,
    top_p: float | None = None,
    top_k: int | None = None,
    extra_body: Mapping[str, Any] | None = None,
    price: tuple[float, float] | None = None,
    greedy: bool = True,
    limit: int | None = None,
    **parameters: Any,
) -> Prepared:
    """A recording that can be drawn, of arguments as `sampling.record` takes them.

    Raises:
        InputError: an argument cannot work, or `out` was recorded with other settings.
    """
    refuse_counts(
        num_samples=num_samples,
        num_streams=num_streams,
        limit=limit,
        max_tokens=max_tokens,
        top_k=top_k,
    )
    refuse_price(price)
    chosen = by_name(strategy, **parameters) if isinstance(strategy, str) else strategy
    whole = asked_of(model, task if isinstance(task, Task) else load_task(task))
    sampling = sampling_of(
        whole, temperature, top_p, top_k, max_tokens, extra_body, logprobs=is_local(model)
    )
    asked = replace(whole, questions=whole.questions[:limit])
    plan = Plan(asked, chosen, sampling, num_samples, num_streams, greedy, seed)
    _refuse_silence(chosen, num_samples)
    out = checked_out(out)
    settings = settings_of(plan, model)
    return Prepared(out, whole, plan, settings, earlier_samples(out, whole, settings))


def _refuse_silence(strategy: Strategy, num_samples: int) -> None:
    """Raises an InputError where nothing that is planned would vote."""
    if any(map(strategy.votes, range(num_samples))):
        return
    first = next((index for index in range(num_samples, _FAR) if strategy.votes(index)), _FAR)
    raise InputError(
        f"none of {num_samples} samples of a stream would vote: the first that does is number"
        f" {first + 1}"
    )


def refuse_counts(**counts: int | None) -> None:
    """Raises an InputError for the first count that is no whole number of at least 1; None is left
    alone.
    """
    for name, count in counts.items():
        if count is not None and (not isinstance(count, int) or count < 1):
            raise InputError(f"{name} is {count!r}: give a whole number of at least 1")
        if count is not None and count > _MOST:
            raise InputError(f"{name} is {count}: give at most {_MOST}")


def refuse_price(price: tuple[float, float] | None) -> None:
    """Raises an InputError for a price that is not two amounts of at least 0; None is left alone."""
    if price is not None and (len(price) != 2 or not all(0 <= each <= _DEAREST for each in price)):
        raise InputError(
            f"price is {price}: give USD per million prompt tokens and per million completion"
            " tokens"
        )


def sampling_of(
    task: Task,
    temperature: float | None,
    top_p: float | None,
    top_k: int | None,
    max_tokens: int | None,
    extra_body: Mapping[str, Any] | None,
    *,
    logprobs: bool,
) -> Sampling:
    """The settings of every call: those given, else the task's.

    Raises:
        InputError: the temperature or top_p is none.
    """
    if temperature is not None and not 0 <= temperature < math.inf:
        raise InputError(f"temperature is {temperature}: give a number of at least 0")
    if top_p is not None and not 0 < top_p <= 1:
        raise InputError(f"top_p is {top_p}: give a number above 0, and at most 1")
    return Sampling(
        temperature=1.0 if temperature is None else temperature,
        top_p=top_p,
        top_k=top_k,
        max_tokens=max_tokens or task.max_tokens,
        stop=task.stop,
        logprobs=logprobs,
        extra_body=dict(extra_body or {}),
    )


def price_before(model: str | Endpoint, price: tuple[float, float] | None) -> Price | None:
    """The price of a model as far as it is known before anything is sent; no model of this machine
    has one.
    """
    if is_local(model):
        return None if price is None else Price(*price)
    return list_price(model if isinstance(model, Endpoint) else Endpoint(model, "", ""), price)


def store_of(out: Path, settings: Mapping[str, Any], task: Task) -> Store:
    """The store of a recording, opened, with the wording of its questions."""
    return Store(
        store_path(out),
        settings,
        {question.id: wording_of(question) for question in task.questions},
    )


def checked_out(out: str | Path) -> Path:
    """The path of a recording that can be written."""
    out = Path(out)
    if out.suffix != ".parquet":
        raise InputError(f"out is {str(out)!r}: give a path that ends in .parquet")
    if out.is_dir():
        raise InputError(f"{out} is a folder: give the path of a file in it")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out.parent):
            return out
    except OSError as error:
        raise InputError(
            f"cannot write {out}: {error.strerror}; give an output folder that is writable"
        ) from None


def asked_of(model: str | Endpoint, task: Task) -> Task:
    """The task as the model can be asked it: a model behind a chat interface alone is asked in
    chat.
    """
    name = model.litellm_model if isinstance(model, Endpoint) else model
    if task.form == "chat" or name.startswith(("local/", "text-completion-")):
        return task
    return replace(task, form="chat", stop=(), max_tokens=max(task.max_tokens, Task.max_tokens))
