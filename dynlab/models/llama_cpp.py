"""Models on this machine: llama.cpp's own HTTP server on a free loopback port, a provider like any
other.

The server runs in a child process that lives as long as a pipe to this one is open: however this
process ends, the pipe closes and the server goes with it.

Why the settings are what they are, measured with short few-shot answers on two shared cores, single
runs: threads that spin while they wait gave an eighth of the samples per second as soon as another
process wanted a core, hence `GOMP_SPINCOUNT`; one key-value buffer for all slots cost 4 times the
processor time per sample, and no context checkpoints 3.5 times on Gemma, so both stay at
llama.cpp's default. 8, 16 or 32 slots, and log-probabilities or none, differed by less than the
noise.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dynlab._util.errors import InputError, one_of
from dynlab.models.checksums import sha256
from dynlab.models.weights import adapter, weights_file
from dynlab.models.weights_card import weights_card

_PROVIDERS = {
    "text": "text-completion-openai",
    "chat": "openai",
}  # prompt form → LiteLLM's name for it
Answer = Callable[[Sequence[Mapping[str, Any]], Mapping[str, Any]], Awaitable[dict[str, Any]]]
_GRACE_S = 5.0  # seconds that the server gets to stop by itself
_ENVIRONMENT = {
    "GOMP_SPINCOUNT": "1000"
}  # threads that wait longer sleep: spinning starves whoever shares the cores


@dataclass(frozen=True)
class ServerSettings:
    """How llama.cpp's server runs.

    `num_slots` answers are generated at a time, each within `context` tokens (prompt and answer);
    keep about twice as many requests in flight. `threads` None: one per core, 8 at most.
    `gpu_layers` −1: as many as fit, where the wheel has a GPU.
    """

    num_slots: int = 16
    context: int = 1024
    threads: int | None = None
    batch: int = 2048
    micro_batch: int = 512
    gpu_layers: int = -1

    def __post_init__(self) -> None:
        for name in ("num_slots", "context", "batch", "micro_batch"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be 1 or more, not {getattr(self, name)}")
        if self.threads is not None and self.threads < 1:
            raise InputError(
                f"threads must be 1 or more, or None for one per core, not {self.threads}"
            )


@dataclass(frozen=True)
class Endpoint:
    """Where LiteLLM finds a model, and what a recording's card says about it."""

    litellm_model: str
    api_base: str
    api_key: str = "none"
    card: dict[str, Any] = field(default_factory=dict)
    answer: Answer | None = None  # of a model in this process: asked instead of an address


def describe(model: str, settings: ServerSettings | None = None) -> dict[str, Any]:
    """What a recording's card says about a local model: weights and adapter with SHA-256, licence,
    server and settings.

    Raises:
        InputError: As `weights_file`; xllamacpp is not installed.
    """
    beside = adapter(model)
    return {
        **weights_card(model, beside),
        **({"adapter": beside.name, "adapter_sha256": sha256(beside)} if beside else {}),
        "server": "llama.cpp by xllamacpp",
        "server_version": _server_version(),
        "server_settings": asdict(settings or ServerSettings()),
    }


@contextmanager
def resolve(
    model: str, form: str = "text", settings: ServerSettings | None = None
) -> Iterator[Endpoint]:
    """Run a local model for the length of a `with` block.

    Args:
        model: 'local/smollm2-135m', 'local/gemma3-270m', 'local/PATH.gguf' (weights, or an
            adapter of the first) or 'local/hf:OWNER/REPO:FILE.gguf'.
        form: 'text' (text completion) or 'chat'.
        settings: How the server runs; the default is the fastest that was measured.

    Yields:
        The endpoint: LiteLLM's model name, `api_base`, key and card.

    Raises:
        InputError: Unknown model or form; weights that cannot be had; xllamacpp missing; a file
            that it cannot load.
    """
    if form not in _PROVIDERS:
        raise one_of("prompt form", form, _PROVIDERS)
    settings = settings or ServerSettings()
    card = describe(model, settings)
    with serve(weights_file(model), settings, adapter(model)) as (address, sampling):
        name = Path(card.get("adapter", card["weights"])).stem
        yield Endpoint(
            f"{_PROVIDERS[form]}/{name}",
            f"{address}/v1",
            card={**card, "server_sampling": sampling},
        )


@contextmanager
def serve(
    path: Path, settings: ServerSettings, beside: Path | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """llama.cpp's server on a GGUF file, and the adapter `beside` it if there is one, for the
    length of a `with` block.

    Yields:
        Its address, and the sampling settings that hold where a request is silent.

    Raises:
        InputError: xllamacpp is not installed, or cannot load the file.
    """
    _server_version()
    wish = json.dumps({"path": str(path), "adapter": str(beside or ""), **asdict(settings)})
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", "from dynlab.models.llama_cpp import _child; _child()"],
            env=_ENVIRONMENT | os.environ | {"PYTHONPATH": _python_path()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(wish + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
            answer: dict[str, Any] = json.loads(line) if line else {"error": _last_line(log)}
            if "error" in answer:
                raise InputError(
                    f"llama.cpp cannot serve {path.name} ({answer['error']}): is the file whole,"
                    " the memory enough?"
                )
            yield answer["address"], answer["sampling"]
        finally:
            _stop(process)


def _python_path() -> str:
    """The child finds this very package, whatever its working folder."""
    here = str(Path(__file__).resolve().parents[2])
    return os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH"))))


def _stop(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.close()
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()


def _last_line(log: Any) -> str:
    log.seek(0)
    lines = [line.strip() for line in log if line.strip()]
    return lines[-1] if lines else "it stopped without a word"


def _server_version() -> str:
    if importlib.util.find_spec("xllamacpp") is None:
        raise InputError(
            "models on this machine need xllamacpp, which is not installed: pip install"
            " 'dynlab[local]'"
        )
    return importlib.metadata.version("xllamacpp")


def _cores() -> int:
    """The cores that this process may use, 8 at most: small models lose more to waiting than they
    gain beyond.
    """
    allowed = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    return min(allowed, 8)


def _child() -> None:
    """The server's process: reads its settings from stdin, says where it listens, stops when stdin
    closes.
    """
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches the whole group; the parent decides when to stop
    wish = json.loads(sys.stdin.readline())
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.verbosity = 0
    params.model.path = wish["path"]
    params.model_alias = {Path(wish["path"]).stem}
    if wish["adapter"]:
        params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(wish["adapter"])]
    params.n_parallel = wish["num_slots"]
    params.n_ctx = wish["num_slots"] * wish["context"]
    params.n_batch = wish["batch"]
    params.n_ubatch = wish["micro_batch"]
    params.n_gpu_layers = wish["gpu_layers"]
    params.ui = False
    params.cache_ram_mib = (
        0  # no copies of idle slots' prompts: they grow by gigabytes and save nothing here
    )
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = wish["threads"] or _cores()
    server = xllamacpp.Server(params)
    defaults = params.sampling
    sampling = {
        name: round(getattr(defaults, name), 6)
        for name in ("temp", "top_k", "top_p", "min_p", "penalty_repeat")
    }
    print(json.dumps({"address": server.listening_address, "sampling": sampling}), flush=True)
    sys.stdin.read()
    os._exit(0)  # threads of the server need no farewell
