"""Savings in large type, and what is said where they mean little."""

from dataclasses import replace

import pytest
from numpy import nan as NAN

from dynlab.analysis.metrics import NOT_TOLD
from dynlab.explorer.curve_panel import curves_panel
from dynlab.explorer.savings_cards import savings_html


def test_coarse_pictures_say_so(view):
    coarse = replace(view, setting=replace(view.setting, replications=200))
    for draw in (curves_panel, savings_html):
        assert "coarse: 20 of 200 draw orders" in draw(coarse) and "coarse" not in draw(view)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [("reached", False, "not reached"), ("flat", True, "nothing to save")],
)
def test_savings_that_mean_little_say_so(view, column, value, said):
    saved = view.saved.assign(reached=True, flat=False)
    assert said not in savings_html(replace(view, saved=saved))
    saved[column] = value
    assert said in savings_html(replace(view, saved=saved))


def test_without_rivals_there_is_a_hint_instead_of_savings(view):
    assert "Tick a policy" in savings_html(replace(view, saved=view.saved.iloc[:0]))


def test_at_the_recording_s_end_the_cards_say_what_cannot_be_told(view):
    (own,) = view.comparison.replays
    at_end = replace(view, setting=replace(view.setting, budget=own.longest))
    assert "is all that is recorded" in savings_html(at_end)
    assert "is all that is recorded" not in savings_html(view)
    ended = savings_html(replace(view, saved=view.saved.assign(saving=NAN, low=NAN, high=NAN)))
    assert ">n/a<" in ended and "cannot be told where" in ended and "unknown" not in ended
    untold = replace(view, gained=dict.fromkeys(view.gained, NOT_TOLD))
    assert "at equal cost n/a" in savings_html(untold) and "nan" not in savings_html(untold)
