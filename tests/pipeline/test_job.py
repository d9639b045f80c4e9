"""One notebook in a process of its own: which kernel runs it, and what is said where it fails."""

import json
import subprocess
import sys

import pytest
from helpers.tiny_notebooks import notebook

from dynlab._util.errors import DynlabError, InputError
from dynlab._util.shipped_files import named
from dynlab.pipeline.cache import Cache
from dynlab.pipeline.job import Job
from dynlab.plots.manifest import read_manifest

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("run", ["papermill"], indirect=True)
def test_a_failing_notebook_names_its_cell(run, tiny, capsys):
    bad = notebook("10-one", "raise ValueError('too bad')")
    (tiny / "notebooks" / "10-one.ipynb").write_text(bad)
    said = r"10-one failed in cell 'body' \(In \[4\]\): ValueError: too bad"
    with pytest.raises(DynlabError, match=said) as info:
        run(progress=True)
    assert info.value.exit_code == 1
    told = capsys.readouterr().err  # in the error alone is what went wrong
    assert "10-one: failed after" in told and "too bad" not in told
    for stem in ("10-one", "11-two"):
        assert (tiny / "out" / "notebooks" / f"{stem}.ipynb").is_file()
    assert "too bad" in (tiny / "out" / "index.html").read_text()


REFUSES = "from dynlab._util.errors import InputError; raise InputError('no file x')"


@pytest.mark.parametrize("run", ["papermill"], indirect=True)
def test_an_input_that_a_notebook_refuses_ends_as_one(run, tiny):
    (tiny / "notebooks" / "10-one.ipynb").write_text(notebook("10-one", REFUSES))
    with pytest.raises(InputError, match=r"InputError: no file x; what the others made is in"):
        run(notebooks=["10"])


def test_what_failed_is_an_input_only_where_all_of_it_is(run, tiny):
    quotes = "raise ValueError('(In [4]): InputError: no file')"
    (tiny / "notebooks" / "10-one.ipynb").write_text(notebook("10-one", REFUSES))
    (tiny / "notebooks" / "11-two.ipynb").write_text(notebook("11-two", quotes))
    with pytest.raises(DynlabError, match=r"no file x; .*no file; what the others") as info:
        run()
    assert info.value.exit_code == 1


@pytest.mark.parametrize("run", ["papermill"], indirect=True)
def test_another_python3_on_jupyter_s_path_is_not_used(run, tiny, monkeypatch):
    spec = tiny / "jupyter" / "kernels" / "python3" / "kernel.json"
    spec.parent.mkdir(parents=True)
    fake = {"argv": ["false", "{connection_file}"], "display_name": "fake", "language": "python"}
    spec.write_text(json.dumps(fake))
    monkeypatch.setenv("JUPYTER_PATH", str(tiny / "jupyter"))
    body = f"import sys; assert sys.executable == {sys.executable!r}"
    (tiny / "notebooks" / "10-one.ipynb").write_text(notebook("10-one", body))
    assert run(notebooks=["10"]).figures == ("10-one",)
    entry = read_manifest(tiny / "out")["10-one"]
    assert (entry.notebook, entry.order, set(entry.files)) == ("10-one", 1, {"svg", "csv"})


def test_papermill_by_hand_runs_from_any_folder(tmp_path, make_pool):
    source = named("notebooks", (".ipynb",))["00-quickstart"]
    make_pool({"q1": "aabab", "q2": "abbaa"}).to_csv(tmp_path / "mine.csv", index=False)
    command = [sys.executable, "-m", "papermill", str(source), "out.ipynb"]
    command += "-p recording mine.csv -p replications 5 --no-progress-bar".split()
    command += ["-y", "budgets: [2, 4]"]
    subprocess.run(command, check=True, cwd=tmp_path, capture_output=True)
    assert {path.name for path in tmp_path.iterdir()} == {"mine.csv", "out.ipynb", "figures"}
    assert (tmp_path / "figures" / "00-quickstart.csv").read_text().count("mine,parallel,ucb") == 2


def test_a_notebook_s_process_is_told_whether_pdf_is_wanted(tmp_path, monkeypatch):
    monkeypatch.delenv("DYNLAB_PDF", raising=False)
    (tmp_path / "10-one.ipynb").write_text(notebook("10-one"))
    job = Job(tmp_path / "10-one.ipynb", Cache(tmp_path), {}, {})
    assert "DYNLAB_PDF" not in job.environment
    job.pdf = True
    assert job.environment["DYNLAB_PDF"] == "1"


def test_a_notebook_s_process_keeps_its_memory_unless_the_user_says_otherwise(
    tmp_path, monkeypatch
):
    monkeypatch.delenv("MALLOC_TRIM_THRESHOLD_", raising=False)
    (tmp_path / "10-one.ipynb").write_text(notebook("10-one"))
    job = Job(tmp_path / "10-one.ipynb", Cache(tmp_path), {}, {})
    assert int(job.environment["MALLOC_TRIM_THRESHOLD_"]) >= 2**28  # bytes
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "5")
    assert job.environment["MALLOC_TRIM_THRESHOLD_"] == "5"


def test_kernels_of_two_runs_in_one_folder_share_no_socket(monkeypatch):
    from dynlab.pipeline import execute

    places = []
    monkeypatch.setattr(
        "papermill.execute_notebook",
        lambda *given, config, **settings: places.append(config.KernelManager.ip),
    )
    assert execute.main("in", "out", "{}") == execute.main("in", "out", "{}") == 0
    assert len(set(places)) == 2 and max(map(len, places)) < 80  # a socket's path has 107 bytes
