"""Solving: a model answers questions, and an allocator decides, call by call, which one deserves
the next sample.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dynlab import recordings
from dynlab._util.errors import DynlabError, InputError
from dynlab._util.values import Sample, Strategy
from dynlab.models.client import TIMEOUT_S, Client, preload
from dynlab.models.llama_cpp import Endpoint, describe
from dynlab.online.forecast import Forecast, forecast
from dynlab.online.progress import Watch
from dynlab.online.results import Solution, rows_of, samples_of, totals_of, write_rows
from dynlab.online.run_state import RunState, Setup
from dynlab.online.runner import QUESTIONS, OnlineRunner
from dynlab.policies import registry
from dynlab.policies.base import Allocator, StoppingRule, Vote
from dynlab.policies.policy import Policy
from dynlab.recordings.streams import UNITS
from dynlab.sampling.budget import Caps
from dynlab.sampling.plan import Plan
from dynlab.sampling.preparation import (
    asked_of,
    checked_out,
    price_before,
    refuse_counts,
    refuse_price,
    sampling_of,
    store_of,
)
from dynlab.sampling.provenance import card_of, frame_of, is_local, settings_of
from dynlab.sampling.recorder import endpoint_of, num_in_flight_of
from dynlab.sampling.sampler import Sampler, run_interruptible
from dynlab.sampling.store import Store, store_path
from dynlab.strategies.registry import by_name
from dynlab.tasks.task import as_task

_LONGEST_CHAIN = 64  # samples of a question that a local server's context is made for


def solve(
    questions: Any,
    model: str | Endpoint,
    *,
    out: str | Path,
    strategy: str | Strategy = "parallel",
    allocator: str | Allocator = "priced",
    stopping: str | StoppingRule | None = None,
    vote: str | Vote | None = None,
    budget: float = 8.0,
    warmup: int | None = None,
    batch: int | None = None,
    unit: str = "tokens",
    max_usd: float | None = None,
    max_total_tokens: int | None = None,
    max_calls: int | None = None,
    max_tokens: int | None = None,
    price: tuple[float, float] | None = None,
    temperature: float | None = None,
    top_p: float | None = None,
    top_k: int | None = None,
    extra_body: Mapping[str, Any] | None = None,
    seed: int = 0,
    concurrency: int | None = None,
    timeout_s: float = TIMEOUT_S,
    asynchronous: bool = False,
    limit: int | None = None,
    dry_run: bool = False,
    progress: bool = True,
    **parameters: Any,
) -> Solution | Forecast:
    """Answers questions by votes over a model's samples, spending the budget where the allocator
    says.

    Everything is on disk before it counts: a run that was interrupted goes on with the same call.
    Works in a script, in a notebook (plainly or with `await`) and under papermill; the work is done
    in a thread of its own.

    Args:
        questions: A file of questions, the name of a task, a `Task`, a DataFrame, or a list of
            dicts or texts; no target is needed, and none is looked at.
        model: Any LiteLLM name, `local/…`, or an `Endpoint`.
        out: The answers, a path that ends in .jsonl; the recording (.parquet) and its store lie
            beside it.
        strategy: 'parallel', 'sequential', 'integrated' or 'rsa', or a `Strategy`.
        allocator: An allocator's name, or an `Allocator`.
        stopping: A stopping rule's name, or a `StoppingRule`; None = none.
        vote: 'plurality' (None), 'cisc', 'deepconf' or a `Vote`.
        budget: Mean samples per question; calls over all questions are budget × their number.
        warmup: Samples that every question gets first; default: the allocator's own, mostly 2.
        batch: Picks decided at once, or in flight if asynchronous; default: the concurrency.
        unit: What spending is counted in for allocators that look at it: samples, tokens or usd.
        max_usd: Hard limit on spending, earlier parts of the run included.
        max_total_tokens: Hard limit on tokens of prompts and answers.
        max_calls: Hard limit on calls.
        max_tokens: Of one response; default: the task's.
        price: USD per million (prompt, completion) tokens, where LiteLLM does not know it.
        temperature: Default 1.0.
        top_p: Default: the server's.
        top_k: Default: the server's.
        extra_body: Further fields of the request's body, as the server knows them.
        seed: Of the run; each sample has its own, derived from it.
        concurrency: Calls in flight at once; default: what suits the server.
        timeout_s: Seconds after which a call is given up, and tried again.
        asynchronous: Let each arrival count at once, instead of in rounds of `batch`.
        limit: Only the first questions.
        dry_run: Say what would be called and what it would cost, send nothing and write nothing.
        progress: Show progress.
        parameters: Of the strategy that is named: width, who, order, …; see
            `dynlab.strategies.strategies`.

    Returns:
        The answers; a `Forecast` if `dry_run`.

    Raises:
        InputError: an argument cannot work, or `out` was made with other settings.
        DynlabError: the model does not answer, or it was interrupted; what has arrived stays and
            can be continued.
    """
    refuse_counts(
        warmup=warmup,
        batch=batch,
        concurrency=concurrency,
        limit=limit,
        max_tokens=max_tokens,
        top_k=top_k,
    )
    refuse_price(price)
    if unit not in UNITS:
        raise InputError(f"unit is {unit!r}: give one of {', '.join(UNITS)}")
    if not 1 <= budget < float("inf"):
        raise InputError(
            f"budget is {budget}: give the mean number of samples per question, at least 1"
        )
    if Path(out).suffix != ".jsonl":
        raise InputError(f"out is {str(out)!r}: give a path that ends in .jsonl")
    task = asked_of(model, as_task(questions))
    task = replace(task, questions=task.questions[:limit])
    chosen = by_name(strategy, **parameters) if isinstance(strategy, str) else strategy
    rule = registry.allocator(allocator) if isinstance(allocator, str) else allocator
    rule = rule.planned(float(budget))
    voting = None if vote == "plurality" else registry.vote(vote) if isinstance(vote, str) else vote
    card = model.card if isinstance(model, Endpoint) else describe(model) if is_local(model) else {}
    num_in_flight = concurrency or num_in_flight_of(card)
    policy = Policy(
        rule,
        registry.stopping_rule(stopping) if isinstance(stopping, str) else stopping,
        warmup or rule.warmup,
        batch or num_in_flight,
        voting,
    )
    calls = int(budget * len(task.questions) + 1e-9)
    logprobs = is_local(model) or voting is not None or rule.confidence
    sampling = sampling_of(
        task, temperature, top_p, top_k, max_tokens, extra_body, logprobs=logprobs
    )
    plan = Plan(task, chosen, sampling, calls, greedy=False, seed=seed)
    ids = tuple(question.id for question in task.questions)
    setup = Setup(policy, ids, chosen.name, calls, seed, unit, not asynchronous)
    RunState(setup, plan.parents)  # what cannot run live says so before anything is begun
    caps = Caps(max_calls, max_total_tokens, max_usd)
    run = _Run(plan, setup, model, Path(out), caps, price, num_in_flight, timeout_s)
    return run.forecast() if dry_run else run.solved(progress)


@dataclass(frozen=True)
class _Run:
    """One run: what is asked, how it is decided, and where it goes."""

    plan: Plan
    setup: Setup
    model: str | Endpoint
    out: Path
    caps: Caps
    price: tuple[float, float] | None
    num_in_flight: int
    timeout_s: float

    @property
    def recording(self) -> Path:
        return self.out.with_suffix(".parquet")

    @property
    def settings(self) -> dict[str, Any]:
        return settings_of(self.plan, self.model) | {"design": "adaptive"} | self.setup.settings

    def forecast(self) -> Forecast:
        """What would be called, and what it would cost."""
        held: list[Sample] = []
        if store_path(self.recording).exists():
            with self._store() as store:
                held = store.samples()
        price = price_before(self.model, self.price)
        return forecast(self.plan, self.setup, held, price, self.caps, self.settings["model"])

    def _store(self) -> Store:
        return store_of(self.recording, self.settings, self.plan.task)

    def solved(self, progress: bool) -> Solution:
        """Draws what is missing, and writes answers and recording."""
        checked_out(self.recording)
        if self.out.is_dir():
            raise InputError(f"{self.out} is a folder: give the path of a file in it")
        self._refuse_others()
        preload()
        with self._store() as store, self._endpoint() as endpoint:
            self._agree_on_order(store)
            client = Client(endpoint, self.price, self.timeout_s)
            if self.setup.unit == "usd" and client.price is None:
                raise InputError(
                    f"the price of {endpoint.litellm_model!r} is unknown: give --price IN,OUT"
                )
            drawing = Sampler(self.plan, store, client, self.num_in_flight, self.caps)
            with Watch(self.setup, drawing, progress) as watch:
                steering = OnlineRunner(
                    RunState(self.setup, self.plan.parents), drawing, store, watch.told
                )
                watch.steering = steering
                try:
                    run_interruptible(drawing, work=steering.run)
                except (KeyboardInterrupt, DynlabError) as error:
                    kind = type(error) if isinstance(error, DynlabError) else DynlabError
                    kept = f"{len(store.keys())} samples are kept"
                    raise kind(
                        f"{str(error) or 'interrupted'}; {kept}, the same command goes on from"
                        " there"
                    ) from None
            return self._written(store, steering, endpoint.card | drawing.card)

    def _refuse_others(self) -> None:
        """Refuses a place where a recording of planned samples lies, or a live run without its
        store.
        """
        path, store = self.recording, store_path(self.recording)
        if path.exists() and recordings.load(path).design != "adaptive":
            raise InputError(f"{path} is a recording of planned samples: give another --out")
        if path.exists() and not store.exists():
            raise InputError(
                f"{path} is there and its store {store.name} is not: put it back, or give another"
                " --out"
            )
        if store.exists() and not path.exists():
            with Store(store, {}, {}) as held:
                if held.keys() and held.settings().get("design") != "adaptive":
                    raise InputError(f"{store} is of planned samples: give another --out")

    @contextmanager
    def _endpoint(self) -> Iterator[Endpoint]:
        longest = replace(self.plan, num_samples=min(self.plan.num_samples, _LONGEST_CHAIN))
        with endpoint_of(self.model, longest) as endpoint:
            yield endpoint

    def _agree_on_order(self, store: Store) -> None:
        noted = store.notes(QUESTIONS)
        if noted and tuple(noted) != self.setup.question_ids:
            raise InputError(
                f"{store.path} was made with {len(noted)} questions in another order or number,"
                f" given now are {len(self.setup.question_ids)}: give the recorded ones to continue"
                " it, or another --out"
            )

    def _written(
        self, store: Store, steering: OnlineRunner, described: Mapping[str, Any]
    ) -> Solution:
        course, task = steering.course, self.plan.task
        held = {key: store.sample(key) for key in course.told}
        wording = {question.id: question.question for question in task.questions}
        rows = rows_of(course, held.get, wording, steering.ended)
        samples: list[Sample] = [
            s for q in range(len(rows)) for s in samples_of(course, q, held.get)
        ]
        reserved = store.totals().reserved
        unknown = {"reserved_calls": reserved.calls, "reserved_usd": reserved.usd}
        totals = totals_of(course, rows, samples) | unknown | {"ended": steering.ended}
        if samples:
            frame = frame_of(samples, self.plan, task, self.settings["model"], None)
            keys = [sample.key for sample in samples]
            picked = {key: place for place, key in enumerate(course.asked)}
            frame["picked"] = [picked[key] for key in keys]
            if not self.setup.rounds:
                arrived = {key: place for place, key in enumerate(course.told)}
                frame["arrived"] = [arrived[key] for key in keys]
            card = card_of(self.plan, self.settings, described, frame) | {
                "design": "adaptive",
                "order": list(self.setup.question_ids),
                "totals": totals,
            }
            recordings.write(frame, card, self.recording)
        write_rows(rows, self.out)
        return Solution(tuple(rows), totals, self.out, self.recording)
