"""The pipeline on tiny notebooks: what is run, what is left as it is, what parameters and sweeps
do.
"""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dynlab._util.errors import DynlabError, InputError
from dynlab.cli import parser
from dynlab.pipeline import cache, parameters
from dynlab.pipeline.cache import Cache
from dynlab.pipeline.job import Job, failed_cell
from dynlab.pipeline.reproduction import reproduce
from dynlab.pipeline.run import Run
from dynlab.recordings.recording import load, write

SAVES = (
    "from pathlib import Path\nPath(out, '{number}-{stem}.svg').write_text(f'<svg"
    ' xmlns="http://www.w3.org/2000/svg"><text>{{factor}}</text></svg>\')\nPath(out,'
    " '{number}-{stem}.csv').write_text(f'accuracy\\n{{factor}}\\n')\n"
)


def notebook(number, stem, body="", extra=""):
    """A notebook that saves a figure of its `factor`."""
    cells = [
        {"cell_type": "markdown", "id": "title", "metadata": {}, "source": [f"# Notebook {stem}"]},
        code(
            "parameters",
            f"factor: int = 1  # of the figure\nout: str = '.'  # folder\n{extra}",
            tags=["parameters"],
        ),
        code("figure", SAVES.format(number=number, stem=stem)),
        code("body", body or "1 + 1"),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return json.dumps(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": cells}
    )


def code(name, source, **metadata):
    lines = source.splitlines(keepends=True)
    return {
        "cell_type": "code",
        "id": name,
        "metadata": metadata,
        "execution_count": None,
        "outputs": [],
        "source": lines,
    }


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """Two tiny notebooks in place of those that come with dynlab, and a copy of dynlab's files to
    edit.
    """
    folder, package = tmp_path / "notebooks", tmp_path / "package"
    folder.mkdir()
    (folder / "10-one.ipynb").write_text(notebook(10, "one"))
    (folder / "11-two.ipynb").write_text(
        notebook(11, "two", extra="own: str = 'x'  # of this one\n")
    )
    monkeypatch.setattr(
        "dynlab.pipeline.reproduction.named",
        lambda *_: {path.stem: path for path in sorted(folder.iterdir())},
    )
    shutil.copytree(
        Path(cache.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__")
    )
    monkeypatch.setattr("dynlab.pipeline.cache._PACKAGE", package)
    return tmp_path


def in_this_process(job, on_next):
    """A job's notebook, executed here and now: no kernel to wait for."""
    cells = json.loads(job.path.read_text())["cells"]
    space = {}
    for number, cell in enumerate(cells[1:]):
        cell["execution_count"] = number + 2
        try:
            exec("".join(cell["source"]), space)
        except ValueError as error:
            cell["outputs"] = [
                {
                    "output_type": "error",
                    "ename": "ValueError",
                    "evalue": str(error),
                    "traceback": [str(error)],
                }
            ]
            job.failure = f"notebook {job.stem} failed {failed_cell(json.dumps({'cells': cells}))}"
            break
        space.update(job.given if number == 0 else {})
        on_next()
    return json.dumps(json.loads(job.path.read_text()) | {"cells": cells})


@pytest.fixture(params=["here"])
def run(request, tiny, make_pool, monkeypatch):
    if request.param == "here":
        monkeypatch.setattr(Job, "_executed", in_this_process)
    make_pool({"q1": "aab", "q2": "abb"}).to_csv(tiny / "pool.csv", index=False)

    def again(**given):
        given = {"recordings": [tiny / "pool.csv"], "out": tiny / "out", "progress": False, **given}
        return reproduce(**given)

    return again


@pytest.mark.slow
@pytest.mark.parametrize("run", ["papermill"], indirect=True)
def test_the_second_run_executes_nothing_and_all_run_again_after_one_line_of_dynlab_is_edited(
    run, tiny
):
    first = run()
    assert (first.ran, first.figures) == (("10-one", "11-two"), ("10-one", "11-two"))
    before = {path: path.stat().st_mtime_ns for path in (tiny / "out").rglob("1*")}
    assert run().ran == ()
    assert before == {path: path.stat().st_mtime_ns for path in (tiny / "out").rglob("1*")}
    with (tiny / "package" / "metrics.py").open("a") as source:
        source.write("# one line\n")
    assert run().ran == ("10-one", "11-two")


def test_a_notebook_runs_again_only_after_something_that_it_depends_on_has_changed(
    run, tiny, make_pool, monkeypatch
):
    assert run().ran == ("10-one", "11-two")
    second = run()
    assert (second.ran, second.kept) == ((), ("10-one", "11-two"))
    assert second.figures == ("10-one", "11-two")
    assert "2 unchanged" in second.summary()
    assert run(parameters={"own": "y"}).ran == ("11-two",)  # a parameter that the other has not
    (tiny / "package" / "dynlab.mplstyle").write_text("font.size: 8\n")
    assert run(parameters={"own": "y"}).ran == ("10-one", "11-two")
    monkeypatch.setattr(
        "dynlab.pipeline.cache.distributions", lambda: []
    )  # other versions are installed
    assert run(parameters={"own": "y"}).ran == ("10-one", "11-two")
    make_pool({"q1": "aab", "q2": "aaa"}).to_csv(tiny / "pool.csv", index=False)
    assert run(parameters={"own": "y"}).ran == ("10-one", "11-two")
    (tiny / "out" / "10-one.svg").unlink()
    assert run(parameters={"own": "y"}).ran == ("10-one",)
    (tiny / "out" / "11-two.csv").write_text("accuracy\n0.9\n")  # edited by hand
    assert run(parameters={"own": "y"}).ran == ("11-two",)
    assert (tiny / "out" / "11-two.csv").read_text() == "accuracy\n1\n"
    (tiny / "notebooks" / "10-one.ipynb").write_text(notebook(10, "renamed"))
    assert run(parameters={"own": "y"}).ran == ("10-one",)
    assert not (tiny / "out" / "10-one.svg").exists()  # it makes another figure now
    assert run(parameters={"own": "y"}, force=True).ran == ("10-one", "11-two")
    (tiny / "out" / cache.CACHE).write_text("{ not JSON")
    assert run(parameters={"own": "y"}).ran == ("10-one", "11-two")


def test_figures_are_known_by_the_clock_of_the_folder_that_they_are_written_to(run, monkeypatch):
    ahead = time.time_ns() + 3600 * 10**9  # of the file system's clock, as a network's may lag
    monkeypatch.setattr("time.time_ns", lambda: ahead)
    assert run().figures == ("10-one", "11-two")


def test_without_a_recording_named_what_else_comes_with_dynlab_counts_too(tiny, monkeypatch):
    def key():
        ((_, digest),) = Run(
            "", {"10-one": tiny / "notebooks" / "10-one.ipynb"}, tiny / "out", [], {}
        ).keys("")
        return digest

    before, other = key(), tiny / "other.parquet"
    assert key() == before
    other.write_bytes(b"drawn anew")
    monkeypatch.setattr("dynlab.pipeline.run.shipped_files", lambda: [other])
    assert key() != before


def test_a_notebook_that_failed_is_run_again_and_the_others_are_not(run, tiny):
    (tiny / "notebooks" / "10-one.ipynb").write_text(
        notebook(10, "one", "raise ValueError('too\\nbad')")
    )
    for ran in (2, 1):
        with pytest.raises(
            DynlabError, match=r"10-one failed in cell 'body' \(In \[4\]\): ValueError: too bad;"
        ):
            run()
        page = (tiny / "out" / "index.html").read_text()
        assert "too bad" in page and "10-one.svg" in page and "11-two.svg" in page
        assert set(Cache(tiny / "out").entries) == {"11-two"}, ran
    (tiny / "notebooks" / "10-one.ipynb").write_text(notebook(10, "one"))
    assert run().ran == ("10-one",)
    page = (tiny / "out" / "index.html").read_text()
    assert "too bad" not in page
    for stem in ("10-one", "11-two"):
        assert f'executed: <a href="notebooks/{stem}.ipynb">' in page
    assert page.count("factor = ") == 0  # none was passed


def test_a_folder_of_parameter_files_makes_a_folder_of_figures_each_and_a_common_index(
    run, tiny, capsys
):
    (tiny / "sweep").mkdir()
    for name, factor in (("low", 2), ("high", 3)):
        (tiny / "sweep" / f"{name}.yaml").write_text(f"factor: {factor}\nown: text\n")
    arguments = [
        "reproduce",
        "-f",
        str(tiny / "sweep"),
        "--recording",
        str(tiny / "pool.csv"),
        "--notebook",
        "11",
    ]
    arguments += ["--out", str(tiny / "out"), "-p", "own", "2024"]
    assert parser.main(arguments) == 0
    assert "2 figures in" in capsys.readouterr().out
    for name, factor in (("low", 2), ("high", 3)):
        assert (tiny / "out" / name / "11-two.csv").read_text() == f"accuracy\n{factor}\n"
        assert f"factor = {factor}" in (tiny / "out" / name / "index.html").read_text()
    page = (tiny / "out" / "index.html").read_text()
    assert (
        'href="low/index.html"' in page and 'src="high/11-two.svg"' in page and "own = 2024" in page
    )
    assert parser.main(arguments) == 0
    assert "0 notebooks run, 2 unchanged" in capsys.readouterr().out
    (tiny / "sweep" / "low.yaml").write_text("factor: 4\n")
    assert parser.main(arguments) == 0
    assert "1 notebook run" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["-p", "factr", "3"],
            (
                "no notebook has a parameter 'factr'. Did you mean 'factor'? "
                "All have: factor, out. Besides, 11-two: own"
            ),
        ),
        (["-p", "factor", "three"], "parameter factor must be of type int, such as 3; not 'three'"),
        (["-p", "out", "x"], "give it as --out"),
        (
            ["-f", "nowhere.yaml"],
            "cannot read parameters from nowhere.yaml (No such file or directory)",
        ),
        (["-f", "list.yaml"], "list.yaml holds no parameters"),
        (["-f", "broken.yaml"], "cannot read parameters from broken.yaml"),
        (["-f", "empty"], "empty holds no parameter files"),
        (["-f", "empty", "-f", "empty"], "-f takes one folder"),
        (["--notebook", "12"], "unknown notebook '12'"),
        (["--recording", "nowhere.csv"], "no file nowhere.csv"),
    ],
)
def test_wrong_use_is_one_line_and_nothing_runs(tiny, monkeypatch, capsys, arguments, said):
    monkeypatch.chdir(tiny)
    Path("empty").mkdir()
    Path("list.yaml").write_text("- 1\n")
    Path("broken.yaml").write_text("a: [1\n")
    assert parser.main(["reproduce", *arguments]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
    assert not Path("figures").exists()


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("3", "int", 3),
        (3, "int", 3),
        ("1e-3", "float", 0.001),
        ("2", "float", 2.0),
        (2, "float", 2.0),
        ("true", "bool", True),
        ("2,4.5, 8", "list", [2, 4.5, 8]),
        ("[2, 4]", "list", [2, 4]),
        ("a,b", "list", ["a", "b"]),
        ("samples", "list", ["samples"]),
        ("2024", "str", "2024"),
        (2024, "str", "2024"),
        ("true", "str", "true"),
    ],
)
def test_a_value_is_read_as_the_type_that_the_notebook_declares(value, kind, expected):
    found = parameters.fitted("x", value, kind)
    assert found == expected and type(found) is type(expected)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("x", "int"),
        ("2.5", "int"),
        (True, "int"),
        ("x", "float"),
        ("3", "bool"),
        (3, "list"),
        ([1], "str"),
    ],
)
def test_a_value_of_another_type_is_refused(value, kind):
    with pytest.raises(InputError, match=f"parameter x must be of type {kind}"):
        parameters.fitted("x", value, kind)


