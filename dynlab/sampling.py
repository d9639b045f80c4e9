"""Recording: a model's samples of a task, drawn once, each on disk before it counts, resumed wherever it stopped."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from dynlab import __version__, recordings
from dynlab.answers import is_right
from dynlab.drawing import Drawing, run_interruptible
from dynlab.errors import DynlabError, InputError
from dynlab.live import Client, preload
from dynlab.local import Endpoint, describe, resolve
from dynlab.plans import GREEDY, Plan
from dynlab.pricing import Ledger
from dynlab.prompts import prompter_for
from dynlab.store import Key, Store, refuse_difference, store_path
from dynlab.strategies import by_name
from dynlab.tasks import Task, load_task
from dynlab.types import Question, Sample, Sampling, Usage

NUM_IN_FLIGHT = 16
_DECIDING = ("weights_sha256", "adapter_sha256", "server", "server_version")  # of a local model's description


def record(
    task: str | Path | Task,
    model: str | Endpoint,
    *,
    num_samples: int,
    out: str | Path,
    strategy: str = "parallel",
    num_streams: int = 1,
    width: int = 4,
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
) -> Path:
    """Draws a planned number of samples for every question of a task and writes them as a recording (Parquet).

    What was drawn before, by this command or an interrupted one, is never drawn again. Works in a notebook as well.

    Args:
        task: The name of a task, a file of questions, or a `Task`.
        model: Any LiteLLM name, `local/…`, or an `Endpoint`.
        num_samples: Samples per question and stream.
        out: The recording, a path that ends in .parquet; its store lies beside it.
        strategy: 'parallel', 'sequential' or 'integrated'.
        num_streams: Streams per question.
        width: Independent samples before the chain, of 'integrated'.
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
        keep_text: Keep the text of the first samples of each stream only (in the recording; the store has all).
        progress: Show a progress bar on stderr.

    Returns:
        The path of the recording.

    Raises:
        InputError: an argument cannot work, or `out` was recorded with other settings.
        BudgetError: the next call might exceed `max_usd`; what is drawn stays, and can be continued.
        DynlabError: the model does not answer, or it was interrupted; the same holds.
    """
    counts = {"num_samples": num_samples, "num_streams": num_streams, "width": width, "limit": limit}
    for name, count in (counts | {"max_tokens": max_tokens, "top_k": top_k, "concurrency": concurrency}).items():
        if count is not None and (not isinstance(count, int) or count < 1):
            raise InputError(f"{name} is {count!r}: give a whole number of at least 1")
    for name, amount in {"temperature": temperature, "max_usd": max_usd, "keep_text": keep_text}.items():
        if amount is not None and not amount >= 0:
            raise InputError(f"{name} is {amount}: give a number of at least 0")
    if price is not None and (len(price) != 2 or not min(price) >= 0):
        raise InputError(f"price is {price}: give USD per million prompt tokens and per million completion tokens")
    out = _checked_out(out)
    chosen = by_name(strategy, **({"width": width} if strategy == "integrated" else {}))
    whole = _asked_of(model, task if isinstance(task, Task) else load_task(task))
    task = replace(whole, questions=whole.questions[:limit])
    sampling = Sampling(
        temperature=1.0 if temperature is None else temperature,
        top_p=top_p,
        top_k=top_k,
        max_tokens=max_tokens or task.max_tokens,
        stop=task.stop,
        logprobs=_is_local(model),
        extra_body=dict(extra_body or {}),
    )
    plan = Plan(task, chosen, sampling, num_samples, num_streams, greedy, seed)
    settings = _settings(plan, model)
    earlier = _earlier(out, whole, settings)
    if earlier.keys() >= set(plan.keys):
        return out
    wording = {question.id: _wording(question) for question in task.questions}
    with Store(store_path(out), settings, wording) as store:
        _continue(store, earlier, plan)
        samples, card = _drawn(plan, store, model, price, max_usd, concurrency, progress)
        wanted = set(plan.keys) | earlier.keys()
        frame = _frame([sample for sample in samples if sample.key in wanted], whole, settings["model"], keep_text)
    return recordings.write(frame, _card(plan, settings, card, frame), out)


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
    with _endpoint(model, plan.task) as endpoint:
        if num_stored < num_planned:
            client = Client(endpoint, price, None if max_usd is None else Ledger(max_usd))
            client.book(store.samples())
            drawing = Drawing(plan, store, client, concurrency or _num_in_flight(endpoint))
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


def _is_local(model: str | Endpoint) -> bool:
    return bool(model.api_base) if isinstance(model, Endpoint) else model.startswith("local/")


def _asked_of(model: str | Endpoint, task: Task) -> Task:
    """The task as the model can be asked it: a model behind a chat interface alone is asked in chat."""
    name = model.litellm_model if isinstance(model, Endpoint) else model
    if task.form == "chat" or name.startswith(("local/", "text-completion-")):
        return task
    return replace(task, form="chat", stop=(), max_tokens=max(task.max_tokens, Task.max_tokens))


@contextmanager
def _endpoint(model: str | Endpoint, task: Task) -> Iterator[Endpoint]:
    if isinstance(model, Endpoint):
        yield model
    elif _is_local(model):
        with resolve(model, "text" if task.form == "completion" else "chat") as endpoint:
            yield endpoint
    else:
        yield Endpoint(model, "", "")


def _num_in_flight(endpoint: Endpoint) -> int:
    """Two calls a slot keep a local server busy."""
    slots = endpoint.card.get("server_settings", {}).get("num_slots")
    return 2 * int(slots) if slots else NUM_IN_FLIGHT


@contextmanager
def _progress(total: int, done: int, shown: bool) -> Iterator[Callable[[], object]]:
    from tqdm import tqdm

    with tqdm(total=total, initial=done, unit="sample", disable=not shown, dynamic_ncols=True) as bar:
        yield bar.update


def _settings(plan: Plan, model: str | Endpoint) -> dict[str, Any]:
    """What decides the samples, and so must not change when a recording is continued."""
    if isinstance(model, Endpoint):
        described, name = model.card, model.litellm_model
    else:
        described, name = describe(model) if _is_local(model) else {}, model
    return {
        "dataset": plan.task.name,
        "model": name,
        **{field: described[field] for field in _DECIDING if field in described},
        "prompt_form": plan.task.form,
        "wording": _wording_digest(plan.task),
        "strategy": plan.strategy.name,
        **asdict(plan.strategy),  # type: ignore[call-overload]
        **asdict(plan.sampling),
        "seed": plan.seed,
    }


def _wording_digest(task: Task) -> str:
    """A fingerprint of how questions are worded and attempts are shown, whatever the questions are."""
    asked, attempts = Question("id", "question"), [Sample("id", "parallel", 0, 0, "answer", "text")]
    words = [prompter_for(task)(asked, shown) for shown in ([], attempts)]
    return hashlib.blake2b(repr(words).encode(), digest_size=8).hexdigest()


def _wording(question: Question) -> str:
    return "\n".join([question.question, *question.choices])


def _earlier(out: Path, task: Task, settings: Mapping[str, Any]) -> dict[Key, Sample]:
    """The samples of a recording that exists already, if it was made with the same settings."""
    if not out.exists():
        return {}
    recording = recordings.load(out)
    recorded = recording.card.get("settings")
    if recorded is None or recording.design != "fixed":
        raise InputError(f"{out} exists, and not as a recording of planned samples: give another --out")
    given = json.loads(json.dumps(settings))
    refuse_difference(out, {name: (recorded.get(name), value) for name, value in given.items()})
    rows = recording.frame.astype(object).where(recording.frame.notna(), None).to_dict("records")
    asked = {row["question_id"]: row["question"] for row in rows}
    known = {question.id: question.question for question in task.questions}
    refuse_difference(out, {f"question {id_!r}": (text, known.get(id_)) for id_, text in asked.items()})
    return {sample.key: sample for sample in map(_sample, rows)}


def _sample(row: Mapping[Any, Any]) -> Sample:
    values = {field.name: row[field.name] for field in fields(Sample) if row.get(field.name) is not None}
    usage = Usage(**{field.name: row[field.name] for field in fields(Usage) if field.name in row})
    return Sample(**({"text": ""} | values | {"usage": usage, "parents": tuple(row["parents"])}))


def _frame(samples: list[Sample], task: Task, model: str, keep_text: int | None) -> pd.DataFrame:
    """The samples as a recording's table, with what is known of their questions."""
    questions = {question.id: question for question in task.questions}

    def row(sample: Sample) -> dict[str, Any]:
        question = questions[sample.question_id]
        kept = keep_text is None or sample.sample_index < keep_text
        return {
            "dataset": task.name,
            "model": model,
            "question": question.question,
            **vars(sample),
            **vars(sample.usage),
            "target": question.target,
            "correct": is_right(sample.answer, question, task.answer),
            "text": (sample.text or None) if kept else None,
            "source": f"dynlab {__version__}",
        }

    return pd.DataFrame([row(sample) for sample in samples])


def _card(plan: Plan, settings: Mapping[str, Any], described: Mapping[str, Any], frame: pd.DataFrame) -> dict[str, Any]:
    """What a recording says about itself."""
    greedy = frame["strategy"] == GREEDY
    counts = {"questions": frame["question_id"].nunique(), "samples": int((~greedy).sum()), "greedy": int(greedy.sum())}
    date = datetime.now(UTC).date().isoformat()
    return {"design": "fixed", **described, "model": settings["model"], "settings": settings, "date": date, **counts}
