"""What is left to gain: gains against those counted by hand, and an index that knows the targets is
no worse.
"""

import numpy as np
import pytest

from dynlab.analysis.learned_index import COLUMNS, LEARNED, headroom, learn
from dynlab.analysis.verbs import savings
from dynlab.plots.contrasts import plot_contrast_savings
from dynlab.policies.registry import names
from dynlab.recordings.recording import load
from dynlab.recordings.streams import streams_of


@pytest.mark.slow
def test_gains_are_those_of_all_orders(make_pool):
    # aab, aba, baa alike: right after 1 sample ⅔, after 2 ⅔ (ties ½), after 3 always. One each: ½,
    # then right.
    learned = learn(streams_of(load(make_pool({"q": "aab"}))), "samples", replications=6000)
    usual = 2  # the class of a price of 1
    assert learned.gains[1, 1, 0, usual] == pytest.approx(1 / 6, abs=0.01)
    assert learned.gains[2, 1, 1, usual] == 0.5
    assert learned.gains[2, 2, 0, usual] == 0
    assert learned.gains[0, 0, 0, usual] == pytest.approx(2 / 3, abs=0.02)


def test_where_nothing_can_be_gained_no_gain_is_learned(make_pool):
    assert (
        not learn(streams_of(load(make_pool({"q": "aaaa", "r": "bbbb"}))), "samples")
        .gains[1:]
        .any()
    )


@pytest.mark.slow
def test_who_knows_the_targets_saves_no_less_and_the_rule_saves_what_savings_say(random_pool):
    frame = random_pool(num_questions=40, num_samples=32)
    how = {"at": [4, 8], "unit": "tokens", "replications": 40}
    table = headroom(frame, **how)
    assert list(table.columns) == COLUMNS and set(table["method"]) == {"priced", LEARNED}
    ours = table[table["method"] == "priced"]
    assert ours["saving"].tolist() == pytest.approx(
        savings(frame, "priced", **how)["saving"].tolist()
    )
    assert table.loc[table["method"] == LEARNED, "saving"].mean() > ours["saving"].mean()


def test_it_is_no_policy_that_a_user_can_choose():
    assert LEARNED not in names("allocator")


@pytest.mark.slow
def test_states_beyond_the_table_count_as_its_last(random_pool):
    frame = random_pool(num_questions=4, num_samples=64)
    assert np.isfinite(headroom(frame, at=[16], unit="samples", replications=4)["saving"]).all()


@pytest.mark.slow
def test_panels_that_are_held_against_each_other_have_the_same_axis(random_pool):
    table = headroom(
        random_pool(num_questions=20, num_samples=32), at=[4, 8], unit="samples", replications=10
    )
    ours = table["method"] == "priced"
    table[["low", "saving", "high"]] = np.where(
        ours.to_numpy()[:, None], [0.2, 0.3, 0.4], [0.05, 0.1, 0.2]
    )
    figure = plot_contrast_savings(table)
    assert len(figure.axes) > 1 == len({ax.get_xlim() for ax in figure.axes})
