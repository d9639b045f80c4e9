"""llama.cpp, the decoder that adapters are trained in, and transformers compute the same with an
adapter.

`adapter_logprobs.json` holds what transformers computes (float32, the adapter merged into the
weights, rows of q and k in its own order); where transformers is installed, a test computes it
again.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import urllib.request
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.tiny_gguf import (
    HEADS,
    HIDDEN,
    VOCABULARY,
    WIDTH,
    _tensors,
    tiny_adapter,
    write_tiny_adapter,
    write_tiny_gguf,
)
from recipe.decoder import halves_of_pairs

from dynlab._util import shipped_files
from dynlab._util.errors import InputError
from dynlab.models.llama_cpp import ServerSettings, describe, resolve, serve
from dynlab.models.weights import REASONER, UNTAUGHT, WEIGHTS, adapter, sha256, weights_file

REFERENCE = Path(__file__).with_name("adapter_logprobs.json")
PROMPT = [1, *range(259, 287, 2), 40, 41, *range(286, 259, -3)]
SCALE = 2.0  # alpha / rank of the tiny adapter
TOLERANCE = 0.02
ROUNDED = 0.1  # of weights in bfloat16, which has 8 bits
SMALL = ServerSettings(num_slots=1, context=128, threads=1)
needs_server = pytest.mark.skipif(
    importlib.util.find_spec("xllamacpp") is None, reason="xllamacpp is not installed"
)


def needs(*modules):
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    return pytest.mark.skipif(
        bool(missing), reason=f"{', '.join(missing)} not installed: pip install 'dynlab[train]'"
    )


def reference() -> np.ndarray:
    return np.array(json.loads(REFERENCE.read_text())["logprobs"])


def served(base: Path, beside: Path | None, prompt: list[int], size: int) -> np.ndarray:
    """llama.cpp's log-probabilities of the token after the prompt; -inf where it is not among the
    `size` likeliest.
    """
    body = {"prompt": prompt, "n_predict": 1, "n_probs": size, "temperature": 1.0}
    with serve(base, SMALL, beside) as (address, _):
        request = urllib.request.Request(
            f"{address}/completion", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            (answer,) = json.load(response)["completion_probabilities"]
    result = np.full(
        max(len(VOCABULARY), 1 + max(one["id"] for one in answer["top_logprobs"])), -np.inf
    )
    for one in answer["top_logprobs"]:
        result[one["id"]] = one["logprob"]
    return result


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tiny")
    return write_tiny_gguf(folder / "tiny.gguf"), write_tiny_adapter(folder / "adapter.gguf")


@pytest.mark.slow
@needs_server
def test_llama_cpp_agrees_with_transformers(files):
    base, beside = files
    assert np.abs(served(base, beside, PROMPT, len(VOCABULARY)) - reference()).max() < TOLERANCE
    assert np.abs(served(base, None, PROMPT, len(VOCABULARY)) - reference()).max() > 10 * TOLERANCE


@pytest.mark.slow
@needs_server
@needs("gguf")
def test_a_merged_adapter_computes_the_same(files, tmp_path):
    from recipe import adapters

    base, beside = files
    merged = adapters.merge(base, beside, tmp_path / "merged.gguf")
    difference = np.abs(served(merged, None, PROMPT, len(VOCABULARY)) - reference()).max()
    assert (
        difference
        < ROUNDED
        < np.abs(served(base, None, PROMPT, len(VOCABULARY)) - reference()).max() / 10
    )


@needs("gguf")
def test_merging_names_what_is_missing(tmp_path, capsys):
    from recipe import adapters

    assert adapters.main([str(tmp_path / "none.gguf"), str(tmp_path / "out.gguf")]) == 2
    assert capsys.readouterr().err.startswith(
        f"recipe.adapters: there is no {tmp_path / 'none.gguf'}"
    )
    assert not list(tmp_path.iterdir())


@needs("torch", "gguf")
def test_the_decoder_agrees_with_transformers(files):
    import torch
    from recipe import adapters, decoder

    base, (arrays, alpha) = decoder.load(files[0]), adapters.read(files[1])
    assert alpha == SCALE * 2

    def logprobs(arrays):
        beside = {name: torch.from_numpy(array) for name, array in arrays.items()}
        states = decoder.hidden(base, beside, torch.tensor([PROMPT]), SCALE)
        return decoder.logits(base, states)[0, -1].log_softmax(-1).numpy()

    assert np.abs(logprobs(arrays) - reference()).max() < 1e-3
    name = "blk.0.attn_q.weight.lora_b"
    assert (
        np.abs(logprobs({**arrays, name: halves_of_pairs(arrays[name], HEADS)}) - reference()).max()
        > TOLERANCE
    )


@needs("torch", "transformers")
def test_committed_logprobs_are_of_transformers():
    assert np.abs(by_transformers() - reference()).max() < 1e-4


def by_transformers() -> np.ndarray:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=WIDTH,
        intermediate_size=HIDDEN,
        num_hidden_layers=1,
        num_attention_heads=HEADS,
        num_key_value_heads=HEADS,
        rms_norm_eps=1e-5,
        max_position_embeddings=2048,
        tie_word_embeddings=False,
    )
    names = {
        "attn_q": "self_attn.q_proj",
        "attn_k": "self_attn.k_proj",
        "attn_v": "self_attn.v_proj",
    }
    names |= {
        "attn_output": "self_attn.o_proj",
        "attn_norm": "input_layernorm",
        "ffn_norm": "post_attention_layernorm",
    }
    names |= {f"ffn_{part}": f"mlp.{part}_proj" for part in ("gate", "up", "down")}
    whole = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
    beside, state = tiny_adapter(), {}
    for name, array in _tensors(np.random.default_rng(0)).items():
        part = name.removeprefix("blk.0.").removesuffix(".weight")
        if f"{name}.lora_a" in beside:
            array = array + SCALE * beside[f"{name}.lora_b"] @ beside[f"{name}.lora_a"]
        if part in ("attn_q", "attn_k"):
            array = halves_of_pairs(array, HEADS)
        theirs = whole.get(part) or f"model.layers.0.{names[part]}"
        state[f"{theirs}.weight"] = torch.from_numpy(np.array(array))
    model = LlamaForCausalLM(config)
    model.load_state_dict(state)
    with torch.inference_mode():
        return model(torch.tensor([PROMPT])).logits[0, -1].log_softmax(-1).double().numpy()


@pytest.fixture
def cached(files, tmp_path, monkeypatch) -> Path:
    """The tiny model in the place of SmolLM2's cached weights."""
    home = tmp_path / "weights" / "smollm2-135m"
    home.mkdir(parents=True)
    shutil.copy(files[0], home)
    known = replace(WEIGHTS["smollm2-135m"], file=files[0].name, sha256=sha256(files[0]))
    monkeypatch.setitem(WEIGHTS, "smollm2-135m", known)
    monkeypatch.setitem(WEIGHTS, "dynlab-reasoner", replace(known, adapter="dynlab-reasoner.gguf"))
    monkeypatch.setenv("DYNLAB_CACHE", str(tmp_path))
    return home / files[0].name


