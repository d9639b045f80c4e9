"""A Comparison: one replay behind all of its tables, settings side by side, and what it refuses."""

import pandas as pd
import pytest

from dynlab._util.errors import InputError
from dynlab.analysis import replays
from dynlab.analysis.verbs import compare, contrast, savings
from dynlab.plots.style import methods
from dynlab.policies.policy import Policy
from dynlab.policies.ucb import UCB
from dynlab.reports.tables import table

HOW = {"replications": 10, "seed": 3}
SETTINGS = ["uniform", "ucb", "ucb(exploration=0.3)", "priced(thrift=0.2)"]


@pytest.fixture
def played(monkeypatch):
    """The names of the policies of each replay, as they are played."""
    calls = []
    replay = replays.replay_in_units

    def counted(streams, policies, budgets, **how):
        calls.append([policy.text for policy in policies])
        return replay(streams, policies, budgets, **how)

    monkeypatch.setattr(replays, "replay_in_units", counted)
    return calls


@pytest.mark.slow
def test_all_tables_come_from_one_replay(random_pool, played):
    comparison = compare(random_pool(12, 20), ["ucb", "priced"], [2, 4, 8], **HOW)
    assert played == []
    for numbers in (
        comparison.curves,
        comparison.differences(),
        comparison.savings(),
        comparison.savings(4),
        comparison.greedy_vs_vote(),
    ):
        assert isinstance(numbers, pd.DataFrame)
    comparison.plot()
    assert "saves against uniform" in comparison.report()
    assert "UCB" in comparison._repr_html_()
    assert played == [["ucb", "priced", "uniform"]] or played == [["uniform", "ucb", "priced"]]


@pytest.mark.slow
def test_other_units_are_as_if_compared_in_them(random_pool):
    policies = ["uniform", "ucb", "thompson", "priced", "sequential-halving", "strategic", "oracle"]
    policies += ["uniform+esc(window=2)", "okg-pets(warmup=2, batch=3)"]
    for budgets in ([2, 4], [8]):  # within the recording, and to its end
        args = (random_pool(12, 10), policies, budgets)
        for unit, counted in compare(*args, **HOW).in_units(["tokens", "samples"]).items():
            alone = compare(*args, unit=unit, **HOW)
            pd.testing.assert_frame_equal(counted.curves, alone.curves, check_exact=True)
            pd.testing.assert_frame_equal(counted.savings(), alone.savings(), check_exact=True)


def test_units_share_a_replay_and_strategies_none(random_pool, played):
    pool = random_pool(12, 20)
    both = compare(pool, "ucb", [4], **HOW).in_units(["tokens", "samples"])
    assert [len(each.savings()) for each in both.values()] == [1, 1]
    assert played == [["uniform", "ucb"]]
    with pytest.raises(InputError, match="compare them anew"):
        contrast(pool, ["parallel"], budgets=[4]).in_units(["tokens"])


def test_what_was_played_before_changes_no_number(random_pool):
    pool = random_pool(12, 20)
    policies = ["uniform", "ucb", "sequential-halving", "oracle"]
    first = compare(pool, policies, [2, 4, 8], **HOW)
    first.savings([3, 5])
    pd.testing.assert_frame_equal(first.curves, compare(pool, policies, [2, 4, 8], **HOW).curves)
    alone = compare(pool, policies, [5], **HOW).differences()
    again = first.differences(5)
    pd.testing.assert_frame_equal(again, alone)


@pytest.mark.slow
def test_settings_of_one_allocator_stand_side_by_side(random_pool):
    comparison = compare(random_pool(12, 20), SETTINGS, [2, 4, 8], **HOW)
    curves = comparison.curves
    assert curves.groupby(["allocator", "exploration"], dropna=False, sort=False).ngroups == 4
    labels = [look.label for look, _ in methods(curves)]
    assert labels == ["uniform", "UCB, c = 1", "UCB, c = 0.3", "priced, thrift 0.2"]
    assert len({look.colour for look, _ in methods(curves)}) == 4
    (ax,) = comparison.plot().axes
    drawn = {text.get_text() for text in ax.texts} or {
        text.get_text() for text in ax.get_legend().get_texts()
    }
    assert set(labels) <= drawn
    assert comparison.differences(8)["allocator"].tolist() == SETTINGS[1:]
    assert table(curves).text["method"].tolist() == labels
    words = comparison.report()
    assert "UCB, c = 0.3 saves against uniform" in words and "UCB, c = 1 saves" in words


def test_a_text_is_policies_and_not_letters(random_pool):
    pool = random_pool(8, 10)
    found = compare(pool, "uniform, ucb(exploration=0.3, warmup=3)", [4], **HOW).curves
    assert found["allocator"].tolist() == ["uniform", "ucb"]
    assert found["warmup"].tolist() == [0, 3]
    with pytest.raises(InputError, match="did you mean 'ucb'"):
        compare(pool, "ubc", [4])


def test_objects_and_names_of_ones_own_are_policies_too(random_pool):
    pool = random_pool(8, 10)
    mine = {"eager": UCB(exploration=0.1), "slow": Policy(UCB(), batch=4)}
    assert compare(pool, mine, [4], **HOW).curves["allocator"].tolist() == ["eager", "slow"]
    text = compare(pool, "ucb(exploration=0.1)", [4], **HOW).curves
    given = compare(pool, UCB(exploration=0.1), [4], **HOW).curves
    pd.testing.assert_frame_equal(given, text)


def test_the_reference_is_played_and_not_shown_unless_asked(random_pool):
    pool = random_pool(12, 20)
    alone = compare(pool, "priced", [4, 8], reference="ucb", **HOW)
    beside = compare(pool, ["ucb", "priced"], [4, 8], reference="ucb", **HOW)
    assert set(alone.curves["allocator"]) == {"priced"}
    pd.testing.assert_frame_equal(alone.savings(), beside.savings())
    assert "Comparison of priced at budgets 4, 8" in repr(alone)


def test_a_stopping_rule_saves_against_uniform(random_pool):
    found = savings(random_pool(12, 20), ["uniform", "uniform+esc(window=3)"], 8, **HOW)
    assert found["stopping"].tolist() == ["esc(window=3)"]


def test_a_budget_as_text_is_refused(random_pool):
    with pytest.raises(InputError, match="budgets must be numbers, such as 2,4,8; not '42'"):
        compare(random_pool(4, 6), budgets="42")
    with pytest.raises(InputError, match="budget 1 is below the warm-up of 2"):
        compare(random_pool(4, 6), budgets=1)
