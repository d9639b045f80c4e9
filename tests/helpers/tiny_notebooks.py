"""Notebooks of four cells that save a figure, in place of those that come with dynlab."""

import json
import shutil
from importlib.metadata import distributions
from itertools import islice
from pathlib import Path
from threading import Lock
from unittest import mock

import pytest

from dynlab._util.errors import InputError
from dynlab.pipeline import cache
from dynlab.pipeline.job import Job
from dynlab.pipeline.reproduction import reproduce

_ENVIRONMENT = Lock()  # notebooks run in threads here, and the environment is one

SAVES = """
from pathlib import Path
from dynlab.plots.manifest import add_figure
Path(out, "NAME.svg").write_text(f'<svg xmlns="http://www.w3.org/2000/svg">{factor}</svg>')
Path(out, "NAME.csv").write_text(f"accuracy\\n{factor}\\n")
add_figure(out, "NAME", ["svg", "csv"])
"""


def notebook(name, body="1 + 1", extra="", title="Notebook"):
    """A notebook that saves the figure NAME, of its `factor`, then runs `body`."""
    declared = (
        "factor: int = 1  # of the figure\n"
        "recording: str = ''  # name or path\n"
        "out: str = '.'  # folder\n" + extra
    )
    cells = [
        {"cell_type": "markdown", "id": "title", "metadata": {}, "source": [f"# {title}"]},
        code("parameters", declared, tags=["parameters"]),
        code("figure", SAVES.strip().replace("NAME", name)),
        code("body", body),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return json.dumps(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": cells}
    )


def code(name, source, **metadata):
    """A code cell that was not run."""
    return {
        "cell_type": "code",
        "id": name,
        "metadata": metadata,
        "execution_count": None,
        "outputs": [],
        "source": source.splitlines(keepends=True),
    }


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """Two tiny notebooks in place of those that come with dynlab, and files of dynlab to edit."""
    folder = tmp_path / "notebooks"
    package = tmp_path / "package"
    folder.mkdir()
    own = "own: str = 'x'  # of this one\n"
    (folder / "10-one.ipynb").write_text(notebook("10-one"))
    (folder / "11-two.ipynb").write_text(notebook("11-two", extra=own))
    monkeypatch.setattr(
        "dynlab.pipeline.reproduction.named",
        lambda *_: {path.stem: path for path in sorted(folder.iterdir())},
    )
    shutil.copytree(
        Path(cache.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__")
    )
    monkeypatch.setattr("dynlab.pipeline.cache._PACKAGE", package)
    few = [*islice(distributions(), 3)]  # of all that are installed: each is a file to read
    monkeypatch.setattr("dynlab.pipeline.cache.distributions", lambda: few)
    return tmp_path


def in_this_process(job):
    """A job's notebook, executed here and now: no kernel to wait for."""
    cells = json.loads(job.path.read_text())["cells"]
    space = {}
    for number, cell in enumerate(cells[1:]):
        cell["execution_count"] = number + 2
        try:
            with _ENVIRONMENT, mock.patch("os.environ", job.environment):
                exec("".join(cell["source"]), space)
        except (ValueError, InputError) as error:
            said = {"ename": type(error).__name__, "evalue": str(error), "traceback": [str(error)]}
            cell["outputs"] = [{"output_type": "error", **said}]
            job.fail(json.dumps({"cells": cells}))
            break
        space.update(job.given if number == 0 else {})
    return json.dumps(json.loads(job.path.read_text()) | {"cells": cells})


@pytest.fixture(params=["here"])
def run(request, tiny, make_pool, monkeypatch):
    """`reproduce` on the tiny notebooks, in this process or, as a parameter says, by papermill."""
    if request.param == "here":
        monkeypatch.setattr(Job, "_executed", in_this_process)
    make_pool({"q1": "aab", "q2": "abb"}).to_csv(tiny / "pool.csv", index=False)

    def again(**given):
        given = {"recordings": [tiny / "pool.csv"], "out": tiny / "out", "progress": False, **given}
        return reproduce(**given)

    return again
