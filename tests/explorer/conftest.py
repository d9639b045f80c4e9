"""A workbench on a made-up pool, and a view of it."""

from dataclasses import replace

import pytest

from dynlab.explorer.compute import Workbench
from dynlab.explorer.state import ControlValues
from dynlab.recordings.recording import load


@pytest.fixture
def bench(random_pool):
    return Workbench({"pool": replace(load(random_pool(num_samples=24)), name="pool")})


@pytest.fixture
def view(bench):
    return bench.view(ControlValues("pool", budget=4, replications=20))
