"""Pages that need no server and no network: one for each notebook, and an index of all figures."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd

from dynlab._util.durations import took
from dynlab.pipeline.cache import CacheEntry
from dynlab.pipeline.formulas import as_mathml
from dynlab.plots.manifest import ManifestEntry, read_manifest
from dynlab.plots.style import title as panel_title

_TEMPLATES = Path(__file__).with_name("templates")
_SHOWN = (
    "recording how outcome allocator stopping uncertainty exploration warmup batch unit budget"
    " at band questions accuracy saving difference spent regret low high"
).split()
_SETTINGS = ("stopping", "uncertainty", "exploration", "warmup", "batch")
_SHOWN_KINDS = (
    "text/html text/markdown image/svg+xml text/latex image/png image/jpeg text/plain"
).split()
_MOST = 60  # rows of a figure's numbers on the page; the CSV has them all


@dataclass(frozen=True)
class SweepFolder:
    """One folder of a sweep: its parameters, its findings in a line each, its figures' names."""

    parameters: Mapping[str, Any]
    headlines: Sequence[str]
    figures: Sequence[str]


def notebook_page(notebook: str, title: str) -> str:
    """An executed notebook (the text of its .ipynb file) as one HTML page that fetches nothing."""
    # as in `execute`: else jsonschema builds grammars of URIs that no notebook needs
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    from nbconvert.exporters import HTMLExporter
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
    from traitlets.config import Config

    class Renderer(IPythonRenderer):
        """Markdown whose formulas are MathML, which browsers draw without a library."""

        def inline_math(self, body: str) -> str:
            return as_mathml(body, "inline")

        def block_math(self, body: str) -> str:
            return as_mathml(body, "block")

    def markdown(source: str) -> str:
        renderer = Renderer(escape=False, exclude_anchor_links=True)
        return str(MarkdownWithMath(renderer=renderer).render(source))

    # no kernel answers a page's widgets: the still picture beside them is shown
    config = Config({"NbConvertBase": {"display_data_priority": _SHOWN_KINDS}})
    exporter: Any = HTMLExporter
    filters = {"markdown2html": markdown}
    made = exporter(template_name="basic", filters=filters, config=config)
    body, _ = made.from_file(StringIO(notebook))
    return _rendered("notebook.html.j2", title=title, notebook=body)


def index_page(
    entries: Mapping[str, CacheEntry],
    headlines: Sequence[str],
    failures: Mapping[str, str],
    out: Path,
    samples: Mapping[str, Path] | None = None,
) -> str:
    """The index of a folder: the headlines, then each notebook's figures, numbers and settings.

    Args:
        entries: Stem of a notebook → what it made, in order.
        headlines: The findings, a line each.
        failures: Stem → why that notebook failed.
        out: The folder.
        samples: Recording → the page of its samples.
    """
    manifest = read_manifest(out)
    notebooks = []
    for stem, entry in entries.items():
        page, copy = (f"notebooks/{stem}.{kind}" for kind in ("html", "ipynb"))
        there = copy in entry.copies
        notebooks.append(
            {
                "stem": stem,
                "title": entry.title,
                "page": page if page in entry.copies else "",
                "executed": copy if there else "",
                "failure": failures.get(stem, ""),
                "figures": [
                    _figure(out, name, manifest[name]) for name in entry.figures if name in manifest
                ],
                "words": _findings((out / copy).read_text(encoding="utf-8")) if there else [],
                "seconds": entry.seconds,
                "parameters": entry.parameters,
            }
        )
    return _rendered(
        "index.html.j2",
        title="dynlab: figures",
        headlines=headlines,
        notebooks=notebooks,
        samples={
            name: Path(os.path.relpath(page, out)).as_posix()
            for name, page in (samples or {}).items()
        },
        seconds=sum(entry.seconds for entry in entries.values()),
    )


def sweep_page(settings: Mapping[str, SweepFolder]) -> str:
    """The index of a sweep: each setting by its folder, then each figure in all settings."""
    figures = dict.fromkeys(name for setting in settings.values() for name in setting.figures)
    return _rendered("sweep.html.j2", title="dynlab: sweep", settings=settings, figures=figures)


def sections(notebook: str) -> dict[str, str]:
    """The heading under which an executed notebook shows each figure, by the figure's name."""
    found = {}
    heading = ""
    for cell in json.loads(notebook)["cells"]:
        if cell["cell_type"] == "markdown":
            headings = re.findall(r"^## +(.+)$", "".join(cell["source"]), re.MULTILINE)
            heading = headings[-1] if headings else heading
        for output in cell.get("outputs", ()):
            text = "".join(output.get("data", {}).get("text/plain", ()))
            if text.endswith(".svg"):  # as a saved figure calls itself
                found[text.removesuffix(".svg")] = heading
    return found


def _rendered(template: str, **values: Any) -> str:
    """A page by its template; text is escaped, and **bold** in findings stays bold."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup, escape

    def bold(line: str) -> Markup:
        return Markup(re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", str(escape(line))))

    pages = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    pages.filters |= {"bold": bold, "took": took, "settings": _settings, "entitled": panel_title}
    return pages.get_template(template).render(values)


def _settings(parameters: Mapping[str, Any]) -> str:
    """' · quick = True · budgets = 2, 4', without those that were passed as nothing."""
    words = {
        name: ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        for name, value in parameters.items()
    }
    return "".join(
        f" · {name} = {value}" for name, value in words.items() if value not in ("", "False")
    )


def _findings(notebook: str) -> list[str]:
    """The bullets that an executed notebook's cells gave: its figures put into words."""
    cells = json.loads(notebook)["cells"]
    outputs = (output for cell in cells for output in cell.get("outputs", ()))
    texts = ("".join(output.get("data", {}).get("text/markdown", ())) for output in outputs)
    lines = (line for text in texts for line in text.splitlines())
    return [line.removeprefix("- ") for line in lines if line.startswith("- ")]


def _figure(out: Path, name: str, entry: ManifestEntry) -> dict[str, Any]:
    """What the index shows of a figure: its files and the first rows of its numbers."""
    figure = {"name": name, "title": entry.title, "kinds": entry.files, "table": "", "left_out": 0}
    if "csv" not in entry.files:
        return figure
    numbers = pd.read_csv(out / f"{name}.csv", keep_default_na=False, na_values=[""])
    held = [name for name in _SHOWN if name in numbers and numbers[name].notna().any()]
    varied = [name for name in held if numbers[name].nunique() > 1 and not _implied(numbers, name)]
    shown = numbers[varied or held]
    figure["table"] = shown.head(_MOST).to_html(
        index=False, border=0, float_format="{:.3f}".format, na_rep=""
    )
    figure["left_out"] = max(len(shown) - _MOST, 0)
    return figure


def _implied(numbers: pd.DataFrame, column: str) -> bool:
    """Whether a setting follows from the policy's name: then it would only push numbers aside."""
    names = [name for name in ("allocator", "stopping") if name in numbers and name != column]
    if column not in _SETTINGS or not names:
        return False
    groups = numbers.groupby(names, dropna=False, sort=False)
    return bool((groups[column].nunique(dropna=False) <= 1).all())
