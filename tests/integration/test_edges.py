"""Recordings and settings at the edge: what they are worth is computed by hand, or they are refused
in one line.
"""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from helpers.vote_states import states

from dynlab._util.errors import InputError
from dynlab.analysis.leaderboards import leaderboard
from dynlab.analysis.metrics import resampled_saving, saving_at
from dynlab.analysis.resamples import Resamples, question_resamples
from dynlab.analysis.verbs import compare, savings
from dynlab.cli.parser import main
from dynlab.policies.registry import stopping_rule
from dynlab.policies.uncertainty_aware import UncertaintyAware
from dynlab.policies.votes import tied
from dynlab.recordings.recording import load
from dynlab.recordings.streams import streams_of
from dynlab.replay.loop import Curve


def curve(budgets, accuracy):
    """A curve of one question that spends its budgets."""
    budgets, one = np.array(budgets), np.ones(len(budgets))
    return Curve(
        budgets, np.array(accuracy)[:, None], {"samples": budgets[:, None]}, one[:, None], one, one
    )


@pytest.mark.parametrize("batch", [1, 2])
def test_samples_that_cost_nothing_use_up_no_budget(make_pool, batch):
    frame = make_pool({f"q{i}": "abababab" for i in range(10)})
    frame["cost_usd"] = [float(int(name[1:]) % 2) for name in frame["question_id"]]
    policies = ["uniform", f"ucb(batch={batch})"]
    table = compare(frame, policies, [2, 8], unit="usd", replications=4).curves
    assert table.set_index(["allocator", "budget"])["spent_samples"].xs(
        8, level="budget"
    ).tolist() == [8, 8]


def test_where_nothing_costs_anything_budgets_are_refused(make_pool):
    with pytest.raises(InputError, match="no sample costs anything in usd"):
        compare(make_pool({"q": "abab"}, cost_usd=0.0), budgets=[2], unit="usd")


def test_a_question_may_have_fewer_streams(make_pool):
    frame = make_pool({"q1": "aaaaaaaa", "q2": "aaaa"}, strategy="sequential")
    frame["stream"] = frame["sample_index"] // 4
    frame["sample_index"] %= 4
    table = compare(frame, "uniform", [2, 4], replications=20).curves
    assert table["accuracy"].tolist() == [1, 1]
    assert table["spent_samples"].tolist() == [2, 4]


def test_an_empty_target_of_a_csv_is_unknown(make_pool, tmp_path):
    frame = make_pool({"q1": "aab", "q2": "bbb"}, target=None).assign(target=None)
    frame.to_csv(tmp_path / "r.csv", index=False)
    of_file, of_frame = (compare(r, "uniform", [2]).curves for r in (tmp_path / "r.csv", frame))
    assert of_file.attrs["measure"] == of_frame.attrs["measure"] == "self-consistency rate"
    assert of_file["accuracy"].tolist() == of_frame["accuracy"].tolist()


def test_integers_widened_by_a_csv_are_the_same(tmp_path):
    frame = pd.DataFrame(
        {"question_id": 7, "sample_index": range(4), "answer": [3, None, 3, 3], "target": 3}
    )
    frame.to_csv(tmp_path / "r.csv", index=False)
    assert "3.0" in (tmp_path / "r.csv").read_text()
    read = load(tmp_path / "r.csv").frame
    assert read["answer"].tolist() == ["3", "", "3", "3"] and set(read["target"]) == {"3"}


def test_answers_with_decimals_stay_what_they_are(tmp_path):
    frame = pd.DataFrame(
        {"question_id": 7, "sample_index": range(2), "answer": ["3.0", "2.5"], "target": "3.0"}
    )
    frame.to_csv(tmp_path / "r.csv", index=False)
    assert load(tmp_path / "r.csv").frame["answer"].tolist() == ["3.0", "2.5"]


def test_an_unmarked_greedy_answer_meets_its_target(make_pool):
    pool = make_pool({"q1": "aab", "q2": "bba"}).assign(correct=lambda f: f["answer"] == "a")
    greedy = make_pool({"q1": "a", "q2": "b"}).assign(strategy="greedy", correct=None)
    gap = compare(pd.concat([pool, greedy]), budgets=2).greedy_vs_vote().iloc[0]
    assert gap["greedy"] == 0.5


