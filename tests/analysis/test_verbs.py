"""Strategies against one another: equal cost in a common currency, paired over questions, depth
capped.
"""

import numpy as np
import pandas as pd
import pytest

from dynlab._util.errors import InputError
from dynlab.analysis.depths import at_depth
from dynlab.analysis.resamples import question_resamples
from dynlab.analysis.verbs import ABLATION, compare, contrast

OPTIONS = {"replications": 40, "seed": 3}


@pytest.fixture
def recorded(random_pool):
    """Pools of 12 questions and chains on 10 of them: parallel samples of 30 tokens, chained ones
    of 90.
    """

    def frame(num_samples=16, streams=3, price=(30, 90)):
        pool = random_pool(12, num_samples, seed=1, strategy="parallel", stream=0)
        ids = sorted(pool["question_id"].unique())[:10]
        parts = [pool.assign(completion_tokens=price[0] - 20)]
        for strategy, width in (("integrated", 4), ("sequential", 1)):
            for stream in range(streams):
                part = random_pool(
                    12, 8, seed=2 + stream + 10 * width, strategy=strategy, stream=stream
                )
                part = part[part["question_id"].isin(ids)]
                late = part["sample_index"] >= width
                part["completion_tokens"] = np.where(late, price[1], price[0]) - 20
                chains = {
                    i: list(range(width if strategy == "integrated" else i)) if i >= width else []
                    for i in range(8)
                }
                part["awaited"] = part["sample_index"].map(chains)
                parts.append(part)
        return pd.concat(parts, ignore_index=True)

    return frame


def test_budgets_count_the_first_strategy_s_samples_so_that_all_may_spend_as_much(recorded):
    table = contrast(recorded(), budgets=[2, 4, 8], **OPTIONS).curves
    assert set(table["method"]) == {"parallel", "integrated", "sequential"} and set(
        table["questions"]
    ) == {10}
    for row in table.itertuples():
        assert row.spent_tokens <= row.budget * 30 * (1 + 1e-9)
        assert (
            row.spent_tokens > row.budget * 30 - 90 / 10
        )  # over 10 questions no more than a call is left
    spent = table.pivot(index="budget", columns="method", values="spent_samples")
    assert (spent["parallel"] == [2, 4, 8]).all()
    assert spent["integrated"].tolist() == [
        2,
        4,
        pytest.approx(4 + 4 / 3, abs=0.1),
    ]  # 4 × 30 and 1.33 × 90 tokens
    assert spent["sequential"].tolist()[1:] == [2, pytest.approx(1 + 7 / 3, abs=0.1)]


def test_a_single_strategy_is_played_as_by_compare(recorded):
    frame = recorded()
    table = contrast(frame, ["integrated", "sequential"], budgets=[2, 4], **OPTIONS).curves
    options = {"strategies": "integrated", "unit": "tokens", **OPTIONS}
    own = compare(frame, "uniform", [2, 4], **options).curves
    shared = [name for name in own if name != "recording"]
    pd.testing.assert_frame_equal(table.loc[table["method"] == "integrated", shared], own[shared])


@pytest.mark.slow
def test_with_several_strategies_the_reference_is_one_of_the_policies(recorded):
    def against(**options):
        found = compare(
            recorded(),
            ["uniform", "ucb"],
            [4],
            strategies=["parallel", "integrated"],
            replications=5,
            **options,
        )
        return set(found.differences()["against"])

    assert against() == {"parallel, uniform"}
    assert against(reference="ucb") == {"parallel, ucb"}
    with pytest.raises(
        InputError, match=r"reference 'priced' is none of the policies \(uniform, u"
    ):
        against(reference="priced")


def test_differences_are_paired_over_the_questions_that_all_answered(recorded):
    frame = recorded()
    comparison = contrast(frame, budgets=[4, 8], **OPTIONS)
    table = comparison.curves.set_index(["method", "budget"])["accuracy"]
    gaps = comparison.differences()
    assert gaps["strategy"].tolist() == ["sequential"] * 2 + ["integrated"] * 2 and set(
        gaps["against"]
    ) == {"parallel"}
    for row in gaps.itertuples():
        assert row.difference == pytest.approx(
            table[row.method, row.at] - table["parallel", row.at]
        )
        assert row.low < row.difference < row.high


