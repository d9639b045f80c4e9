"""`dynlab reproduce` and `dynlab new`: sweeps, wrong use in one line, where a quick run goes."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from dynlab.cli import parser


@pytest.mark.slow
def test_a_sweep_makes_a_folder_for_each_setting(run, tiny, capsys):
    (tiny / "sweep").mkdir()
    for name, factor in (("low", 2), ("high", 3)):
        (tiny / "sweep" / f"{name}.yaml").write_text(f"factor: {factor}\nown: text\n")
    arguments = ["reproduce", "-f", str(tiny / "sweep"), "--notebook", "11", "-p", "own", "2024"]
    arguments += ["--recording", str(tiny / "pool.csv"), "--out", str(tiny / "out")]
    assert parser.main(arguments) == 0
    assert "2 figures in" in capsys.readouterr().out
    for name, factor in (("low", 2), ("high", 3)):
        assert (tiny / "out" / name / "11-two.csv").read_text() == f"accuracy\n{factor}\n"
        assert f"factor = {factor}" in (tiny / "out" / name / "index.html").read_text()
    page = (tiny / "out" / "index.html").read_text()
    for shown in ('href="low/index.html"', 'src="high/11-two.svg"', "own = 2024"):
        assert shown in page
    assert parser.main(arguments) == 0
    assert "0 notebooks run, 2 unchanged" in capsys.readouterr().out
    (tiny / "sweep" / "low.yaml").write_text("factor: 4\n")
    assert parser.main(arguments) == 0
    assert "1 notebook run" in capsys.readouterr().out


def test_a_file_of_parameters_may_serve_more_notebooks_than_are_run(tiny, monkeypatch):
    monkeypatch.chdir(tiny)
    given = []

    def reproduce(**asked):
        given.append(asked["parameters"])
        return SimpleNamespace(summary=str)

    monkeypatch.setattr("dynlab.pipeline.reproduction.reproduce", reproduce)
    Path("both.yaml").write_text("factor: 2\nown: text\nfactr: 3\n")
    for more, left in (
        (["--notebook", "10"], {"factor": 2, "factr": 3}),
        ([], {"factor": 2, "own": "text", "factr": 3}),
    ):
        assert parser.main(["reproduce", "-f", "both.yaml", *more]) == 0
        assert given.pop() == left  # what no notebook has stays, to be refused


@pytest.mark.slow
def test_a_quick_run_leaves_the_full_run_s_figures_alone(run, tiny, monkeypatch):
    monkeypatch.chdir(tiny)
    Path("figures").mkdir()
    arguments = ["reproduce", "--recording", str(tiny / "pool.csv")]
    assert parser.main([*arguments, "--quick"]) == 0
    assert not list(Path("figures").iterdir())
    assert Path("quick-figures", "10-one.svg").is_file()
    assert parser.main(arguments) == 0
    assert Path("figures", "10-one.svg").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["-p", "factr", "3"],
            (
                "no notebook has a parameter 'factr'. Did you mean 'factor'? "
                "All have: factor, recording, out. Besides, 11-two: own"
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
