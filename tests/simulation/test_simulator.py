"""Simulated recordings: what votes reach is what theory says, and they say what they are."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import dynlab
from dynlab._util.errors import InputError
from dynlab.plots.savings import plot_savings
from dynlab.recordings.recording import Recording, load, write
from dynlab.recordings.streams import streams_of
from dynlab.simulation.chances import BetaChance
from dynlab.simulation.lengths import Lengths
from dynlab.simulation.model import RecordingModel
from dynlab.simulation.pools import simulated_pool
from dynlab.simulation.wrong_answers import WrongAnswers

PLAIN = RecordingModel("made up", BetaChance(1.2, 0.8), WrongAnswers(1.0, 0.25))
LONG = replace(PLAIN, lengths=Lengths(3.0, 0.1, 0.1, 0.0, 0.2, 0.3, longest=500))


def rising(start, n):
    return np.prod(start + np.arange(n))


def beta_binomial(model, right, n):
    """P(r of n samples are right)."""
    from math import comb

    a, b = model.right.alpha, model.right.beta
    return comb(n, right) * rising(a, right) * rising(b, n - right) / rising(a + b, n)


def voted(model, n, num_questions=2000):
    """The accuracy of the vote of n samples, with its standard error."""
    pool = dynlab.simulate(model, num_questions=num_questions, num_samples=n, seed=4)
    curves = dynlab.compare(pool, "uniform", [n], replications=1).curves
    cell = curves[curves["allocator"] == "uniform"].iloc[0]
    return cell["accuracy"], (cell["high"] - cell["low"]) / 3.92


@pytest.mark.slow
@pytest.mark.parametrize("n", [3, 5])
def test_with_one_wrong_answer_the_vote_is_right_where_most_samples_are(n):
    model = replace(PLAIN, wrong=WrongAnswers(1e-9, 0.0))
    accuracy, error = voted(model, n)
    expected = sum(beta_binomial(model, right, n) for right in range(n // 2 + 1, n + 1))
    assert accuracy == pytest.approx(expected, abs=3.5 * error)


@pytest.mark.slow
def test_with_several_wrong_answers_the_vote_of_three_is_right_by_the_closed_form():
    # two right ones win; one wins a third of the time if the two wrong ones differ
    differ = 1 - (1 - 0.25) / (1 + (1.0 - 0.25))
    expected = sum(beta_binomial(PLAIN, right, 3) for right in (2, 3))
    expected += beta_binomial(PLAIN, 1, 3) * differ / 3
    accuracy, error = voted(PLAIN, 3)
    assert accuracy == pytest.approx(expected, abs=3.5 * error)


@pytest.mark.slow
def test_with_all_wrong_answers_different_two_right_samples_win():
    model = replace(PLAIN, wrong=WrongAnswers(1e5, 0.0))
    expected = 1 - beta_binomial(model, 0, 4) - 3 / 4 * beta_binomial(model, 1, 4)
    accuracy, error = voted(model, 4)
    assert accuracy == pytest.approx(expected, abs=3.5 * error)


def test_a_pool_of_arrays_is_the_recording_of_the_same_seed():
    made = streams_of(dynlab.simulate(LONG, num_questions=30, num_samples=12, seed=9))
    pool = simulated_pool(LONG, 30, 12, np.random.default_rng(9))
    rows = np.arange(30)[:, None]
    assert np.array_equal(made.right[rows, made.codes[:, 0]], pool.right[rows, pool.codes[:, 0]])
    assert np.array_equal(made.tokens, pool.tokens) and made.tokens_kind == pool.tokens_kind
    alike = [codes[:, 0, :, None] == codes[:, 0, None, :] for codes in (made.codes, pool.codes)]
    assert np.array_equal(*alike)


def test_the_same_seed_draws_the_same_and_another_one_another():
    one, same, other = (
        dynlab.simulate(PLAIN, num_questions=8, num_samples=4, seed=seed) for seed in (1, 1, 2)
    )
    pd.testing.assert_frame_equal(one.frame, same.frame)
    assert not one.frame["answer"].equals(other.frame["answer"])


def test_a_model_is_its_json():
    found = dynlab.fit(dynlab.simulate(LONG, num_questions=20, num_samples=6))
    again = RecordingModel.from_json(found.to_json())
    assert again == found and again.intervals == found.intervals
    json.loads(found.to_json(), parse_constant=lambda text: pytest.fail(text))
    with pytest.raises(InputError, match="not the JSON of a model"):
        RecordingModel.from_json('{"source": "x", "right": {"alpha": 1}}')


@pytest.mark.slow
def test_whatever_is_made_of_a_simulated_recording_says_so(tmp_path):
    made = dynlab.simulate(LONG, num_questions=24, num_samples=12)
    path = write(made.frame, made.card, tmp_path / "mine.parquet")
    made.frame.to_csv(tmp_path / "mine.csv", index=False)
    for source in (made, path, tmp_path / "mine.csv", made.frame):
        held = load(source)
        assert held.simulated and held.name.startswith("simulated--")
        assert "simulated" in held._repr_html_()
    comparison = dynlab.compare(path, "uniform,ucb", [2, 4], replications=4)
    assert comparison.measure == "simulated accuracy"
    assert set(comparison.curves["recording"]) == {"simulated--mine"}
    assert "simulated" in comparison._repr_html_() and "Simulated" in str(comparison.to_latex())
    assert any("no model was asked" in note for note in comparison.notes)
    (panel, *_) = comparison.plot().axes
    assert panel.get_title("left") == "simulated · mine" and "simulated" in panel.get_ylabel()
    saved = plot_savings(comparison.savings())
    assert "simulated" in saved.get_yticklabels()[0].get_text()
    board = dynlab.leaderboard(path, ["ucb"], [], [4], replications=4, unit="samples")
    assert set(board.table["measure"]) == {"simulated accuracy"}
    assert "<title>simulated--mine: samples</title>" in dynlab.browse(path).html


def test_a_recording_of_a_model_does_not_say_simulated():
    held = load([{"question_id": "a", "sample_index": 0, "answer": "1", "source": "mine"}])
    assert not held.simulated and held.name == "recording"
    assert not Recording(pd.DataFrame(), {}, "x").simulated


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"num_questions": 0}, "num_questions must be a whole number from 1 on; not 0"),
        ({"num_samples": 2.5}, "num_samples must be a whole number"),
        ({"num_questions": 10**6, "num_samples": 100}, "100,000,000 samples are more"),
        ({"strategies": "integrated"}, "holds no chained samples to learn from"),
        ({"strategies": ["parallel", "parallel"]}, "each once"),
        ({"strategies": "rsa"}, "shows a choice of earlier samples"),
    ],
)
def test_what_cannot_be_drawn_is_refused(settings, said):
    with pytest.raises(InputError, match=said):
        dynlab.simulate(PLAIN, **settings)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("a", 0, "1", None), ("a", 1, "2", None)], "has no targets"),
        ([("a", 0, "1", "1"), ("b", 0, "2", "2")], "two independent samples"),
    ],
)
def test_what_tells_too_little_is_refused(rows, said):
    columns = ["question_id", "sample_index", "answer", "target"]
    with pytest.raises(InputError, match=said):
        dynlab.fit(pd.DataFrame(rows, columns=columns))


def test_a_live_run_s_samples_are_refused():
    frame = pd.DataFrame({"question_id": ["a", "a"], "sample_index": [0, 1], "answer": ["1", "1"]})
    with pytest.raises(InputError, match="adaptive design"):
        dynlab.fit(Recording(load(frame).frame, {"design": "adaptive"}))


@pytest.mark.slow
def test_recordings_without_an_error_or_without_a_hit_are_fitted():
    for answer in ("1", "2"):
        rows = [
            {"question_id": f"q{q}", "sample_index": i, "answer": answer, "target": "1"}
            for q in range(6)
            for i in range(4)
        ]
        model = dynlab.fit(rows)
        drawn = dynlab.simulate(model, num_questions=50, num_samples=8)
        assert abs((drawn.frame["answer"] == "right").mean() - (answer == "1")) < 0.1