def test_a_notebook_s_own_recording_is_drawn_and_watched_where_none_is_given(run, tiny, make_pool):
    own = tiny / "own.csv"
    make_pool({"q1": "ab"}).to_csv(own, index=False)
    mine = tiny / "my-idea.ipynb"
    mine.write_text(
        notebook(
            "my",
            "idea",
            "assert recording.endswith('own.csv')",
            f"recording: str = '{own}'  # name\n",
        )
    )
    assert run(notebooks=[str(mine)], recordings=[]).figures == ("my-idea",)
    assert run(notebooks=[str(mine)], recordings=[]).ran == ()
    make_pool({"q1": "bb"}).to_csv(own, index=False)
    assert run(notebooks=[str(mine)], recordings=[]).ran == ("my-idea",)


def test_a_model_is_recorded_once_with_all_the_strategies_that_notebooks_look_at(
    run, tiny, monkeypatch, make_pool
):
    looks = (
        "strategies: list = ['parallel', 'integrated']  # looked at\nrecording: str = ''  # name\n"
    )
    (tiny / "notebooks" / "10-one.ipynb").write_text(notebook(10, "one", extra=looks))
    asked = []

    def chosen(recording, **given):
        asked.append(given)
        path = write(
            make_pool({"q1": "aab"}), {}, tiny / "out" / "recordings" / "capitals--x.parquet"
        )
        return [load(path)]

    monkeypatch.setattr("dynlab.pipeline.run.chosen", chosen)
    given = {"model": "local/x", "task": "capitals", "max_usd": "0.5"}
    with pytest.raises(InputError, match="no notebook has a parameter 'model'"):
        run(parameters=given)
    makes = "model: str = ''  # name\ntask: str = ''  # name\nmax_usd: float = 0.0  # USD\n"
    (tiny / "notebooks" / "11-two.ipynb").write_text(notebook(11, "two", extra=makes))
    run(recordings=[], sweep={"a": given | {"factor": 2}, "b": given | {"factor": 3}})
    assert [each["out"] for each in asked] == [tiny / "out"] * 2  # one recording for all settings
    assert asked[0]["max_usd"] == 0.5 and asked[0]["strategies"] == ["parallel", "integrated"]
    entry = Cache(tiny / "out" / "a").entries["10-one"]
    assert entry.parameters == {"factor": 2, "recording": ["capitals--x.parquet"]}


@pytest.mark.slow
def test_papermill_by_hand_runs_a_notebook_from_any_folder(tmp_path, make_pool):
    from dynlab._util.shipped_files import named

    source = named("notebooks", (".ipynb",))["00-quickstart"]
    make_pool({"q1": "aabab", "q2": "abbaa"}).to_csv(tmp_path / "mine.csv", index=False)
    command = [
        sys.executable,
        "-m",
        "papermill",
        str(source),
        "out.ipynb",
        "-p",
        "recording",
        "mine.csv",
    ]
    command += [
        "-y",
        "budgets: [2, 4]",
        "-p",
        "replications",
        "5",
        "--log-level",
        "ERROR",
        "--no-progress-bar",
    ]
    subprocess.run(command, check=True, cwd=tmp_path, capture_output=True)
    assert {path.name for path in tmp_path.iterdir()} == {"mine.csv", "out.ipynb", "figures"}
    assert (tmp_path / "figures" / "00-quickstart.csv").read_text().count("mine,parallel,ucb") == 2
