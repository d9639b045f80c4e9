"""`python -m recipe.training` on a network of 120 kB: solving first, then looking at attempts, each
run continued.
"""

from __future__ import annotations

import json

import pytest

pytest.importorskip("torch", reason="training needs torch: pip install 'dynlab[train]'")
pytest.importorskip("gguf", reason="training needs gguf: pip install 'dynlab[train]'")

from helpers.tiny_gguf import Letters, write_tiny_gguf
from recipe import adapters, decoder, drafts, training


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Calls the command line in an empty folder; gives exit code and what was said on stderr."""
    base = write_tiny_gguf(tmp_path / "tiny.gguf")
    monkeypatch.setattr(training, "weights", lambda model: base)
    monkeypatch.setattr(decoder, "tokenizer", lambda path: Letters())
    monkeypatch.setattr(drafts, "MAX_TOKENS", 8)
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        return training.main(arguments), capsys.readouterr().err

    return call


def test_a_second_run_shows_the_first_ones_attempts(run, tmp_path):
    assert run("solve", "--lessons", "32") == (0, "")
    assert run(
        "shown", "--after", "solve", "--puzzles", "4", "--drawn", "3", "--lessons", "32"
    ) == (0, "")
    attempts = [
        json.loads(line)
        for line in (tmp_path / "shown" / "attempts.jsonl").read_text().splitlines()
    ]
    assert [len(texts) for texts in attempts] == [3] * 4
    (solved, _), (shown, alpha) = (
        adapters.read(tmp_path / name / "adapter.gguf") for name in ("solve", "shown")
    )
    assert alpha == 32 and solved.keys() == shown.keys()
    moved = max(abs(shown[name] - solved[name]).max() for name in solved)
    assert 0 < moved < 0.02  # two steps at a small rate from there, not from a fresh adapter
    tokens = [
        (tmp_path / name / "loss.csv").read_text().split("\n")[-2].split(",")[2]
        for name in ("solve", "shown")
    ]
    assert int(tokens[1]) > int(tokens[0])  # prompts with attempts are longer


def test_a_share_ends_a_run_on_the_way(run, tmp_path):
    assert run("solve", "--lessons", "32") == (0, "")
    again = ("--after", "solve", "--lessons", "32", "--rate", "0.2")
    assert run("whole", *again) == run("quarter", *again, "--share", "0.25") == (0, "")
    assert run("half", *again, "--share", "0.5", "--plain", "digits") == (0, "")
    start, whole, quarter = (
        adapters.read(tmp_path / name / "adapter.gguf")[0] for name in ("solve", "whole", "quarter")
    )
    for name, array in start.items():
        between = 0.75 * array.astype("f4") + 0.25 * whole[name].astype("f4")
        assert abs(quarter[name] - between).max() < 5e-4  # half precision
    assert all(abs(whole[name] - start[name]).max() > 4e-3 for name in start)
    facts = json.loads((tmp_path / "half" / "run.json").read_text())
    assert (facts["share"], facts["plain"]) == (0.5, ["digits"])
    for arguments in (("--share", "0.5"), ("--share", "0", "--after", "solve")):
        code, said = run("x", "--lessons", "16", *arguments)
        assert code == 2 and said.count("\n") == 1 and "--share is " in said


def test_attempts_are_kept_by_a_resumed_run(run, tmp_path):
    run("solve", "--lessons", "16")
    arguments = ("shown", "--after", "solve", "--puzzles", "2", "--drawn", "2", "--lessons", "16")
    run(*arguments)
    before = (tmp_path / "shown" / "attempts.jsonl").read_bytes()
    (tmp_path / "shown" / "checkpoint.pt").unlink()
    assert run(*arguments)[0] == 0
    assert (tmp_path / "shown" / "attempts.jsonl").read_bytes() == before


def test_wrong_use_is_one_line_and_exit_code_2(run):
    assert run("x", "--lessons", "16", "--resume") == (
        2,
        "recipe.training: x holds no checkpoint to go on from: leave --resume out to begin\n",
    )
    code, said = run("x", "--lessons", "16", "--after", "nowhere")
    assert (
        code == 2 and said.count("\n") == 1 and "--after takes the folder of a finished run" in said
    )
    run("solve", "--lessons", "16", "--rank", "4")
    code, said = run("x", "--lessons", "16", "--after", "solve")
    assert code == 2 and "give --rank 4" in said
    code, said = run("solve", "--lessons", "16")
    assert code == 2 and "give --resume" in said
