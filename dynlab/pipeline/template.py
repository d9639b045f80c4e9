"""`dynlab new`: a notebook for an experiment of one's own, which runs at once, by hand or by
papermill.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from dynlab._util.errors import InputError
from dynlab.pipeline.inputs import located_all
from dynlab.plots.figure_files import write_bytes

_TITLE = """# {name}

**The question.** What do you want to know?

**What is our choice.** Which settings are yours, and which come from a paper?"""
_PARAMETERS = """recording: str = {recording}  # name or path, several with commas, none: those that come with dynlab
budgets: list = [2, 4, 8, 16]  # mean samples per question
allocators: list = ["uniform", "ucb", "priced"]  # names, see `dynlab compare --help`
unit: str = "samples"  # what budgets count: samples, tokens or usd
replications: int = 200  # draw orders that are averaged over
seed: int = 0  # of the draw orders and of ties
out: str = "figures"  # folder for figures and their numbers
quick: bool = False  # few recordings and replications"""
_INPUTS = """chosen = inputs.chosen(recording, quick=quick, out=out)
budgets = inputs.held(budgets, chosen)
options = {"replications": inputs.QUICK_REPLICATIONS if quick else replications, "seed": seed, "unit": unit}
chosen[0]"""
_CURVES = """curves = comparing.compare(chosen, allocators=allocators, budgets=budgets, **options)
tables.table(curves)"""
_FIGURE = 'figures.save(plots.plot_curve_grid(curves), out, "{name}-curves", curves)'


def new_notebook(name: str | Path, recording: str = "") -> Path:
    """Writes NAME.ipynb: a parameters cell, the recordings, accuracy against cost, and the figure
    put into words.

    Args:
        name: Of the notebook, or its path; figures are named after it.
        recording: The recordings that it draws by default: a name or a path, several with commas.

    Raises:
        InputError: The file is there already, the name can't be that of a file, or a recording is
            not there.
    """
    path = Path(name).with_suffix("") if str(name).endswith(".ipynb") else Path(name)
    if not re.fullmatch(r"[\w][\w.-]*", path.name):
        raise InputError(
            "the name of a notebook is letters, digits, '-' and '_', such as my-idea; not"
            f" {str(name)!r}"
        )
    path = path.with_name(f"{path.name}.ipynb")
    if path.exists():
        raise InputError(f"{path} is there already; give another name, or remove it first")
    if recording:
        located_all(recording)
    cells = [
        _markdown("title", _TITLE.format(name=path.stem)),
        _code(
            "parameters", _PARAMETERS.format(recording=json.dumps(recording)), tags=["parameters"]
        ),
        _code("imports", "from dynlab import comparing, figures, inputs, plots, reading, tables"),
        _code("inputs", _INPUTS),
        _markdown("curves-text", "## Accuracy against cost"),
        _code("curves", _CURVES),
        _code("figure", _FIGURE.format(name=path.stem)),
        _markdown("reading-text", "### Reading the figure"),
        _code(
            "reading",
            "reading.of_curves(curves, comparing.greedy_vs_vote(chosen, at=max(budgets),"
            " **options))",
        ),
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    notebook = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return write_bytes(path, (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode())


def _markdown(name: str, text: str) -> dict[str, Any]:
    return {
        "cell_type": "markdown",
        "id": name,
        "metadata": {},
        "source": text.splitlines(keepends=True),
    }


def _code(name: str, text: str, **metadata: Any) -> dict[str, Any]:
    source = text.splitlines(keepends=True)
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": name,
        "metadata": metadata,
        "outputs": [],
        "source": source,
    }
