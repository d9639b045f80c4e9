"""Shared fixtures: pools that are recorded, shipped or made up on the spot; a solved task."""

from __future__ import annotations

import os
import shutil
import signal
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.made_up_pool import DATA

POOLS = Path(__file__).resolve().parents[3] / "shared" / "data" / "pools"


@pytest.fixture(autouse=True, scope="session")
def interruptible():
    """Ctrl-C reaches the tests that send it, also where a shell runs them in the background and has
    it ignored.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def figures_closed():
    """Closes every figure a test leaves open."""
    yield
    import sys

    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture
def pool():
    """The path of a pool by its name: the one under `tests/data`, or one that lies beside the
    project, without which the test is skipped.
    """

    def path(name: str = "made-up") -> Path:
        found = DATA / f"{name}.parquet"
        if not found.exists():
            found = POOLS / f"{name}.parquet"
        if not found.exists():
            pytest.skip(
                f"the recorded pool {name} is not beside the project ({os.path.relpath(found)})"
            )
        return found

    return path


@pytest.fixture(scope="session")
def make_pool():
    """A pool from answers by question: make_pool({"q1": "aab", "q2": "ab-"}, target="a"); '-' = no
    answer.
    """

    def frame(
        answers: dict[str, str], target: str | dict[str, str] | None = "a", **columns
    ) -> pd.DataFrame:
        rows = [
            {
                "question_id": question,
                "sample_index": index,
                "answer": "" if answer == "-" else answer,
            }
            for question, drawn in answers.items()
            for index, answer in enumerate(drawn)
        ]
        table = pd.DataFrame(rows)
        if target is not None:
            table["target"] = (
                table["question_id"].map(target) if isinstance(target, dict) else target
            )
        for name, values in columns.items():
            table[name] = values
        return table

    return frame


@pytest.fixture(scope="session")
def random_pool(make_pool):
    """A made-up pool of questions of all difficulties, for properties that must hold on any
    recording.
    """

    def frame(
        num_questions: int = 12, num_samples: int = 10, seed: int = 0, **columns
    ) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        chances = rng.dirichlet(np.full(4, 0.7), num_questions)
        drawn = {
            f"q{i:03}": "".join(rng.choice(list("abc-"), num_samples, p=chances[i]))
            for i in range(num_questions)
        }
        table = make_pool(drawn, **columns)
        table["completion_tokens"] = rng.integers(5, 60, len(table))
        table["prompt_tokens"] = 20
        table["mean_logprob"] = -rng.exponential(0.2, len(table))
        return table

    return frame


@pytest.fixture(scope="session")
def chrome(tmp_path_factory):
    """A browser, for tests that have looked whether there is one."""
    from helpers.browser import browser

    with browser(tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """The folder of a JupyterLab and its address."""
    from helpers.browser import jupyterlab

    scratch = tmp_path_factory.mktemp("lab")
    (folder := scratch / "work").mkdir()
    with jupyterlab(folder, scratch) as address:
        yield folder, address


@pytest.fixture
def sums_server():
    """A scripted server that knows sums, now and then."""
    from helpers.scripted_server import ScriptedServer
    from helpers.sums import answers

    with ScriptedServer(answers) as running:
        yield running


@pytest.fixture
def sums_model():
    """A scripted model in this process that knows sums, now and then."""
    from helpers.scripted_model import ScriptedModel
    from helpers.sums import answers

    return ScriptedModel(answers)


@pytest.fixture
def solve(sums_model, tmp_path):
    """dynlab.solve of the sums by the scripted model, at 1 and 2 USD per million tokens."""
    return partial(solved_sums, sums_model.endpoint(), tmp_path)


@pytest.fixture
def solve_by_http(sums_server, tmp_path):
    """The same by the scripted server, for tests of other processes and of errors."""
    from helpers.sums import endpoint_at

    return partial(solved_sums, endpoint_at(sums_server), tmp_path)


@pytest.fixture(scope="module")
def first_runs(tmp_path_factory):
    """What `solved` has run in this module: a model, and a folder for each run's settings."""
    from helpers.scripted_model import ScriptedModel
    from helpers.sums import answers

    return ScriptedModel(answers), tmp_path_factory.mktemp("runs"), {}


@pytest.fixture
def solved(first_runs, tmp_path):
    """As `solve`, for tests that change what a run left: each has a copy of a run made once."""
    model, folder, known = first_runs

    def run(**changes):
        key = repr(sorted(changes.items()))
        if key not in known:
            known[key] = solved_sums(model.endpoint(), folder / str(len(known)), **changes)
        own = tmp_path / "copy"
        shutil.copytree(known[key].path.parent, own)
        return replace(
            known[key],
            path=own / known[key].path.name,
            recording=own / known[key].recording.name,
        )

    return run


def solved_sums(endpoint, folder, /, out="answers.jsonl", **changes):
    """A live run on the sums."""
    import dynlab
    from dynlab.online.solver import forecast
    from helpers.flat_options import grouped
    from helpers.sums import TASK

    arguments = {
        "out": folder / out,
        "budget": 6,
        "concurrency": 6,
        "progress": False,
        "price": (1.0, 2.0),
    }
    model = changes.pop("model", endpoint)
    run = forecast if changes.pop("dry_run", False) else dynlab.solve
    return run(changes.pop("task", TASK), model, **grouped(**arguments | changes))