def test_the_first_greedy_answer_counts(make_pool):
    pool = make_pool({"q1": "aabab", "q2": "bbaab"}).assign(completion_tokens=10)
    greedy = make_pool({"q1": "ab", "q2": "bb"}).assign(strategy="greedy", completion_tokens=10)
    frame = pd.concat([pool, greedy])
    table = leaderboard(frame, "uniform", [], 4, replications=4, progress=False).table
    assert "greedy" in set(table["policy"])
    curves = compare(frame, budgets=[2], replications=4).curves
    assert curves.set_index("allocator").loc["greedy", "accuracy"] == 0.5


def test_two_targets_of_a_question_are_refused(make_pool):
    frame = make_pool({"q1": "ab"})
    frame["target"] = ["a", "b"]
    with pytest.raises(InputError, match="question 'q1' has several targets, 'a' and 'b'"):
        streams_of(load(frame))


def test_reaching_uniform_across_the_end_counts():
    straight = curve([1.0, 10.0], [0.0, 0.9])  # is 0.3 at 4; its next checkpoint lies beyond 8
    for target, saved, reached in ((0.3, 0.0, True), (0.7, 0.0, True), (0.75, -1.0, False)):
        uniform = curve([2.0, 4.0], [0.1, target])
        saving, found = resampled_saving(
            straight, uniform, 4.0, "samples", Resamples(np.ones((1, 1)))
        )
        expected = 1 - (1 + 10 * target) / 4 if reached else saved
        assert (saving[0], found) == (pytest.approx(expected), reached)


@pytest.mark.slow
def test_a_budget_beyond_the_pool_has_no_saving():
    rows = [(f"long{q}", i, 1000) for q in range(20) for i in range(4)]
    rows += [(f"short{q}", i, 10) for q in range(20) for i in range(28)]
    frame = pd.DataFrame(rows, columns=["question_id", "sample_index", "completion_tokens"])
    frame["answer"] = np.random.default_rng(0).choice(list("ab"), len(frame))
    frame["target"] = "a"
    how = {"unit": "tokens", "replications": 3}
    assert savings(frame, "ucb", [2, 4, 8, 16], **how)["at"].tolist() == [2, 4]
    cells = leaderboard(frame, "uniform", [], [4, 8], progress=False, **how).cells
    assert cells.loc[cells["policy"] == "uniform", "at"].tolist() == [4]


def test_beyond_twice_the_budget_is_not_reached():
    alike = question_resamples(1, 0)
    for budgets in ([2.0, 4.0, 8.0], [2.0, 4.0, 8.0, 12.0, 32.0]):
        policy = curve(budgets, [0.0, 0.0, 0.1, 0.5, 0.5][: len(budgets)])
        found = saving_at(policy, curve([2.0, 4.0], [0.1, 0.3]), 4.0, "samples", alike)
        assert (found.saving.value, found.reached) == (-1.0, False)


@pytest.mark.slow
def test_flat_cells_do_not_depend_on_the_warmup(random_pool):
    frame = random_pool(num_questions=20, num_samples=32)
    two, eight = (
        savings(
            frame,
            f"ucb(warmup={warmup})",
            [8, 16],
            reference=f"uniform(warmup={warmup})",
            replications=20,
        )
        for warmup in (2, 8)
    )
    assert two["flat"].tolist() == eight["flat"].tolist() == [False, False]


@pytest.mark.parametrize(
    ("name", "most"), [("esc:50", "40"), ("adaptive-consistency:1.5", "1"), ("doubling:1.1", "1")]
)
def test_a_rule_set_so_that_it_makes_no_sense_is_refused(name, most):
    with pytest.raises(InputError, match=f"must be at most {most}"):
        stopping_rule(name)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("mean_logprob", "x"),
        ("cost_usd", "abc"),
        ("cost_usd", -1),
        ("cost_usd", np.inf),
        ("completion_tokens", np.inf),
        ("completion_tokens", 2**40),
    ],
)
def test_amounts_that_are_none_are_refused(make_pool, column, value):
    frame = make_pool({"q": "ab"})
    frame[column] = pd.Series([1, value], dtype=object)
    with pytest.raises(InputError, match=f"{column} must be .*; found "):
        load(frame)


