"""A view that the panels draw."""

import pytest

from dynlab.explorer.compute import Workbench
from dynlab.explorer.state import Setting
from dynlab.recordings.recording import load


@pytest.fixture
def view(random_pool):
    bench = Workbench({"pool": load(random_pool(num_samples=24))})
    return bench.view(Setting("pool", budget=4, replications=20))
