"""Solving: a model answers questions, and a policy decides which one gets the next sample."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dynlab import recordings
from dynlab._util.errors import DynlabError, InputError
from dynlab._util.options import MOST, Limits, RequestOptions, Sampling
from dynlab._util.values import Sample
from dynlab.models.litellm_import import preload
from dynlab.models.llama_cpp import Endpoint
from dynlab.online.cost_forecast import Forecast, forecast_of
from dynlab.online.progress import Watch
from dynlab.online.results import (
    Solution,
    path_seconds,
    rows_of,
    samples_of,
    totals_of,
    wording_digest,
    write_rows,
)
from dynlab.online.run_state import RunState, Setup
from dynlab.online.runner import QUESTIONS, OnlineRunner
from dynlab.policies.base import Allocator, StoppingRule, Vote
from dynlab.policies.parsing import Defaults, as_policy
from dynlab.policies.policy import Policy
from dynlab.recordings.streams import UNITS
from dynlab.recordings.writing import counts_of
from dynlab.sampling.batch_client import client_by
from dynlab.sampling.cost_estimate import known_latencies
from dynlab.sampling.interrupts import run_interruptible
from dynlab.sampling.plan import Plan
from dynlab.sampling.preparation import (
    asked_at,
    asked_of,
    checked_out,
    price_before,
    sampling_of,
    store_of,
)
from dynlab.sampling.provenance import card_of, frame_of, is_local, settings_of
from dynlab.sampling.recorder import card_before, endpoint_of, num_in_flight_by
from dynlab.sampling.sampler import Sampler
from dynlab.sampling.store import Store, store_path
from dynlab.sampling.summary import doubts_about
from dynlab.sampling.tracked_recording import track_recording
from dynlab.strategies.base import Strategy
from dynlab.strategies.registry import as_strategy
from dynlab.tasks.task import as_task

_LONGEST_CHAIN = 64  # samples of a question that a local server's context is made for


def solve(
    questions: Any,
    model: str | Endpoint,
    *,
    out: str | Path,
    policy: str | Policy | Allocator | StoppingRule | Vote = "priced",
    budget: float = 8.0,
    strategy: str | Strategy = "parallel",
    sampling: Sampling | None = None,
    limits: Limits | None = None,
    requests: RequestOptions | None = None,
    seed: int = 0,
) -> Solution:
    """Answers questions by votes over a model's samples, spending the budget where a policy says.

    Everything is on disk before it counts: a run that was interrupted goes on with the same call.
    Works in a script, in a notebook (plainly or with `await`) and under papermill; the work is done
    in a thread of its own.

    Args:
        questions: A file of questions, the name of a task, a `Task`, a DataFrame, or a list of
            dicts or texts; no target is needed, and none is looked at.
        model: Any LiteLLM name, `local/…`, or an `Endpoint`.
        out: The answers, a path that ends in .jsonl; the recording (.parquet) and its store lie
            beside it.
        policy: Which question gets the next sample, when one has enough, and how answers are voted
            on: a text such as 'ucb(exploration=0.3)+esc', a `Policy` or a part of one. Its batch,
            picks decided at once (in flight if asynchronous), is else the concurrency.
        budget: Mean samples per question; calls over all questions are budget × their number.
        strategy: A `Strategy`, or its text form: 'parallel', 'integrated(width=4)', ….
        sampling: Temperature and the like; default: the task's and the server's own.
        limits: The most that the run may cost, earlier parts of it included.
        requests: How calls are made and counted: concurrency, timeout, price, unit, rounds.
        seed: Of the run; each sample has its own, derived from it.

    Raises:
        InputError: an argument cannot work, or `out` was made with other settings.
        DynlabError: no answer, or an interruption; what has arrived stays and can be continued.
    """
    run = _planned(questions, model, out, policy, budget, strategy, sampling, requests, seed)
    found = run.solved(limits or Limits())
    track_recording("solve", found.recording, found.path)
    return found


def forecast(
    questions: Any,
    model: str | Endpoint,
    *,
    out: str | Path,
    policy: str | Policy | Allocator | StoppingRule | Vote = "priced",
    budget: float = 8.0,
    strategy: str | Strategy = "parallel",
    sampling: Sampling | None = None,
    limits: Limits | None = None,
    requests: RequestOptions | None = None,
    seed: int = 0,
) -> Forecast:
    """What `solve` with the same arguments would call and cost; sends nothing and writes nothing.

    Raises:
        InputError: as `solve`.
    """
    run = _planned(questions, model, out, policy, budget, strategy, sampling, requests, seed)
    return run.forecast(limits or Limits())


def _planned(
    questions: Any,
    model: str | Endpoint,
    out: str | Path,
    policy: str | Policy | Allocator | StoppingRule | Vote,
    budget: float,
    strategy: str | Strategy,
    sampling: Sampling | None,
    requests: RequestOptions | None,
    seed: int,
) -> _Run:
    """The run that the arguments of `solve` describe."""
    requests = requests or RequestOptions()
    if requests.unit not in UNITS:
        raise InputError(f"unit is {requests.unit!r}: give one of {', '.join(UNITS)}")
    if not 1 <= budget <= MOST:
        raise InputError(
            f"budget is {budget}: give the mean number of samples per question, from 1 to {MOST}"
        )
    if Path(out).suffix != ".jsonl":
        raise InputError(f"out is {str(out)!r}: give a path that ends in .jsonl")
    model = asked_at(model, requests)
    task = asked_of(model, as_task(questions))
    chosen = as_strategy(strategy)
    card = card_before(model, requests.engine)
    num_in_flight = num_in_flight_by(requests, card)
    # a round by batches may take a day: of one sample a question, there are few
    most = len(task.questions) if requests.provider_batch else num_in_flight
    decided = as_policy(policy, Defaults(batch=min(num_in_flight, most)))
    decided = replace(decided, allocator=decided.allocator.planned(float(budget)))
    logprobs = is_local(model) or decided.confidence
    settled = sampling_of(task, sampling or Sampling(), logprobs=logprobs)
    calls = int(budget * len(task.questions) + 1e-9)
    plan = Plan(task, chosen, settled, calls, greedy=False, seed=seed)
    ids = tuple(question.id for question in task.questions)
    rounds = not requests.asynchronous
    setup = Setup(decided, ids, chosen.name, calls, seed, requests.unit, rounds)
    RunState(setup, plan.parents)  # what cannot run live says so before anything is begun
    return _Run(plan, setup, model, Path(out), requests, num_in_flight)


@dataclass(frozen=True)
class _Run:
    """One run: what is asked, how it is decided, and where it goes."""

    plan: Plan
    setup: Setup
    model: str | Endpoint
    out: Path
    requests: RequestOptions
    num_in_flight: int

    @property
    def recording(self) -> Path:
        return self.out.with_suffix(".parquet")

    @property
    def settings(self) -> dict[str, Any]:
        own = settings_of(self.plan, self.model, self.requests.engine)
        return own | {"design": "adaptive"} | self.setup.settings

    def forecast(self, limits: Limits) -> Forecast:
        """What would be called, and what it would cost."""
        held: list[Sample] = []
        if store_path(self.recording).exists():
            with self._store() as store:
                held = store.samples()
        return self._forecast(held, limits)

    def _forecast(self, held: Sequence[Sample], limits: Limits) -> Forecast:
        price = price_before(self.model, self.requests, limits)
        model, most = self.settings["model"], self.num_in_flight
        found = forecast_of(self.plan, self.setup, held, price, limits, model, most)
        return found.by_batches(self.setup) if self.requests.provider_batch else found

    def _store(self) -> Store:
        return store_of(self.recording, self.settings, self.plan.task)

    def solved(self, limits: Limits) -> Solution:
        """Draws what is missing, and writes answers and recording."""
        checked_out(self.recording)
        if self.out.is_dir():
            raise InputError(f"{self.out} is a folder: give the path of a file in it")
        self._refuse_others()
        preload()
        with self._store() as store, self._endpoint() as endpoint:
            self._agree_on_order(store)
            client = client_by(endpoint, self.requests, store)
            if self.setup.unit == "usd" and client.price is None:
                raise InputError(
                    f"the price of {endpoint.litellm_model!r} is unknown: give --price IN,OUT"
                )
            sampler = Sampler(self.plan, store, client, self.num_in_flight, limits)
            held = store.samples()
            sampler.clock.learn(known_latencies(held))
            if self.requests.progress:
                print(self._forecast(held, limits).words, file=sys.stderr)
            with Watch(self.setup, sampler, self.requests.progress) as watch:
                state = RunState(self.setup, self.plan.parents)
                runner = watch.runner = OnlineRunner(state, sampler, store, watch.told)
                try:
                    run_interruptible(sampler, runner.run)
                except (KeyboardInterrupt, DynlabError) as error:
                    failure = (
                        error if isinstance(error, DynlabError) else DynlabError("interrupted")
                    )
                    kept = f"{len(store.keys())} samples are kept"
                    raise failure.extended(f"{kept}, the same command goes on from there") from None
            return self._written(store, runner, endpoint.card | sampler.card)

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
        with endpoint_of(self.model, longest, self.requests.engine) as endpoint:
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
        self, store: Store, runner: OnlineRunner, described: Mapping[str, Any]
    ) -> Solution:
        state, task = runner.state, self.plan.task
        held = {key: store.sample(key) for key in state.told}
        wording = {question.id: question.question for question in task.questions}
        rows = rows_of(state, held, wording, runner.ended)
        samples = [sample for own in samples_of(state, held) for sample in own]
        reserved = store.totals().reserved
        unknown = {"reserved_calls": reserved.calls, "reserved_usd": reserved.usd}
        took = {"wall_s": described.get("wall_s"), "path_s": path_seconds(state, held)}
        totals = totals_of(state, rows, samples) | unknown | took | {"ended": runner.ended}
        if samples:
            frame = frame_of(samples, self.plan, task, self.settings["model"], None)
            keys = [sample.key for sample in samples]
            picked = {key: place for place, key in enumerate(state.asked)}
            frame["picked"] = [picked[key] for key in keys]
            if not self.setup.rounds:
                arrived = {key: place for place, key in enumerate(state.told)}
                frame["arrived"] = [arrived[key] for key in keys]
            card = card_of(self.plan, self.settings, described, counts_of(frame)) | {
                "design": "adaptive",
                "order": list(self.setup.question_ids),
                "questions_digest": wording_digest(rows),
                "totals": totals,
            }
            recordings.write(frame, card, self.recording)
            if self.requests.progress:
                sys.stderr.writelines(f"{it}\n" for it in doubts_about(frame, task.grader.name))
        write_rows(rows, self.out)
        return Solution(tuple(rows), totals, self.out, self.recording)
