"""Attempts that a model makes at puzzles, drawn by llama.cpp: what it later learns to look at."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from dynlab.local import ServerSettings, serve
from dynlab.teaching import END, PROMPTER
from dynlab.types import Question

MAX_TOKENS = 128


def complete(address: str, prompt: str, **options: Any) -> str:
    """One completion of a prompt, up to the end of its line."""
    body = {"prompt": prompt, "max_tokens": MAX_TOKENS, "stop": [END], **options}
    request = urllib.request.Request(
        f"{address}/v1/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=600) as response:
        return str(json.load(response)["choices"][0]["text"]).strip()


def draft(
    base: Path,
    adapter: Path | None,
    prompts: Sequence[str],
    *,
    num_attempts: int,
    temperature: float = 1.0,
    seed: int = 0,
    settings: ServerSettings | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> list[list[str]]:
    """`num_attempts` completions of each prompt; the sampler is the server's, as in a recording.

    Args:
        base: Weights as GGUF.
        adapter: An adapter as GGUF; None for the base alone.
        prompts: Texts to go on from.
        num_attempts: Completions of each.
        temperature: Of sampling; 0 is greedy.
        seed: Attempt j of prompt i has the seed `seed + i·num_attempts + j`.
        settings: How the server runs.
        say: Takes a line of progress now and then.
    """
    settings = settings or ServerSettings(context=640)
    with (
        serve(base, settings, adapter) as (address, _),
        ThreadPoolExecutor(2 * settings.num_slots) as pool,
    ):
        wishes = [
            pool.submit(complete, address, prompts[i // num_attempts], seed=seed + i, temperature=temperature)
            for i in range(num_attempts * len(prompts))
        ]
        texts = []
        for number, wish in enumerate(wishes, start=1):
            texts.append(wish.result())
            if number % 200 == 0:
                say(f"{number} of {len(wishes)} attempts")
    return [texts[i : i + num_attempts] for i in range(0, len(texts), num_attempts)]


def prompt(question: str) -> str:
    """How a puzzle is asked without attempts."""
    text = PROMPTER(Question("", question))
    assert isinstance(text, str)
    return text
