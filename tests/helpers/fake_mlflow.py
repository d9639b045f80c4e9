"""A stand-in for MLflow's client that keeps what it is told, or fails, or never answers."""

from __future__ import annotations

import sys
import time
from types import ModuleType, SimpleNamespace
from typing import NamedTuple


class Metric(NamedTuple):
    key: str
    value: float
    timestamp: int
    step: int


class Param(NamedTuple):
    key: str
    value: str


class FakeMlflow:
    """All runs of all clients; `failing` is raised by a call's name, `slow_s` waits before each."""

    def __init__(self):
        self.uris, self.runs, self.failing, self.slow_s = [], [], {}, 0.0

    def client(self, tracking_uri):
        self.uris.append(tracking_uri)
        return self

    def _called(self, name):
        time.sleep(self.slow_s)
        if name in self.failing:
            raise self.failing[name]

    def get_experiment_by_name(self, name):
        self._called("get_experiment_by_name")
        return None

    def create_experiment(self, name):
        return f"experiment {name}"

    def create_run(self, experiment, run_name, tags):
        self._called("create_run")
        run = {"experiment": experiment, "name": run_name, "tags": tags, "status": "RUNNING"}
        self.runs.append(run | {"params": {}, "metrics": [], "texts": {}, "files": []})
        return SimpleNamespace(info=SimpleNamespace(run_id=len(self.runs) - 1))

    def log_batch(self, run, metrics=(), params=()):
        self._called("log_batch")
        assert len(metrics) <= 1000 and len(params) <= 100  # as the real one refuses
        self.runs[run]["metrics"] += metrics
        self.runs[run]["params"] |= dict(params)

    def log_text(self, run, text, name):
        self.runs[run]["texts"][name] = text

    def log_artifact(self, run, path):
        self.runs[run]["files"].append(path)

    def set_terminated(self, run, status):
        self.runs[run]["status"] = status


def tracked(monkeypatch, uri="http://user:hunter22@tracking.invalid") -> FakeMlflow:
    """Names a tracking server and puts the stand-in in the place of its client."""
    fake = FakeMlflow()
    module, entities = ModuleType("mlflow"), ModuleType("mlflow.entities")
    module.MlflowClient = fake.client
    entities.Metric, entities.Param = Metric, Param
    monkeypatch.setitem(sys.modules, "mlflow", module)
    monkeypatch.setitem(sys.modules, "mlflow.entities", entities)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.delenv("MLFLOW_EXPERIMENT_NAME", raising=False)
    return fake
