from __future__ import annotations

import numpy as np
import pytest

from dynlab.policies.dirichlet import mode_chance, posteriors
from dynlab.policies.uncertainty import doubt_table


def padded(*profiles):
    width = max(map(len, profiles))
    return np.array([[*profile, *[0] * (width - len(profile))] for profile in profiles], np.int16)


@pytest.mark.slow
def test_two_answers_agree_with_the_beta_closed_form():
    pairs = [(a, b) for a in range(1, 40) for b in range(a + 1) if a + b <= 40]
    closed = [1 - doubt_table(40)[a + b, b] for a, b in pairs]
    alone = mode_chance(
        np.array([[a] for a, b in pairs if b == 0], np.int16), unseen=1
    )  # the unseen one is the second
    assert alone == pytest.approx(
        [chance for (a, b), chance in zip(pairs, closed, strict=True) if b == 0], abs=1e-6
    )
    both = mode_chance(padded(*(pair for pair in pairs if pair[1] > 0)), unseen=0)
    assert both == pytest.approx(
        [chance for (a, b), chance in zip(pairs, closed, strict=True) if b > 0], abs=1e-6
    )


def test_equal_answers_share_the_chance():
    for number in (2, 3, 7):
        assert mode_chance(np.full((1, number), 5), unseen=0) == pytest.approx(
            [1 / number], abs=1e-6
        )
    assert mode_chance(np.array([[0, 0]]), unseen=4) == pytest.approx(
        [1 / 4], abs=1e-4
    )  # nothing seen


@pytest.mark.parametrize("unseen", [0, 1, 5])
@pytest.mark.parametrize("shape", [1.0, 1.3])
def test_chances_agree_with_draws_of_the_dirichlet(unseen, shape):
    rng = np.random.default_rng(0)
    profiles = [(2, 1), (3, 3, 1), (6, 2, 2, 1, 1), (30, 20, 5), (9,)]
    found = mode_chance(padded(*profiles), unseen, shape)
    for profile, chance in zip(profiles, found, strict=True):
        alphas = [*(1.0 + np.array(profile)), *[shape] * unseen]
        drawn = rng.standard_gamma(alphas, (60_000, len(alphas))).argmax(axis=1) == 0
        assert chance == pytest.approx(
            drawn.mean(), abs=4.5 * np.sqrt(max(chance * (1 - chance), 1e-9) / 60_000) + 2e-6
        )


def test_one_vote_more_is_the_next_profile():
    profiles = padded((3, 2, 2, 1), (2, 1, 1))
    (block,) = posteriors(profiles, np.array([3, 3]))
    everyone = np.array([True, True])
    assert block.mode_after_leader() == pytest.approx(
        mode_chance(padded((4, 2, 2, 1), (3, 1, 1)), 3)
    )
    assert block.mode_after(1, everyone) == pytest.approx(
        mode_chance(padded((3, 2, 2, 2), (2, 2, 1)), 3)
    )
    assert block.mode_after(0, everyone) == pytest.approx(
        mode_chance(padded((3, 2, 2, 1, 1), (2, 1, 1, 1)), 2)
    )


def test_many_profiles_are_worked_off_in_blocks():
    profiles = np.tile(padded((4, 2), (3, 3)), (9000, 1))
    found = mode_chance(profiles)
    assert len(found) == 18_000 and np.ptp(found[::2]) == np.ptp(found[1::2]) == 0


def test_hundreds_of_votes_are_no_trouble():
    profiles = np.array([[900, 100], [500, 499], [400, 400]])
    assert mode_chance(profiles, unseen=0) == pytest.approx(
        [1.0, 1 - doubt_table(999)[999, 499], 0.5], abs=1e-6
    )
