"""Logs by the tools themselves, both ways: `make benchmarks
ARGS=tests/integration/test_real_logs.py`.

`DYNLAB_LOGGERS` names the `bin` folders of environments, as PATH does, with inspect_ai, lm_eval,
lighteval (with `huggingface_hub<1` and `xxhash<4`), evalscope and datasets, in one or in several.
Inspect View is looked at in a headless Chromium.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest
from helpers.browser import process, until

from dynlab.recordings.exports import export_recording
from dynlab.recordings.importing import import_recording
from dynlab.recordings.recording import Recording, load, right_of

pytestmark = pytest.mark.benchmarks

SCRIPTS = Path(__file__).parents[1] / "helpers" / "real_logs"
SEEN = "document.body?.innerText ?? ''"  # what a page shows
OFFLINE = {"HF_HUB_OFFLINE": "1", "PYTHONPATH": ""}


def told(package: str, script: str, *words: Path) -> dict:
    """What a script says in its last line, run where a package is installed."""
    command = [python_with(package), SCRIPTS / script, *words]
    run = subprocess.run(
        command, check=False, capture_output=True, text=True, env={**os.environ, **OFFLINE}
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return json.loads(run.stdout.strip().splitlines()[-1])


def python_with(package: str) -> Path:
    """The Python of the first environment in which a package is installed."""
    for folder in filter(None, os.environ.get("DYNLAB_LOGGERS", "").split(os.pathsep)):
        python = Path(folder) / "python"
        find = ["-c", f"import importlib.util as u; exit(u.find_spec({package!r}) is None)"]
        if subprocess.run([python, *find], check=False).returncode == 0:
            return python
    pytest.skip(f"DYNLAB_LOGGERS names no environment with {package}")


def imported(file: str, folder: Path, **options) -> Recording:
    return load(import_recording(file, None, folder / "made.parquet", **options))


def tokens_of(recording: Recording) -> int:
    return int(recording.frame[["prompt_tokens", "completion_tokens"]].sum().sum())


@pytest.mark.parametrize(
    ("package", "script", "kind", "num_samples"),
    [
        ("inspect_ai", "inspect_eval.py", "text", 8),
        ("lighteval", "lighteval_details.py", "integer", 24),
        ("evalscope", "evalscope_run.py", "choice", 20),
    ],
)
def test_what_is_imported_is_what_the_tool_reports(tmp_path, package, script, kind, num_samples):
    said = told(package, script, tmp_path)
    recording = imported(said["file"], tmp_path, kind=kind)
    assert len(recording.frame) == num_samples
    assert right_of(recording.frame).mean() == pytest.approx(said["right"])
    assert tokens_of(recording) == said["tokens"]
    assert said["right"] in [pytest.approx(value) for value in recording.card["reported"].values()]


def test_samples_of_lm_eval_are_imported_as_it_reports_them(tmp_path):
    said = told("lm_eval", "lm_eval_run.py", tmp_path)
    recording = imported(said["file"], tmp_path, kind="integer")
    first = recording.frame[recording.frame["sample_index"] == 0]
    assert len(recording.frame) == 24 and len(first) == 6
    assert recording.card["reported"] == said["reported"]
    assert right_of(first).mean() == pytest.approx(said["reported"]["exact_match,first"])
    # what is exported has every field of the tool's own lines
    written = export_recording(recording, "lm-eval", tmp_path / "samples_mine.jsonl").path
    lines = [Path(path).read_text().splitlines()[0] for path in (said["file"], written)]
    own, made = map(json.loads, lines)
    assert set(own) <= set(made) and own["resps"] == made["resps"]


def few(name: str) -> Recording:
    whole = load(name)
    held = whole.frame["question_id"].isin(sorted(whole.frame["question_id"].unique())[:3])
    return Recording(whole.frame[held].reset_index(drop=True), whole.card, whole.name)


def test_inspect_reads_what_is_exported(tmp_path):
    recording = few("capitals--smollm2-135m")
    written = export_recording(recording, "inspect", tmp_path / "log.eval").path
    said = told("inspect_ai", "inspect_read.py", written)
    frame, samples = recording.frame, said["samples"]
    assert len(samples) == said["summaries"] == len(frame)
    assert said["scores"] == {
        strategy: pytest.approx(share) for strategy, share in recording.counts()["right"].items()
    }
    marks = [(value, answer) for each in samples for value, answer in each["scores"].values()]
    right = ["C" if mark else "I" for mark in right_of(frame)]
    assert sorted(marks) == sorted(zip(right, frame["answer"], strict=True))
    assert {(each["question_id"], each["target"]) for each in samples} == set(
        frame[["question_id", "target"]].itertuples(index=False, name=None)
    )
    tokens = frame[["prompt_tokens", "completion_tokens"]].sum()
    assert [sum(pair) for pair in zip(*(each["tokens"][0] for each in samples), strict=True)] == [
        *tokens
    ]
    shown = [each for each in samples if len(each["messages"]) == 3]
    assert len(shown) == (frame["role"] == "chained").sum() > 0
    assert all("Sample 0:" in each["messages"][1] for each in shown)


def test_inspect_view_shows_a_chain(tmp_path, chrome):
    (tmp_path / "logs").mkdir()
    recording = few("capitals--smollm2-135m")
    export_recording(recording, "inspect", tmp_path / "logs" / "mine.eval")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = python_with("inspect_ai").with_name("inspect")
    address = f"http://127.0.0.1:{port}"
    view = [program, "view", "start", "--log-dir", tmp_path / "logs", "--port", str(port)]

    def up() -> bool:
        with suppress(OSError), urllib.request.urlopen(f"{address}/api/logs", timeout=2) as answer:
            return bool(answer.status == 200)
        return False

    question = recording.frame["question_id"].iloc[0]
    own = recording.frame[recording.frame["question_id"] == question]
    epoch = (own["strategy"] == "parallel").sum() + 5  # the first chained one behind four others
    with process(view, tmp_path / "view.log"):
        until(up, "Inspect View answers")
        with chrome.tab(f"{address}/#/logs/mine.eval") as tab:
            until(lambda: f"{len(recording.frame)} rows" in tab.js(SEEN), "the samples")
            tab.js(f"location.hash = '#/logs/mine.eval/samples/sample/{question}/{epoch}'")
            until(lambda: "Sample 3:" in tab.js(SEEN), "the chain")


def test_a_folder_for_the_hub_loads_as_a_data_set(tmp_path):
    recording = few("capitals--smollm2-135m")
    out = export_recording(recording, "hub", tmp_path / "set").path
    columns = ["question_id", "answer", "completion_tokens"]
    assert told("datasets", "data_set_read.py", out) == recording.frame[columns].values.tolist()
