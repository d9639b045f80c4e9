"""Spending is drawn question by question."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from dynlab.explorer.questions import summaries_of
from dynlab.explorer.spending_panel import spending_panel
from dynlab.explorer.svg import paint
from dynlab.plots.style import LOOKS


def test_spending_is_drawn_question_by_question_in_the_order_given(view):
    material = view.material
    order = material.order("accuracy")
    told = summaries_of(material.recording, material.streams)
    root = ElementTree.fromstring(spending_panel(view, order, told, 3, "accuracy"))
    ids = [e.find("title").text.split()[0] for e in root.iter("rect")]
    assert ids == [material.streams.question_ids[q] for q in order]
    stroke = f"stroke:{paint(LOOKS['priced'].colour)}"
    dots = next(
        e for e in root.iter("path") if e.get("style") == stroke and e.get("stroke-linecap")
    )
    heights = np.array([float(y) for _, y in re.findall(r"M([\d.]+) ([\d.]+)h0", dots.get("d"))])
    spent = view.spent["priced"][order]
    assert np.corrcoef(-heights, np.log(spent))[0, 1] == pytest.approx(1, abs=1e-4)
