"""Pages that need no server and no network: one for each executed notebook, and an index of all
figures.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd

from dynlab.pipeline.cache import Entry

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
_SHOWN = """recording how outcome allocator stopping uncertainty exploration warmup batch unit budget at band questions
accuracy saving difference spent regret low high""".split()
_VARIED = ("uncertainty", "exploration", "warmup", "batch")  # shown where they differ
_MOST = 60  # rows of a figure's numbers on the page; the CSV has them all


def notebook_page(notebook: str, title: str) -> str:
    """An executed notebook (the text of its .ipynb file) as one HTML page that fetches nothing."""
    nbconvert: Any = import_module("nbconvert")
    body, _ = nbconvert.HTMLExporter(template_name="basic").from_file(StringIO(notebook))
    return _page(title, '<p class="soft"><a href="../index.html">all figures</a></p>\n' + body)


def index_page(
    entries: Mapping[str, Entry], headlines: Sequence[str], failures: Mapping[str, str], out: Path
) -> str:
    """The index of a folder of figures: the headlines, then each notebook's figures, numbers,
    parameters and links.

    Args:
        entries: Stem of a notebook → what it made, in order.
        headlines: The findings, a line each.
        failures: Stem → why that notebook failed.
        out: The folder.
    """
    total = sum(entry.seconds for entry in entries.values())
    parts = [f"<h1>Figures</h1>\n{_listed(headlines, 'headlines')}"]
    parts.append(
        f'<p class="soft">{len(entries)} notebooks, {took(total)} one after the other.</p>'
    )
    for stem, entry in entries.items():
        copies = {kind: f"notebooks/{stem}.{kind}" for kind in ("html", "ipynb")}
        there = {kind: name in entry.outputs for kind, name in copies.items()}
        title = escape(entry.title)
        parts.append(
            f'<h2><a href="{copies["html"]}">{title}</a></h2>'
            if there["html"]
            else f"<h2>{title}</h2>"
        )
        if stem in failures:
            parts.append(f'<p class="failed">{escape(failures[stem])}</p>')
        figures = [
            _figure(out / f"{name}.csv") for name in entry.figures if f"{name}.csv" in entry.outputs
        ]
        parts.append('<div class="gallery">' + "\n".join(figures) + "</div>")
        if there["ipynb"]:
            words = _findings((out / copies["ipynb"]).read_text(encoding="utf-8"))
            parts.append(
                f"<details><summary>in words</summary>{_listed(words, 'words')}</details>"
                if words
                else ""
            )
        executed = (
            f' · executed: <a href="{copies["ipynb"]}">{escape(stem)}.ipynb</a>'
            if there["ipynb"]
            else ""
        )
        parts.append(
            f'<p class="soft">{took(entry.seconds)}{_settings(entry.parameters)}{executed}</p>'
        )
    return _page("dynlab: figures", "\n".join(parts))


def sweep_page(
    settings: Mapping[str, tuple[Mapping[str, Any], Sequence[str], Sequence[str]]],
) -> str:
    """The common index of a sweep: each setting's parameters and headlines, then each figure in all
    settings.

    Args:
        settings: Name of a setting, which is its folder → its parameters, its headlines, the names
            of its figures.
    """
    parts = ["<h1>Sweep</h1>"]
    for name, (parameters, headlines, _) in settings.items():
        parts.append(f'<h2><a href="{escape(name)}/index.html">{escape(name)}</a></h2>')
        parts.append(
            f'<p class="soft">{_settings(parameters).removeprefix(" · ")}</p>{_listed(headlines, "headlines")}'
        )
    for figure in dict.fromkeys(figure for *_, figures in settings.values() for figure in figures):
        shown = [
            f'<figure><a href="{escape(name)}/{escape(figure)}.svg"><img'
            f' src="{escape(name)}/{escape(figure)}.svg" alt="{escape(figure)} of'
            f' {escape(name)}"></a><figcaption>{escape(name)}</figcaption></figure>'
            for name, (*_, figures) in settings.items()
            if figure in figures
        ]
        parts.append(
            f'<h3>{escape(figure)}</h3><div class="gallery">' + "\n".join(shown) + "</div>"
        )
    return _page("dynlab: sweep", "\n".join(parts))


def took(seconds: float) -> str:
    """A duration to read: '8 s', '3 min 20 s'."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"


def _listed(lines: Iterable[str], kind: str) -> str:
    """A list; **bold** stays bold."""
    items = (re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", escape(line)) for line in lines)
    return f'<ul class="{kind}">' + "".join(f"<li>{item}</li>" for item in items) + "</ul>"


def _settings(parameters: Mapping[str, Any]) -> str:
    """' · quick = True · budgets = 2, 4', without those that were passed as nothing."""
    words = {
        k: ", ".join(map(str, v)) if isinstance(v, list) else str(v) for k, v in parameters.items()
    }
    return "".join(
        f" · {escape(f'{name} = {value}')}"
        for name, value in words.items()
        if value not in ("", "False")
    )


def _findings(notebook: str) -> list[str]:
    """The bullets that an executed notebook's cells gave: its figures put into words."""
    outputs = (
        output for cell in json.loads(notebook)["cells"] for output in cell.get("outputs", ())
    )
    texts = ("".join(output.get("data", {}).get("text/markdown", ())) for output in outputs)
    return [
        line.removeprefix("- ")
        for text in texts
        for line in text.splitlines()
        if line.startswith("- ")
    ]


def _figure(path: Path) -> str:
    numbers = pd.read_csv(path, keep_default_na=False, na_values=[""])
    held = [name for name in _SHOWN if name in numbers and numbers[name].notna().any()]
    shown = numbers[[name for name in held if name not in _VARIED or numbers[name].nunique() > 1]]
    table = shown.head(_MOST).to_html(
        index=False, border=0, float_format="{:.3f}".format, na_rep=""
    )
    rest = (
        f'<p class="soft">the first {_MOST} of {len(shown)} rows</p>' if len(shown) > _MOST else ""
    )
    return _FIGURE.format(name=escape(path.stem), table=table + rest)


def _page(title: str, body: str) -> str:
    css = Path(__file__).with_name("gallery.css").read_text(encoding="utf-8")
    return _PAGE.format(title=escape(title), css=css, body=body)