@pytest.mark.slow
def test_budgets_beyond_all_that_is_recorded_are_refused(make_pool):
    pool = make_pool({"q1": "aababababa"})
    for frame, budgets in ((pool, [100]), (make_pool({"q": "a"}), [2])):
        with pytest.raises(InputError, match=r"holds \d+ samples per question; a budget from"):
            str(compare(frame, budgets=budgets).curves)
    comparison = compare(pool, replications=4)
    for table in (comparison.savings, comparison.differences):
        assert table(at=[4, 100])["at"].tolist() == [4]
        with pytest.raises(InputError, match="holds 10 samples per question; a budget from 100 on"):
            table(at=100)
    assert comparison.differences(at=[4, 10])["at"].tolist() == [4]  # at 10 all end alike
    assert savings(pool, at=[100]).empty
    assert savings(pool, at=[25], reference="uniform(warmup=20)").empty
    with pytest.raises(InputError, match="no policy was given"):
        compare(pool, [])


@pytest.mark.slow
def test_a_rule_in_one_setting_is_a_row_of_the_leaderboard(random_pool):
    for text in ("esc:4", "esc(window=4)"):
        found = leaderboard(
            random_pool(), "uniform", [text], [4], unit="samples", replications=4, progress=False
        )
        assert text in set(found.table["policy"])


def test_a_line_that_is_no_object_is_refused(tmp_path):
    lines = [json.dumps({"question_id": "q", "sample_index": 0, "answer": "a"}), "[1, 2]"]
    (tmp_path / "r.jsonl").write_text("\n".join(lines))
    with pytest.raises(InputError, match="is not JSON objects, one a line"):
        load(tmp_path / "r.jsonl")


def test_differences_take_what_compare_takes(random_pool):
    frame = random_pool()
    comparison = compare(frame, replications=4)
    assert len(comparison.differences(at=[4])) == len(comparison.differences(at=4)) == 1
    for at in (["x"], [1], "42"):
        with pytest.raises(InputError):
            comparison.differences(at)


def test_uab_still_orders_questions_whose_index_is_tiny():
    (seen,) = states([0] * 20)
    index = [
        UncertaintyAware()
        .index(replace(seen, probe=np.array([0.2 * np.log(p)])), np.random.default_rng(0))
        .value
        for p in (0.99995, 0.999)
    ]
    sure, less = (tied(value, np.array([0.5])).item() for value in index)
    assert less - sure == pytest.approx(
        20 * np.log(20), rel=1e-3
    )  # (1 − p) is 20 times as large, 20 times over


@pytest.fixture
def recording(random_pool, tmp_path):
    random_pool(6, 10).to_csv(tmp_path / "r.csv", index=False)
    return tmp_path / "r.csv"


def test_commands_check_their_output_first(recording, tmp_path, capsys):
    (tmp_path / "d" / "savings.csv").mkdir(parents=True)
    base = [
        "compare",
        "--recording",
        str(recording),
        "--budgets",
        "2,4",
        "--replications",
        "3",
        "--out",
    ]
    for out, message in (
        (tmp_path / "d" / "curves.csv", "it is a folder"),
        (tmp_path / "d", "must be the path of a .csv file"),
    ):
        assert main([*base, str(out)]) == 2
        error = capsys.readouterr().err
        assert message in error and error.count("\n") == 1
    assert not (tmp_path / "d" / "curves.csv").exists()
    (tmp_path / "s.jsonl").write_text(json.dumps({"id": "q", "response": "a"}))
    assert (
        main(
            [
                "recordings",
                "import",
                str(tmp_path / "s.jsonl"),
                "--from",
                "samples",
                "--out",
                "x.csv",
            ]
        )
        == 2
    )
    assert "give the path of a .parquet file" in capsys.readouterr().err


def test_budgets_that_are_left_out_are_named(recording, tmp_path, capsys):
    given = ["compare", "--recording", str(recording), "--budgets", "2,100", "--replications", "3"]
    assert main([*given, "--out", str(tmp_path / "curves.csv")]) == 0
    assert "left out: 100, more than is recorded" in capsys.readouterr().err
