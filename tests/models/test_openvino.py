"""OpenVINO GenAI on a model of random weights, in this process and through LiteLLM."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import signal
import sqlite3
import struct
import time
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from helpers import tiny_gguf
from helpers.forks import forked
from helpers.killable_runs import record_letters
from helpers.tiny_gguf import write_tiny_gguf

from dynlab._util.errors import InputError
from dynlab._util.values import Question, Request, Sampling
from dynlab.models.client import Client
from dynlab.models.engines import describe, engine_of, resolve
from dynlab.models.gguf_header import Header, Tensor
from dynlab.models.openvino import EngineSettings
from dynlab.models.provider_errors import ProviderError
from dynlab.recordings.recording import load
from dynlab.sampling.preparation import asked_of
from dynlab.sampling.store import store_path
from dynlab.tasks.task import Task

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("openvino_genai") is None, reason="openvino-genai is not installed"
)
SMALL = EngineSettings(num_sequences=4, cache_gib=1, threads=1)


def byte_letters() -> list[str]:
    """The 256 characters that stand for bytes in a byte-level vocabulary, GPT-2's."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    moved = iter(range(256, 512))
    return [chr(byte) if byte in plain else chr(next(moved)) for byte in range(256)]


def write_half_precision(path):
    """The tiny model in half precision with a byte-level vocabulary, as OpenVINO reads them."""
    vocabulary = ["<unk>", "<s>", "</s>", *byte_letters(), "qw", *(f"<{i}>" for i in range(27))]
    letters = {3 + byte for byte in (*range(97, 123), 32, 10)}
    facts = {
        "general.architecture": "llama",
        "general.file_type": 1,
        "llama.block_count": 1,
        "llama.context_length": 2048,
        "llama.embedding_length": tiny_gguf.WIDTH,
        "llama.feed_forward_length": tiny_gguf.HIDDEN,
        "llama.attention.head_count": tiny_gguf.HEADS,
        "llama.attention.head_count_kv": tiny_gguf.HEADS,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.rope.freq_base": 10000.0,
        "llama.rope.dimension_count": tiny_gguf.WIDTH // tiny_gguf.HEADS,
        "llama.vocab_size": len(vocabulary),
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "default",
        "tokenizer.ggml.tokens": vocabulary,
        "tokenizer.ggml.merges": ["q w"],
        "tokenizer.ggml.token_type": [3 if i < 3 else 1 for i in range(len(vocabulary))],
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.padding_token_id": 0,
        "tokenizer.chat_template": "{% for message in messages %}{{ message['content'] }}"
        "{% endfor %}{% if add_generation_prompt %} z{% endif %}",
    }
    tensors = tiny_gguf._tensors(np.random.default_rng(0))
    tensors["output.weight"][:, 0] = [4.0 if i in letters else -4.0 for i in range(len(vocabulary))]
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(facts))
    head += b"".join(tiny_gguf._string(k) + tiny_gguf._value(v) for k, v in facts.items())
    offset, arrays = 0, []
    for name, array in tensors.items():
        half = array.astype(np.float16) if array.ndim == 2 else array
        dims, kind = half.shape[::-1], int(half.dtype == np.float16)
        head += tiny_gguf._string(name)
        head += struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, offset)
        offset += tiny_gguf._padded(half.nbytes)
        arrays.append(half.tobytes().ljust(tiny_gguf._padded(half.nbytes), b"\0"))
    head += b"\0" * (tiny_gguf._padded(len(head)) - len(head))
    path.write_bytes(head + b"".join(arrays))
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    return f"local/{write_half_precision(tmp_path_factory.mktemp('weights') / 'half.gguf')}"


@pytest.fixture(scope="module")
def endpoint(model):
    with resolve(model, settings=SMALL) as running:
        yield running


def request(seed=0, temperature=1.0, **changed) -> Request:
    sampling = Sampling(temperature, max_tokens=12, logprobs=True, **changed)
    return Request("q", "parallel", 0, 0, sampling, seed, prompt="abc abc")


