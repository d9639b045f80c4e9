"""What a recording is made of, checked before anything is sent: task, plan, settings."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dynlab._util.errors import InputError
from dynlab._util.options import (
    Limits,
    RecordingOptions,
    RequestOptions,
    Sampling,
    require_count,
)
from dynlab.models.client import provider_of
from dynlab.models.llama_cpp import Endpoint
from dynlab.models.price_list import list_price
from dynlab.models.prices import Price
from dynlab.models.servers import addressed
from dynlab.sampling.batch_client import require_batches
from dynlab.sampling.budget import require_price
from dynlab.sampling.plan import Plan
from dynlab.sampling.provenance import (
    EarlierSamples,
    earlier_samples,
    is_local,
    settings_of,
    wording_of,
)
from dynlab.sampling.shards import Shard, shard_of
from dynlab.sampling.store import Store, store_path
from dynlab.strategies.base import Strategy
from dynlab.strategies.registry import as_strategy
from dynlab.tasks.task import Task, load_task
from dynlab.tasks.task_names import loader

_FAR = 1_000_000  # samples of a stream: as far as a first vote is looked for


@dataclass(frozen=True)
class Prepared:
    """A recording that can be drawn, and what is there of it already."""

    out: Path
    task: Task  # with all of its questions
    plan: Plan
    settings: Mapping[str, Any]
    earlier: EarlierSamples
    shard: Shard | None = None  # of a recording whose questions are parted

    def limits(self, whole: Limits | None) -> Limits:
        """Its limits; those of a shard are a share of what all shards may cost."""
        return (whole or Limits()) if self.shard is None else self.shard.limits(whole or Limits())

    def shard_card(self, keep_text: int | None) -> dict[str, Any]:
        """What a shard's card says beside that of any recording."""
        if self.shard is None:
            return {}
        plan = self.plan
        planned = {"samples": plan.num_samples, "streams": plan.num_streams, "greedy": plan.greedy}
        return {"shard": self.shard.told({**planned, "keep_text": keep_text})}

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
    sampling: Sampling | None = None,
    options: RecordingOptions | None = None,
    seed: int = 0,
    engine: str | None = None,
) -> Prepared:
    """A recording that can be drawn, of arguments as `sampling.record` takes them.

    Raises:
        InputError: an argument cannot work, or `out` was recorded with other settings.
    """
    require_count("num_samples", num_samples)
    options = options or RecordingOptions()
    chosen = as_strategy(strategy)
    whole = asked_of(model, task if isinstance(task, Task) else load_task(task))
    settled = sampling_of(whole, sampling or Sampling(), logprobs=is_local(model))
    asked = replace(whole, questions=whole.questions[: options.num_questions])
    shard = None if options.shard is None else shard_of(options.shard, asked.questions)
    if shard is not None:
        asked = replace(asked, questions=shard.questions)
    plan = Plan(asked, chosen, settled, num_samples, options.num_streams, options.greedy, seed)
    _refuse_silence(chosen, num_samples)
    out = checked_out(out)
    settings = settings_of(plan, model, engine)
    if shard is not None:
        settings["shard"] = str(shard)
    return Prepared(out, whole, plan, settings, earlier_samples(out, whole, settings), shard)


def _refuse_silence(strategy: Strategy, num_samples: int) -> None:
    """Raises an InputError where nothing that is planned would vote."""
    if any(map(strategy.votes, range(num_samples))):
        return
    first = next((index for index in range(num_samples, _FAR) if strategy.votes(index)), _FAR)
    raise InputError(
        f"none of {num_samples} samples of a stream would vote: the first that does is number"
        f" {first + 1}"
    )


def sampling_of(task: Task, sampling: Sampling, *, logprobs: bool) -> Sampling:
    """The settings of every call: those given, else the task's.

    Args:
        task: Says how long a response is and where it ends.
        sampling: As it was given.
        logprobs: Whether to ask for log-probabilities where that was left open.
    """
    return replace(
        sampling,
        max_tokens=sampling.max_tokens or task.max_tokens,
        stop=task.stop if sampling.stop is None else sampling.stop,
        logprobs=logprobs if sampling.logprobs is None else sampling.logprobs,
        extra_body=dict(sampling.extra_body),
    )


def asked_at(model: str | Endpoint, requests: RequestOptions) -> str | Endpoint:
    """The model, at the addresses given, if it can be asked as the options say.

    Raises:
        InputError: it cannot: it has an address already, or is not served by batches.
    """
    model = addressed(model, requests.api_base)
    if requests.provider_batch:
        require_batches(model)
    return model


def price_before(
    model: str | Endpoint, requests: RequestOptions, limits: Limits | None = None
) -> Price | None:
    """The price of a model as far as it is known before anything is sent; a local one has none.

    Raises:
        InputError: nobody is known to serve the model, or the limits need a price.
    """
    given = requests.price
    endpoint = model if isinstance(model, Endpoint) else Endpoint(model, "", "")
    if model is endpoint or not is_local(model):
        provider_of(endpoint)
    if is_local(model):
        price = None if given is None else Price(*given)
    else:
        price = list_price(endpoint, given, by_batch=requests.provider_batch)
    require_price(limits, price, endpoint.litellm_model)
    return price


def store_of(out: Path, settings: Mapping[str, Any], task: Task) -> Store:
    """The store of a recording, opened, with the wording of its questions."""
    return Store(
        store_path(out),
        settings,
        {question.id: wording_of(question) for question in task.questions},
    )


def file_name(task: str, model: str) -> str:
    """What the recording of a task by a model is called, where nobody says.

    >>> file_name("capitals", "openai/gpt-4o-mini")
    'capitals--openai-gpt-4o-mini.parquet'
    >>> file_name("bbh/navigate?size=50&seed=1", "local/smollm2-135m")
    'bbh-navigate-size-50-seed-1--smollm2-135m.parquet'
    """
    asked, told = (re.sub(r"[^\w.]+", "-", name) for name in (task, model.removeprefix("local/")))
    return f"{asked if loader(task) else Path(task).stem}--{told}.parquet"


def checked_out(out: str | Path) -> Path:
    """The path of a recording that can be written; nothing is written yet, not even its folder."""
    out = Path(out)
    if out.suffix != ".parquet":
        raise InputError(f"out is {str(out)!r}: give a path that ends in .parquet")
    if out.is_dir():
        raise InputError(f"{out} is a folder: give the path of a file in it")
    try:
        there = next(folder for folder in out.parents if os.path.lexists(folder))
        with tempfile.TemporaryFile(dir=there):
            return out
    except OSError as error:
        raise InputError(
            f"cannot write {out}: {error.strerror}; give an output folder that is writable"
        ) from None


def asked_of(model: str | Endpoint, task: Task) -> Task:
    """The task as the model can be asked it: in chat where it has no text completion."""
    name = model.litellm_model if isinstance(model, Endpoint) else model
    if task.form == "chat" or name.startswith(("local/", "text-completion-")):
        return task
    return replace(task, form="chat", stop=(), max_tokens=max(task.max_tokens, Task.max_tokens))
