"""Samples drawn from known parameters give these parameters back, as sure as the fit says."""

import numpy as np
import pytest

import dynlab
from dynlab.simulation.chains import ChainGain, fit_chain_gain, states_of
from dynlab.simulation.chances import BetaChance, fit_chance
from dynlab.simulation.lengths import Lengths, Prompts, fit_lengths
from dynlab.simulation.likelihood import maximum
from dynlab.simulation.model import RecordingModel
from dynlab.simulation.wrong_answers import Urn, WrongAnswers, fit_wrong_answers

MODEL = RecordingModel(
    "made up",
    right=BetaChance(0.9, 1.4),
    wrong=WrongAnswers(spread=1.2, discount=0.3, slope=-0.3),
    none=BetaChance(1.0, 9.0),
    lengths=Lengths(4.0, -0.5, -0.2, 0.3, 0.25, 0.4, longest=4000),
    prompts=Prompts(5.0, 0.2, shown=1.1),
    chains=ChainGain(absent=-0.5, present=0.6, leading=1.5, slope=0.8, repeat=0.35),
)


def test_a_normal_s_maximum_and_error_are_known():
    values = np.random.default_rng(1).normal(3, 2, 400)
    found = maximum(lambda at: -((values - at[0]) ** 2).sum() / 8, [0.0], [-50], [50])
    assert found.at[0] == pytest.approx(values.mean(), abs=1e-4)
    assert found.error[0] == pytest.approx(2 / np.sqrt(400), rel=1e-3)


def test_a_maximum_at_a_bound_has_an_open_interval():
    found = maximum(lambda at: at[0] - (at[1] - 1) ** 2, [0.0, 0.0], [-1, -1], [2, 2])
    assert found.at == pytest.approx([2.0, 1.0], abs=1e-4)
    assert np.isinf(found.error[0]) and np.isfinite(found.error[1])


@pytest.mark.slow
@pytest.mark.parametrize("truth", [BetaChance(0.4, 0.6), BetaChance(4.0, 2.0)])
def test_nineteen_of_twenty_intervals_of_difficulty_hold_the_truth(truth):
    held = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        trials = np.full(80, 16)
        events = rng.binomial(trials, truth.draw(80, rng))
        _, ends = fit_chance(events, trials)
        held += [ends[name][0] <= getattr(truth, name) <= ends[name][1] for name in ends]
    # of 120, a share of 0.95 gives 114 ± 2.4 (alpha and beta are not independent: ± 3.4 at most)
    assert 120 * 0.95 - 3 * 3.4 <= sum(held) <= 120


def test_posterior_chances_are_those_of_the_beta():
    prior, events, trials = BetaChance(0.7, 1.1), np.array([0, 3, 10]), np.array([10, 10, 10])
    odds, weights = prior.posterior(events, trials)
    means = (weights / (1 + np.exp(-odds))).sum(axis=1)
    assert means == pytest.approx(prior.expected(events, trials), rel=2e-3)


def test_wrong_answers_give_their_spread_and_discount_back():
    truth, rng = WrongAnswers(1.5, 0.35, slope=-0.4), np.random.default_rng(3)
    chances = rng.beta(2, 2, 400)
    urn, counts = Urn(truth, chances, 24), np.zeros((400, 25), int)
    for _ in range(24):
        counts[np.arange(400), urn.draw(np.ones(400, bool), rng)] += 1
    sizes = np.stack([(counts[:, 1:] == times).sum(axis=1) for times in range(1, 25)], axis=1)
    found, ends = fit_wrong_answers(sizes, chances)
    for name, (low, high) in ends.items():
        half = (high - low) / 2
        assert abs(getattr(found, name) - getattr(truth, name)) < 1.6 * half < 0.5, name


def test_two_wrong_samples_agree_as_often_as_the_process_says():
    rng = np.random.default_rng(0)
    wrong, many = WrongAnswers(spread=1.1, discount=0.4), 40_000
    urn = Urn(wrong, np.full(many, 0.5), 2)
    first, second = (urn.draw(np.ones(many, bool), rng) for _ in range(2))
    theta = 1.1 - 0.4  # at even odds
    assert (first == second).mean() == pytest.approx((1 - 0.4) / (1 + theta), abs=0.01)


def test_lengths_give_their_effects_back():
    truth, rng = MODEL.lengths, np.random.default_rng(5)
    easy, question = rng.random(300), np.repeat(np.arange(300), 12)
    common = truth.of_questions(easy, rng)[question]
    right, chained = rng.random(3600) < easy[question], rng.random(3600) < 0.5
    tokens = np.exp(common + truth.right * right + truth.chained * chained)
    tokens = tokens * np.exp(rng.normal(0, truth.sample_sd, 3600))
    found, ends = fit_lengths(tokens, question, easy[question], right, chained)
    for name, (low, high) in ends.items():
        assert low - (high - low) < getattr(truth, name) < high + (high - low), name
        assert low < getattr(found, name) < high


def test_states_tell_a_tie_from_a_lead():
    shown = np.array([[-1, -1, -1], [1, 2, 2], [0, 1, 2], [0, 1, 1], [0, 0, 1], [0, -1, -1]])
    assert states_of(shown).tolist() == [0, 0, 1, 1, 2, 2]


def test_a_state_that_never_occurs_has_no_gain():
    right, trials = np.array([[3, 0, 0]] * 40), np.array([[6, 0, 0]] * 40)
    posterior = BetaChance(1.0, 1.0).posterior(np.full(40, 5), np.full(40, 10))
    found, _ = fit_chain_gain(right, trials, posterior, np.array([0.5]), np.array([0.5]))
    assert found.present == pytest.approx(0, abs=1e-3) == found.leading


@pytest.mark.slow
def test_a_whole_model_comes_back_from_its_own_recording():
    drawn = dynlab.simulate(
        MODEL, num_questions=300, num_samples=16, strategies=["parallel", "integrated"]
    )
    found = dynlab.fit(drawn)
    truth = MODEL.table().set_index("parameter")["value"]
    table = found.table().set_index("parameter")
    assert set(table.index) == set(truth.index)
    for name, row in table.iterrows():
        if np.isfinite(row["low"]):  # within twice the stated error
            assert abs(row["value"] - truth[name]) < (row["high"] - row["low"]), name
    assert table.loc["prompts.shown", "value"] == pytest.approx(1.1, abs=0.02)