def drawn(endpoint, *requests):
    """The replies to requests that are sent together, through LiteLLM."""

    async def all_of_them():
        async with Client(endpoint) as client:
            return await asyncio.gather(*map(client, requests))

    return asyncio.run(all_of_them())


def text(reply) -> str:
    return reply.choices[0].text


def test_four_bit_weights_with_an_offset_are_left_to_llama_cpp(model, monkeypatch):
    """OpenVINO loads Q4_1 as another model, so it runs such a file only where it is asked to."""
    q4_1 = Header("llama", (Tensor("a", (32,), 3, 0), Tensor("b", (32,), 8, 32)))
    monkeypatch.setattr("dynlab.models.openvino.header", lambda path: q4_1)
    assert engine_of(model) == "llama.cpp" and engine_of(model, "openvino") == "openvino"


def test_the_engine_that_can_run_a_file_is_chosen_and_a_flag_overrides(model, tmp_path):
    assert engine_of(model) == "openvino"
    assert engine_of(model, "llama.cpp") == "llama.cpp"
    single_precision = f"local/{write_tiny_gguf(tmp_path / 'single.gguf')}"
    assert engine_of(single_precision) == "llama.cpp"
    with pytest.raises(InputError, match="unknown engine 'vllm'"):
        engine_of(model, "vllm")


@pytest.mark.slow
def test_the_card_names_engine_version_and_settings(model, endpoint):
    assert endpoint.card == describe(model, SMALL)
    assert endpoint.card["server"] == "OpenVINO GenAI" and endpoint.card["server_version"]
    assert endpoint.card["server_settings"]["num_sequences"] == 4


def test_a_task_in_completion_form_is_asked_in_it(endpoint):
    task = Task("t", (Question("q", "1 + 1?", "2"),), form="completion")
    assert asked_of(endpoint, task) is task


@pytest.mark.slow
def test_a_seed_decides_a_sample_alone_or_among_others(endpoint):
    alone = [text(drawn(endpoint, request(seed))[0]) for seed in (1, 1, 2, 3)]
    assert alone[0] == alone[1] and len(set(alone)) == 3
    together = drawn(endpoint, *(request(seed) for seed in (1, 2, 3)))
    assert [text(reply) for reply in together] == [alone[0], alone[2], alone[3]]


@pytest.mark.slow
def test_what_comes_back_is_counted_and_its_confidence_told(endpoint):
    (reply,) = drawn(endpoint, request(5))
    choice = reply.choices[0]
    assert reply.usage.completion_tokens == 12 and choice.finish_reason == "length"
    assert reply.usage.prompt_tokens >= len("abc abc")
    assert choice.lowest_logprob <= choice.mean_logprob < 0
    assert choice.first_logprob < 0 and choice.last_logprob < 0


@pytest.mark.slow
def test_log_probabilities_are_those_of_the_engine_driven_directly(model, endpoint):
    import openvino_genai as genai

    plan = genai.SchedulerConfig()
    plan.cache_size = 1
    pipe = genai.ContinuousBatchingPipeline(model.removeprefix("local/"), plan, "CPU")
    config = genai.GenerationConfig()
    config.max_new_tokens, config.logprobs = 12, 1
    handle = pipe.add_request(0, "abc abc", config)
    while pipe.has_non_finished_requests():
        pipe.step()
    output = handle.read_all()[0]
    (reply,) = drawn(endpoint, request(temperature=0.0))
    assert text(reply) == pipe.get_tokenizer().decode(output.generated_ids)
    expected = np.mean(output.generated_log_probs)
    assert reply.choices[0].mean_logprob == pytest.approx(expected, abs=1e-4)


@pytest.mark.slow
def test_log_probabilities_are_the_model_s_own_whatever_the_temperature(endpoint):
    def first(seed, temperature):
        asked = request(seed, temperature)
        one = replace(asked, sampling=replace(asked.sampling, max_tokens=1))
        choice = drawn(endpoint, one)[0].choices[0]
        return choice.text, round(choice.mean_logprob, 4)

    by_temperature = [dict(first(seed, t) for seed in range(8)) for t in (0.5, 2.0)]
    shared = by_temperature[0].keys() & by_temperature[1].keys()
    assert shared and all(by_temperature[0][text] == by_temperature[1][text] for text in shared)


