"""How a live run is watched: the same cell in a notebook by papermill and in a script, a panel, a
bar.
"""

from __future__ import annotations

import json
import os
import sys
from types import SimpleNamespace

import nbformat
import pytest
from helpers import browser
from helpers.sums import KEY

from dynlab._util.options import Limits
from dynlab._util.values import Sample
from dynlab.online.progress import Watch
from dynlab.online.run_state import RunState, Setup
from dynlab.pipeline import execute
from dynlab.policies.policy import Policy
from dynlab.policies.ucb import UCB
from dynlab.sampling import progress
from dynlab.sampling.budget import Ledger, Spending
from dynlab.sampling.latencies import CallClock

CELL = """
import dynlab
from dynlab.models.llama_cpp import Endpoint
from helpers.sums import TASK, KEY
requests = dynlab.RequestOptions(concurrency=6, price=(1.0, 2.0))
settings = {"budget": 4, "requests": requests}
endpoint = Endpoint("text-completion-openai/scripted", address, KEY)
"""
PLAIN = CELL + "solution = dynlab.solve(TASK, endpoint, out='plain.jsonl', **settings)\nsolution"
AWAITED = (
    CELL
    + "solution = await dynlab.solve(TASK, endpoint, out='awaited.jsonl', **settings)\nsolution"
)


@pytest.mark.slow
def test_the_same_cell_runs_plainly_and_awaited_under_papermill(
    sums_server, solve_by_http, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    cells = [
        nbformat.v4.new_code_cell(
            "address: str = ''  # of the server", metadata={"tags": ["parameters"]}
        )
    ]
    cells += [nbformat.v4.new_code_cell(source) for source in (PLAIN, AWAITED)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    nbformat.write(notebook, "in.ipynb")
    assert execute.main("in.ipynb", "out.ipynb", json.dumps({"address": sums_server.address})) == 0
    script = solve_by_http("script.jsonl", budget=4)
    for name in ("plain", "awaited"):
        assert (tmp_path / f"{name}.jsonl").read_bytes() == script.path.read_bytes()
    text = (tmp_path / "out.ipynb").read_text()
    assert "application/vnd.jupyter.widget-view+json" in text  # the panel
    assert "questions answered by priced in rounds of 6" in text
    assert KEY not in text


@pytest.mark.slow
@pytest.mark.skipif(browser.chromium() is None, reason="no chromium or chrome is installed")
def test_the_same_cell_runs_plainly_and_awaited_in_jupyterlab(
    sums_server, solve_by_http, lab, chrome
):
    folder = lab[0] / "progress"
    folder.mkdir()
    first = (
        f"import sys; sys.path.append({os.path.dirname(os.path.dirname(__file__))!r}); address ="
        f" {sums_server.address!r}"
    )
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in (first, PLAIN, AWAITED)]
    )
    notebook.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    nbformat.write(notebook, folder / "cells.ipynb")
    with browser.in_jupyterlab(chrome, lab[1], "progress/cells.ipynb") as page:
        page.js("void window.jupyterapp.commands.execute('notebook:run-all-cells')")
        browser.until(lambda: (folder / "awaited.jsonl").exists(), "the answers", 90)
        browser.until(
            lambda: "questions answered by priced" in page.js("document.body.innerText"),
            "the summary",
            30,
        )
    script = solve_by_http("script.jsonl", budget=4)
    for name in ("plain", "awaited"):
        assert (folder / f"{name}.jsonl").read_bytes() == script.path.read_bytes()


@pytest.fixture
def sampler():
    ledger = Ledger(Limits(usd=0.5), Spending(3, 120, 2_000_000_000), Spending(1, 40, 10**9))
    clock = CallClock(clock=lambda: 100.0)
    client = SimpleNamespace(price=object())
    return SimpleNamespace(ledger=ledger, client=client, clock=clock, num_per_call=1, arrived=set())


@pytest.fixture
def setup():
    return Setup(Policy(UCB()), ("a", "b"), "parallel", 10)


def test_words_tell_votes_spending_and_the_end(sampler, setup):
    watch = Watch(setup, sampler, shown=False)
    watch.runner = SimpleNamespace(state=RunState(setup, lambda key: []))
    for answer in ("", "x", "x", "y"):
        watch.told(Sample("a", "parallel", 0, 0, answer, answer))
    assert (
        watch.words
        == "1 of 2 voted, 0 settled, 120 tokens of about 520, 0.002000 USD of about 0.0087 (at most"
        " 0.5), 1 calls reserved, time left not known yet"
    )
    now = [0.0]
    sampler.clock = CallClock(clock=lambda: now[0])
    for _ in range(4):  # ten seconds each, one after the other
        call = sampler.clock.begin()
        now[0] += 10.0
        sampler.clock.end(call)
    sampler.clock.begin()
    assert watch.words.endswith("1 calls reserved, about 60 s left at most")
    for _ in range(5):
        watch.told(Sample("b", "parallel", 0, 0, "x", "x"))
    assert ", finishing the last answer, about " in watch.words


def test_a_notebook_shows_a_panel_and_a_terminal_a_bar(sampler, setup, monkeypatch, capsys):
    pytest.importorskip("ipywidgets", reason="the panel is made of ipywidgets")
    with Watch(setup, sampler) as watch:
        watch.told(Sample("a", "parallel", 0, 0, "x", "x"))
    assert "1/10" in capsys.readouterr().err
    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    with Watch(setup, sampler) as watch:
        for _ in range(7):
            watch.told(Sample("a", "parallel", 0, 0, "x", "x"))
    panel = watch._view
    assert panel._bar.value == 7 and panel._bar.max == 10 and panel._bar.bar_style == "success"
    assert "120 tokens" in panel._words.value
    with pytest.raises(RuntimeError), Watch(setup, sampler) as watch:
        raise RuntimeError
    assert watch._view._bar.bar_style == "danger"
