"""Recording: a model's samples of a task, drawn once, each on disk before it counts, resumed
wherever it stopped.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from dynlab import recordings
from dynlab._util.errors import DynlabError, InputError
from dynlab._util.values import Sample, Strategy
from dynlab.models.client import TIMEOUT_S, Client, goes_on, preload
from dynlab.models.llama_cpp import Endpoint, ServerSettings, resolve
from dynlab.sampling.budget import Caps
from dynlab.sampling.cost_estimate import CostEstimate, estimate
from dynlab.sampling.plan import Plan
from dynlab.sampling.preparation import prepared, price_before, refuse_counts
from dynlab.sampling.provenance import card_of, frame_of, is_local, without_text
from dynlab.sampling.sampler import Sampler, run_interruptible
from dynlab.sampling.store import Key, Store, store_path
from dynlab.tasks.task import Task

NUM_IN_FLIGHT = 16
WAITING = (
    6  # calls in flight a slot, where each stream has its own: some slots are faster than others
)


def record(
    task: str | Path | Task,
    model: str | Endpoint,
    *,
    num_samples: int,
    out: str | Path,
    strategy: str | Strategy = "parallel",
    num_streams: int = 1,
    seed: int = 0,
    temperature: float | None = None,
    max_tokens: int | None = None,
    top_p: float | None = None,
    top_k: int | None = None,
    extra_body: Mapping[str, Any] | None = None,
    concurrency: int | None = None,
    max_usd: float | None = None,
    max_total_tokens: int | None = None,
    max_calls: int | None = None,
    price: tuple[float, float] | None = None,
    num_per_call: int = 1,
    timeout_s: float = TIMEOUT_S,
    greedy: bool = True,
    limit: int | None = None,
    keep_text: int | None = None,
    progress: bool = True,
    **parameters: Any,
) -> Path:
    """Draws a planned number of samples for every question of a task and writes them as a recording
    (Parquet).

    What was drawn before, by this command or an interrupted one, is never drawn again. Works in a
    notebook as well.

    Args:
        task: The name of a task, a file of questions, or a `Task`.
        model: Any LiteLLM name, `local/…`, or an `Endpoint`.
        num_samples: Samples per question and stream.
        out: The recording, a path that ends in .parquet; its store lies beside it.
        strategy: 'parallel', 'sequential', 'integrated' or 'rsa', or a `Strategy`.
        num_streams: Streams per question.
        seed: Of the run; each sample has its own, derived from it.
        temperature: Default 1.0. The greedy answers have 0.
        max_tokens: Default: the task's.
        top_p: Default: the server's.
        top_k: Default: the server's.
        extra_body: Further fields of the request's body, as the server knows them.
        concurrency: Calls in flight at once; default: what suits the server.
        max_usd: Hard limit on what the recording may cost, earlier parts of it included.
        max_total_tokens: Hard limit on its tokens, of prompts and answers.
        max_calls: Hard limit on its calls, those that were turned down left out.
        price: USD per million (prompt, completion) tokens, where LiteLLM does not know it.
        num_per_call: Independent samples of a stream that one call asks for; what it does not bring
            is asked singly.
        timeout_s: Seconds after which a call is given up, and tried again.
        greedy: Also draw one answer at temperature 0 per question, under the strategy 'greedy'.
        limit: Only the first questions of the task.
        keep_text: Keep the text of the first samples of each stream, and of those that others are
            shown, only (in the recording; the store has all).
        progress: Show a progress bar on stderr.
        parameters: Of the strategy that is named: width, who, order, shown, …; see
            `dynlab.strategies.strategies`.

    Returns:
        The path of the recording.

    Raises:
        InputError: an argument cannot work, or `out` was recorded with other settings.
        BudgetError: the next call might exceed a limit; what is drawn stays, and can be continued.
        DynlabError: the model does not answer, or it was interrupted; the same holds.
    """
    caps = Caps(max_calls, max_total_tokens, max_usd)
    _refuse_running(
        concurrency=concurrency, num_per_call=num_per_call, timeout_s=timeout_s, keep_text=keep_text
    )
    ready = prepared(
        task,
        model,
        out,
        num_samples=num_samples,
        strategy=strategy,
        num_streams=num_streams,
        seed=seed,
        temperature=temperature,
        max_tokens=max_tokens,
        top_p=top_p,
        top_k=top_k,
        extra_body=extra_body,
        price=price,
        greedy=greedy,
        limit=limit,
        **parameters,
    )
    whole, plan, settings, earlier = ready.task, ready.plan, ready.settings, ready.earlier
    if earlier.keys() >= set(plan.keys):
        return ready.out
    with ready.store() as store:
        _continue(store, earlier, plan, ready.out)

        def drawing_at(endpoint: Endpoint) -> Sampler:
            client, num_slots = Client(endpoint, price, timeout_s), slots_of(endpoint.card)
            num_in_flight = concurrency or WAITING * num_slots or NUM_IN_FLIGHT
            return Sampler(
                replace(plan, num_slots=num_slots), store, client, num_in_flight, caps, num_per_call
            )

        samples, card = _drawn(plan, store, model, drawing_at, progress)
        wanted = set(plan.keys) | earlier.keys()
        kept = [sample for sample in samples if sample.key in wanted]
        frame = frame_of(kept, plan, whole, settings["model"], keep_text)
    return recordings.write(frame, card_of(plan, settings, card, frame), ready.out)


def dry_run(
    task: str | Path | Task,
    model: str | Endpoint,
    *,
    out: str | Path,
    price: tuple[float, float] | None = None,
    max_usd: float | None = None,
    max_total_tokens: int | None = None,
    max_calls: int | None = None,
    **arguments: Any,
) -> CostEstimate:
    """What `record` with the same arguments would call, and what that would cost; nothing is sent.

    Raises:
        InputError: as `record`.
    """
    Caps(max_calls, max_total_tokens, max_usd)
    arguments.pop("progress", None)
    running = ("concurrency", "num_per_call", "timeout_s", "keep_text")
    _refuse_running(**{name: arguments.pop(name) for name in running if name in arguments})
    ready = prepared(task, model, out, price=price, **arguments)
    held = dict(ready.earlier)
    if store_path(ready.out).exists():
        with ready.store() as store:
            held |= {sample.key: sample for sample in store.samples()}
    missing = [key for key in ready.plan.keys if key not in held]
    known = price_before(model, price)
    return estimate(ready.plan, missing, list(held.values()), known, ready.settings["model"])


def _refuse_running(
    concurrency: int | None = None,
    num_per_call: int | None = None,
    timeout_s: float | None = None,
    keep_text: int | None = None,
) -> None:
    """Raises an InputError for the first argument of a run that cannot work; None is left alone."""
    refuse_counts(concurrency=concurrency, num_per_call=num_per_call)
    for name, amount in {"timeout_s": timeout_s, "keep_text": keep_text}.items():
        if amount is not None and not 0 <= amount < math.inf:
            raise InputError(f"{name} is {amount}: give a number of at least 0")


def _continue(store: Store, earlier: Mapping[Key, Sample], plan: Plan, out: Path) -> None:
    """Puts the samples of an earlier recording into the store, so that they are not drawn again."""
    held = store.keys()
    new = [sample for key, sample in earlier.items() if key not in held]
    shown = {parent for key in plan.keys for parent in plan.parents(key)}
    silent = {sample.key for sample in new if sample.key in shown and not sample.text}
    if silent and silent & without_text(out):
        raise InputError(
            f"the recording lacks texts that a chain is shown, and {store.path} too: give another"
            " --out"
        )
    store.load(new)


def _drawn(
    plan: Plan,
    store: Store,
    model: str | Endpoint,
    drawing_at: Callable[[Endpoint], Sampler],
    progress: bool,
) -> tuple[list[Sample], Mapping[str, Any]]:
    """Draws what the store lacks; all of its samples, and what the card says of the endpoint and of
    the spending.
    """
    num_planned = len(plan.keys)
    num_stored = len(store.keys() & set(plan.keys))
    if num_stored < num_planned:
        preload()
    with endpoint_of(model, plan) as endpoint:
        card = dict(endpoint.card)
        if num_stored < num_planned:
            drawing = drawing_at(endpoint)
            try:
                with _progress(drawing, num_planned, num_stored, progress) as counted:
                    run_interruptible(drawing, counted)
            except (KeyboardInterrupt, DynlabError) as error:
                kind = type(error) if isinstance(error, DynlabError) else DynlabError
                kept = f"{len(store.keys() & set(plan.keys))} of {num_planned} samples are kept"
                raise kind(
                    f"{str(error) or 'interrupted'}; {kept}, the same command goes on from there"
                ) from None
            card |= drawing.card
        return store.samples(), card


@contextmanager
def endpoint_of(model: str | Endpoint, plan: Plan) -> Iterator[Endpoint]:
    """Where a model is found, for the length of a `with` block: one of this machine is served as
    long.

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
        with resolve(
            model, form, ServerSettings(context=ServerSettings.context + _attempt_tokens(plan))
        ) as endpoint:
            yield endpoint
    else:
        yield remote


def _attempt_tokens(plan: Plan) -> int:
    """The most tokens of attempts that a prompt of the plan holds."""
    waited = max(len(plan.strategy.parents(index)) for index in range(plan.num_samples))
    return (
        min(waited, getattr(plan.strategy, "num_shown", None) or waited) * plan.sampling.max_tokens
    )


def num_in_flight_of(card: Mapping[str, Any]) -> int:
    """The calls in flight that suit a server, by its card: two a slot keep a local one busy."""
    return 2 * slots_of(card) or NUM_IN_FLIGHT


def slots_of(card: Mapping[str, Any]) -> int:
    """The answers that a server of this machine generates at a time, by its card; 0: it is
    another's.
    """
    return int(card.get("server_settings", {}).get("num_slots", 0))


@contextmanager
def _progress(
    drawing: Sampler, total: int, done: int, shown: bool
) -> Iterator[Callable[[], object]]:
    from tqdm import tqdm

    with tqdm(
        total=total, initial=done, unit="sample", disable=not shown, dynamic_ncols=True
    ) as bar:

        def counted() -> None:
            bar.set_postfix_str(drawing.ledger.brief, refresh=False)
            bar.update()

        yield counted if shown else bar.update
