"""Recording: samples of a task, each on disk before it counts, resumed where it stopped."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from dynlab._util.errors import DynlabError, InputError
from dynlab._util.options import Limits, RecordingOptions, RequestOptions, Sampling
from dynlab.models.engines import describe, resolve
from dynlab.models.litellm_import import preload
from dynlab.models.llama_cpp import Endpoint, ServerSettings
from dynlab.models.price_list import goes_on, list_price
from dynlab.recordings.blocks import FileBlocks
from dynlab.recordings.writing import Counts, write_blocks
from dynlab.sampling.batch_client import LINES_IN_FLIGHT, client_by
from dynlab.sampling.cost_estimate import (
    CostEstimate,
    Held,
    capped,
    estimate,
    held_latencies,
    known_latencies,
    seconds_expected,
)
from dynlab.sampling.interrupts import run_interruptible
from dynlab.sampling.plan import Plan
from dynlab.sampling.preparation import Prepared, asked_at, prepared, price_before
from dynlab.sampling.progress import Progress
from dynlab.sampling.provenance import card_of, frames_of, is_local
from dynlab.sampling.sampler import Sampler, card_of_calls
from dynlab.sampling.scheduling import draw_plan
from dynlab.sampling.store import Store, store_path
from dynlab.sampling.store_rows import Key
from dynlab.sampling.summary import doubts_about, summary_of
from dynlab.sampling.tracked_recording import track_recording
from dynlab.strategies.base import Strategy
from dynlab.tasks.task import Task

NUM_IN_FLIGHT = 16
WAITING = 6  # calls in flight a slot, where each stream has its own: some are faster than others


def record(
    task: str | Path | Task,
    model: str | Endpoint,
    *,
    num_samples: int,
    out: str | Path,
    strategy: str | Strategy = "parallel",
    sampling: Sampling | None = None,
    limits: Limits | None = None,
    requests: RequestOptions | None = None,
    options: RecordingOptions | None = None,
    seed: int = 0,
) -> Path:
    """Draws a planned number of samples for every question of a task; writes a recording (Parquet).

    What was drawn before, by this command or an interrupted one, is never drawn again. Works in a
    notebook as well.

    Args:
        task: The name of a task, a file of questions, or a `Task`.
        model: Any LiteLLM name, `local/…`, or an `Endpoint`.
        num_samples: Samples per question and stream.
        out: The recording, a path that ends in .parquet; its store lies beside it.
        strategy: A `Strategy`, or its text form: 'parallel', 'integrated(width=4)', ….
        sampling: Temperature and the like; default: the task's and the server's own.
        limits: The most that the recording may cost, earlier parts of it included.
        requests: How calls are made: concurrency, timeout, price, samples per call, progress.
        options: Streams, greedy answers, how many questions, which texts are kept.
        seed: Of the run; each sample has its own, derived from it.

    Returns:
        The path of the recording.

    Raises:
        InputError: an argument cannot work, or `out` was recorded with other settings.
        BudgetError: the next call might exceed a limit; what is drawn stays, and can be continued.
        DynlabError: the model does not answer, or it was interrupted; the same holds.
    """
    requests = requests or RequestOptions()
    options = options or RecordingOptions()
    model = asked_at(model, requests)
    ready = prepared(
        task,
        model,
        out,
        num_samples=num_samples,
        strategy=strategy,
        sampling=sampling,
        options=options,
        seed=seed,
        engine=requests.engine,
    )
    plan = ready.plan
    if plan.num_in(ready.earlier.keys) == len(plan.keys):
        return ready.out
    if ready.shard is not None and requests.progress:
        print(ready.shard.words(limits or Limits()), file=sys.stderr)
    limits = ready.limits(limits)
    with ready.store() as store:
        ready.earlier.put_into(store, plan)
        price = price_before(model, requests) if requests.progress else None
        held = Held.of(store.iterate(), price)
        if requests.progress:
            ahead = _estimated(ready, store.keys(), held, model, requests, limits)
            print(ahead.words, file=sys.stderr)

        def sampler_at(endpoint: Endpoint) -> Sampler:
            client = client_by(endpoint, requests, store)
            num_in_flight = min(_num_in_flight(requests, endpoint.card), len(plan.keys))
            num_slots, num_at_once = _at_once(endpoint.card)
            own = replace(plan, num_slots=num_slots, num_at_once=num_at_once)
            sampler = Sampler(own, store, client, num_in_flight, limits, requests.num_per_call)
            sampler.clock.learn(known_latencies(held))
            return sampler

        card = _drawn(plan, store, model, sampler_at, requests)
        path = _written(ready, store, card, options.keep_text)
    if requests.progress:
        blocks = FileBlocks(path)
        summary = summary_of(blocks, card.get("wall_s"))
        print(summary, *doubts_about(blocks, ready.task.grader.name), sep="\n", file=sys.stderr)
    track_recording("record", path)
    return path


def dry_run(
    task: str | Path | Task,
    model: str | Endpoint,
    *,
    num_samples: int,
    out: str | Path,
    strategy: str | Strategy = "parallel",
    sampling: Sampling | None = None,
    limits: Limits | None = None,
    requests: RequestOptions | None = None,
    options: RecordingOptions | None = None,
    seed: int = 0,
) -> CostEstimate:
    """What `record` with the same arguments would call, and what that would cost; nothing is sent.

    Raises:
        InputError: as `record`.
    """
    requests = requests or RequestOptions()
    model = asked_at(model, requests)
    price = price_before(model, requests, limits)
    ready = prepared(
        task,
        model,
        out,
        num_samples=num_samples,
        strategy=strategy,
        sampling=sampling,
        options=options,
        seed=seed,
        engine=requests.engine,
    )
    there, held = ready.earlier.keys, Held.of(ready.earlier, price)
    if store_path(ready.out).exists():
        with ready.store() as store:
            stored = store.keys()
            others = (sample for sample in ready.earlier if sample.key not in stored)
            held = Held.of(chain(others, store.iterate()), price)
        there |= stored
    return _estimated(ready, there, held, model, requests, ready.limits(limits))


def _estimated(
    ready: Prepared,
    there: Set[Key],
    held: Held,
    model: str | Endpoint,
    requests: RequestOptions,
    limits: Limits,
) -> CostEstimate:
    """What is still missing of a recording, what it costs, and how long it takes."""
    missing = [key for key in ready.plan.keys if key not in there]
    price = price_before(model, requests)
    found = estimate(ready.plan, missing, held, price, ready.settings["model"])
    seconds = None
    if held_latencies(held) is not None:  # else nobody asks how many calls there are at once
        num_in_flight = _num_in_flight(requests, card_before(model, requests.engine))
        seconds = seconds_expected(len(missing), held, num_in_flight, requests.num_per_call)
    return replace(
        found,
        seconds=seconds,
        num_waves=ready.plan.depth if requests.provider_batch else None,
        worst=capped(found.worst, limits),
        expected=capped(found.expected, limits),
    )


def _num_in_flight(requests: RequestOptions, card: Mapping[str, Any]) -> int:
    """The calls in flight of a recording, by the card of its server."""
    own = 0 if requests.provider_batch else WAITING * _at_once(card)[0]
    return requests.concurrency or own or num_in_flight_by(requests, card)


def card_before(model: str | Endpoint, engine: str | None = None) -> Mapping[str, Any]:
    """What a server's card will say, as far as it is known before the server runs."""
    if isinstance(model, Endpoint):
        return model.card
    return describe(model, engine=engine) if is_local(model) else {}


