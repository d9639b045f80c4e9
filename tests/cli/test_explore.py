"""`dynlab explore`: a copy of the slider notebook, opened in JupyterLab."""

import ast
import json
import subprocess
import sys
import time
from pathlib import Path

import papermill
import pytest

from dynlab._util.errors import DynlabError, InputError
from dynlab._util.shipped_files import named
from dynlab.cli import explore as explore_command
from dynlab.cli import parser
from dynlab.cli.explore import copy_of, explore
from dynlab.recordings.recording import shipped, write


@pytest.fixture
def pool(tmp_path, make_pool):
    return write(make_pool({"q1": "aab", "q2": "abb"}), {}, tmp_path / "given" / "my pool.parquet")


def declared(path):
    return ast.literal_eval(papermill.inspect_notebook(str(path))["recording"]["default"])


@pytest.mark.slow
def test_the_copy_is_set_to_the_recording(tmp_path, pool, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = copy_of("given/my pool.parquet", Path("out"))
    assert path == Path("out/07-explorer--my pool.ipynb") and declared(path) == str(pool)
    original = named("notebooks", (".ipynb",))["07-explorer"]
    ours, theirs = json.loads(path.read_text()), json.loads(original.read_text())
    changed = [
        n for n, (a, b) in enumerate(zip(ours["cells"], theirs["cells"], strict=True)) if a != b
    ]
    assert len(changed) == 1 and declared(original) == ""
    assert json.loads(copy_of(None, tmp_path / "plain").read_text()) == theirs
    assert declared(copy_of(shipped()[0], tmp_path)) == shipped()[0]


def test_what_the_reader_changed_is_kept(tmp_path, pool):
    for recording in (str(pool), None):
        path = copy_of(recording, tmp_path / "out")
        notebook = json.loads(path.read_text())
        notebook["cells"][0]["source"] = ["mine"]
        path.write_text(json.dumps(notebook))
        assert copy_of(recording, tmp_path / "out") == path and "mine" in path.read_text()


def test_a_copy_for_another_recording_is_not_taken_for_this_one(tmp_path, pool, make_pool):
    copy_of(str(pool), tmp_path / "out")
    other = write(make_pool({"q1": "ab"}), {}, tmp_path / "elsewhere" / "my pool.parquet")
    with pytest.raises(
        InputError, match="is there already, for another recording; give --out another folder"
    ):
        copy_of(str(other), tmp_path / "out")


def test_jupyterlab_starts_on_the_copy(tmp_path, pool, capsys, monkeypatch):
    started = []
    monkeypatch.setattr(explore_command, "_run", lambda command: started.append(command) or 0)
    monkeypatch.setattr(explore_command.os, "geteuid", lambda: 1000, raising=False)
    out = tmp_path / "out"
    assert (
        parser.main(["explore", str(pool), "--out", str(out), "--no-browser", "--port", "8899"])
        == 0
    )
    begin = [
        f"--ServerApp.root_dir={out}",
        "--LabApp.default_url=/lab/tree/07-explorer--my%20pool.ipynb",
    ]
    flags = ["--no-browser", "--port=8899"]
    assert started == [[sys.executable, "-m", "jupyterlab", *begin, *flags]]
    assert str(out / "07-explorer--my pool.ipynb") in capsys.readouterr().out


def test_ctrl_c_goes_to_jupyterlab_and_its_exit_code_comes_back(monkeypatch):
    class Process:
        waits = 0

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def wait(self):
            self.waits += 1
            if self.waits < 3:
                raise KeyboardInterrupt
            return 7

    monkeypatch.setattr(explore_command.subprocess, "Popen", lambda command: Process())
    assert explore_command._run(["anything"]) == 7


@pytest.mark.slow
def test_sigterm_ends_jupyterlab_too(tmp_path):
    started = tmp_path / "started"
    child = f"import pathlib, time; pathlib.Path({str(started)!r}).touch(); time.sleep(60)"
    code = (
        "import sys; from dynlab.cli.explore import _run;"
        f" sys.exit(_run([sys.executable, '-c', {child!r}]))"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as command:
        while not started.exists():
            time.sleep(0.05)
        command.terminate()
        assert command.wait(20) == 0  # it waits for its child, so that one has ended


def test_without_jupyterlab_it_says_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        "dynlab._util.extras.find_spec", lambda name: None if name == "jupyterlab" else object()
    )
    assert parser.main(["explore", "--out", str(tmp_path / "out")]) == 2
    assert (
        "pip install 'dynlab[notebooks]'" in capsys.readouterr().err
        and not (tmp_path / "out").exists()
    )


def test_no_such_recording_ends_before_anything_starts(tmp_path, capsys):
    assert parser.main(["explore", "nowhere.parquet", "--out", str(tmp_path / "out")]) == 2
    assert "no file nowhere.parquet" in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_jupyterlab_that_fails_ends_with_one_line(tmp_path, pool):
    with pytest.raises(DynlabError, match="JupyterLab ended with exit code 3") as info:
        explore(str(pool), tmp_path / "out", run=lambda command: 3)
    assert info.value.exit_code == 1
