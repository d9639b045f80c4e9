"""Where commands write: nothing that somebody else wrote is lost."""

from pathlib import Path

import pytest

from dynlab.cli.parser import main
from dynlab.cli.record import _places


@pytest.fixture
def files(tmp_path, make_pool, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_pool({"q1": "aab", "q2": "abb"}).to_csv("a.csv", index=False)
    make_pool({"q1": "aab", "q2": "abb"}).assign(strategy="sequential").to_csv("b.csv", index=False)
    (tmp_path / "own-savings.csv").write_text("bank,balance\n")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("compare --recording a.csv --budgets 2 --out a.csv", "a.csv is what is read"),
        ("compare --recording a.csv --budgets 2 --out own.csv", "no table of `dynlab compare`"),
        ("recordings import a.csv --from samples --out b.csv", "b.csv is there already"),
        ("recordings merge a.csv b.csv --out b.csv", "b.csv is there already"),
    ],
)
def test_a_file_of_somebody_else_is_not_overwritten(words, said, files, capsys):
    before = {path.name: path.read_bytes() for path in files.iterdir()}
    assert main(words.split()) == 2
    assert said in capsys.readouterr().err
    assert before == {path.name: path.read_bytes() for path in files.iterdir()}


def test_tables_of_an_earlier_comparison_are_replaced(files):
    words = "compare --recording a.csv --budgets 2 --replications 2 --out mine.csv".split()
    assert main(words) == main(words) == 0


def test_a_folder_may_be_named_after_a_version():
    places = _places("openai/a,openai/b", "capitals", Path("runs/v1.5"))
    assert {str(path.parent) for path in places.values()} == {str(Path("runs/v1.5"))}
