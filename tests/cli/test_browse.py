"""`dynlab browse`: one page, written and opened."""

import pytest

from dynlab.cli import browse as command
from dynlab.cli import parser


@pytest.fixture
def source(tmp_path, make_pool, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_pool({"q1": "aab"}).to_csv("my pool.csv", index=False)
    return "my pool.csv"


@pytest.mark.parametrize("can_open", [True, False])
def test_the_page_is_written_and_opened(source, tmp_path, monkeypatch, capsys, can_open):
    opened = []
    monkeypatch.setattr(command.webbrowser, "open", lambda url: opened.append(url) or can_open)
    assert parser.main(["browse", source]) == 0
    page = tmp_path / "runs" / "samples" / "my pool.html"
    assert "my pool" in page.read_text() and opened == [page.as_uri()]
    told = capsys.readouterr().out
    assert "wrote runs/samples/my pool.html\n" in told and ("by hand" in told) != can_open
    assert parser.main(["browse", source, "--out", "other/page.html", "--no-browser"]) == 0
    assert (tmp_path / "other" / "page.html").is_file() and len(opened) == 1


def test_wrong_use_is_one_line_and_writes_nothing(source, tmp_path, capsys):
    assert parser.main(["browse", "nowhere.csv", "--no-browser"]) == 2
    assert parser.main(["browse", source, "--max-mb", "0", "--no-browser"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2 and not (tmp_path / "runs").exists()
