"""Panels draw the numbers they are given: read back from the SVG, they are those of the view."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from dynlab.explorer import panels
from dynlab.explorer.compute import Workbench
from dynlab.explorer.questions import Growth, asked, growth
from dynlab.explorer.state import Setting
from dynlab.explorer.svg import Panel, nice_ticks, padded, paint
from dynlab.plots.style import LOOKS
from dynlab.recordings.recording import load


@pytest.fixture
def view(random_pool):
    bench = Workbench({"pool": load(random_pool(num_samples=24))})
    return bench.view(Setting("pool", budget=4, replications=20))


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


def test_curves_intervals_and_the_budget_are_drawn_where_they_are(view):
    root = ElementTree.fromstring(panels.curves_panel(view))
    rows = view.curves[view.curves["allocator"] == "priced"]
    stroke = f"stroke:{paint(LOOKS['priced'].colour)}"
    own = [e for e in root.iter("path") if e.get("style") == stroke]
    dots = next(e for e in own if e.get("stroke-linecap"))
    places = re.findall(r"M([\d.]+) ([\d.]+)h0", dots.get("d"))
    assert len(places) == len(rows)
    edges = [e for e in own if e.get("class") == "dl-edge"]
    assert len(edges) == 2
    heights = [[float(y) for _, y in re.findall(r"([\d.]+) ([\d.]+)", e.get("d"))] for e in edges]
    middle = [float(y) for _, y in places]
    assert all(
        low >= at >= high for low, at, high in zip(heights[0], middle, heights[1], strict=True)
    )
    budget = next(e for e in root.iter("path") if e.get("class") == "dl-budget")
    at_budget = places[view.setting.budgets(24).index(4.0)]
    assert float(re.match(r"M([\d.]+)", budget.get("d"))[1]) == pytest.approx(
        float(places[2][0]), abs=3
    )
    assert at_budget == places[2]


def test_a_curve_is_dashed_where_questions_have_run_out(view):
    rows = view.curves.copy()
    rows["exhausted"] = 0.0
    solid = panels.curves_panel(replace(view, curves=rows))
    rows.loc[rows["budget"] >= 8, "exhausted"] = 0.2
    dashed = panels.curves_panel(replace(view, curves=rows))

    def lengths(text):
        return [
            e.get("d").count("L")
            for e in ElementTree.fromstring(text).iter("path")
            if e.get("stroke-dasharray")
        ]

    assert set(lengths(solid)) == {0} and min(lengths(dashed)) >= 1


def test_coarse_pictures_say_so(view):
    coarse = replace(view, setting=replace(view.setting, replications=200))
    for draw in (panels.curves_panel, panels.savings_html):
        assert "coarse: 20 of 200 draw orders" in draw(coarse) and "coarse" not in draw(view)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [("reached", False, "not reached"), ("flat", True, "nothing to save")],
)
def test_savings_that_mean_little_say_so(view, column, value, said):
    saved = view.saved.assign(reached=True, flat=False)
    assert said not in panels.savings_html(replace(view, saved=saved))
    saved[column] = value
    assert said in panels.savings_html(replace(view, saved=saved))


def test_without_rivals_there_is_a_hint_instead_of_savings(view):
    assert "Tick a policy" in panels.savings_html(replace(view, saved=view.saved.iloc[:0]))


def test_spending_is_drawn_question_by_question_in_the_order_given(view):
    material = view.material
    order = material.order("accuracy")
    told = asked(material.recording, material.streams)
    root = ElementTree.fromstring(panels.spending_panel(view, order, told, 3, "accuracy"))
    ids = [e.find("title").text.split()[0] for e in root.iter("rect")]
    assert ids == [material.streams.question_ids[q] for q in order]
    stroke = f"stroke:{paint(LOOKS['priced'].colour)}"
    dots = next(
        e for e in root.iter("path") if e.get("style") == stroke and e.get("stroke-linecap")
    )
    heights = np.array([float(y) for _, y in re.findall(r"M([\d.]+) ([\d.]+)h0", dots.get("d"))])
    spent = view.spent["priced"][order]
    assert np.corrcoef(-heights, np.log(spent))[0, 1] == pytest.approx(1, abs=1e-4)


def test_a_vote_shows_leading_answers_others_and_missing_ones(view):
    shares = np.tile(np.array([[0.2, 0.15, 0.15, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05]]), (4, 1))
    grown = Growth((*"abcdefgh", ""), (False,) * 7 + (True, False), shares)
    drawn = panels.vote_panel(view, grown, 0)
    assert ">2 others ✓</text>" in drawn and ">no answer</text>" in drawn and "%" in drawn
    assert drawn.count('class="dl-share"') == 8


def test_every_vote_of_a_recording_can_be_drawn(view):
    for question in range(view.material.streams.num_questions):
        ElementTree.fromstring(
            panels.vote_panel(view, growth(view.material.streams, question, 0), question)
        )


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
