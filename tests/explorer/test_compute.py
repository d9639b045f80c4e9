"""What the explorer computes: exactly the numbers of compare and savings, and nothing twice."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import papermill.iorw
import pytest

from dynlab._util.errors import InputError
from dynlab.analysis.verbs import compare
from dynlab.explorer import compute as workbench
from dynlab.explorer.compute import Kept, Workbench
from dynlab.explorer.export import code_of, parameters_of, save_parameters
from dynlab.explorer.state import Setting, horizon
from dynlab.recordings.recording import load, write

SETTING = Setting("pool", budget=4, replications=25)


@pytest.fixture
def bench(random_pool):
    return Workbench({"pool": replace(load(random_pool(num_samples=24)), name="pool")})


def comparison(recording, setting, budgets, names, reference):
    """What `compare` makes of a setting's policies."""
    options = setting.options()
    return compare(
        recording,
        {name: name if name == "oracle" else options.policy(name) for name in names},
        budgets,
        reference=reference,
        strategies=options.strategy,
        unit=options.unit,
        price=options.price,
        replications=options.replications,
        seed=options.seed,
    )


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"unit": "tokens", "budget": 5},
        {"stopping": "esc:4", "allocators": ("uniform", "priced")},
        {"allocators": ("thompson", "uniform", "oracle", "sequential-halving", "okg-beta")},
        {"allocators": ("priced",), "budget": 8.5},
        {"warmup": 3, "batch": 4, "exploration": 0.5, "uncertainty": "entropy", "seed": 7},
        {"allocators": ("uniform", "cisc"), "budget": 12},
    ],
    ids=str,
)
def test_a_view_has_the_numbers_of_compare_savings_and_differences(bench, changed):
    setting = replace(SETTING, **changed)
    recording, options = bench.given["pool"], setting.options()
    plain = f"uniform(warmup={options.opening})"
    list(bench.views(replace(SETTING, budget=6)))  # something is kept already, on another grid
    *_, view = bench.views(setting)
    budgets = setting.budgets(view.material.longest)
    assert setting.budget in budgets
    curves = comparison(recording, setting, budgets, setting.allocators, plain).curves
    pd.testing.assert_frame_equal(view.curves, curves, check_exact=True)
    assert view.curves.attrs == curves.attrs
    rivals = list(view.gained)
    if rivals:
        saved = comparison(recording, setting, [setting.budget], rivals, plain).savings()
        pd.testing.assert_frame_equal(view.saved, saved, check_exact=True)
    against = options.policy("uniform")  # stopped like the others
    own = comparison(recording, setting, [setting.budget], rivals or ["uniform"], against)
    gaps = own.differences()
    assert [(gap.value, gap.low, gap.high) for gap in view.gained.values()] == list(
        gaps[["difference", "low", "high"]].itertuples(index=False, name=None)
    )
    rows = curves[
        (curves["budget"] == setting.budget) & curves["allocator"].isin(setting.allocators)
    ]
    for name, spent in zip(rows["allocator"], rows[f"spent_{setting.unit}"], strict=True):
        assert view.spent[name].mean() == spent


def test_the_first_view_is_coarse_and_the_last_is_fine(bench):
    views = list(bench.views(SETTING))
    assert [(view.coarse, view.replications) for view in views] == [
        (True, workbench.COARSE),
        (False, 25),
    ]
    assert all(view.setting == SETTING for view in views)
    assert [view.coarse for view in bench.views(replace(SETTING, replications=20))] == [False]


def test_only_policies_that_a_control_changes_are_played_again(bench, monkeypatch):
    played, drawn = [], []
    monkeypatch.setattr(
        workbench,
        "replay",
        lambda s, p, *a, **k: played.append(p[0].allocator.name) or real(s, p, *a, **k),
    )
    monkeypatch.setattr(workbench, "draws_of", lambda *a: drawn.append(a[1:4]) or draw(*a))

    def asked(**changed):
        played.clear(), drawn.clear()
        list(bench.views(replace(SETTING, **changed)))
        return sorted(played), len(drawn)

    assert asked() == (["priced"] * 2 + ["ucb"] * 2 + ["uniform"] * 2, 2)
    assert asked() == ([], 0)
    assert asked(budget=9) == ([], 0)
    assert asked(exploration=2.0) == (["ucb", "ucb"], 0)
    assert asked(allocators=("uniform", "priced", "okg-beta")) == (["okg-beta", "okg-beta"], 0)
    assert asked(warmup=3) == (["priced", "priced", "ucb", "ucb"], 0)
    assert asked(seed=1)[1] == 2


real, draw = workbench.replay, workbench.draws_of


def test_memory_is_bounded_and_views_of_what_is_too_large_to_keep_are_the_same(bench, monkeypatch):
    *_, whole = bench.views(SETTING)
    monkeypatch.setattr(workbench, "KEPT_BYTES", 1000)
    small = Workbench(bench.given)
    for seed in range(3):
        *_, view = small.views(replace(SETTING, seed=seed))
    assert not small._draws.values and len(small._curves.values) == 1
    *_, view = small.views(SETTING)
    pd.testing.assert_frame_equal(view.curves, whole.curves, check_exact=True)


