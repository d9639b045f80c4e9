"""The manifest of a folder of figures: written by several processes, read in order, never half."""

import subprocess
import sys

import pytest

from dynlab.plots.manifest import (
    MANIFEST,
    NOTEBOOK,
    RUN,
    add_figure,
    entitle,
    read_manifest,
    remove_figures,
)


def written(folder, name):
    for kind in ("svg", "csv"):
        (folder / f"{name}.{kind}").write_text(f"{name} as {kind}")
    add_figure(folder, name, ["svg", "csv"])


def test_figures_stand_in_the_order_of_their_notebook(tmp_path, monkeypatch):
    monkeypatch.setenv(RUN, "first")
    for notebook, name in (("02", "z"), ("01", "b"), ("01", "a"), ("02", "y"), ("01", "b")):
        monkeypatch.setenv(NOTEBOOK, notebook)
        written(tmp_path, name)
    entries = read_manifest(tmp_path)
    assert [(e.notebook, name) for name, e in entries.items()] == [
        ("01", "a"),
        ("01", "b"),  # saved again, after a
        ("02", "z"),
        ("02", "y"),
    ]


def test_an_entry_tells_whether_its_files_are_intact(tmp_path):
    written(tmp_path, "one")
    entry = read_manifest(tmp_path)["one"]
    assert (entry.notebook, entry.run, entry.title) == ("", "", "") and entry.intact(
        tmp_path, "one"
    )
    (tmp_path / "one.csv").write_text("edited")
    assert not entry.intact(tmp_path, "one")


def test_titles_are_given_to_figures_that_are_there(tmp_path):
    written(tmp_path, "one")
    entitle(tmp_path, {"one": "What it shows", "two": "Nothing"})
    assert {name: e.title for name, e in read_manifest(tmp_path).items()} == {
        "one": "What it shows"
    }


def test_a_removed_figure_leaves_neither_files_nor_entry(tmp_path):
    for name in ("one", "two"):
        written(tmp_path, name)
    remove_figures(tmp_path, ["one", "never-made"])
    assert set(read_manifest(tmp_path)) == {"two"}
    assert {path.name for path in tmp_path.glob("*.[sc]*v*")} == {"two.svg", "two.csv"}


def test_an_unreadable_manifest_counts_as_none(tmp_path):
    for text in ("{ not JSON", "[]", '{"one": 1}', '{"one": {"unknown": 1}}'):
        (tmp_path / MANIFEST).write_text(text)
        assert read_manifest(tmp_path) == {}
    assert read_manifest(tmp_path / "nowhere") == {}


@pytest.mark.slow
def test_processes_that_write_at_once_lose_no_entry(tmp_path):
    code = """
import sys
from pathlib import Path
from dynlab.plots.manifest import add_figure
for index in range(20):
    Path(f"{sys.argv[1]}-{index}.svg").write_text("x")
    add_figure(".", f"{sys.argv[1]}-{index}", ["svg"])
"""
    writers = [subprocess.Popen([sys.executable, "-c", code, name], cwd=tmp_path) for name in "abc"]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert len(read_manifest(tmp_path)) == 60
