"""A real llama.cpp server on a model of random weights, over loopback."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from helpers.tiny_gguf import write_tiny_gguf

from dynlab._util.errors import InputError
from dynlab.models.llama_cpp import ServerSettings, describe, resolve
from dynlab.models.weights import sha256

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("xllamacpp") is None, reason="xllamacpp is not installed"
)
SMALL = ServerSettings(num_slots=4, context=128, threads=1)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    return f"local/{write_tiny_gguf(tmp_path_factory.mktemp('weights') / 'tiny.gguf')}"


@pytest.fixture(scope="module")
def endpoint(model):
    with resolve(model, settings=SMALL) as running:
        yield running


def complete(api_base: str, **body) -> dict:
    body = {"prompt": "abc", "max_tokens": 8, "temperature": 1.0} | body
    request = urllib.request.Request(
        f"{api_base}/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def listens(api_base: str) -> bool:
    address = urlsplit(api_base)
    with socket.socket() as probe:
        return probe.connect_ex((address.hostname, address.port)) == 0


def closes(api_base: str, within_s: float = 5.0) -> bool:
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if not listens(api_base):
            return True
        time.sleep(0.02)
    return False


@pytest.mark.slow
def test_requests_in_flight_are_answered_each_by_a_draw_of_its_own(endpoint):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda seed: complete(endpoint.api_base, seed=seed), range(16)))
    assert len({answer["choices"][0]["text"] for answer in answers}) > 8


@pytest.mark.slow
def test_a_seed_gives_its_text_again_when_asked_alone(endpoint):
    texts = [complete(endpoint.api_base, seed=seed)["choices"][0]["text"] for seed in (1, 2, 1)]
    assert texts[0] == texts[2] != texts[1]


@pytest.mark.slow
def test_prompt_tokens_count_the_full_prompt_and_cached_ones_stand_apart(endpoint):
    first, second = (
        complete(endpoint.api_base, prompt="a new prompt", seed=1)["usage"] for _ in range(2)
    )
    assert first["prompt_tokens"] == second["prompt_tokens"]
    assert second["prompt_tokens_details"]["cached_tokens"] == second["prompt_tokens"] - 1


def test_log_probabilities_come_one_per_token(endpoint):
    answer = complete(endpoint.api_base, logprobs=1, seed=3)
    tokens = answer["choices"][0]["logprobs"]["content"]
    assert len(tokens) == answer["usage"]["completion_tokens"]
    assert all(token["logprob"] < 0 for token in tokens)


@pytest.mark.slow
def test_the_card_names_weights_server_and_settings_and_no_folder(endpoint, model, tmp_path):
    card = endpoint.card
    assert card["weights_sha256"] == sha256(type(tmp_path)(model.removeprefix("local/")))
    assert card["model"] == "local/tiny.gguf"
    assert card["server_settings"]["num_slots"] == 4
    assert card["server_sampling"]["top_k"] == 40
    assert card["server_version"] == importlib.import_module("importlib.metadata").version(
        "xllamacpp"
    )
    assert json.loads(json.dumps(card)) == card
    assert card.items() >= describe(model, SMALL).items()


@pytest.mark.slow
def test_the_prompt_form_decides_litellms_provider(model, endpoint):
    assert endpoint.litellm_model == "text-completion-openai/tiny"
    with resolve(model, "chat", SMALL) as chat:
        assert chat.litellm_model == "openai/tiny"
    with (
        pytest.raises(InputError, match="unknown prompt form 'chatt': did you mean 'chat'"),
        resolve(model, "chatt"),
    ):
        pass


@pytest.mark.slow
def test_the_server_stops_after_an_exception(model):
    with pytest.raises(ZeroDivisionError), resolve(model, settings=SMALL) as running:
        assert listens(running.api_base)
        raise ZeroDivisionError
    assert closes(running.api_base)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize(
    "ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda ending: ending.name
)
def test_the_server_stops_with_its_process_however_that_ends(model, ending):
    code = f"""
import time
from dynlab.models.llama_cpp import ServerSettings, resolve
with resolve({model!r}, settings={SMALL!r}) as running:
    print(running.api_base, flush=True)
    time.sleep(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        api_base = process.stdout.readline().strip()
        assert listens(api_base)
        if ending == signal.SIGINT:
            os.killpg(
                process.pid, ending
            )  # as a terminal does: to the whole group, the server included
        else:
            process.send_signal(ending)
        process.wait(5)
        assert closes(api_base)
        if ending == signal.SIGINT:
            assert process.stderr.read().strip().endswith("KeyboardInterrupt")


@pytest.mark.slow
def test_a_file_that_llama_cannot_load_is_one_line(tmp_path):
    (tmp_path / "broken.gguf").write_bytes(b"GGUF" + b"x" * 100)
    with (
        pytest.raises(InputError, match=r"llama.cpp cannot serve broken.gguf") as error,
        resolve(f"local/{tmp_path}/broken.gguf"),
    ):
        pass
    assert "\n" not in str(error.value)


def test_without_xllamacpp_the_extra_is_named(model, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'dynlab\[local\]'"), resolve(model):
        pass


@pytest.mark.parametrize("wrong", [{"num_slots": 0}, {"context": -1}, {"threads": 0}])
def test_settings_that_cannot_work_are_refused(wrong):
    with pytest.raises(InputError, match=f"{next(iter(wrong))} must be 1 or more"):
        ServerSettings(**wrong)
