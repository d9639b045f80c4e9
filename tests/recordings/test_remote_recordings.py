"""Recordings are read from wherever fsspec reads, and from the hub by its own cache."""

from __future__ import annotations

import io
import sys

import fsspec
import pandas as pd
import pytest
from helpers.hub_server import COMMIT, serving_hub

import dynlab
from dynlab._util.errors import InputError
from dynlab._util.remote_files import shown
from dynlab.cli.parser import main
from dynlab.pipeline.inputs import located_all
from dynlab.recordings.exports import export_recording
from dynlab.recordings.importing import import_recording
from dynlab.recordings.recording import load

ROWS = [
    {"question_id": question, "sample_index": index, "answer": answer, "target": "4"}
    for question in ("a", "b")
    for index, answer in enumerate("4454")
]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("DYNLAB_CACHE", str(tmp_path / "cache"))
    yield
    fsspec.filesystem("memory").store.clear()


def as_parquet(rows):
    content = io.BytesIO()
    pd.DataFrame(rows).to_parquet(content)
    return content.getvalue()


def put(address, content):
    with fsspec.open(address, "wb") as file:
        file.write(content)


def test_a_recording_is_read_where_it_lies(tmp_path):
    put("memory://lab/mine.parquet", as_parquet(ROWS))
    recording = dynlab.load("memory://lab/mine.parquet")
    assert (recording.name, recording.source) == ("mine", "memory://lab/mine.parquet")
    assert recording.frame["answer"].tolist() == list("44544454")
    (path,) = located_all("memory://lab/mine.parquet")
    assert path.is_file() and path.name == "mine.parquet"


def test_it_is_fetched_again_when_it_has_changed():
    put("memory://lab/mine.jsonl", b'{"question_id": "a", "sample_index": 0, "answer": "1"}\n')
    assert load("memory://lab/mine.jsonl").frame["answer"].tolist() == ["1"]
    put("memory://lab/mine.jsonl", b'{"question_id": "a", "sample_index": 0, "answer": "2"}\n')
    assert load("memory://lab/mine.jsonl").frame["answer"].tolist() == ["2"]


def test_logs_of_other_tools_may_lie_elsewhere(tmp_path):
    put("memory://lab/said.jsonl", b'{"id": "a", "response": "4", "target": "4"}\n')
    made = load(import_recording("memory://lab/said.jsonl", None, tmp_path / "out.parquet"))
    assert made.frame["answer"].tolist() == ["4"] and made.card["source"] == "said.jsonl"


@pytest.mark.slow
def test_a_folder_for_the_hub_loads_from_there(tmp_path, monkeypatch):
    recording = load(ROWS)
    out = export_recording(recording, "hub", tmp_path / "set").path
    (file,) = out.rglob("*.parquet")
    with serving_hub(tmp_path / "hub", monkeypatch) as server:
        server.add("me/samples", {"data/recording.parquet": file.read_bytes()})
        held = load("hf://datasets/me/samples/data/recording.parquet")
    pd.testing.assert_frame_equal(held.frame, recording.frame, check_like=True)


@pytest.mark.slow
def test_data_sets_of_the_hub_are_recordings(tmp_path, monkeypatch, capsys):
    with serving_hub(tmp_path / "hub", monkeypatch) as server:
        server.add("me/samples", {"data/mine.parquet": as_parquet(ROWS)})
        assert len(load("hf://datasets/me/samples/data/mine.parquet").frame) == 8
        pinned = f"hf://datasets/me/samples@{COMMIT}/data/mine.parquet"
        out = tmp_path / "curves.csv"
        flags = ["--allocators", "uniform", "--budgets", "2", "--replications", "3"]
        assert main(["compare", "--recording", pinned, *flags, "--out", str(out)]) == 0
        assert pd.read_csv(out)["recording"].tolist() == ["mine"]
        num_asked = len(server.asked)
        assert len(load(pinned).frame) == 8 and len(server.asked) == num_asked  # from the cache
        with pytest.raises(InputError, match="has no file 'data/none.parquet'"):
            load("hf://datasets/me/samples/data/none.parquet")
        # the same file by its plain address, as any other of the web
        plain = f"{server.address}/datasets/me/samples/resolve/main/data/mine.parquet?download=true"
        assert load(plain).name == "mine"


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("foo://x/y.parquet", "fsspec knows no foo://: give hf://, s3://"),
        ("memory://lab/none.csv", "no file memory://lab/none.csv"),
        ("memory://lab", "is a folder"),
        ("hf://datasets/me", "names no file of the hub"),
        ("https://me:pw@127.0.0.1:9/x.csv?sig=pw", "no file https://127.0.0.1:9/x.csv, or its"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_line(address, message):
    put("memory://lab/mine.csv", b"")
    with pytest.raises(InputError, match=message) as told:
        load(address)
    assert "\n" not in str(told.value) and "pw" not in str(told.value)


def test_a_protocol_without_its_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(InputError, match=r"s3:// needs s3fs.*; run: pip install s3fs$"):
        load("s3://bucket/mine.parquet")


def test_failures_do_not_repeat_what_the_place_said(monkeypatch):
    def refuse(*_, **__):
        raise PermissionError("signed with pw")

    monkeypatch.setattr("fsspec.implementations.memory.MemoryFileSystem.info", refuse)
    with pytest.raises(InputError, match=r"cannot read memory://lab/x.csv \(PermissionError\)"):
        load("memory://lab/x.csv")
    assert shown("s3://me@bucket/x?pw") == "s3://bucket/x"