@pytest.mark.slow
def test_a_difference_is_unchained_while_one_policy_draws_and_no_call_waits(recorded):
    def cells(*, unchained, **options):
        gaps = contrast(recorded(), budgets=[2, 4, 8], **OPTIONS, **options).differences()
        gaps = gaps[gaps["unchained"] == unchained]
        return {*zip(gaps["method"], gaps["at"], strict=True)}

    # of integrated streams the fifth sample is shown others, of sequential ones the second
    early = {("integrated", 2), ("integrated", 4)}
    assert cells(unchained=True) == early
    assert cells(unchained=False) == {
        *(("integrated", 8), ("sequential", 2), ("sequential", 4), ("sequential", 8))
    }
    # two integrated samples cost four parallel ones on average
    assert cells(unchained=True, strategies=["integrated", "parallel"]) == {("parallel", 2)}
    both = {"strategies": ["parallel", "integrated"], "policies": ["uniform", "ucb"]}
    assert cells(unchained=True, names=ABLATION, **both) == {
        ("integration only", at) for _, at in early
    }


@pytest.mark.slow
def test_a_difference_is_unchained_though_a_few_replications_afford_a_chained_sample(recorded):
    frame = recorded(price=(30, 36))
    # one of a question's three streams leaves 4 × 9 tokens over: the price of a chained sample
    own = (frame["strategy"] == "integrated") & (frame["stream"] == 1)
    one = own & (frame["question_id"] == frame["question_id"].min()) & (frame["sample_index"] < 4)
    frame.loc[one, "completion_tokens"] -= 9
    comparison = contrast(frame, ["parallel", "integrated"], budgets=4, **OPTIONS)
    depth = comparison.curves.set_index("method").loc["integrated", "depth"]
    assert 1 < depth < 1.5 and comparison.differences()["unchained"].tolist() == [True]


def test_only_chains_and_targets_make_a_difference_unchained(recorded):
    def unchained(frame):
        comparison = contrast(frame, ["parallel", "integrated"], budgets=2, **OPTIONS)
        return comparison.differences()["unchained"].tolist()

    frame = recorded()
    assert unchained(frame) == [True]
    assert unchained(frame.assign(awaited=[[]] * len(frame))) == [False]  # two kinds of prompts
    assert unchained(frame.drop(columns=["target", "correct"], errors="ignore")) == [False]


def test_the_interval_is_that_of_resampled_questions():
    # ten questions: parallel is right on the first five, integrated on the last eight
    rows = [
        {
            "question_id": f"q{q}",
            "strategy": strategy,
            "sample_index": i,
            "target": "a",
            "completion_tokens": 10,
            "answer": "a" if right(q) else "b",
            "stream": 0,
            "awaited": [] if i < 2 else [0, 1],
        }
        for strategy, right in (("parallel", lambda q: q < 5), ("integrated", lambda q: q >= 2))
        for q in range(10)
        for i in range(4)
    ]
    comparison = contrast(pd.DataFrame(rows), budgets=2, seed=5, replications=2)
    (row,) = comparison.differences().itertuples()
    known = np.array([-1.0, -1, 0, 0, 0, 1, 1, 1, 1, 1])
    low, high = np.percentile(question_resamples(10, 5) @ known, [2.5, 97.5])
    assert (row.difference, row.low, row.high) == pytest.approx((0.3, low, high))


@pytest.mark.slow
def test_cells_that_a_strategy_cannot_fill_are_left_out(recorded):
    frame = recorded()
    # 8 integrated samples cost 16 parallel ones, 8 sequential ones 22
    gaps = contrast(frame, budgets=[4, 15], **OPTIONS).differences()
    assert sorted(gaps.loc[gaps["at"] == 15, "method"]) == ["integrated", "sequential"]
    short = frame[(frame["strategy"] != "integrated") | (frame["sample_index"] < 6)]
    gaps = contrast(short, budgets=[4, 15], **OPTIONS).differences()
    assert gaps.loc[gaps["at"] == 15, "method"].tolist() == ["sequential"]


@pytest.mark.slow
def test_the_ablation_has_four_methods_with_names(recorded):
    options = {
        "strategies": ["parallel", "integrated"],
        "policies": ["uniform", "ucb"],
        "names": ABLATION,
        **OPTIONS,
    }
    comparison = contrast(recorded(), budgets=[2, 4], **options)
    table = comparison.curves
    assert list(dict.fromkeys(table["method"])) == [
        "neither",
        "bandit only",
        "integration only",
        "both",
    ]
    assert set(comparison.differences(at=4)["against"]) == {"neither"}
    saved = comparison.savings(at=4)
    assert (
        saved["method"].tolist() == ["bandit only", "integration only", "both"]
        and (saved["saving"] <= 1).all()
    )
    without = {key: name for key, name in ABLATION.items() if name != "both"}
    fewer = contrast(recorded(), budgets=[2], **options | {"names": without}).curves
    assert "both" not in set(fewer["method"]) and len(fewer) == 3


