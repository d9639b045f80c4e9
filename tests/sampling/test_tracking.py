"""MLflow is told of runs where it is named, of no secret and no text, and can stop nothing."""

import json
import os
import sys

import numpy as np
import pandas as pd
import pytest
from helpers.fake_mlflow import tracked

from dynlab._util import tracking
from dynlab._util.tracking import TrackedRun, track
from dynlab.pipeline.tracked_figures import tracked_figures
from dynlab.recordings.recording import write
from dynlab.sampling.tracked_recording import track_recording

RUN = TrackedRun("record", "record mine", {"seed": 1}, {"samples": 4.0, "cost_usd": None})
SAID = "dynlab: not logged to MLflow, all else is done: "


@pytest.fixture
def recorded(tmp_path, make_pool):
    """A recording with texts, and settings of which some are nobody's business."""
    frame = make_pool({"q1": "aab", "q2": "ab-"}, text="what the model said")
    frame["question"] = "what was asked"
    settings = {
        "strategy": "parallel",
        "temperature": 0.7,
        "max_tokens": 64,
        "top_k": None,
        "stop": ["what was asked"],
        "api_base": "https://name:word@host",
        "api_key": "sk-abcdefghijklmnop",
        "extra_body": {"user": "me"},
        "note": "my-secret-value",
    }
    card = {"model": "openai/gpt", "design": "fixed", "settings": settings, "samples": 6}
    return write(frame, card, tmp_path / "mine.parquet")


def test_without_a_server_nothing_is_imported_asked_or_said(monkeypatch, capsys):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setitem(sys.modules, "mlflow", None)  # to import it would be an error
    track(lambda: pytest.fail("nobody is to be told"))
    assert capsys.readouterr() == ("", "")


def test_a_recording_s_settings_sums_and_curves_are_logged(monkeypatch, recorded, capsys):
    fake = tracked(monkeypatch)
    track_recording("record", recorded)
    (run,) = fake.runs
    assert (run["name"], run["experiment"]) == ("record mine", "experiment dynlab")
    assert run["status"] == "FINISHED" and run["tags"] == {"dynlab_command": "record"}
    assert run["params"]["model"] == "openai/gpt" and run["params"]["temperature"] == "0.7"
    assert run["params"]["max_tokens"] == "64" and "top_k" not in run["params"]
    values = {(metric.key, metric.step): metric.value for metric in run["metrics"]}
    assert values["samples", 0] == 6 and values["questions", 0] == 2
    assert values["right", 0] == pytest.approx(3 / 6) and values["no_answer", 0] == 1 / 6
    assert [values["right by index/parallel", step] for step in range(3)] == [1.0, 0.5, 0.0]
    assert json.loads(run["texts"]["recording.json"])["strategies"]["parallel"]["samples"] == 6
    assert capsys.readouterr() == ("", "")


def test_neither_texts_nor_secrets_nor_the_environment_are_logged(monkeypatch, recorded):
    monkeypatch.setenv("MY_API_KEY", "my-secret-value")
    fake = tracked(monkeypatch)
    track_recording("record", recorded)
    (run,) = fake.runs
    assert run["files"] == []
    logged = json.dumps(run)
    for private in ("said", "asked", "sk-abc", "name:word", "hunter22", "my-secret", "extra_body"):
        assert private not in logged
    assert not [value for value in os.environ.values() if len(value) > 12 and value in logged]


def test_texts_are_logged_where_they_are_asked_for(monkeypatch, recorded, tmp_path):
    fake = tracked(monkeypatch)
    monkeypatch.setenv("DYNLAB_TRACK_TEXTS", "1")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "mine")
    track_recording("solve", recorded, tmp_path / "answers.jsonl")
    (run,) = fake.runs
    assert run["files"] == [str(recorded), str(tmp_path / "answers.jsonl")]
    assert run["experiment"] == "experiment mine"


@pytest.mark.parametrize(
    ("call", "status"),
    [("get_experiment_by_name", []), ("create_run", []), ("log_batch", ["FAILED"])],
)
def test_a_server_that_fails_is_one_line_without_its_secrets(call, status, monkeypatch, capsys):
    fake = tracked(monkeypatch)
    fake.failing[call] = RuntimeError(f"no {fake.client} at\nhttp://user:hunter22@tracking.invalid")
    track(lambda: RUN)
    told = capsys.readouterr().err
    assert told.startswith(SAID) and told.count("\n") == 1 and "hunter22" not in told
    assert [run["status"] for run in fake.runs] == status


def test_what_cannot_even_be_told_is_one_line(monkeypatch, tmp_path, capsys):
    tracked(monkeypatch)
    track_recording("record", tmp_path / "gone.parquet")
    assert capsys.readouterr().err.startswith(f"{SAID}no file")


def test_a_server_that_never_answers_is_left(monkeypatch, capsys):
    fake = tracked(monkeypatch)
    fake.slow_s = 0.15
    monkeypatch.setattr(tracking, "_PATIENCE_S", 0.05)
    track(lambda: RUN)
    assert capsys.readouterr().err == f"{SAID}no end after 0.05 s\n"


def test_a_missing_package_is_told_with_what_installs_it(monkeypatch, capsys):
    tracked(monkeypatch)
    monkeypatch.setitem(sys.modules, "mlflow", None)
    track(lambda: RUN)
    assert "pip install 'dynlab[mlflow]'" in capsys.readouterr().err


def test_settings_of_the_client_are_put_back_and_the_user_s_are_kept(monkeypatch):
    fake, name = tracked(monkeypatch), "MLFLOW_HTTP_REQUEST_TIMEOUT"
    monkeypatch.setenv(name, "77")
    monkeypatch.delenv("MLFLOW_DISABLE_TELEMETRY", raising=False)
    during = []
    client = fake.client

    def looking(tracking_uri):
        during.append((os.environ[name], os.environ["MLFLOW_DISABLE_TELEMETRY"]))
        return client(tracking_uri)

    sys.modules["mlflow"].MlflowClient = looking
    track(lambda: RUN)
    assert during == [("77", "true")]
    assert os.environ[name] == "77" and "MLFLOW_DISABLE_TELEMETRY" not in os.environ


def test_figures_are_logged_with_their_curves_and_no_page(monkeypatch, tmp_path):
    fake = tracked(monkeypatch)
    rows = [("a--b", "ucb", 4, 0.5), ("a--b", "ucb", 8, 0.6), ("a--b", "uniform", 4, np.nan)]
    table = pd.DataFrame(rows * 400, columns=["recording", "allocator", "budget", "accuracy"])
    table["recording"] = [f"{name}{row // 3}" for row, name in enumerate(table["recording"])]
    table.to_csv(tmp_path / "01-one.csv", index=False)
    for name in ("01-one.svg", "index.html", "02-none.csv"):
        (tmp_path / name).write_text("x\n1\n")
    given = {"recordings": ["a--b"], "quick": True, "model": ""}
    track(lambda: tracked_figures(tmp_path, ["01-one", "02-none"], ["saved 44 %"], given))
    (run,) = fake.runs
    assert run["params"] == {"recordings": "a--b", "quick": "True"}
    assert [path.rpartition("/")[2] for path in run["files"]] == [
        *("01-one.svg", "01-one.csv"),
        "02-none.csv",
    ]
    assert run["texts"] == {"headlines.txt": "saved 44 %\n"}
    points = {(metric.key, metric.step): metric.value for metric in run["metrics"]}
    assert points["01-one/accuracy a--b0 ucb", 8] == 0.6 and len(points) == 801