def test_an_adapter_lies_beside_weights_kept_once(files, cached, tmp_path, monkeypatch):
    monkeypatch.setattr(shipped_files, "folder", lambda name: tmp_path / name)
    (tmp_path / "data/models").mkdir(parents=True)
    with pytest.raises(InputError, match=r"there is no GGUF file .*dynlab-reasoner\.gguf"):
        adapter("local/dynlab-reasoner")
    shipped = shutil.copy(files[1], tmp_path / "data/models/dynlab-reasoner.gguf")
    assert (weights_file("local/dynlab-reasoner"), adapter("local/dynlab-reasoner")) == (
        cached,
        shipped,
    )
    assert (weights_file(f"local/{files[1]}"), adapter(f"local/{files[1]}")) == (cached, files[1])
    assert (weights_file(f"local/{files[0]}"), adapter(f"local/{files[0]}")) == (files[0], None)
    assert adapter("local/smollm2-135m") is None


@pytest.mark.slow
@needs_server
def test_a_card_names_its_adapters_checksum(files, cached):
    base, beside = files
    card = describe(f"local/{beside}", SMALL)
    assert card["adapter_sha256"] == sha256(beside) and card["weights_sha256"] == sha256(base)
    assert card["model"] == "local/adapter.gguf" and "adapter" not in describe(
        f"local/{base}", SMALL
    )
    with resolve(f"local/{beside}", settings=SMALL) as running:
        assert running.litellm_model == "text-completion-openai/adapter"
        assert running.card["adapter_sha256"] == sha256(beside)


@pytest.mark.parametrize("name", [REASONER, UNTAUGHT])
def test_shipped_adapters_are_those_of_their_cards(name):
    shipped = shipped_files.folder("data/models") / f"{name}.gguf"
    card = json.loads(shipped.with_suffix(".json").read_text(encoding="utf-8"))
    assert card["adapter_sha256"] == sha256(shipped)
    assert card["weights_sha256"] == WEIGHTS["smollm2-135m"].sha256
    assert WEIGHTS[name].adapter == shipped.name


def test_the_control_learned_from_as_many_tokens():
    taught, control = (
        json.loads(
            (shipped_files.folder("data/models") / f"{name}.json").read_text(encoding="utf-8")
        )["runs"]
        for name in (REASONER, UNTAUGHT)
    )
    learned = [sum(run["tokens"] for run in runs) for runs in (taught, control)]
    assert learned[0] <= learned[1] < 1.01 * learned[0]
    assert any(run["puzzles"] for run in taught) and not any(run["puzzles"] for run in control)


if __name__ == "__main__":  # write the reference again
    REFERENCE.write_text(
        json.dumps({"logprobs": [round(x, 6) for x in by_transformers().tolist()]}) + "\n"
    )
