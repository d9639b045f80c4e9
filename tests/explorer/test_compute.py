"""What the explorer computes: exactly the numbers of compare and savings, and nothing twice."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

import dynlab
from dynlab._util.errors import InputError
from dynlab.analysis import replays
from dynlab.explorer import compute
from dynlab.explorer.compute import Workbench
from dynlab.explorer.policy_choice import shared_settings
from dynlab.explorer.state import ControlValues
from dynlab.recordings.recording import write

SETTING = ControlValues("pool", budget=4, replications=25)


def compared(bench, setting):
    """`dynlab.compare` for a setting."""
    budgets = setting.budgets(bench.material("pool").longest)
    return dynlab.compare(
        bench.given["pool"],
        setting.policies,
        budgets,
        reference=shared_settings(setting.policies).reference,
        unit=setting.unit,
        replications=setting.replications,
        seed=setting.seed,
    )


def numbers(table):
    return table.drop(columns="allocator")  # there without the settings that have columns


@pytest.mark.slow
@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"unit": "tokens", "budget": 5},
        {"policies": ("uniform+esc(window=4)", "priced+esc(window=4)")},
        {"policies": ("thompson", "uniform", "oracle", "sequential-halving", "okg-beta")},
        {"policies": ("priced",), "budget": 8.5},
        {
            "policies": ("ucb(uncertainty=entropy, exploration=0.5, warmup=3, batch=4)", "uniform"),
            "seed": 7,
        },
        {"policies": ("uniform", "cisc"), "budget": 12},
        {"policies": ("uniform", "ucb(exploration=0.3)", "ucb(exploration=2)")},
    ],
    ids=str,
)
def test_a_view_has_the_numbers_of_compare(bench, changed):
    setting = replace(SETTING, **changed)
    list(bench.views(replace(SETTING, budget=6)))  # something is kept already, on another grid
    *_, view = bench.views(setting)
    assert setting.budget in setting.budgets(view.material.longest)
    wanted = compared(bench, setting)
    pd.testing.assert_frame_equal(numbers(view.curves), numbers(wanted.curves), check_exact=True)
    assert view.curves.attrs == wanted.curves.attrs
    saved = wanted.savings(setting.budget)
    pd.testing.assert_frame_equal(numbers(view.saved), numbers(saved), check_exact=True)
    gaps = wanted.differences(setting.budget)
    assert [(gap.value, gap.low, gap.high) for gap in view.gained.values()] == list(
        gaps[["difference", "low", "high"]].itertuples(index=False, name=None)
    )
    rows = view.curves[view.curves["budget"] == setting.budget]
    for name, spent in zip(rows["allocator"], rows[f"spent_{setting.unit}"], strict=True):
        assert view.spent[name].mean() == spent


@pytest.mark.slow
def test_the_first_view_is_coarse_and_the_last_is_fine(bench):
    views = list(bench.views(SETTING))
    assert [(view.coarse, view.replications) for view in views] == [
        (True, compute.COARSE),
        (False, 25),
    ]
    assert all(view.setting == SETTING for view in views)
    assert [view.coarse for view in bench.views(replace(SETTING, replications=20))] == [False]


@pytest.mark.slow
def test_only_policies_that_a_control_changes_are_played_again(bench, monkeypatch):
    played, drawn = [], []
    play, draw = replays.replay_in_units, compute.draws_of

    def replay(streams, policies, *budgets, **how):
        played.extend(policy.allocator.name for policy in policies)
        return play(streams, policies, *budgets, **how)

    monkeypatch.setattr(replays, "replay_in_units", replay)
    monkeypatch.setattr(compute, "draws_of", lambda *a: drawn.append(a[1:4]) or draw(*a))

    def asked(**changed):
        played.clear(), drawn.clear()
        list(bench.views(replace(SETTING, **changed)))
        return sorted(played), len(drawn)

    assert asked() == (["priced"] * 2 + ["ucb"] * 2 + ["uniform"] * 2, 2)
    assert asked() == ([], 0)
    assert asked(budget=9) == ([], 0)
    assert asked(policies=("uniform", "ucb(exploration=2)", "priced")) == (["ucb", "ucb"], 0)
    assert asked(policies=("uniform", "priced", "okg-beta")) == (["okg-beta", "okg-beta"], 0)
    later = ("uniform", "ucb(warmup=3)", "priced(warmup=3)")
    assert asked(policies=later) == (["priced", "priced", "ucb", "ucb"], 0)
    assert asked(seed=1)[1] == 2


@pytest.mark.slow
def test_memory_is_bounded_and_views_stay_the_same(bench, monkeypatch):
    *_, whole = bench.views(SETTING)
    monkeypatch.setattr(compute, "KEPT_BYTES", 1000)
    small = Workbench(bench.given)
    for seed in range(3):
        *_, view = small.views(replace(SETTING, seed=seed))
    assert not small._draws.values and len(small._curves.values) == 1
    *_, view = small.views(SETTING)
    pd.testing.assert_frame_equal(view.curves, whole.curves, check_exact=True)


def test_work_is_given_up_where_the_check_raises(bench):
    calls = []

    def check(*_):
        calls.append(1)
        if len(calls) == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        list(bench.views(SETTING, check))


def test_a_file_that_changed_is_read_again(tmp_path, make_pool):
    import os

    path = write(make_pool({"q1": "aab"}), {}, tmp_path / "pool.parquet")
    bench = Workbench()
    first = bench.material(str(path))
    assert bench.material(str(path)) is first and bench.material(str(path), "parallel") is first
    write(make_pool({"q1": "aab", "q2": "abb"}), {}, path)
    os.utime(path, ns=(1, 1))
    assert bench.material(str(path)).streams.num_questions == 2


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"policies": ()}, "no policy is chosen"),
        ({"policies": ("ubc",)}, "did you mean 'ucb'"),
        ({"budget": 1}, "below the warm-up of 2"),
        ({"budget": 30}, "holds 24 samples per question; lower the budget"),
        ({"unit": "usd"}, "budgets in usd need the column cost_usd"),
        ({"policies": ("ucb+esc:x",)}, "esc is set by its window, such as esc:20; not 'x'"),
        ({"policies": ("ucb+doubling:0",)}, "must be above 0"),
        ({"recording": "nowhere.parquet"}, "no file nowhere.parquet"),
    ],
    ids=str,
)
def test_wrong_settings_are_refused_in_one_line(bench, changed, said):
    with pytest.raises(InputError, match=said) as info:
        bench.view(replace(SETTING, **changed))
    assert "\n" not in str(info.value)
