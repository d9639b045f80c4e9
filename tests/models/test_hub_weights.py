"""Weights from a stand-in of the hub: fetched once, checked, named by their commit."""

from __future__ import annotations

import hashlib

import pytest
from helpers.hub_server import COMMIT, HubServer, serving_hub

from dynlab._util.errors import InputError
from dynlab.models.hub_weights import hub_weights
from dynlab.models.weights import _fetched, adapter, sha256, weights_file
from dynlab.models.weights_card import weights_card

WHOLE = b"GGUF of a tiny model"
NAME = "local/hf:me/tiny-GGUF:q4/tiny-q4.gguf"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    with serving_hub(tmp_path / "hub", monkeypatch) as server:
        hub_weights.cache_clear()
        server.add("me/tiny-GGUF", {"q4/tiny-q4.gguf": WHOLE}, kind="model")
        yield server
    hub_weights.cache_clear()


@pytest.mark.slow
def test_weights_of_the_hub_are_fetched_once_and_the_card_names_their_commit(hub):
    path = weights_file(NAME)
    assert path.read_bytes() == WHOLE and path.name == "tiny-q4.gguf"
    assert adapter(NAME) is None
    num_asked = len(hub.asked)
    assert weights_card(NAME) == {
        "model": NAME,
        "weights": "tiny-q4.gguf",
        "weights_sha256": hashlib.sha256(WHOLE).hexdigest(),
        "weights_license": None,
        "weights_origin": f"me/tiny-GGUF@{COMMIT}/q4/tiny-q4.gguf",
    }
    assert len(hub.asked) == num_asked


def test_a_commit_is_one_version_for_ever(hub):
    named = NAME.replace(":q4", f"@{COMMIT}:q4")
    path = weights_file(named)
    hub.add("me/tiny-GGUF", {"q4/tiny-q4.gguf": b"GGUF, another"}, commit="d" * 40, kind="model")
    hub_weights.cache_clear()
    assert weights_file(named) == path and path.read_bytes() == WHOLE
    assert weights_file(NAME).read_bytes() == b"GGUF, another"


@pytest.mark.slow
def test_without_a_network_what_is_cached_runs_and_nothing_else(hub, monkeypatch):
    path = weights_file(NAME)
    with HubServer() as gone:
        pass
    monkeypatch.setenv("HF_ENDPOINT", gone.address)
    hub_weights.cache_clear()
    assert weights_file(NAME) == path
    with pytest.raises(InputError, match=r"cannot reach the hub.*other.gguf of me/tiny-GGUF"):
        weights_file("local/hf:me/tiny-GGUF:other.gguf")


@pytest.mark.slow
def test_a_file_that_was_damaged_is_removed_and_fetched_afresh(hub):
    stored = weights_file(NAME).resolve()
    assert stored.name == sha256(stored)
    stored.write_bytes(b"GGUF, but not this one")
    hub_weights.cache_clear()
    with pytest.raises(InputError, match="wrong checksum of q4/tiny-q4.gguf.*call again"):
        weights_file(NAME)
    assert weights_file(NAME).read_bytes() == WHOLE


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("local/hf:me/tiny-GGUF", "names no file of the hub: give local/hf:OWNER/REPO:FILE.gguf"),
        ("local/hf:me/tiny-GGUF:model.safetensors", "names no file of the hub"),
        ("local/hf:me/tiny-GGUF:q8.gguf", "me/tiny-GGUF has no file 'q8.gguf' at revision main"),
        ("local/hf:me/none:q4.gguf", "the hub has no model 'me/none' that you may read"),
        ("local/hf:me/text:text.gguf", "is not a GGUF file"),
        ("local/hf:me/big:big-00001-of-00003.gguf", "one of 3 parts: give a model of one file"),
        ("local/hf:me/gated:q4.gguf", "me/gated is gated: accept its terms at .*/me/gated, then"),
    ],
)
def test_what_cannot_be_is_one_line(hub, name, said):
    hub.add("me/text", {"text.gguf": b"not a model"}, kind="model")
    hub.add("me/gated", {"q4.gguf": WHOLE}, kind="model", gate=403)
    with pytest.raises(InputError, match=said) as error:
        weights_file(name)
    assert "\n" not in str(error.value) and "hf_secret" not in str(error.value)


def test_published_weights_of_a_known_model_come_by_the_hub_of_the_environment(hub, tmp_path):
    url = f"https://huggingface.co/me/tiny-GGUF/resolve/{COMMIT}/q4/tiny-q4.gguf"
    assert _fetched(url, tmp_path / "whole.gguf")
    assert (tmp_path / "whole.gguf").read_bytes() == WHOLE and hub.asked
    assert not _fetched(url.replace("q4.gguf", "q8.gguf"), tmp_path / "none.gguf")
