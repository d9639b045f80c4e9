"""Which notebooks run again: those that something they depend on has changed for."""

import pytest
from helpers.tiny_notebooks import notebook

from dynlab._util.errors import DynlabError
from dynlab.pipeline.cache import CACHE, Cache, CacheEntry
from dynlab.plots.manifest import MANIFEST, add_figure, read_manifest


@pytest.mark.slow
@pytest.mark.parametrize(
    ("run", "stems"),
    [("here", ("10-one", "11-two")), ("papermill", ("10-one",))],
    indirect=["run"],
    ids=["here", "papermill"],
)
def test_an_edit_of_dynlab_runs_all_again(run, stems, tiny):
    notebooks = [stem[:2] for stem in stems]
    first = run(notebooks=notebooks)
    assert (first.ran, first.figures) == (stems, stems)
    before = {path: path.stat().st_mtime_ns for path in (tiny / "out").rglob("1*")}
    assert run(notebooks=notebooks).ran == ()
    assert before == {path: path.stat().st_mtime_ns for path in (tiny / "out").rglob("1*")}
    with (tiny / "package" / "metrics.py").open("a") as source:
        source.write("# one line\n")
    assert run(notebooks=notebooks).ran == stems


@pytest.mark.slow
def test_only_what_has_changed_runs_again(run, tiny, make_pool, monkeypatch):
    assert run().ran == ("10-one", "11-two")
    second = run()
    assert (second.ran, second.kept) == ((), ("10-one", "11-two"))
    assert second.figures == ("10-one", "11-two")
    assert "2 unchanged" in second.summary()
    assert run(parameters={"own": "y"}).ran == ("11-two",)  # a parameter that the other has not
    (tiny / "package" / "dynlab.mplstyle").write_text("font.size: 8\n")
    assert run(parameters={"own": "y"}).ran == ("10-one", "11-two")
    monkeypatch.setattr("dynlab.pipeline.cache.distributions", list)  # no version is installed
    assert run(parameters={"own": "y"}).ran == ("10-one", "11-two")
    make_pool({"q1": "aab", "q2": "aaa"}).to_csv(tiny / "pool.csv", index=False)
    assert run(parameters={"own": "y"}).ran == ("10-one", "11-two")
    (tiny / "out" / "10-one.svg").unlink()
    assert run(parameters={"own": "y"}).ran == ("10-one",)
    (tiny / "out" / "11-two.csv").write_text("accuracy\n0.9\n")  # edited by hand
    assert run(parameters={"own": "y"}).ran == ("11-two",)
    assert (tiny / "out" / "11-two.csv").read_text() == "accuracy\n1\n"
    (tiny / "notebooks" / "10-one.ipynb").write_text(notebook("10-renamed"))
    assert run(parameters={"own": "y"}).ran == ("10-one",)
    assert not (tiny / "out" / "10-one.svg").exists()  # it makes another figure now
    assert set(read_manifest(tiny / "out")) == {"10-renamed", "11-two"}
    assert run(parameters={"own": "y"}, force=True).ran == ("10-one", "11-two")
    for name in (CACHE, MANIFEST):
        (tiny / "out" / name).write_text("{ not JSON")
        assert run(parameters={"own": "y"}).ran == ("10-one", "11-two")


@pytest.mark.slow
def test_a_failed_notebook_is_run_again(run, tiny):
    one = tiny / "notebooks" / "10-one.ipynb"
    one.write_text(notebook("10-one", "raise ValueError('too\\nbad')"))
    for ran in (2, 1):
        with pytest.raises(
            DynlabError, match=r"10-one failed in cell 'body' \(In \[4\]\): ValueError: too bad;"
        ):
            run()
        page = (tiny / "out" / "index.html").read_text()
        assert "too bad" in page and "10-one.svg" in page and "11-two.svg" in page
        assert set(Cache(tiny / "out").entries) == {"11-two"}, ran
    one.write_text(notebook("10-one"))
    assert run().ran == ("10-one",)
    page = (tiny / "out" / "index.html").read_text()
    assert "too bad" not in page
    for stem in ("10-one", "11-two"):
        assert f'executed: <a href="notebooks/{stem}.ipynb">' in page
    assert page.count("factor = ") == 0  # none was passed


@pytest.mark.slow
def test_a_notebook_s_own_recording_is_watched(run, tiny, make_pool):
    own = tiny / "own.csv"
    make_pool({"q1": "ab"}).to_csv(own, index=False)
    mine = tiny / "my-idea.ipynb"
    uses = "assert recording.endswith('own.csv')"
    mine.write_text(notebook("my-idea", uses, f"recording: str = '{own}'  # name\n"))
    assert run(notebooks=[str(mine)], recordings=[]).figures == ("my-idea",)
    assert run(notebooks=[str(mine)], recordings=[]).ran == ()
    make_pool({"q1": "bb"}).to_csv(own, index=False)
    assert run(notebooks=[str(mine)], recordings=[]).ran == ("my-idea",)


def test_pdf_is_asked_for_once(tmp_path):
    cache = Cache(tmp_path)
    for kinds, held in ((["svg"], False), (["svg", "pdf"], True)):
        for kind in kinds:
            (tmp_path / f"10-one.{kind}").write_text(kind)
        add_figure(tmp_path, "10-one", kinds)
        cache.store("10-one", CacheEntry("key", "One", 1, {}, ("10-one",), {}))
        assert cache.keeps("10-one", "key")
        assert cache.keeps("10-one", "key", pdf=True) is held
