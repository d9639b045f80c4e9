"""Executed notebooks as Markdown: what is shown of each kind of output, and what is left out."""

import json
import re
from pathlib import Path

from helpers.tiny_notebooks import code

from dynlab.pipeline.markdown_copy import markdown_copy

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "figures" / "notebooks"


def copied(*outputs, source="1 + 1", **metadata):
    cell = code("cell", source, **metadata) | {"outputs": list(outputs)}
    return markdown_copy(json.dumps({"cells": [cell]}))


def shown(**data):
    return {"output_type": "display_data", "metadata": {}, "data": data}


def test_a_saved_figure_is_the_picture_beside_the_folder():
    figure = shown(**{"image/png": "aGk=", "text/plain": "03-savings.svg"})
    assert copied(figure).endswith("```\n\n![03-savings](../03-savings.svg)\n")


def test_words_stay_and_frames_lose_their_layout():
    words = shown(**{"text/markdown": ["- one\n", "- two\n"], "text/plain": "Words"})
    frame = '<div>\n<style scoped>\n\n  th {}\n</style>\n<table border="1" class="dataframe">\n'
    frame += '  <tr style="text-align: right;">\n    <td>&lt;b&gt;</td>\n  </tr>\n</table>\n</div>'
    text = copied(words, shown(**{"text/html": frame, "text/plain": "b"}))
    assert text.endswith(
        '\n\n- one\n- two\n\n<table class="dataframe">\n<tr><td>&lt;b&gt;</td></tr>\n</table>\n'
    )


def test_pictures_that_were_not_saved_sliders_and_stderr_are_left_out():
    text = copied(
        shown(**{"image/png": "aGk=", "text/plain": "<Figure>"}),
        shown(**{"application/vnd.jupyter.widget-view+json": {}, "text/html": "<svg></svg>"}),
        {"output_type": "stream", "name": "stderr", "text": "warned"},
        {"output_type": "stream", "name": "stdout", "text": ["a ``` fence\n"]},
        {"output_type": "error", "ename": "ValueError", "evalue": "bad", "traceback": []},
    )
    assert "svg" not in text and "aGk" not in text and "warned" not in text
    assert "`dynlab explore`" in text
    assert "````text\na ``` fence\n````" in text
    assert "```text\nValueError: bad\n```" in text


def test_passed_parameters_are_not_shown():
    assert copied(source='out = "/home/me"', tags=["injected-parameters"]).strip() == ""


def test_every_notebook_has_its_committed_copy():
    notebooks = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert {path.stem for path in PAGES.glob("*.md")} == notebooks
    for page in PAGES.glob("*.md"):
        text = page.read_text(encoding="utf-8")
        pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text)
        assert pictures and all((PAGES / picture).is_file() for picture in pictures), page.name
