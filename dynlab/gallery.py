"""Pages that need no server and no network: one for each executed notebook, and an index of all figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{css}</style>
</head>
<body>
{body}
</body>
</html>
"""
_FIGURE = """<figure>
<a href="{name}.svg"><img src="{name}.svg" alt="{name}"></a>
<figcaption>{name}:
<a href="{name}.svg">SVG</a> · <a href="{name}.png">PNG</a> · <a href="{name}.csv">CSV</a></figcaption>
<details><summary class="soft">numbers</summary>{table}</details>
</figure>"""
_SHOWN = (
    "recording",
    "allocator",
    "stopping",
    "unit",
    "budget",
    "at",
    "accuracy",
    "saving",
    "difference",
    "low",
    "high",
)


def notebook_page(notebook: str, title: str) -> str:
    """An executed notebook (the text of its .ipynb file) as one HTML page that fetches nothing."""
    nbconvert: Any = import_module("nbconvert")
    body, _ = nbconvert.HTMLExporter(template_name="basic").from_file(StringIO(notebook))
    return _page(title, '<p class="soft"><a href="../index.html">all figures</a></p>\n' + body)


def index_page(
    notebooks: Mapping[str, str],
    figures: Sequence[str],
    headlines: Sequence[str],
    failures: Mapping[str, str],
    out: Path,
) -> str:
    """The index of a folder of figures: the headlines, then each notebook's figures, numbers and links.

    Args:
        notebooks: Stem → title, in order; a figure belongs to the notebook whose number its name begins with.
        figures: Names of the figures that lie in `out` as NAME.svg, NAME.png and NAME.csv.
        headlines: The findings, a line each.
        failures: Stem → why that notebook failed.
        out: The folder.
    """
    items = "".join(f"<li>{escape(line)}</li>" for line in headlines)
    parts = [f'<h1>Figures</h1>\n<ul class="headlines">{items}</ul>']
    for stem, title in notebooks.items():
        parts.append(f'<h2><a href="notebooks/{stem}.html">{escape(title)}</a></h2>')
        if stem in failures:
            parts.append(f'<p class="failed">{escape(failures[stem])}</p>')
        own = [_figure(out / f"{name}.csv") for name in figures if name.split("-")[0] == stem.split("-")[0]]
        parts.append('<div class="gallery">' + "\n".join(own) + "</div>")
        parts.append(f'<p class="soft">executed: <a href="notebooks/{stem}.ipynb">{stem}.ipynb</a></p>')
    return _page("dynlab: figures", "\n".join(parts))


def _figure(path: Path) -> str:
    numbers = pd.read_csv(path, keep_default_na=False, na_values=[""])
    shown = numbers[[column for column in _SHOWN if column in numbers and numbers[column].notna().any()]]
    table = shown.to_html(index=False, border=0, float_format="{:.3f}".format, na_rep="")
    return _FIGURE.format(name=escape(path.stem), table=table)


def _page(title: str, body: str) -> str:
    css = Path(__file__).with_name("gallery.css").read_text(encoding="utf-8")
    return _PAGE.format(title=escape(title), css=css, body=body)
