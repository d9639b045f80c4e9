"""Speed of paid sampling as a ratio to bare LiteLLM in the same run, and its memory. `make
benchmarks`.
"""

from __future__ import annotations

import asyncio
import heapq
import os
import resource
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest
from helpers import scripted_server
from helpers.scripted_server import serving

from dynlab._util.cache_folder import cache_folder
from dynlab._util.options import RecordingOptions, RequestOptions, Sampling
from dynlab._util.values import Question, Usage
from dynlab.models import openvino
from dynlab.models.client import Client
from dynlab.models.engines import resolve
from dynlab.models.llama_cpp import Endpoint
from dynlab.models.prices import Price
from dynlab.models.replies import Reply, Response
from dynlab.models.weights import WEIGHTS
from dynlab.recordings.recording import load
from dynlab.sampling.plan import Plan
from dynlab.sampling.recorder import record
from dynlab.sampling.sampler import Sampler
from dynlab.sampling.scheduling import draw_plan
from dynlab.sampling.store import Store
from dynlab.strategies.parallel import Parallel
from dynlab.tasks.task import Task, load_task

pytestmark = pytest.mark.benchmarks
LATENCY_S = 0.05


def slow_server():
    """The address of a server in a process of its own whose every answer takes 50 ms."""
    return serving("scripted_server.py", LATENCY_S)


def plan_of(num_questions: int, num_samples: int = 1, seed: int = 0) -> Plan:
    questions = tuple(Question(f"q{i}", f"{i} + 1?", "1") for i in range(num_questions))
    task = Task("sums", questions, form="chat", answer="integer", max_tokens=8)
    return Plan(task, Parallel(), Sampling(max_tokens=8), num_samples, greedy=False, seed=seed)


async def bare(address: str, plan: Plan, concurrency: int) -> None:
    """The same requests as LiteLLM documents them: gathered, behind a semaphore."""
    import litellm

    limit = asyncio.Semaphore(concurrency)

    async def one(key):
        request = plan.request(key, [])
        async with limit:
            answer = await litellm.acompletion(
                model="openai/m",
                messages=list(request.messages),
                api_base=address,
                api_key="none",
                max_tokens=8,
                temperature=1.0,
                seed=request.seed,
            )
        assert answer.choices[0].message.content

    await asyncio.gather(*map(one, plan.keys))


def drawn(address: str, plan: Plan, concurrency: int, path: Path) -> None:
    with Store(path, {}, {}) as store:
        asyncio.run(
            Sampler(
                plan, store, Client(Endpoint("openai/m", address), (1.0, 2.0)), concurrency
            ).run()
        )
        assert len(store.keys()) == len(plan.keys)


@pytest.mark.filterwarnings("ignore")
def test_sampling_is_nine_tenths_as_fast_as_litellm(tmp_path, capsys):
    with slow_server() as address:
        Client(
            Endpoint("openai/m", address)
        )  # imports LiteLLM without its price list from the network
        asyncio.run(bare(address, plan_of(100), 16))
        drawn(address, plan_of(100), 16, tmp_path / "warm.sqlite")
        for concurrency in (64, 256):
            seconds = {"bare": [], "drawn": []}
            for repeat in range(8):
                plan = plan_of(400, seed=repeat)
                for way in ("bare", "drawn") if repeat % 2 else ("drawn", "bare"):
                    start = time.perf_counter()
                    if way == "bare":
                        asyncio.run(bare(address, plan, concurrency))
                    else:
                        drawn(
                            address, plan, concurrency, tmp_path / f"{concurrency}-{repeat}.sqlite"
                        )
                    seconds[way].append(time.perf_counter() - start)
            ratio = median(seconds["bare"]) / median(seconds["drawn"])
            with capsys.disabled():
                rates = {way: f"{400 / median(each):.0f} calls/s" for way, each in seconds.items()}
                print(f"\n{concurrency} at once: {rates}; drawn / bare {ratio:.2f}")
            assert ratio >= 0.9


class Instant:
    """A model that answers at once."""

    endpoint, price, left_out = Endpoint("fake/m", ""), Price(1.0, 2.0), frozenset()

    async def __aenter__(self):
        return self

    async def __aexit__(self, *error):
        pass

    async def __call__(self, request, num_samples=1):
        await asyncio.sleep(0)
        return Reply(
            (Response("Answer: 2 " + "word " * 50, finish_reason="stop"),), Usage(12, 6), "{}"
        )


def test_memory_stays_flat_over_a_hundred_thousand_calls(tmp_path, capsys):
    plan, peaks, count = plan_of(1000, 100), [], 0
    pages = Path(f"/proc/{os.getpid()}/statm")

    def counted():
        nonlocal count
        count += 1
        if count % 10_000 == 0:
            peaks.append(int(pages.read_text().split()[1]) * resource.getpagesize() / 2**20)

    with Store(tmp_path / "a.sqlite", {}, {}) as store:
        sampler = Sampler(plan, store, Instant(), 64)
        start = time.perf_counter()
        asyncio.run(draw_plan(sampler, counted))
        seconds = time.perf_counter() - start
    growth = [later - earlier for earlier, later in pairwise(peaks)]
    with capsys.disabled():
        print(
            f"\n100,000 calls, {100_000 / seconds:.0f} calls/s without a model; MiB resident:"
            f" {peaks}; growth {growth}"
        )
    assert sum(growth[1:]) / len(growth[1:]) < 2.0  # MiB per 10,000 calls