def test_a_response_ends_before_a_stop_string(endpoint):
    whole = text(drawn(endpoint, request(7))[0])
    end = whole[5:7]
    (reply,) = drawn(endpoint, request(7, stop=(end,)))
    assert text(reply) == whole[: whole.index(end)]
    assert reply.choices[0].finish_reason == "stop"


def test_a_response_that_stops_at_its_first_token_is_empty(endpoint):
    first = text(drawn(endpoint, request(7))[0])[0]
    reply, other = drawn(endpoint, request(7, stop=(first,)), request(8))
    assert text(reply) == "" and reply.choices[0].finish_reason == "stop"
    assert reply.choices[0].mean_logprob is None and text(other)


def test_a_setting_that_is_unknown_is_named(endpoint):
    asked = request()
    asked = replace(asked, sampling=replace(asked.sampling, extra_body={"id_slot": 1}))
    with pytest.raises(ProviderError, match="knows no setting 'id_slot'"):
        drawn(endpoint, asked)


@pytest.mark.slow
def test_chats_go_through_the_template_and_a_begun_answer_is_gone_on_with(model):
    asked = ({"role": "user", "content": "abc"},)
    begun = (*asked, {"role": "assistant", "content": " def", "prefix": True})
    with resolve(model, "chat", SMALL) as chat:
        first, second = (
            drawn(chat, replace(request(), prompt=None, messages=messages))[0]
            for messages in (asked, begun)
        )
    assert first.usage.prompt_tokens == len("abc z")
    assert second.usage.prompt_tokens == len("abc z def")


@pytest.mark.slow
def test_a_cancelled_call_leaves_the_engine_free(endpoint):
    async def cancelled():
        async with Client(endpoint) as client:
            long = replace(request(), sampling=replace(request().sampling, max_tokens=2000))
            call = asyncio.create_task(client(long))
            await asyncio.sleep(0.3)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            return await client(request(1))

    assert len(text(asyncio.run(cancelled()))) > 0


def test_a_file_that_the_engine_cannot_read_is_told_in_one_line(tmp_path):
    path = write_tiny_gguf(tmp_path / "single.gguf")
    with (
        pytest.raises(InputError, match=r"OpenVINO cannot run single.gguf .*llama\.cpp") as error,
        resolve(f"local/{path}", settings=SMALL, engine="openvino"),
    ):
        pass
    assert "\n" not in str(error.value)


@pytest.mark.slow
def test_an_engine_is_closed_when_its_block_ends(model):
    with resolve(model, settings=SMALL) as running:
        engine = running.answer
    assert engine._pipe is None
    with closing(engine):
        pass


@pytest.mark.slow
def test_ctrl_c_keeps_what_arrived_and_the_same_command_goes_on(model, tmp_path):
    out = tmp_path / "out.parquet"
    told = tmp_path / "told"
    process = forked(record_letters, model, out, told=told)
    while process.is_alive() and not num_stored(out):
        time.sleep(0.05)
    assert process.is_alive(), told.read_text()
    os.kill(process.pid, signal.SIGINT)
    process.join(120)
    assert process.exitcode == 1
    said = told.read_text()
    assert "interrupted" in said and "the same command goes on from there" in said
    kept = num_stored(out)
    assert 0 < kept < 40 and not out.exists()
    record_letters(model, out)  # the same again, where everything is loaded
    assert len(load(out).frame) == 40


def num_stored(out) -> int:
    """Samples in the store of a recording that another process draws."""
    store = store_path(out)
    if not store.exists():
        return 0
    with closing(sqlite3.connect(store, timeout=30)) as database:
        try:
            return database.execute("SELECT count(*) FROM samples").fetchone()[0]
        except sqlite3.OperationalError:  # its tables are not there yet
            return 0


@pytest.mark.parametrize("name", ["num_sequences", "cache_gib", "batched_tokens", "threads"])
def test_settings_are_at_least_one(name):
    with pytest.raises(InputError, match=f"{name} must be 1 or more, not 0"):
        EngineSettings(**{name: 0})
