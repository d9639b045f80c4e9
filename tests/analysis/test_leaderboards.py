"""The leaderboard: its cells are those of `savings` and `differences`, its means those of its
cells.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dynlab._util.errors import InputError
from dynlab.analysis import leaderboard_cells
from dynlab.analysis.leaderboard_rows import CELLS
from dynlab.analysis.leaderboards import leaderboard, leaderboards, shown
from dynlab.analysis.metrics import curve_at
from dynlab.analysis.verbs import compare
from dynlab.cli.parser import main
from dynlab.policies.policy import Policy
from dynlab.policies.registry import names
from dynlab.policies.registry import sweep as settings
from dynlab.policies.stopping import AdaptiveConsistency, Doubling, EarlyStopping
from dynlab.policies.uniform import Uniform
from dynlab.recordings.recording import write
from dynlab.recordings.streams import streams_of
from dynlab.replay.loop import Curve, replay
from dynlab.replay.sweeps import curves_of
from dynlab.reports.tables import table

FEW = {"at": (4, 8), "replications": 12, "seed": 3, "progress": False}
QUICK = FEW | {"policies": ["ucb", "thompson"], "stopping": ["esc"]}


def two_of(random_pool):
    def named(name: str, seed: int) -> pd.DataFrame:
        frame = random_pool(30, 20, seed=seed)
        frame["question_id"] = f"{name}-" + frame["question_id"]
        frame.attrs["name"] = name
        return frame

    return [named("one", 1), named("two", 2)]


@pytest.fixture
def two(random_pool):
    return two_of(random_pool)


@pytest.fixture(scope="module")
def found(random_pool):
    return leaderboard(two_of(random_pool), **QUICK)


def row(table, policy, **where):
    for name, value in where.items():
        table = table[table[name] == value]
    (only,) = table[table["policy"] == policy].to_dict("records")
    return only


@pytest.mark.slow
def test_a_cell_s_saving_is_that_of_savings_and_its_difference_that_of_differences(two, found):
    comparison = compare(two, "ucb", FEW["at"], unit="tokens", replications=12, seed=3)
    gaps = comparison.differences()
    for at in FEW["at"]:
        saved = comparison.savings(at)
        for _, expected in saved.iterrows():
            cell = row(found.cells, "ucb", recording=expected["recording"], at=at)
            assert cell["saving"] == pytest.approx(expected["saving"], abs=1e-12)
            assert (cell["reached"], cell["flat"]) == (expected["reached"], expected["flat"])
            assert cell["saving_low"] <= cell["saving"] <= cell["saving_high"]
        for _, expected in gaps[gaps["at"] == at].iterrows():
            cell = row(found.cells, "ucb", recording=expected["recording"], at=at)
            assert cell["difference"] == pytest.approx(expected["difference"], abs=1e-12)


@pytest.mark.slow
def test_a_row_is_the_mean_of_its_cells_and_counts_them(found):
    for policy, cells in found.cells.groupby("policy"):
        got, steep = row(found.table, policy), cells[~cells["flat"]]
        assert got["saving"] == pytest.approx(steep["saving"].mean())
        for at in FEW["at"]:
            assert got[f"saving_{at}"] == pytest.approx(
                steep.loc[steep["at"] == at, "saving"].mean()
            )
            assert got[f"difference_{at}"] == pytest.approx(
                cells.loc[cells["at"] == at, "difference"].mean()
            )
            assert got[f"depth_{at}"] == pytest.approx(cells.loc[cells["at"] == at, "depth"].mean())
        assert got["worst_difference"] == cells["difference"].min()
        assert got["worst_saving"] == steep["saving"].min()
        assert (got["reached"], got["cells"]) == (steep["reached"].sum(), len(steep))
        worst = cells.loc[cells["difference"].idxmin()]
        assert (
            policy == "uniform" or got["worst_cell"] == f"{worst['recording']} at {worst['at']:g}"
        )


@pytest.mark.slow
def test_what_a_policy_is_behind_the_first_is_the_mean_paired_gap_of_their_cells(found):
    first = found.table.loc[found.table["kind"].isin(["allocator", "stopping"]), "policy"].iloc[0]
    steep = found.cells[~found.cells["flat"]].pivot(
        index=["recording", "at"], columns="policy", values="saving"
    )
    for policy in found.table["policy"]:
        got = row(found.table, policy)
        assert got["behind"] == pytest.approx((steep[first] - steep[policy]).mean())
        assert got["behind_low"] <= got["behind"] <= got["behind_high"]
    assert row(found.table, first)["behind_low"] == row(found.table, first)["behind_high"] == 0


@pytest.mark.slow
def test_uniform_differs_from_itself_by_nothing_and_the_oracle_bounds_everyone(found):
    columns = [f"difference_{at}{end}" for at in FEW["at"] for end in ("", "_low", "_high")]
    assert all(row(found.table, "uniform")[column] == 0 for column in columns)
    for at in FEW["at"]:
        assert (
            found.table[f"difference_{at}"].max() == row(found.table, "oracle")[f"difference_{at}"]
        )
    assert (
        found.table["policy"].iloc[0] == "oracle" and row(found.table, "oracle")["of_oracle"] == 1
    )
    others = found.table["saving"].tolist()
    assert others == sorted(others, reverse=True)


@pytest.mark.slow
def test_recordings_of_the_same_questions_are_resampled_together_others_apart(two):
    one = two[0]
    again = one.assign(model="other")
    again.attrs["name"] = "again"
    width = {}
    for name, recordings in {"one": [one], "same": [one, again], "apart": two}.items():
        own = row(leaderboard(recordings, **QUICK).table, "ucb")
        width[name] = own["difference_4_high"] - own["difference_4_low"]
    assert width["same"] == pytest.approx(width["one"])
    assert width["apart"] < width["one"]


@pytest.mark.slow
def test_your_own_policy_meets_the_same_draws(two):
    policies = {"mine": Uniform(), "both": Policy(Uniform(), Doubling()), "ucb": "ucb"}
    table = leaderboard(two, policies, "esc", **FEW).table
    mine, uniform = row(table, "mine"), row(table, "uniform")
    assert mine["kind"] == "yours" and row(table, "both")["kind"] == "yours"
    assert {k: v for k, v in mine.items() if k[:5] in ("savin", "diffe")} == {
        k: v for k, v in uniform.items() if k[:5] in ("savin", "diffe")
    }


@pytest.mark.slow
def test_your_own_stopping_rule_is_run_as_it_is_and_a_taken_name_is_refused(two):
    table = leaderboard(two, {"eager": AdaptiveConsistency(0.6)}, "esc", **FEW).table
    assert row(table, "eager")["kind"] == "yours"
    for name in ("ucb", "esc", "oracle", "greedy", "doubling"):
        with pytest.raises(InputError, match="already; give yours another name"):
            leaderboard(two, {name: Uniform()}, "esc", **FEW)


@pytest.mark.slow
def test_settings_of_one_allocator_stand_side_by_side(two):
    texts = [
        "ucb",
        "ucb(exploration=0.1)",
        "ucb(uncertainty=entropy, warmup=3)",
        "priced(thrift=0)",
    ]
    found = leaderboard(two[0], texts, "esc(window=3), esc", **FEW)
    assert {*texts, "uniform", "oracle", "esc(window=3)", "esc"} == set(found.table["policy"])
    eager, plain = (row(found.cells, text, at=8)["saving"] for text in texts[:2])
    assert eager != plain


@pytest.mark.slow
def test_without_targets_accuracy_is_the_self_consistency_rate(two):
    table = leaderboard([frame.drop(columns="target") for frame in two], **QUICK).table
    assert set(table["measure"]) == {"self-consistency rate"}
    assert np.isfinite(table["saving"]).all()


def test_cells_with_nothing_to_save_are_set_apart(make_pool):
    flat = make_pool({f"q{k}": "a" * 10 for k in range(5)})
    table = leaderboard(flat, "ucb", [], unit="samples", **FEW).table
    assert (
        (table["flat"] == 2).all() and (table["cells"] == 0).all() and table["saving"].isna().all()
    )
    assert (table["difference_4"] == 0).all()
    assert "" in shown(table)["saving at 4"].tolist()


@pytest.mark.slow
def test_a_greedy_answer_is_a_policy_of_one_sample(two):
    one = two[0].assign(strategy="parallel")
    greedy = one[one["sample_index"] == 0].assign(
        strategy="greedy", answer="a", completion_tokens=10
    )
    table = leaderboard(pd.concat([one, greedy]), **QUICK).table
    right = leaderboard(one, **QUICK).cells
    uniform = row(right, "uniform", at=4)["accuracy"]
    assert row(table, "greedy")["difference_4"] == pytest.approx(1 - uniform)
    assert row(table, "greedy")["saving_4"] > 0.7


@pytest.mark.slow
def test_policies_that_need_log_probabilities_are_played_where_they_are_recorded_and_stand_last(
    two,
):
    two[0]["mean_logprob"] = -np.random.default_rng(0).random(len(two[0]))
    two[0].loc[[0, 5], "mean_logprob"] = np.nan  # two take their question's mean
    del two[1]["mean_logprob"]
    table = leaderboard(two, stopping=[], **FEW).table
    for name in ("uab", "cisc", "deepconf"):
        assert row(table, name)["recordings"] == 1
    assert table["recordings"].is_monotonic_decreasing and "recordings" in shown(table)
    with pytest.raises(InputError, match="uab needs mean_logprob"):
        leaderboard(two[1], **QUICK | {"policies": ["uab"]})


@pytest.mark.slow
def test_a_row_names_its_paper_and_what_deviates(two):
    table = leaderboard(two, ["ucb", "okg-pets"], **FEW).table
    assert row(table, "okg-pets")["paper"] == "arXiv 2602.16745"
    assert row(table, "okg-pets")["deviates"].startswith("Deviation")
    assert row(table, "adaptive-consistency")["paper"] == "arXiv 2305.11860"
    assert row(table, "oracle")["paper"] == row(table, "oracle")["deviates"] == ""
    assert "okg-pets*" in shown(table)["policy"].tolist()


@pytest.mark.slow
def test_a_budget_beyond_a_recording_is_left_to_the_others(two, random_pool):
    short = random_pool(10, 6)
    found = leaderboard([two[0], short], **QUICK)
    assert len(found.cells[(found.cells["policy"] == "ucb") & (found.cells["at"] == 8)]) == 1
    assert "saving_8" not in leaderboard(short, **QUICK).table
    with pytest.raises(InputError, match="a budget from 4 on cannot be spent on them: lower it"):
        leaderboard(random_pool(5, 3), **QUICK)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"policies": ["ubc"]}, "did you mean 'ucb'"),
        ({"stopping": ["ecs"]}, "did you mean 'esc'"),
        ({"unit": "usd"}, "give a price"),
        ({"at": [1]}, "below the warm-up"),
    ],
)
def test_wrong_use_says_what_there_is(two, change, message):
    with pytest.raises(InputError, match=message):
        leaderboard(two, **QUICK | change)


@pytest.mark.parametrize(
    "rule", [AdaptiveConsistency(0.8), EarlyStopping(3), Doubling(0.7)], ids=lambda rule: rule.name
)
def test_a_swept_rule_ends_where_the_loop_ends_with_budget_to_spare(two, rule):
    from dynlab.recordings.recording import load

    streams = streams_of(load(two[0]))
    swept = curves_of(streams, {"it": [rule]}, unit="tokens", replications=9, seed=5)["it"]
    (played,) = replay(
        streams,
        [Policy(Uniform(), rule, warmup=1)],
        np.array([20.0]),
        unit="tokens",
        replications=9,
        seed=5,
    )
    np.testing.assert_allclose(swept.accuracy[-1], played.accuracy[0])
    for unit in ("samples", "tokens"):
        np.testing.assert_allclose(swept.spent[unit][-1], played.spent[unit][0])
    assert swept.depth[-1] == pytest.approx(played.depth[0])
    np.testing.assert_allclose(swept.spent["samples"][0], 1)


def test_sweeps_go_from_cheap_to_dear(two):
    from dynlab.recordings.recording import load

    for curve in curves_of(
        streams_of(load(two[0])),
        {name: settings(name) for name in names("stopping rule")},
        unit="samples",
        replications=5,
        seed=0,
    ).values():
        assert (np.diff(curve.budgets) >= 0).all() and curve.budgets[0] == 1


def test_between_checkpoints_a_curve_is_straight():
    steps = np.array([2.0, 4.0])
    curve = Curve(steps, np.array([[0.0], [1.0]]), {}, np.zeros((2, 1)), np.ones(2), np.ones(2))
    assert [float(curve_at(curve, curve.accuracy, b)[0]) for b in (2, 3, 4, 9)] == [0, 0.5, 1, 1]
    assert np.isnan(curve_at(curve, curve.accuracy, 1.5)).all()


@pytest.mark.slow
def test_the_command_prints_the_table_and_writes_numbers_and_figure(two, tmp_path, capsys):
    path = write(two[0], {}, tmp_path / "pool.parquet")
    given = [
        "--recording",
        str(path),
        "--at",
        "4,8",
        "--replications",
        "5",
        "--out",
        str(tmp_path / "out"),
    ]
    assert main(["leaderboard", *given]) == 0
    assert "saving at 8" in capsys.readouterr().out
    assert sorted(file.name for file in (tmp_path / "out").glob("[!.]*")) == [
        "leaderboard-cells.csv",
        "leaderboard.csv",
        "leaderboard.png",
        "leaderboard.svg",
        "manifest.json",
    ]
    table = pd.read_csv(tmp_path / "out" / "leaderboard.csv")
    assert {"oracle", "uniform", "ucb", "esc"} <= set(table["policy"])
    assert pd.read_csv(tmp_path / "out" / "leaderboard-cells.csv").columns.tolist() == CELLS
    assert main(["leaderboard", *given, "--unit", "token"]) == 2


@pytest.mark.slow
def test_policies_whose_curves_do_not_fit_together_are_played_in_parts(random_pool, monkeypatch):
    def tables():
        found = leaderboard(
            random_pool(),
            ["ucb", "okg-pets", "cisc"],
            "esc",
            [2, 4],
            replications=5,
            progress=False,
        )
        return found.table.to_csv(), found.cells.to_csv()

    together = tables()
    monkeypatch.setattr(leaderboard_cells, "_HELD", 1)
    assert tables() == together


@pytest.mark.slow
@pytest.mark.parametrize("parts", [1, 3])
def test_leaderboards_of_several_units_are_those_of_each(random_pool, monkeypatch, parts):
    if parts > 1:
        monkeypatch.setattr(leaderboard_cells, "_HELD", 1)
    args = (random_pool(12, 10), ["ucb", "priced"], "esc", [2, 4])
    how = {"replications": 5, "progress": False}
    for unit, board in leaderboards(*args, units=["tokens", "samples"], **how).items():
        alone = leaderboard(*args, unit=unit, **how)
        assert board.table.to_csv() == alone.table.to_csv()
        assert board.cells.to_csv() == alone.cells.to_csv()


@pytest.mark.benchmarks
def test_all_policies_take_less_than_a_minute(pool, capsys):
    import time

    start = time.perf_counter()
    leaderboard(pool(), replications=200, progress=False)
    seconds = time.perf_counter() - start
    with capsys.disabled():
        print(
            "\nleaderboard of all policies, 198 questions × 80 samples × 200 replications:"
            f" {seconds:.0f} s"
        )
    assert seconds < 60


@pytest.mark.slow
def test_at_a_recording_s_end_explorer_compare_and_leaderboard_say_the_same(random_pool, tmp_path):
    made = write(random_pool(12, 4, seed=5), {}, tmp_path / "short.parquet")
    common = {"unit": "samples", "replications": 12, "seed": 3}
    board = leaderboard([made], ["ucb"], ["esc"], at=(2, 4), progress=False, **common)
    comparison = compare([made], "ucb", [2, 4], **common)
    (note,) = comparison.limits()
    assert note in board.notes and note.startswith("short: B = 4 is all that is recorded")
    assert comparison.limits(2) == []
    for at, is_told in ((2, True), (4, False)):
        (saved,) = comparison.savings(at)["saving"]
        assert (saved == saved) is is_told
        assert row(board.cells, "ucb", at=at)["saving"] == pytest.approx(saved, nan_ok=True)
    assert "saves" in str(comparison.report()) and "n/a" in str(table(comparison.savings()))


def test_without_targets_compare_and_leaderboard_say_so_in_one_sentence(random_pool):
    frame = random_pool(8, 10, seed=6).drop(columns="target")
    common = {"unit": "samples", "replications": 4}
    board = leaderboard([frame], ["ucb"], ["esc"], at=(4,), progress=False, **common)
    assert [*board.notes] == compare([frame], "ucb", [4], **common).notes
    assert "self-consistency rate" in board.notes[0]
