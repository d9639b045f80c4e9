"""Own data in three lines: what a notebook shows of recordings, curves and leaderboards, and a
first notebook.
"""

import ast
import json
import re

import numpy as np
import pandas as pd
import pytest
from helpers import frames
from helpers.notebook_cells import run

import dynlab
from dynlab._util.errors import InputError
from dynlab.cli import parser
from dynlab.pipeline.template import new_notebook
from dynlab.recordings.recording import Recording
from dynlab.reports.tables import table

EVIL = "<script>alert(1)</script>"


@pytest.mark.slow
def test_three_lines_take_a_frame_and_give_a_frame(random_pool):
    frame = random_pool(10, 8)
    before = frame.copy()
    comparison = dynlab.compare(frame, budgets=[2, 4], replications=5)
    assert isinstance(comparison.curves, pd.DataFrame)
    (ax,) = comparison.plot().axes
    assert [text.get_text() for text in ax.texts] == ["uniform", "UCB"]
    pd.testing.assert_frame_equal(frame, before)


def test_a_recording_shows_its_card_and_its_counts_escaped(make_pool):
    frame = make_pool({"q1": "aab-", "q2": "abbb"}, completion_tokens=7)
    greedy = make_pool({"q1": "a", "q2": "b"}, strategy="greedy")
    both = pd.concat([frame.assign(strategy="parallel"), greedy])
    recording = Recording(
        dynlab.load(both).frame, {"model": EVIL, "date": "2026-01-02"}, f"a{EVIL}"
    )
    page = recording._repr_html_()
    assert (
        EVIL not in page
        and page.count("&lt;script&gt;") == 2
        and "2026-01-02" in page
        and "fixed design" in page
    )
    counts = recording.counts()
    assert counts.loc["parallel"].to_dict() == {
        "questions": 2,
        "samples": 8,
        "no answer": 1 / 8,
        "right": 3 / 8,
        "completion tokens": 7,
    }
    assert counts.loc["greedy", "samples"] == 2
    assert dynlab.load(make_pool({"q1": "aa"}, target=None)).counts()["right"].isna().all()


def test_a_table_of_curves_has_a_row_a_method_and_a_column_a_budget():
    curves = frames.curves(("capitals--small", "french--small"))
    shown = table(curves)
    assert shown.text.columns.tolist() == ["recording", "method", "1", "2", "4", "8", "16"]
    assert shown.text["method"].tolist() == ["uniform", "UCB", "greedy"] * 2
    row = curves[(curves["allocator"] == "ucb") & (curves["budget"] == 8)].iloc[0]
    assert shown.text["8"].iloc[1] == f"{row['accuracy']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"
    assert shown.text["8"].iloc[2] == ""  # greedy has one cost
    assert "Accuracy [95 % interval] by budget, samples per question" in shown._repr_html_()
    assert "UCB" in str(shown)


def test_tables_of_savings_differences_and_leaderboards_show_their_intervals(random_pool):
    pool = random_pool(10, 12)
    saved = dynlab.savings(pool, at=[4], replications=5)
    cell = saved.iloc[0]
    expected = f"{100 * cell['saving']:.0f} % [{100 * cell['low']:.0f}, {100 * cell['high']:.0f}]"
    assert table(saved).text["4"].tolist() == [expected]
    gaps = dynlab.compare(pool, budgets=4, replications=5).differences()
    assert table(gaps).text["4"].iloc[0][0] in "+-"
    shown = table(gaps.assign(unchained=[True]))
    assert "* [" in shown.text["4"].iloc[0] and shown.caption.endswith("; * none is chained yet")
    assert "*" not in str(table(gaps.assign(unchained=[np.nan])))
    board = dynlab.leaderboard(pool, "ucb", [], 4, replications=5, progress=False).table
    assert [name.rstrip("*") for name in table(board).text["policy"]] == board["policy"].tolist()


def test_a_frame_that_is_none_of_these_is_refused():
    for frame in (pd.DataFrame({"x": [1]}), frames.curves().head(0)):
        with pytest.raises(InputError, match="give one of them"):
            table(frame)


def test_names_in_a_table_are_escaped():
    assert EVIL not in table(frames.curves((EVIL,)))._repr_html_()


@pytest.mark.slow
def test_a_new_notebook_runs_at_once_and_saves_its_figure(
    tmp_path, random_pool, monkeypatch, capsys
):
    from dynlab.recordings.recording import write

    monkeypatch.chdir(tmp_path)
    write(random_pool(8, 10), {}, tmp_path / "mine.parquet")
    assert parser.main(["new", "my-idea", "mine.parquet"]) == 0
    assert "wrote my-idea.ipynb" in capsys.readouterr().out
    path = tmp_path / "my-idea.ipynb"
    shown = run(path, quick=True)
    assert (tmp_path / "figures" / "my-idea-curves.svg").is_file()
    assert any(str(text).startswith("- **More samples.**") for text in shown)
    notebook = json.loads(path.read_text())
    first, *rest = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert first["metadata"]["tags"] == ["parameters"]
    assert 'recording: str = "mine.parquet"  # ' in "".join(first["source"])
    assert all(re.fullmatch(r"\w+: \w+ = [^#]+  # .+\n?", line) for line in first["source"])
    assert all(len(cell["source"]) <= 10 and ast.parse("".join(cell["source"])) for cell in rest)


def test_a_new_notebook_overwrites_nothing_and_needs_a_recording_that_is_there(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    path = new_notebook("mine")
    path.write_text("kept")
    for arguments, said in (
        (["mine"], "mine.ipynb is there already"),
        (["mine.ipynb"], "mine.ipynb is there already"),
        (["a b"], "the name of a notebook is letters"),
        (["other", "nowhere.parquet"], "no file nowhere.parquet"),
        (["missing/folder/name", "capitols"], "unknown recording 'capitols'"),
    ):
        assert parser.main(["new", *arguments]) == 2
        assert said in capsys.readouterr().err
    assert path.read_text() == "kept" and [each.name for each in tmp_path.iterdir()] == [
        "mine.ipynb"
    ]
