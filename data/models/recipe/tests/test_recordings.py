"""The shipped recordings: what `make recordings` draws is what is there."""

import json
import shutil
from dataclasses import replace
from io import BytesIO

import pytest
from recipe import recordings
from recipe.families import PUZZLES

from dynlab._util.options import RecordingOptions
from dynlab.models.weights import REASONER
from dynlab.recordings.recording import load, shipped, write


@pytest.mark.slow
def test_strategies_are_recorded_apart_and_merged(tmp_path, monkeypatch, make_pool):
    calls = []

    def record(task, model, *, num_samples, out, strategy="parallel", options=None):
        width = None if isinstance(strategy, str) else strategy.width
        strategy = strategy if width is None else strategy.name
        calls.append((task, strategy, num_samples, options, width))
        return write(
            make_pool({"q1": "ab"}, strategy=strategy), {"settings": {"strategy": strategy}}, out
        )

    monkeypatch.setattr(recordings, "record", record)
    monkeypatch.setattr(
        recordings, "placebo", lambda task, frame: replace(task, name=f"{task.name}, placebo")
    )
    *paths, beside = recordings.record_all(tmp_path)
    assert beside == tmp_path / "controls" / "sums--dynlab-reasoner.beside.parquet"
    assert calls.pop() == (
        "sums",
        "integrated",
        12,
        RecordingOptions(greedy=False, keep_text=8),
        None,
    )
    made, reasoned = paths[: len(recordings.SHIPPED)], paths[len(recordings.SHIPPED) + 6 :]
    reasoned, controls = reasoned[: -len(PUZZLES)], reasoned[-len(PUZZLES) :]
    assert [path.name for path in controls] == [
        f"{family}--dynlab-reasoner.untaught.parquet" for family in PUZZLES
    ]
    assert [path.stem for path in made] == [
        f"{task}--{model}" for task, model in recordings.SHIPPED
    ]
    assert [str(path.relative_to(tmp_path)) for path in reasoned] == [
        f"{folder}{family}--dynlab-reasoner{kind}.parquet"
        for family in PUZZLES
        for folder, kind in (("", ""), ("controls/", ".placebo"))
    ]
    own = [
        call
        for call in calls
        if call[3] and call[3].keep_text is not None and call[3].num_questions is None
    ]
    assert len(own) == (3 + len(recordings.REASONED)) * len(PUZZLES)
    calls = [call for call in calls if call not in own]
    for path, pair in zip(made, recordings.SHIPPED, strict=True):
        assert set(load(path).frame["strategy"]) == {"parallel", *recordings.CHAINS.get(pair, {})}
    widened = [call for call in calls if call[4] is not None]
    chains = [call for call in calls if call[1] != "parallel" and call not in widened]
    assert chains == [
        (task, strategy, length, RecordingOptions(streams, False, 60, 8), None)
        for (task, _), planned in recordings.CHAINS.items()
        for strategy, (length, streams) in planned.items()
    ]
    assert widened == [
        (task, "integrated", width + chained, RecordingOptions(2, False, 60, 8), width)
        for task, chained in {"capitals": 8, "french": 4}.items()
        for width in recordings.WIDTHS
    ]


@pytest.mark.slow
def test_a_merged_recording_is_resumed(tmp_path, monkeypatch, make_pool):
    found = []

    def record(task, model, *, out, strategy="parallel", **_):
        strategy = strategy if isinstance(strategy, str) else strategy.name
        found.append((out.name, out.exists()))
        if out.exists():
            return out
        return write(
            make_pool({"q1": "ab"}, strategy=strategy), {"settings": {"strategy": strategy}}, out
        )

    monkeypatch.setattr(recordings, "record", record)
    monkeypatch.setattr(
        recordings, "placebo", lambda task, frame: replace(task, name=f"{task.name}, placebo")
    )
    recordings.record_all(tmp_path)
    assert not any(there for _, there in found)
    num_calls = len(found)
    found.clear()
    shutil.rmtree(tmp_path / "parts")  # as in a clone, which holds the merged recordings only
    recordings.record_all(tmp_path)
    assert len(found) == num_calls and all(there for _, there in found)


def test_a_server_of_ones_own_may_be_named(monkeypatch, capsys, tmp_path):
    props = {
        "total_slots": 8,
        "build_info": "b1",
        "default_generation_settings": {"params": {"temperature": 0.8, "top_k": 40, "mirostat": 0}},
    }
    monkeypatch.setattr(recordings, "describe", lambda model: {"model": model, "server": "another"})
    said = {
        "props": props,
        "lora-adapters": [{"id": 0, "path": "dynlab-reasoner.gguf", "scale": 1.0}],
    }

    def answers(url, timeout):
        return BytesIO(json.dumps(said[url.rpartition("/")[2]]).encode())

    monkeypatch.setattr(recordings.urllib.request, "urlopen", answers)
    assert "adapter_merged" not in recordings.served_at("http://127.0.0.1:1").card
    said["lora-adapters"] = []
    endpoint = recordings.served_at("http://127.0.0.1:1/")
    assert endpoint.card["adapter_merged"] == "into the dequantised weights, bfloat16"
    assert (
        endpoint.api_base == "http://127.0.0.1:1/v1"
        and endpoint.card["model"] == "local/dynlab-reasoner"
    )
    assert (endpoint.card["server"], endpoint.card["server_settings"]) == (
        "llama.cpp",
        {"num_slots": 8},
    )
    assert endpoint.card["server_sampling"] == {"temperature": 0.8, "top_k": 40}
    monkeypatch.setattr(recordings.urllib.request, "urlopen", lambda url, timeout: BytesIO(b"{}"))
    assert recordings.main([str(tmp_path), "--reasoner", "http://127.0.0.1:1"]) == 2
    assert "no llama.cpp server answers at http://127.0.0.1:1" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.skipif(not shipped(), reason="no recordings are committed")
def test_shipped_recordings_have_the_planned_size():
    assert set(shipped()) >= {f"{task}--{model}" for task, model in recordings.SHIPPED}
    planned = {pair: recordings.CHAINS.get(pair, {}) for pair in recordings.SHIPPED}
    planned |= {(family, REASONER): recordings.REASONED for family in PUZZLES}
    for (task, model), chains in planned.items():
        frame = load(f"{task}--{model}").frame
        sizes = (
            frame[frame["strategy"] != "greedy"]
            .groupby(["strategy", "stream"])["sample_index"]
            .nunique()
        )
        expected = {
            ("parallel", 0): recordings.NUM_REASONED
            if model == REASONER
            else recordings.NUM_SAMPLES
        }
        for strategy, (length, streams) in chains.items():
            expected |= {(strategy, stream): length for stream in range(streams)}
        assert sizes.to_dict() == expected