def test_a_saving_counts_the_first_strategy_s_samples():
    # parallel is right on half of the questions, integrated on all of them at twice the price
    rows = [
        {
            "question_id": f"q{q}",
            "strategy": strategy,
            "sample_index": i,
            "target": "a",
            "awaited": [],
            "completion_tokens": 20 if strategy == "integrated" else 10,
            "stream": 0,
            "answer": "a" if right else "b",
        }
        for strategy in ("parallel", "integrated")
        for q in range(4)
        for i in range(8)
        for right in [strategy == "integrated" or q < 2]
    ]
    (row,) = contrast(pd.DataFrame(rows), budgets=4, replications=2).savings().itertuples()
    assert (row.saving, row.reached) == (
        0.5,
        True,
    )  # reached at the first budget of the grid, 2 of 4


@pytest.mark.slow
def test_at_equal_depth_each_strategy_leaves_out_what_would_come_later(recorded):
    comparison = contrast(recorded(), budgets=8, **OPTIONS)
    table = at_depth(comparison, [1, 2, 3, 8]).set_index(["method", "depth"])
    tokens = table["spent_tokens"]
    assert tokens["parallel"].tolist() == [240] * 4
    assert tokens["integrated", 1] == 4 * 30 and tokens["integrated", 2] == pytest.approx(
        240, abs=9
    )
    assert tokens["sequential"].tolist() == [30, 120, 210, pytest.approx(240, abs=9)]
    assert table.loc["parallel", "accuracy"].nunique() == 1


@pytest.mark.slow
def test_a_lead_is_over_the_best_other_strategy_of_the_cell(recorded):
    table = at_depth(contrast(recorded(), budgets=[4, 8], **OPTIONS), [1, 2])
    for _, cell in table.groupby(["at", "depth"]):
        best, second = cell["accuracy"].nlargest(2)
        leads = (cell["accuracy"] - np.where(cell["accuracy"] == best, second, best)).round(12)
        np.testing.assert_allclose(cell["lead"], leads, atol=1e-12)
        assert (cell["lead_low"] <= cell["lead"]).all() and (
            cell["lead"] <= cell["lead_high"]
        ).all()


@pytest.mark.slow
def test_a_lead_is_no_chains_where_neither_of_the_two_best_has_one_yet(recorded):
    # a stream of integrated samples has four that are shown nothing, a sequential one a single one
    pair = recorded()
    pair = pair[pair["strategy"] != "sequential"]
    table = at_depth(contrast(pair, budgets=[4, 8], **OPTIONS), [1, 2])
    assert table.groupby("at")["unchained"].agg(list).map(set).to_dict() == {4: {True}, 8: {False}}
    table = at_depth(contrast(recorded(), budgets=[4], **OPTIONS), [1, 2])
    assert not table.loc[table["method"] == "sequential", "unchained"].any()


@pytest.mark.slow
def test_at_equal_depth_a_strategy_has_no_row_where_its_recorded_samples_end_before_b(recorded):
    # 32 parallel samples of 30 tokens; integrated streams end at 480 tokens, sequential ones at 660
    table = at_depth(contrast(recorded(32), budgets=[8, 20, 24], **OPTIONS), [1, 8])
    left = table.groupby("at")["method"].unique().map(sorted).to_dict()
    assert left == {8: ["integrated", "parallel", "sequential"], 20: ["parallel", "sequential"]}


@pytest.mark.slow
def test_recordings_of_one_strategy_are_left_out_and_none_gives_an_empty_table(
    random_pool, recorded
):
    none = contrast(random_pool(), **OPTIONS)
    for empty in (none.curves, none.differences(), none.savings(), at_depth(none)):
        assert empty.empty and "method" in empty
    both = contrast([random_pool(), recorded()], budgets=[2], **OPTIONS)
    assert len(both.curves) == 3


def test_recordings_are_given_as_load_takes_them(make_pool):
    rows = make_pool({"q1": "aab", "q2": "abb"}).to_dict("records")
    for given in (rows, [rows], [pd.DataFrame(rows)]):
        assert len(compare(given, ["uniform"], [2], replications=2).curves) == 1
    for given in (None, 5):
        with pytest.raises(InputError, match="a recording is a path, the name of a shipped one"):
            compare(given, ["uniform"], [2])
