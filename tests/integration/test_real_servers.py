"""Servers that are not ours, each recorded and solved once: `make benchmarks
ARGS=tests/integration/test_real_servers.py`.

`DYNLAB_SERVERS` names the folders of their programs, as PATH does (the `bin` of an environment of
each); `DYNLAB_SERVED` a folder with SmolLM2-135M-Instruct as safetensors, for those that read no
GGUF file (`from_pretrained(folder, gguf_file=…)` of transformers reads it, `save_pretrained` writes
them; `"do_sample": true` in its generation_config.json). The command lines are those of the guide
(notebooks/guides/models-and-questions.md).
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import dynlab
from dynlab._util.options import RecordingOptions, RequestOptions, Sampling
from dynlab._util.values import Question
from dynlab.models.weights import weights_file
from dynlab.online.run_audit import audit
from dynlab.sampling.store import store_path
from dynlab.tasks.task import Task

pytestmark = pytest.mark.benchmarks

HELPERS = Path(__file__).parents[1] / "helpers"
START_S = 600.0  # that a server may take until it answers
ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB
    "VLLM_CPU_OMP_THREADS_BIND": "0-1",
}
CAPITALS = {"Albania": "Tirana", "Algeria": "Algiers", "Bhutan": "Thimphu"}
TASK = Task(
    "capitals",
    tuple(Question(name, f"What is the capital of {name}?", at) for name, at in CAPITALS.items()),
    form="completion",
    demos=(("What is the capital of Kenya?", "Nairobi"),),
    reasoned=False,
    max_tokens=8,
    stop=("\n",),
)


@dataclass(frozen=True)
class Server:
    """A server: its program, how it is called, where it says that it is well, LiteLLM's names.

    `logprobs`: whether it gives any.
    """

    program: str
    arguments: Callable[[int], list[str]]
    health: str
    text_model: str
    chat_model: str
    logprobs: bool = True


def _weights() -> str:
    return str(weights_file("local/smollm2-135m"))


def _folder() -> str:
    folder = os.environ.get("DYNLAB_SERVED", "")
    if not folder:
        pytest.skip("DYNLAB_SERVED names no folder of weights in safetensors")
    return folder


SERVERS = {
    "llama.cpp": Server(
        sys.executable,
        lambda port: [str(HELPERS / "llama_server.py"), _weights(), str(port)],
        "/health",
        "text-completion-openai/smollm2",
        "openai/smollm2",
    ),
    "transformers": Server(
        "transformers",
        lambda port: ["serve", "--host=127.0.0.1", f"--port={port}", "--device=cpu", _folder()],
        "/health",
        "text-completion-openai/{folder}",
        "openai/{folder}",
        logprobs=False,
    ),
    "vllm": Server(
        "vllm",
        lambda port: [
            *("serve", _folder(), "--host=127.0.0.1", f"--port={port}", "--dtype=float32"),
            *("--served-model-name=smollm2", "--max-model-len=1024", "--max-num-seqs=4"),
            *("--enforce-eager", "--no-enable-chunked-prefill", "--max-num-batched-tokens=4096"),
        ],
        "/health",
        "text-completion-openai/smollm2",
        "hosted_vllm/smollm2",
    ),
}


@contextmanager
def running(server: Server, log: Path):
    """The address of a server, for as long as it runs."""
    path = os.pathsep.join((os.environ.get("DYNLAB_SERVERS", ""), os.environ["PATH"]))
    program = shutil.which(server.program, path=path)
    if program is None:
        pytest.skip(f"{server.program} is in no folder of DYNLAB_SERVERS or PATH")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [program, *server.arguments(port)]
    with (
        log.open("w") as told,
        subprocess.Popen(
            command, stdout=told, stderr=told, env=ENVIRONMENT | os.environ
        ) as process,
    ):
        try:
            _wait(f"http://127.0.0.1:{port}{server.health}", process, log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()


def _wait(url: str, process: subprocess.Popen[Any], log: Path) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    pytest.fail(f"it does not answer at {url}:\n{log.read_text()[-2000:]}")


@contextmanager
def proxied(upstream: str, folder: Path):
    """LiteLLM's proxy before another server."""
    config = folder / "proxy.yaml"
    models = ((name, f"{name}/smollm2") for name in ("openai", "text-completion-openai"))
    config.write_text(
        "model_list:\n"
        + "".join(
            f"  - model_name: {name}-smollm2\n    litellm_params:"
            f" {{model: {model}, api_base: '{upstream}', api_key: none}}\n"
            for name, model in models
        )
    )
    proxy = Server(
        "litellm",
        lambda port: [f"--config={config}", "--host=127.0.0.1", f"--port={port}"],
        "/health/liveliness",
        "text-completion-openai/text-completion-openai-smollm2",
        "openai/openai-smollm2",
    )
    with running(proxy, folder / "proxy.log") as address:
        yield proxy, address


