"""A benchmark is recorded, verified and previewed as any task; its recording names the commit."""

from __future__ import annotations

import pytest
from helpers.hub_server import HubServer, serving_hub
from helpers.scripted_server import ScriptedServer

from dynlab import recordings
from dynlab.cli import main
from dynlab.tasks.benchmark_table import BENCHMARKS

ROWS = [
    {"question": f"Ann packs {n} boxes of 2 cups. Cups?", "answer": f"{n} * 2\n#### {2 * n}"}
    for n in range(7, 12)
]


def right(call):
    boxes = int(call.words.partition("packs ")[2].partition(" ")[0])
    return f"{boxes} times 2. Answer: {2 * boxes} cups"


@pytest.mark.slow
def test_a_benchmark_is_recorded_and_verified_without_a_network(tmp_path, monkeypatch, capsys):
    said = BENCHMARKS["gsm8k"]
    out = tmp_path / "gsm8k.parquet"
    words = f"record --task gsm8k?size=3 --model openai/any --samples 2 --no-greedy --out {out}"
    with ScriptedServer(right) as model, serving_hub(tmp_path / "hub", monkeypatch) as hub:
        monkeypatch.setenv("OPENAI_BASE_URL", model.address)
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        hub.add(said.repo, {said.file: ROWS}, commit=said.revision)
        assert main(words.split()) == 0
        assert not any("####" in call.words for call in model.calls)
    recording = recordings.load(out)
    assert recording.card["task_origin"] == f"openai/gsm8k@{said.revision}/{said.file}"
    assert recording.card["settings"]["dataset"] == "gsm8k?size=3"
    assert recording.frame["correct"].all() and len(recording.frame) == 6
    with HubServer() as gone:
        pass
    monkeypatch.setenv("HF_ENDPOINT", gone.address)
    capsys.readouterr()
    assert main(["recordings", "verify", str(out)]) == 0
    assert "hf_secret" not in out.read_bytes().decode("latin-1")


def test_a_gated_benchmark_is_one_line_and_nothing_is_written(tmp_path, monkeypatch, capsys):
    said = BENCHMARKS["gpqa-diamond"]
    out = tmp_path / "gpqa.parquet"
    with serving_hub(tmp_path / "hub", monkeypatch) as hub:
        hub.add(said.repo, {"gpqa_diamond.csv": b""}, commit=said.revision, gate=401)
        words = f"record --task gpqa-diamond --model openai/any --samples 2 --out {out}"
        assert main(words.split()) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and "is gated: accept its terms at" in told
    assert not list(tmp_path.glob("gpqa*"))
