"""What a recording holds, told without reading all of it."""

import pandas as pd

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