def test_the_least_used_is_forgotten_first():
    kept = Kept(most=3)
    for letter in "abc":
        kept.put(letter, letter, 1)
    assert kept.get("a") == "a"
    kept.put("d", "d", 2)
    assert list(kept.values) == ["a", "d"]


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


def test_questions_are_ordered_from_easy_to_hard(make_pool):
    answers = {"easy": "aaaa", "split": "aabb", "wrong": "bbbb", "torn": "abcd"}
    known = Workbench({"p": load(make_pool(answers))}).material("p")
    assert known.wrong.tolist() == [
        0,
        0.5,
        0.75,
        1,
    ]  # easy, split, torn, wrong: questions are sorted by id
    ids = np.array(known.streams.question_ids)
    assert ids[known.order("accuracy")].tolist() == ["easy", "split", "torn", "wrong"]
    assert ids[known.order("disagreement")].tolist() == ["easy", "wrong", "split", "torn"]
    unknown = Workbench({"p": load(make_pool(answers, target=None))}).material("p")
    assert ids[unknown.order("accuracy")].tolist()[-1] == "torn"  # no targets: by disagreement


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"allocators": ()}, "no policy is chosen"),
        ({"allocators": ("ubc",)}, "did you mean 'ucb'"),
        ({"budget": 1}, "below the warm-up of 2"),
        ({"budget": 30}, "holds 24 samples per question; lower the budget"),
        ({"unit": "usd"}, "budgets in usd need the column cost_usd"),
        ({"stopping": "esc:x"}, "esc is set by its window, such as esc:20; not 'x'"),
        ({"stopping": "doubling:0"}, "must be above 0"),
        ({"recording": "nowhere.parquet"}, "no file nowhere.parquet"),
    ],
    ids=str,
)
def test_wrong_settings_are_refused_in_one_line(bench, changed, said):
    with pytest.raises(InputError, match=said) as info:
        bench.view(replace(SETTING, **changed))
    assert "\n" not in str(info.value)


@pytest.mark.parametrize("budget", [2, 8, 16, 17, 23.5, 40])
def test_the_horizon_holds_all_that_a_saving_asks_for(budget):
    assert horizon(budget, 1000) >= 2 * budget and horizon(budget, 30) <= 30


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {
            "allocators": ("priced", "oracle"),
            "unit": "tokens",
            "stopping": "esc:4",
            "warmup": 3,
            "exploration": 0.25,
            "seed": 3,
        },
    ],
    ids=str,
)
def test_copied_code_gives_the_numbers_of_the_view(bench, changed, tmp_path):
    path = write(bench.given["pool"].frame, {}, tmp_path / "my pool.parquet")
    setting = replace(SETTING, recording=str(path), **changed)
    view = bench.view(setting)
    made: dict = {}
    exec(code_of(setting, view.material.longest), made)
    pd.testing.assert_frame_equal(made["curves"], view.curves, check_exact=True)
    pd.testing.assert_frame_equal(made["savings"], view.saved, check_exact=True)
    made = {"recording": load(path)}
    exec(code_of(setting, view.material.longest, named=False), made)
    pd.testing.assert_frame_equal(made["curves"], view.curves, check_exact=True)


def test_saved_parameters_are_read_by_papermill_and_known_to_the_notebooks(
    bench, tmp_path, monkeypatch
):
    from dynlab._util.shipped_files import named

    monkeypatch.chdir(tmp_path)
    write(bench.given["pool"].frame, {}, tmp_path / "pool 'a'.parquet")
    setting = replace(
        SETTING, recording="pool 'a'.parquet", stopping="doubling:0.9", exploration=0.3
    )
    path = save_parameters(setting, 24, tmp_path / "here")
    assert path == tmp_path / "here" / "explorer-pool-a-.yaml"
    loaded = papermill.iorw.read_yaml_file(str(path))
    assert loaded == parameters_of(setting, 24) | {"recording": str(tmp_path / "pool 'a'.parquet")}
    for notebook, unknown in (
        ("07-explorer", {"units"}),
        ("01-accuracy-vs-cost", {"unit", "budget", "stopping"}),
    ):
        known = papermill.inspect_notebook(str(named("notebooks", (".ipynb",))[notebook]))
        assert set(loaded) - set(known) == unknown
        for name in set(loaded) - unknown:
            assert type(loaded[name]).__name__ == known[name]["inferred_type_name"]
    with pytest.raises(InputError, match="write the recording to a file first"):
        save_parameters(replace(setting, recording="gone.parquet"), 24)


def test_parameters_give_the_setting_back(bench):
    setting = replace(SETTING, stopping="esc:4", warmup=3, allocators=("priced", "oracle"))
    made = parameters_of(setting, 24)
    assert json.loads(json.dumps(made)) == made
    for name, absent in (("strategy", ""), ("units", None), ("budgets", None)):
        made.pop(name) if absent is None else made.update({name: None})
    assert Setting(**{**made, "allocators": tuple(made["allocators"])}) == setting
