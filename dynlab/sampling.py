"""Recording: a model's samples of a task, drawn once, each on disk before it counts, resumed wherever it stopped."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from dynlab import recordings
from dynlab.drawing import Drawing, run_interruptible
from dynlab.errors import DynlabError, InputError
from dynlab.ledger import Caps
from dynlab.live import Client, preload
from dynlab.local import Endpoint, ServerSettings, resolve
from dynlab.plans import Plan
from dynlab.provenance import card_of, earlier_samples, frame_of, is_local, settings_of, wording_of
from dynlab.store import Key, Store, store_path
from dynlab.strategies import by_name
from dynlab.tasks import Task, load_task
from dynlab.types import Sample, Sampling, Strategy

NUM_IN_FLIGHT = 16


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
    price: tuple[float, float] | None = None,
    greedy: bool = True,
    limit: int | None = None,
    keep_text: int | None = None,
    progress: bool = True,
    **parameters: Any,
) -> Path:
    """Draws a planned number of samples for every question of a task and writes them as a recording (Parquet).

    What was drawn before, by this command or an interrupted one, is never drawn again. Works in a notebook as well.

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
        price: USD per million (prompt, completion) tokens, where LiteLLM does not know it.
        greedy: Also draw one answer at temperature 0 per question, under the strategy 'greedy'.
        limit: Only the first questions of the task.
        keep_text: Keep the text of the first samples of each stream, and of those that others are shown, only (in the
            recording; the store has all).
        progress: Show a progress bar on stderr.
        parameters: Of the strategy that is named: width, who, order, shown, …; see `dynlab.strategies`.

    Returns:
        The path of the recording.

    Raises:
        InputError: an argument cannot work, or `out` was recorded with other settings.
        BudgetError: the next call might exceed `max_usd`; what is drawn stays, and can be continued.
        DynlabError: the model does not answer, or it was interrupted; the same holds.
    """
    counts = {"num_samples": num_samples, "num_streams": num_streams, "limit": limit}
    for name, count in (counts | {"max_tokens": max_tokens, "top_k": top_k, "concurrency": concurrency}).items():
        if count is not None and (not isinstance(count, int) or count < 1):
            raise InputError(f"{name} is {count!r}: give a whole number of at least 1")
    for name, amount in {"temperature": temperature, "max_usd": max_usd, "keep_text": keep_text}.items():
        if amount is not None and not amount >= 0:
            raise InputError(f"{name} is {amount}: give a number of at least 0")
    if price is not None and (len(price) != 2 or not min(price) >= 0):
        raise InputError(f"price is {price}: give USD per million prompt tokens and per million completion tokens")
    out = _checked_out(out)
    chosen = by_name(strategy, **parameters) if isinstance(strategy, str) else strategy
    whole = _asked_of(model, task if isinstance(task, Task) else load_task(task))
    task = replace(whole, questions=whole.questions[:limit])
    sampling = Sampling(
        temperature=1.0 if temperature is None else temperature,
        top_p=top_p,
        top_k=top_k,
        max_tokens=max_tokens or task.max_tokens,
        stop=task.stop,
        logprobs=is_local(model),
        extra_body=dict(extra_body or {}),
    )
    plan = Plan(task, chosen, sampling, num_samples, num_streams, greedy, seed)
    settings = settings_of(plan, model)
    earlier = earlier_samples(out, whole, settings)
    if earlier.keys() >= set(plan.keys):
        return out
    wording = {question.id: wording_of(question) for question in task.questions}
    with Store(store_path(out), settings, wording) as store:
        _continue(store, earlier, plan)
        samples, card = _drawn(plan, store, model, price, max_usd, concurrency, progress)
        wanted = set(plan.keys) | earlier.keys()
        kept = [sample for sample in samples if sample.key in wanted]
        frame = frame_of(kept, plan, whole, settings["model"], keep_text)
    return recordings.write(frame, card_of(plan, settings, card, frame), out)


def _continue(store: Store, earlier: Mapping[Key, Sample], plan: Plan) -> None:
    """Puts the samples of an earlier recording into the store, so that they are not drawn again."""
    held = store.keys()
    new = [sample for key, sample in earlier.items() if key not in held]
    shown = {parent for key in plan.keys for parent in plan.parents(key)}
    if any(sample.key in shown and not sample.text for sample in new):
        raise InputError(f"the recording lacks texts that a chain is shown, and {store.path} too: give another --out")
    store.load(new)


def _drawn(
    plan: Plan,
    store: Store,
    model: str | Endpoint,
    price: tuple[float, float] | None,
    max_usd: float | None,
    concurrency: int | None,
    progress: bool,
) -> tuple[list[Sample], Mapping[str, Any]]:
    """Draws what the store lacks; all of its samples, and the endpoint's card."""
    num_planned = len(plan.keys)
    num_stored = len(store.keys() & set(plan.keys))
    if num_stored < num_planned:
        preload()
    with _endpoint(model, plan) as endpoint:
        if num_stored < num_planned:
            client = Client(endpoint, price)
            drawing = Drawing(plan, store, client, concurrency or _num_in_flight(endpoint), Caps(max_usd=max_usd))
            try:
                with _progress(num_planned, num_stored, progress) as counted:
                    run_interruptible(drawing, counted)
            except (KeyboardInterrupt, DynlabError) as error:
                kind = type(error) if isinstance(error, DynlabError) else DynlabError
                kept = f"{len(store.keys() & set(plan.keys))} of {num_planned} samples are kept"
                raise kind(f"{str(error) or 'interrupted'}; {kept}, the same command goes on from there") from None
        return store.samples(), endpoint.card


def _checked_out(out: str | Path) -> Path:
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
        raise InputError(f"cannot write {out}: {error.strerror}; give an output folder that is writable") from None


def _asked_of(model: str | Endpoint, task: Task) -> Task:
    """The task as the model can be asked it: a model behind a chat interface alone is asked in chat."""
    name = model.litellm_model if isinstance(model, Endpoint) else model
    if task.form == "chat" or name.startswith(("local/", "text-completion-")):
        return task
    return replace(task, form="chat", stop=(), max_tokens=max(task.max_tokens, Task.max_tokens))


@contextmanager
def _endpoint(model: str | Endpoint, plan: Plan) -> Iterator[Endpoint]:
    if isinstance(model, Endpoint):
        yield model
    elif is_local(model):
        form = "text" if plan.task.form == "completion" else "chat"
        with resolve(model, form, ServerSettings(context=ServerSettings.context + _attempt_tokens(plan))) as endpoint:
            yield endpoint
    else:
        yield Endpoint(model, "", "")


def _attempt_tokens(plan: Plan) -> int:
    """The most tokens of attempts that a prompt of the plan holds."""
    waited = max(len(plan.strategy.parents(index)) for index in range(plan.num_samples))
    return min(waited, getattr(plan.strategy, "num_shown", None) or waited) * plan.sampling.max_tokens


def _num_in_flight(endpoint: Endpoint) -> int:
    """Two calls a slot keep a local server busy."""
    slots = endpoint.card.get("server_settings", {}).get("num_slots")
    return 2 * int(slots) if slots else NUM_IN_FLIGHT


@contextmanager
def _progress(total: int, done: int, shown: bool) -> Iterator[Callable[[], object]]:
    from tqdm import tqdm

    with tqdm(total=total, initial=done, unit="sample", disable=not shown, dynamic_ncols=True) as bar:
        yield bar.update
