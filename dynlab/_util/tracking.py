"""Runs logged to MLflow, where `MLFLOW_TRACKING_URI` names a server or a store; else nothing.

Logging comes last, when all that was paid for is on disk, and whatever fails in it is one line.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from dynlab._util.errors import InputError
from dynlab._util.redaction import scrubbed

URI = "MLFLOW_TRACKING_URI"
EXPERIMENT = "MLFLOW_EXPERIMENT_NAME"  # else the runs stand under `dynlab`
TEXTS = "DYNLAB_TRACK_TEXTS"  # 1 also logs recordings and answers, with their texts
_PATIENCE_S = 60.0  # the most that logging takes from a user
# MLflow by itself tries for many minutes to reach a server, and tells its makers that it is used
_SETTINGS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
_MOST = {"metrics": 1000, "params": 100}  # that MLflow takes at once
_LONGEST = 250  # letters of a parameter's value, or of a name
_OTHER = re.compile(r"[^\w\-. /]")  # what a name in MLflow cannot hold
_PRIVATE = re.compile(r"key|token$|secret|password|auth|header|base|url|body", re.IGNORECASE)

Point = tuple[str, float, float]  # a curve's name, the step, the value


@dataclass(frozen=True)
class TrackedRun:
    """What is logged of a run.

    Args:
        kind: record, solve or reproduce.
        name: What it is called.
        parameters: Settings by name; what may be a secret, or is no plain value, is left out.
        metrics: Numbers by name; unknown ones (None, NaN) are left out.
        curves: Points of curves, each a metric with steps. A store of files keeps a name's part
            before a slash as a folder: it can be no metric's whole name.
        files: What is kept with it.
        texts: Name of a further file → what stands in it.
    """

    kind: str
    name: str
    parameters: Mapping[str, Any]
    metrics: Mapping[str, float | None]
    curves: Sequence[Point] = ()
    files: Sequence[Path] = ()
    texts: Mapping[str, str] | None = None


def tracks_texts() -> bool:
    """Whether texts of a model are logged, too."""
    return os.environ.get(TEXTS) == "1"


def track(told: Callable[[], TrackedRun]) -> None:
    """Logs a run, where a tracking server is named; never raises, and never takes long.

    Args:
        told: Gives the run; called only where there is something to log it to.
    """
    uri = os.environ.get(URI)
    if not uri:
        return
    failures: list[BaseException] = []

    def work() -> None:
        try:
            with _settings():
                _log(told(), uri)
        except BaseException as error:
            failures.append(error)

    worker = Thread(target=work, name="dynlab-tracking", daemon=True)
    try:
        worker.start()
        worker.join(_PATIENCE_S)
        if worker.is_alive():
            failures.append(TimeoutError(f"no end after {_PATIENCE_S:g} s"))
    except KeyboardInterrupt:
        failures.append(InterruptedError("interrupted"))
    if failures:
        password = urlsplit(uri).password or ""
        why = scrubbed(failures[0], uri, password)
        print(f"dynlab: not logged to MLflow, all else is done: {why}", file=sys.stderr)


def plain(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Parameters as MLflow takes them: numbers, words and yes or no, none that may be a secret.

    >>> plain({"seed": 3, "api_key": "sk-1", "stop": ["\\n"], "model": "openai/gpt", "top_p": None})
    {'seed': '3', 'model': 'openai/gpt'}
    """
    return {
        name: scrubbed(ValueError(str(value)))[:_LONGEST]
        for name, value in parameters.items()
        if isinstance(value, str | int | float) and value != "" and not _PRIVATE.search(name)
    }


@contextmanager
def _settings() -> Iterator[None]:
    """MLflow's settings for the time of a block, where the user has not made them."""
    own = {name: value for name, value in _SETTINGS.items() if name not in os.environ}
    os.environ.update(own)
    try:
        yield
    finally:
        for name in own:
            os.environ.pop(name, None)


def _log(run: TrackedRun, uri: str) -> None:
    """Writes a run to a store, as its own client does: no run of the user's is touched."""
    try:
        from mlflow import MlflowClient
    except ImportError:
        raise InputError(
            f"{URI} is set and mlflow is not installed; run: pip install 'dynlab[mlflow]'"
        ) from None
    client = MlflowClient(tracking_uri=uri)
    tags = {"dynlab_command": run.kind}
    made = client.create_run(_experiment(client), run_name=_named(run.name), tags=tags)
    try:
        _fill(client, made.info.run_id, run)
    except BaseException:
        client.set_terminated(made.info.run_id, "FAILED")
        raise
    client.set_terminated(made.info.run_id, "FINISHED")


def _fill(client: Any, identity: str, run: TrackedRun) -> None:
    """Writes parameters, files and numbers into a run that was made."""
    from mlflow.entities import Metric, Param

    now = int(time.time() * 1000)
    points = [(name, 0.0, value) for name, value in run.metrics.items() if value is not None]
    seen = {
        (_named(name), round(step)): float(value)
        for name, step, value in [*points, *run.curves]
        if value == value
    }
    metrics = [Metric(name, value, now, step) for (name, step), value in seen.items()]
    params = [Param(_named(name), value) for name, value in plain(run.parameters).items()]
    for part in _parts(params, _MOST["params"]):
        client.log_batch(identity, params=part)
    for name, text in (run.texts or {}).items():
        client.log_text(identity, text, name)
    for file in run.files:
        client.log_artifact(identity, str(file))
    for part in _parts(metrics, _MOST["metrics"]):
        client.log_batch(identity, metrics=part)


def _experiment(client: Any) -> str:
    """The identity of the experiment, which is made where there is none."""
    name = os.environ.get(EXPERIMENT) or "dynlab"
    found = client.get_experiment_by_name(name)
    return str(client.create_experiment(name) if found is None else found.experiment_id)


def _named(name: str) -> str:
    return _OTHER.sub("_", name)[:_LONGEST]


def _parts(items: Sequence[Any], most: int) -> Iterable[Sequence[Any]]:
    return (items[start : start + most] for start in range(0, len(items), most))
