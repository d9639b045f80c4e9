"""Resamples of questions, whole or a few at a time: the same means."""

from __future__ import annotations

import numpy as np
import pytest

from dynlab.analysis import resamples
from dynlab.analysis.resamples import question_resamples


@pytest.fixture
def in_blocks(monkeypatch):
    """Resamples of 40 questions, seven of them at a time."""
    question_resamples.cache_clear()
    monkeypatch.setattr(resamples, "_WHOLE", 7 * 40)
    monkeypatch.setattr(resamples, "_BLOCK", 7 * 40)
    yield question_resamples(40, seed=3, resamples=60)
    question_resamples.cache_clear()


def test_means_are_those_of_the_questions_that_were_drawn(in_blocks):
    drawn = np.random.default_rng([3, 40]).multinomial(40, np.full(40, 1 / 40), size=60)
    values = np.random.default_rng(0).random((40, 5))
    assert len(in_blocks) == 60 and (in_blocks.counts.sum(axis=1) == 40).all()
    assert np.allclose(in_blocks @ values, drawn @ values / 40, rtol=1e-14)
    assert np.allclose(in_blocks @ values[:, 0], drawn @ values[:, 0] / 40, rtol=1e-14)
    assert np.allclose(in_blocks.means(values.T), (drawn @ values / 40).T, rtol=1e-14)
    together = in_blocks.of_each([values, values[:, 0]])
    assert (together[0] == in_blocks @ values).all()
    assert (together[1] == in_blocks @ values[:, 0]).all()


def test_the_estimate_stands_before_its_resamples(in_blocks):
    values = np.random.default_rng(0).random(40)
    found = in_blocks.with_estimate @ values
    assert len(found) == 61 and np.isclose(found[0], values.mean())
    assert np.allclose(found[1:], in_blocks @ values)