def test_recording_is_nearly_as_fast_as_openvino_driven_directly(tmp_path):
    """Samples per second of `record` against the same engine, prompts, seeds and settings."""
    if not openvino.installed():
        pytest.skip("openvino-genai is not installed")
    path = cache_folder() / "weights" / "smollm2-135m" / WEIGHTS["smollm2-135m"].file
    if not path.exists():
        pytest.skip(f"the weights of local/smollm2-135m are not cached ({path})")
    import openvino_genai as genai

    task = load_task("sums", limit=24)
    num_samples, sampling = 4, Sampling(0.8, max_tokens=48)
    out = tmp_path / "sums.parquet"

    def recorded(endpoint) -> float:
        begun = time.perf_counter()
        record(
            task,
            endpoint,
            num_samples=num_samples,
            out=out,
            sampling=sampling,
            options=RecordingOptions(greedy=False),
            requests=RequestOptions(progress=False),
        )
        return time.perf_counter() - begun

    with resolve("local/smollm2-135m", engine="openvino") as endpoint:
        recorded_s = recorded(endpoint)
    frame = load(out).frame
    tokens = int(frame["completion_tokens"].sum())

    plan = genai.SchedulerConfig()
    runs = openvino.EngineSettings()
    plan.max_num_seqs, plan.cache_size = runs.num_sequences, runs.cache_gib
    plan.max_num_batched_tokens, plan.enable_prefix_caching = runs.batched_tokens, True
    pipe = genai.ContinuousBatchingPipeline(str(path), plan, "CPU")
    settled = replace(sampling, stop=task.stop)
    asked = Plan(task, Parallel(), settled, num_samples, greedy=False)
    prompts, configs = [], []
    for key in asked.keys:
        request, config = asked.request(key, []), genai.GenerationConfig()
        config.do_sample, config.temperature, config.rng_seed = True, 0.8, request.seed
        config.max_new_tokens, config.logprobs = 48, 1
        config.stop_strings, config.apply_chat_template = set(task.stop), False
        prompts.append(request.prompt)
        configs.append(config)
    begun = time.perf_counter()
    results = pipe.generate(prompts, configs)
    direct_s = time.perf_counter() - begun
    direct_tokens = sum(
        len(pipe.get_tokenizer().encode(one.m_generation_ids[0]).input_ids.data[0])
        for one in results
    )
    ratio = (len(frame) / recorded_s) / (len(results) / direct_s)
    print(
        f"\nrecord {len(frame) / recorded_s:.2f}, direct {len(results) / direct_s:.2f} samples/s, "
        f"ratio {ratio:.2f}; tokens {tokens} and {direct_tokens}"
    )
    assert ratio >= 0.9


class Slots:
    """A server that answers so many calls at a time, each in so many seconds; others wait."""

    def __init__(self, num_slots: int, seconds: float):
        self.seconds, self.free_at = seconds, [0.0] * num_slots
        self.begun = self.ended = 0.0

    def __call__(self, call) -> scripted_server.Reply:
        now = time.monotonic()
        self.begun = self.begun or now
        start = max(now, heapq.heappop(self.free_at))
        self.ended = start + self.seconds
        heapq.heappush(self.free_at, self.ended)
        return scripted_server.Reply("Answer: 1", delay_s=self.ended - now)


def test_a_slow_server_is_kept_busy_and_no_answer_is_lost(tmp_path, capsys):
    """64 calls in flight for 16 slots: the last wait in line longer (4 s) than their time (3 s)."""
    slots, num_samples = Slots(16, 1.0), 320
    questions = tuple(Question(f"q{i}", f"{i} + 1?", "1") for i in range(40))
    task = Task("sums", questions, form="chat", answer="integer", max_tokens=8)
    with scripted_server.ScriptedServer(slots) as server:
        path = record(
            task,
            Endpoint("openai/m", server.address, "none"),
            num_samples=num_samples // len(questions),
            out=tmp_path / "slow.parquet",
            requests=RequestOptions(concurrency=64, timeout_s=3.0, progress=False),
            options=RecordingOptions(greedy=False),
        )
        num_calls = len(server.calls)
    ratio = num_samples * slots.seconds / 16 / (slots.ended - slots.begun)
    with capsys.disabled():
        print(f"\n[a slow server: {ratio:.3f} of its capacity, {num_calls} calls]")
    assert load(path).frame["votes"].all() and num_calls == num_samples
    assert ratio >= 0.95
