"""The shipped adapter's card is made of the runs' own numbers."""

import json

import pandas as pd
import pytest
from helpers.tiny_gguf import write_tiny_adapter
from recipe.release import command, main, ship

from dynlab.models.weights import REASONER, UNTAUGHT, WEIGHTS, sha256


@pytest.fixture
def runs(tmp_path):
    facts = {"after": None, "num_lessons": 400, "puzzles": 0, "drawn": 0}
    for name, extra in (
        ("solve", {}),
        ("shown", {"after": "solve", "puzzles": 7, "drawn": 4, "seed": 6}),
    ):
        folder = tmp_path / name
        folder.mkdir()
        write_tiny_adapter(folder / "adapter.gguf", seed=len(name))
        (folder / "run.json").write_text(json.dumps({"run": name, **facts, **extra}))
        steps = range(1, 26)
        counts = {"step": 1, "lessons": 16, "tokens": 1000, "labels": 1, "rate": 1, "seconds": 144}
        rows = [{name: i * each for name, each in counts.items()} | {"loss": 2 / i} for i in steps]
        pd.DataFrame(rows).to_csv(folder / "loss.csv", index=False)
    measures = [
        ("sample", 0.5),
        ("greedy", 0.6),
        ("vote", 0.7),
        ("shown", 0.6),
        ("chained", 0.8),
        ("chained − sample", 0.3),
    ]
    rows = [
        {
            "family": "sums",
            "split": "eval",
            "temperature": 1.0,
            "measure": measure,
            "value": value,
            "low": value - 0.1,
            "high": value + 0.1,
            "num_questions": 120,
        }
        for measure, value in measures
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "evaluation.csv", index=False)
    return [tmp_path / "solve", tmp_path / "shown"]


def test_a_card_tells_what_its_files_hold(runs, tmp_path):
    adapter = ship(REASONER, runs, tmp_path, tmp_path / "models", "Once it was otherwise.")
    assert adapter.read_bytes() == (runs[-1] / "adapter.gguf").read_bytes()
    card = json.loads(adapter.with_suffix(".json").read_text())
    assert (
        card["adapter_sha256"] == sha256(adapter)
        and card["weights_sha256"] == WEIGHTS["smollm2-135m"].sha256
    )
    assert [run["command"] for run in card["runs"]] == [
        "python -m recipe.training runs/solve --lessons 400",
        "python -m recipe.training runs/shown --lessons 400 --after runs/solve"
        " --puzzles 7 --drawn 4 --seed 5",
    ]
    assert (card["runs"][0]["tokens"], card["runs"][0]["hours"]) == (25_000, 1.0)
    words = adapter.with_suffix(".md").read_text()
    assert "| sums | 0.50 | 0.60 | 0.70 | 0.60 | 0.80 | 0.30 [0.20, 0.40] |" in words
    assert "400 lessons, 25,000 tokens, 1.0 hours" in words and card["adapter_sha256"] in words
    assert "Once it was otherwise. The loss curve is" in words
    assert "`calendar` is never taught with attempts" in words
    assert str(tmp_path) not in words + json.dumps(card)


def test_a_further_run_keeps_the_earlier_card(runs, tmp_path):
    whole = ship(REASONER, runs, tmp_path, tmp_path / "whole")
    ship(REASONER, runs[:1], tmp_path, tmp_path / "models")
    later = ship(REASONER, runs[1:], tmp_path, tmp_path / "models")
    for name in (
        "dynlab-reasoner.json",
        "dynlab-reasoner.md",
        "dynlab-reasoner-loss.csv",
        "dynlab-reasoner.gguf",
    ):
        assert later.with_name(name).read_bytes() == whole.with_name(name).read_bytes()


def test_the_controls_card_says_what_it_never_saw(runs, tmp_path):
    adapter = ship(UNTAUGHT, runs[:1], tmp_path, tmp_path / "models")
    words = adapter.with_suffix(".md").read_text()
    assert adapter.name == "dynlab-untaught.gguf" and "The control of `dynlab-reasoner`" in words
    assert (
        json.loads(adapter.with_suffix(".json").read_text())["never_taught_with_attempts"] is None
    )
    assert "None is taught with attempts" in words and "dynlab-untaught-loss.csv" in words


def test_a_shipped_curve_has_means_of_ten_steps(runs, tmp_path):
    ship(REASONER, runs, tmp_path, tmp_path / "models")
    curve = pd.read_csv(tmp_path / "models" / "dynlab-reasoner-loss.csv")
    assert curve["step"].tolist() == [10, 20, 25] * 2
    assert curve["run"].tolist() == ["solve"] * 3 + ["shown"] * 3
    assert curve["loss"][0] == round(sum(2 / i for i in range(1, 11)) / 10, 4)


def test_missing_files_are_named_before_writing(runs, tmp_path, capsys):
    (runs[0] / "loss.csv").unlink()
    assert (
        main(
            [
                REASONER,
                *map(str, runs),
                "--evaluation",
                str(tmp_path),
                "--out",
                str(tmp_path / "models"),
            ]
        )
        == 2
    )
    assert "solve/loss.csv" in capsys.readouterr().err and not (tmp_path / "models").exists()


def test_a_command_names_plain_families_and_share():
    stage = {
        "run": "b",
        "after": "a",
        "num_lessons": 16,
        "puzzles": 4,
        "drawn": 2,
        "plain": ["sums", "digits"],
    }
    told = command(stage | {"share": 0.5, "seed": 8})
    assert told == (
        "python -m recipe.training runs/b --lessons 16 --after runs/a --puzzles 4 --drawn 2"
        " --plain sums digits --share 0.5 --seed 7"
    )
    assert "--share" not in command(stage | {"share": 1.0}) and "--plain" not in command(
        stage | {"plain": None}
    )
