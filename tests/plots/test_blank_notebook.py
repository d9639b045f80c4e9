"""Plots in a real kernel: each shows, and so do those that the reader draws afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

FIGURES = Path(__file__).resolve().parents[2] / "figures"
CELLS = (
    "import dynlab, pandas\ncurves = pandas.read_csv('00-quickstart.csv')\n"
    "dynlab.plot_curves(curves)",
    "dynlab.plot_curves(curves)",
    "dynlab.plot_curve_grid(curves)",
    "figure = dynlab.plot_curve_grid(curves)",
    "from matplotlib import pyplot\npyplot.plot([1, 2])",
)


@pytest.mark.slow
def test_every_picture_of_a_blank_notebook_is_shown():
    import nbformat
    from nbclient import NotebookClient

    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells)
    resources = {"metadata": {"path": str(FIGURES)}}
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources=resources).execute()
    for cell in notebook.cells:
        shown = [each for each in cell.outputs if "image/png" in each.get("data", {})]
        assert len(shown) == 1, cell.source
