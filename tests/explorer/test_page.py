"""The page's files, and the still picture for pages without a kernel."""

from __future__ import annotations

import json
import re

import pytest

import dynlab
from dynlab.explorer.page import AREAS, STATIC, Page
from dynlab.pipeline.gallery import notebook_page


@pytest.fixture
def explorer(random_pool):
    frame = random_pool(num_samples=12)
    frame["text"] = "<script>alert(1)</script>"
    made = dynlab.explore(frame, budget=4, replications=20)
    made.view(120)
    return made


def test_script_and_style_are_files_that_know_every_area():
    script = (STATIC / "explorer.js").read_text()
    listed = re.search(r"const AREAS = \[(.*?)\]", script)
    assert tuple(json.loads(f"[{listed[1]}]")) == AREAS
    assert str(Page()._esm) == script and "execCommand" not in script
    assert str(Page()._css) == (STATIC / "explorer.css").read_text()


def test_no_script_stands_in_html(explorer):
    for area in AREAS:
        assert not re.search(r"<script|\son\w+=|javascript:", getattr(explorer.page, area))


@pytest.mark.slow
def test_an_exported_page_holds_a_still_picture(explorer):
    data = explorer._repr_mimebundle_()
    cell = {
        "cell_type": "code",
        "id": "explorer",
        "execution_count": 1,
        "metadata": {},
        "source": "explorer",
        "outputs": [
            {"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": data}
        ],
    }
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    page = notebook_page(json.dumps(notebook), "07")
    assert page.count("<svg ") == 3 and 'class="dl-big"' in page
    assert "<script" not in page
