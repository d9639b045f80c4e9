"""Models of this machine, by the engine that runs them: OpenVINO here, or llama.cpp's server.

On a CPU OpenVINO is preferred for what it can read, since all its requests share one batch and one
cache of prefixes. llama.cpp reads every GGUF file, adds adapters, and uses a GPU where its
wheel has one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dynlab._util.errors import one_of
from dynlab.models import llama_cpp, openvino
from dynlab.models.llama_cpp import Endpoint, ServerSettings
from dynlab.models.openvino import EngineSettings
from dynlab.models.weights import adapter, weights_file
from dynlab.models.weights_card import weights_card

ENGINES = ("openvino", "llama.cpp")
_PROVIDERS = {"text": "text-completion-openvino", "chat": "openvino"}  # prompt form → provider


def engine_of(model: str, engine: str | None = None) -> str:
    """The engine that runs a local model: the one asked for, else the faster faithful one.

    Raises:
        InputError: There is no such engine; as `weights`.
    """
    if engine is not None:
        if engine not in ENGINES:
            raise one_of("engine", engine, ENGINES)
        return engine
    able = openvino.installed() and adapter(model) is None and openvino.reads(weights_file(model))
    return "openvino" if able else "llama.cpp"


def describe(
    model: str,
    settings: ServerSettings | EngineSettings | None = None,
    engine: str | None = None,
) -> dict[str, Any]:
    """What a recording's card says about a local model: weights, licence, engine and settings.

    Raises:
        InputError: As `weights_file` and `engine_of`; the engine is not installed.
    """
    if engine_of(model, engine) == "llama.cpp":
        own = settings if isinstance(settings, ServerSettings) else None
        return llama_cpp.describe(model, own)
    runs = settings if isinstance(settings, EngineSettings) else EngineSettings()
    return {
        **weights_card(model),
        "server": "OpenVINO GenAI",
        "server_version": openvino.version(),
        "server_settings": asdict(runs),
    }


@contextmanager
def resolve(
    model: str,
    form: str = "text",
    settings: ServerSettings | EngineSettings | None = None,
    engine: str | None = None,
) -> Iterator[Endpoint]:
    """Run a local model for the length of a `with` block.

    Args:
        model: 'local/qwen2.5-coder-1.5b', …, 'local/PATH.gguf' or 'local/hf:OWNER/REPO:FILE.gguf'.
        form: 'text' (text completion) or 'chat'.
        settings: How the engine runs; those of another engine are left alone.
        engine: 'openvino' or 'llama.cpp'; None: the faster one that can run the file.

    Yields:
        The endpoint: LiteLLM's model name, where it is found, and card.

    Raises:
        InputError: Unknown model, form or engine; weights that cannot be had; the engine is missing
            or cannot load the file.
    """
    if form not in _PROVIDERS:
        raise one_of("prompt form", form, _PROVIDERS)
    if engine_of(model, engine) == "llama.cpp":
        own = settings if isinstance(settings, ServerSettings) else None
        with llama_cpp.resolve(model, form, own) as endpoint:
            yield endpoint
        return
    card = describe(model, settings, "openvino")
    runs = EngineSettings(**card["server_settings"])
    with closing(openvino.Engine(weights_file(model), form, runs)) as running:
        name = f"{_PROVIDERS[form]}/{Path(card['weights']).stem}"
        yield Endpoint(name, "", card=card, answer=running)
