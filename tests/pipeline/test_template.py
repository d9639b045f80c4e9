"""`dynlab new`: the notebook that it writes, and what it refuses."""

import ast
import json
import re

import pytest
from helpers.notebook_cells import run

from dynlab.cli import parser
from dynlab.pipeline.template import new_notebook
from dynlab.recordings.recording import write


@pytest.mark.slow
def test_a_new_notebook_runs_at_once_and_saves_its_figure(tmp_path, random_pool, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(random_pool(8, 10), {}, tmp_path / "mine.parquet")
    assert parser.main(["new", "plan-b", "mine.parquet"]) == 0
    shown = run(tmp_path / "plan-b.ipynb", quick=True)
    assert (tmp_path / "figures" / "plan-b-curves.svg").is_file()
    assert any(str(text).startswith("- **More samples.**") for text in shown)


def test_a_new_notebook_declares_what_papermill_reads(tmp_path):
    path = new_notebook(tmp_path / "plan-b", "capitals--smollm2-135m")
    assert "my-idea" not in path.read_text()
    cells = json.loads(path.read_text())["cells"]
    first, *rest = [cell for cell in cells if cell["cell_type"] == "code"]
    assert first["metadata"]["tags"] == ["parameters"]
    assert 'recording: str = "capitals--smollm2-135m"  # ' in "".join(first["source"])
    assert all(re.fullmatch(r"\w+: \w+ = [^#]+  # .+\n?", line) for line in first["source"])
    assert all(len(cell["source"]) <= 10 and ast.parse("".join(cell["source"])) for cell in rest)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["mine"], "mine.ipynb is there already"),
        (["mine.ipynb"], "mine.ipynb is there already"),
        (["a b"], "the name of a notebook is letters"),
        (["other", "nowhere.parquet"], "no file nowhere.parquet"),
        (["missing/folder/name", "capitols"], "unknown recording 'capitols'"),
    ],
)
def test_a_new_notebook_overwrites_nothing(tmp_path, monkeypatch, capsys, arguments, said):
    monkeypatch.chdir(tmp_path)
    new_notebook("mine").write_text("kept")
    assert parser.main(["new", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert [path.read_text() for path in tmp_path.iterdir()] == ["kept"]