def _drawn(
    plan: Plan,
    store: Store,
    model: str | Endpoint,
    sampler_at: Callable[[Endpoint], Sampler],
    requests: RequestOptions,
) -> Mapping[str, Any]:
    """Draws what the store lacks; what the card says of the calls."""
    num_planned, num_stored = len(plan.keys), plan.num_in(store.keys())
    if num_stored < num_planned:
        preload()
    with endpoint_of(model, plan, requests.engine) as endpoint:
        if num_stored == num_planned:  # nothing is sent: it takes no key, and no limit ends it
            batch, num = requests.provider_batch, requests.num_per_call
            price = list_price(endpoint, requests.price, by_batch=batch)
            told = card_of_calls(store, store.totals(), price, by_batch=batch, num_per_call=num)
            return {**endpoint.card, **told}
        sampler = sampler_at(endpoint)
        watch = Progress(sampler, num_planned, num_stored, requests.progress, planned=True)
        try:
            with watch:
                run_interruptible(sampler, partial(draw_plan, sampler, watch.count))
        except (KeyboardInterrupt, DynlabError) as error:
            failure = error if isinstance(error, DynlabError) else DynlabError("interrupted")
            kept = f"{plan.num_in(store.keys())} of {num_planned} samples are kept"
            raise failure.extended(f"{kept}, the same command goes on from there") from None
        return {**endpoint.card, **sampler.card}


def _written(
    ready: Prepared, store: Store, described: Mapping[str, Any], keep_text: int | None
) -> Path:
    """The recording, of the samples of the store that are planned now or were earlier."""
    plan, settings = ready.plan, ready.settings
    wanted = (
        sample
        for sample in store.iterate()
        if plan.holds(sample.key) or sample.key in ready.earlier.keys
    )

    def card(counts: Counts) -> dict[str, Any]:
        return card_of(plan, settings, described, counts) | ready.shard_card(keep_text)

    frames = frames_of(wanted, plan, ready.task, settings["model"], keep_text)
    return write_blocks(frames, card, ready.out)


@contextmanager
def endpoint_of(model: str | Endpoint, plan: Plan, engine: str | None = None) -> Iterator[Endpoint]:
    """Where a model is found; one of this machine is served for the length of the `with` block.

    Raises:
        InputError: the provider does not take what the plan asks of it.
    """
    remote = model if isinstance(model, Endpoint) else Endpoint(model, "", "")
    prefilled = plan.strategy.shown == "prefill" and plan.task.form == "chat"
    if prefilled and not is_local(model) and not goes_on(remote):
        raise InputError(
            f"{remote.litellm_model} takes no prefill: give shown = 'listed', or another model"
        )
    if isinstance(model, Endpoint):
        yield model
    elif is_local(model):
        form = "text" if plan.task.form == "completion" else "chat"
        settings = ServerSettings(context=ServerSettings.context + plan.attempt_tokens)
        with resolve(model, form, settings, engine) as endpoint:
            yield endpoint
    else:
        yield remote


def num_in_flight_by(requests: RequestOptions, card: Mapping[str, Any]) -> int:
    """The calls in flight asked for, or that suit batches or, by its card, a server."""
    most = LINES_IN_FLIGHT if requests.provider_batch else num_in_flight_of(card)
    return requests.concurrency or most


def num_in_flight_of(card: Mapping[str, Any]) -> int:
    """The calls in flight that suit a server, by its card: two a slot keep a local one busy."""
    return 2 * max(_at_once(card)) or NUM_IN_FLIGHT * int(card.get("num_servers", 1))


def _at_once(card: Mapping[str, Any]) -> tuple[int, int]:
    """The slots of a server of this machine, and the answers that one in this process generates."""
    found = card.get("server_settings", {})
    return int(found.get("num_slots", 0)), int(found.get("num_sequences", 0))