def hold(server: Server, address: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records in both forms and solves; every sample is looked at, and the run is replayed."""
    for name in ("OPENAI_BASE_URL", "HOSTED_VLLM_API_BASE"):
        monkeypatch.setenv(name, address)
    served = os.environ.get("DYNLAB_SERVED", "")
    quiet = RequestOptions(progress=False, concurrency=4)
    frames = []
    for place, model in enumerate((server.text_model, server.text_model, server.chat_model)):
        made = dynlab.record(
            TASK,
            model.format(folder=served),
            num_samples=3,
            out=folder / f"{place}.parquet",
            sampling=Sampling(logprobs=True, max_tokens=8),
            options=RecordingOptions(greedy=False),
            requests=quiet,
        )
        frames.append(frame := dynlab.load(made).frame)
        shown = frame[["question_id", "text", "completion_tokens"]]
        print(f"\n{server.program}: {model}\n{shown.to_string()}")
        assert len(frame) == 9 and frame["finish_reason"].isin(["stop", "length"]).all()
        assert frame["completion_tokens"].between(1, 9).all() and (frame["prompt_tokens"] > 5).all()
        known = "mean_logprob" in frame and bool(frame["mean_logprob"].notna().all())
        assert known == server.logprobs
        assert frame["text"].nunique() > len(CAPITALS)  # it samples
    text, again, _ = frames
    assert not text["text"].str.contains("\n").any() and text["answer"].ne("").mean() > 0.5
    # rounding differs with what else is in a batch, so that not every text need come again
    assert (text["text"] == again["text"]).mean() > 0.5
    solution = dynlab.solve(
        TASK,
        server.text_model.format(folder=served),
        out=folder / "answers.jsonl",
        budget=2,
        requests=quiet,
    )
    assert solution.totals["samples"] == 6 and solution.totals["tokens"] > 0
    assert "equal" in audit(solution.path)


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_is_recorded_and_solved(name, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    with running(SERVERS[name], tmp_path / "server.log") as address:
        hold(SERVERS[name], address, tmp_path, monkeypatch)


def test_the_proxy_of_litellm_is_recorded_and_solved(tmp_path, monkeypatch):
    monkeypatch.setenv("LITELLM_MASTER_KEY", "sk-of-the-proxy-1234")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-proxy-1234")
    with (
        running(SERVERS["llama.cpp"], tmp_path / "server.log") as upstream,
        proxied(upstream, tmp_path) as (proxy, address),
    ):
        hold(proxy, address, tmp_path, monkeypatch)


SERVING = """
import sys
from pathlib import Path
from dynlab.models.llama_cpp import ServerSettings, serve
with serve(Path(sys.argv[1]), ServerSettings(num_slots=4, threads=1)) as (address, _):
    print(f"{address}/v1", flush=True)
    sys.stdin.read()
"""


@contextmanager
def killable() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """llama.cpp's server as `local/…` starts it, in a group of processes of its own."""
    command = [sys.executable, "-c", SERVING, str(weights_file("local/smollm2-135m"))]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, start_new_session=True, **pipes) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def test_of_two_servers_one_is_killed_and_nothing_is_lost(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    out = tmp_path / "out.parquet"
    with killable() as (one, first), killable() as (other, second), ThreadPoolExecutor(1) as pool:
        recorded = pool.submit(
            dynlab.record,
            TASK,
            "text-completion-openai/smollm2",
            num_samples=64,
            out=out,
            options=RecordingOptions(greedy=False),
            requests=RequestOptions(api_base=f"{first},{second}", concurrency=8, progress=False),
        )
        while not recorded.done() and held(out) < 16:
            time.sleep(0.05)
        before = held(out)
        os.killpg(one.pid, signal.SIGKILL)
        recorded.result()
        assert 16 <= before < 150 and one.wait() == -signal.SIGKILL and other.poll() is None
    frame = dynlab.load(out).frame
    assert (
        len(frame) == 64 * len(CAPITALS) and frame["finish_reason"].isin(["stop", "length"]).all()
    )
    with closing(sqlite3.connect(f"{out}.sqlite")) as store:
        query = "SELECT count(*), sum(num_samples) FROM calls WHERE state = 'settled'"
        assert store.execute(query).fetchone() == (len(frame), len(frame))  # none is paid twice


def held(out: Path) -> int:
    """The samples in a recording's store."""
    if not store_path(out).exists():
        return 0
    with closing(sqlite3.connect(f"file:{out}.sqlite?mode=ro", uri=True)) as store:
        try:
            return int(store.execute("SELECT count(*) FROM samples").fetchone()[0])
        except sqlite3.OperationalError:  # its tables are not there yet
            return 0
