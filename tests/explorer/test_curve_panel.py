"""Curves are drawn where their numbers are: read back from the SVG."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from dynlab.explorer.curve_panel import curves_panel
from dynlab.explorer.svg import paint
from dynlab.plots.style import LOOKS


def test_curves_intervals_and_the_budget_are_drawn_where_they_are(view):
    root = ElementTree.fromstring(curves_panel(view))
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
    solid = curves_panel(replace(view, curves=rows))
    rows.loc[rows["budget"] >= 8, "exhausted"] = 0.2
    dashed = curves_panel(replace(view, curves=rows))

    def lengths(text):
        return [
            e.get("d").count("L")
            for e in ElementTree.fromstring(text).iter("path")
            if e.get("stroke-dasharray")
        ]

    assert set(lengths(solid)) == {0} and min(lengths(dashed)) >= 1
