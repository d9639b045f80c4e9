"""What a recording holds, told without reading all of it."""

import os
import subprocess
import sys

import pandas as pd
import pytest

from dynlab.recordings.overview import overview
from dynlab.recordings.recording import write


def test_counts_are_those_of_the_rows_without_greedy_ones(tmp_path, make_pool):
    parts = [
        make_pool({"q1": "aab", "q2": "ab"}, strategy="parallel"),
        make_pool({"q1": "aa", "q3": "b"}, strategy="integrated"),
        make_pool({"q1": "a", "q4": "b"}, strategy="greedy"),
    ]
    found = overview(write(pd.concat(parts), {}, tmp_path / "three.parquet"))
    assert (found.num_questions, found.num_samples) == (4, 8)
    assert found.strategies == ("greedy", "integrated", "parallel")


@pytest.mark.slow
def test_a_listing_imports_no_pandas():
    code = (
        "import sys; from dynlab.cli.parser import main; code = main(['recordings', 'list']);"
        " sys.exit(code or 'pandas' in sys.modules)"
    )
    listed = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert (listed.returncode, listed.stderr) == (0, "")
    assert "capitals--smollm2-135m " in listed.stdout and "public ones" in listed.stdout
