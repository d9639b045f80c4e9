"""Settings against one another: paired differences, and luck that is not mistaken for skill."""

import numpy as np
import pandas as pd
import pytest

from dynlab._util.errors import InputError
from dynlab.analysis.replays import Setup
from dynlab.analysis.sensitivity import Sensitivity, in_batches, settings_grid
from dynlab.analysis.verbs import compare
from dynlab.reports import sensitivity as sensitivity_reading

HOW = {"replications": 10, "seed": 3}


def made_up(gains, cells=None):
    """A Sensitivity of given gains [M, Q] of each recording."""
    number = gains[0].shape[0]
    settings = pd.DataFrame(
        {
            "allocator": "ucb",
            "uncertainty": "entropy",
            "exploration": np.arange(number) + 1.0,
            "warmup": 2,
            "batch": 1,
        }
    )
    names = tuple(f"r{k}" for k in range(len(gains)))
    depths = tuple(np.ones(number) for _ in gains)
    return Sensitivity(settings, names, tuple(gains), depths, (8.0,), "accuracy", Setup(**HOW))


def test_a_cell_is_the_paired_difference_of_its_setting(random_pool):
    pool = random_pool(12, 10)
    settings = settings_grid(["entropy"], [0.5, 2], [2, 3])
    table = Sensitivity.of(compare(pool, settings, [4, 6], **HOW)).table()
    assert len(table) == 4
    for _, cell in table.iterrows():
        text = "ucb(uncertainty=entropy, exploration={exploration}, warmup={warmup})".format(**cell)
        expected = compare(pool, text, [4, 6], **HOW).differences()["difference"].mean()
        assert cell["difference"] == pytest.approx(expected)
        assert cell["low"] <= cell["difference"] <= cell["high"]


def test_rounds_wait_less_and_a_batch_of_one_is_the_plain_allocator(random_pool):
    pool = random_pool(12, 10)
    table = Sensitivity.of(compare(pool, in_batches("ucb", [1, 8]), 6, **HOW)).each()
    assert table["depth"].iloc[0] == 1 + 12 * 4  # the warm-up, then one pull after another
    assert table["depth"].iloc[1] == 1 + 12 * 4 / 8
    assert table["difference"].iloc[0] == pytest.approx(
        compare(pool, "ucb", 6, **HOW).differences()["difference"].iloc[0]
    )


def test_a_budget_that_a_recording_does_not_hold_counts_as_all_that_it_holds(make_pool):
    pool = make_pool({"q1": "abab", "q2": "aabb"})
    table = Sensitivity.of(compare(pool, settings_grid(), [4, 99], **HOW)).table()
    assert (table["difference"] == 0).all()  # all is drawn


def test_the_best_of_many_alike_cells_looks_good_only_where_it_was_chosen():
    rng = np.random.default_rng(0)
    noise = made_up([rng.normal(size=(200, 80)) for _ in range(3)])
    best, half, others = (row for _, row in noise.chosen().iterrows())
    assert best["open"] and best["low"] > 0  # its interval does not know that it was chosen
    assert abs(half["difference"]) < 0.1 < best["difference"] and half["low"] < 0 < half["high"]
    assert abs(others["difference"]) < 0.2 and others["low"] < others["high"]


def test_a_cell_that_is_truly_better_is_found_on_held_out_questions_too():
    rng = np.random.default_rng(1)
    gains = [0.1 * rng.normal(size=(20, 60)) for _ in range(2)]
    for gain in gains:
        gain[7] += 1
    found = made_up(gains).chosen()
    np.testing.assert_allclose(found["difference"], 1, atol=0.05)


def test_choosing_on_the_other_recordings_is_enumerated():
    gains = [
        np.array([[1.0, 1.0], [0.0, 0.0], [0.4, 0.6]]),
        np.array([[0.0, 0.0], [3.0, 3.0], [2.0, 2.0]]),
    ]
    row = made_up(gains).chosen().set_index("how").loc["best cell of the other recordings"]
    assert row["difference"] == np.mean(
        [0.0, 0.0]
    )  # cell 1 of the other on the first, cell 0 of the first on the other
    three = [*gains, np.array([[0.0, 0.0], [0.0, 0.0], [4.0, 4.0]])]
    row = made_up(three).chosen().set_index("how").loc["best cell of the other recordings"]
    assert row["difference"] == pytest.approx(
        np.mean([0.5, 2.0, 0.0])
    )  # cells 2, 2 and 1 are chosen


def test_how_many_cells_are_behind_the_best_is_paired():
    rng = np.random.default_rng(2)
    shared = 10 * rng.normal(
        size=60
    )  # all cells share what is hard: only pairing sees the small difference
    worse, level = made_up([np.stack([shared + 1, shared + 1, shared])]).behind_best()
    assert (worse, level) == (1, 1)


@pytest.mark.slow
def test_words_name_the_worst_the_best_and_the_default(random_pool):
    grid = Sensitivity.of(compare(random_pool(12, 10), settings_grid(), [4, 6], **HOW))
    cells = grid.table()
    text = sensitivity_reading.of_settings(cells, *grid.behind_best(), 1)
    best = cells.loc[cells["best"]].iloc[0]
    assert f"{best['difference']:+.3f} [{best['low']:+.3f}, {best['high']:+.3f}]" in text
    rank = (
        1
        + (
            cells["difference"]
            > cells.query("uncertainty == 'top-share' and exploration == 1 and warmup == 2")[
                "difference"
            ].iloc[0]
        ).sum()
    )
    assert f"has rank {rank}" in text
    assert "It was the best of 96" in text


def test_an_unknown_uncertainty_is_refused():
    with pytest.raises(InputError, match="did you mean 'entropy'"):
        settings_grid(["entropie"])
