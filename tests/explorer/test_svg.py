"""Scales, ticks and ranges of the light pictures."""

import numpy as np
import pytest

from dynlab.explorer.svg import Panel, doubling_whole, nice_ticks, padded, whole_ticks


def inverse(panel, pixels, axis):
    """Axis units of pixels."""
    low, high = (panel.x, panel.y)[axis]
    logs = (panel.log_x, panel.log_y)[axis]
    low, high = (np.log([low, high])) if logs else (low, high)
    first, last = (
        (panel.left, panel.width - panel.right),
        (panel.height - panel.bottom, panel.top),
    )[axis]
    value = low + (np.asarray(pixels) - first) / (last - first) * (high - low)
    return np.exp(value) if logs else value


@pytest.mark.parametrize("logs", [False, True])
def test_places_are_where_the_scales_put_them(logs):
    panel = Panel((2, 32), (0.5, 0.9), log_x=logs)
    values = np.array([2, 4, 9, 32.0])
    assert np.allclose(inverse(panel, panel.at_x(values), 0), values)
    assert np.allclose(inverse(panel, panel.at_y(np.array([0.5, 0.7])), 1), [0.5, 0.7])
    assert panel.at_x(2) == panel.left and panel.at_y(0.9) == panel.top


@pytest.mark.parametrize(
    ("low", "high"), [(0.62, 0.81), (0, 1), (0.7, 0.7001), (-0.3, 0.4), (1, 80), (99.5, 100.5)]
)
def test_ticks_are_round_few_and_inside(low, high):
    ticks = nice_ticks(low, high)
    assert 1 <= len(ticks) <= 7 and all(low - 1e-9 <= value <= high + 1e-9 for value in ticks)
    assert len(set(ticks.values())) == len(ticks)
    assert all(float(label) == pytest.approx(value, abs=1e-9) for value, label in ticks.items())


def test_a_range_around_equal_values_is_not_empty():
    low, high = padded([0.5, 0.5, np.nan])
    assert low < 0.5 < high


@pytest.mark.parametrize(("low", "high"), [(0.5, 3.5), (1, 80), (2.6, 40), (1.7, 3.4), (5, 7)])
@pytest.mark.parametrize("ticks", [whole_ticks, doubling_whole])
def test_samples_are_counted_by_whole_numbers(ticks, low, high):
    found = ticks(low, high)
    assert found and all(low <= value <= high for value in found)
    assert all(value.is_integer() and label.isdigit() for value, label in found.items())
