"""The flags of a strategy: each reaches the prompts and the recording; what cannot be is told in
one line.
"""

import argparse
import json
from dataclasses import fields

import pytest
from helpers.scripted_server import Reply, ScriptedServer

from dynlab.cli import strategy_flags
from dynlab.cli.parser import main
from dynlab.recordings.recording import load
from dynlab.strategies.integrated import Integrated
from dynlab.strategies.parallel import Parallel
from dynlab.strategies.recursive import Recursive
from dynlab.strategies.registry import STRATEGIES
from dynlab.strategies.sequential import Sequential


def parsed(*flags):
    parser = argparse.ArgumentParser()
    strategy_flags.add(parser)
    return strategy_flags.chosen(parser.parse_args(flags))


def test_without_flags_every_strategy_has_its_defaults():
    assert parsed() == Parallel()
    for name, kind in STRATEGIES.items():
        assert parsed("--strategy", name) == kind()


def test_each_parameter_of_each_strategy_has_a_flag():
    assert parsed(
        "--strategy",
        "integrated",
        "--width",
        "3",
        "--chain",
        "2",
        "--rounds",
        "5",
        "--later",
        "both",
        "--voting",
        "chained",
        "--who",
        "random",
        "--num-shown",
        "2",
        "--order",
        "leader-last",
        "--shown",
        "prefill",
        "--finals-only",
    ) == Integrated(
        3,
        2,
        5,
        "both",
        "chained",
        who="random",
        num_shown=2,
        order="leader-last",
        shown="prefill",
        finals_only=True,
    )
    assert parsed(
        "--strategy", "rsa", "--width", "8", "--rounds", "3", "--num-shown", "2"
    ) == Recursive(width=8, rounds=3, num_shown=2)
    assert parsed("--strategy", "sequential", "--who", "last", "--num-shown", "2") == Sequential(
        who="last", num_shown=2
    )
    known = {field.name for kind in STRATEGIES.values() for field in fields(kind)}
    parser = argparse.ArgumentParser()
    strategy_flags.add(parser)
    assert known == set(vars(parser.parse_args([]))) - {"strategy"}


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--width", "3"], "unknown parameter of strategy 'parallel': 'width'"),
        (["--strategy", "integratd"], "did you mean 'integrated'"),
        (["--strategy", "integrated", "--order", "random"], "unknown order 'random'"),
        (["--strategy", "integrated", "--width", "0"], "width is 0"),
        (["--strategy", "integrated", "--width", "17"], "from 1 to 16"),
        (
            ["--strategy", "sequential", "--chain", "2"],
            "unknown parameter of strategy 'sequential': 'chain'",
        ),
        (["--strategy", "integrated", "--width", "two"], "invalid int value: 'two'"),
    ],
)
def test_wrong_flags_end_in_one_line_and_exit_code_2(tmp_path, capsys, flags, words):
    out = tmp_path / "a.parquet"
    task = [
        "record",
        "--task",
        "capitals",
        "--model",
        "openai/none",
        "--samples",
        "2",
        "--out",
        str(out),
    ]
    assert main([*task, *flags]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1 and not out.exists()


@pytest.mark.slow
def test_record_sends_what_its_flags_say_and_records_what_it_sent(tmp_path, monkeypatch):
    task = tmp_path / "sums.jsonl"
    rows = [
        {"task": {"answer": "integer"}},
        *({"id": f"q{i}", "question": f"{i} + 1?", "target": "1"} for i in (0, 1)),
    ]
    task.write_text("\n".join(json.dumps(row) for row in rows))

    def script(call):
        return Reply(
            f"Hm {call.number}. Answer: {call.number}",
            usage={"prompt_tokens": 7 + call.number, "completion_tokens": 5},
        )

    with ScriptedServer(script) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.address)
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        out = tmp_path / "chains.parquet"
        flags = [
            "--strategy",
            "integrated",
            "--width",
            "3",
            "--order",
            "shuffled",
            "--finals-only",
            "--voting",
            "chained",
        ]
        given = [
            "record",
            "--task",
            str(task),
            "--model",
            "openai/scripted",
            "--samples",
            "6",
            "--streams",
            "2",
        ]
        assert main([*given, *flags, "--no-greedy", "--out", str(out)]) == 0
    recording = load(out)
    wanted = {
        "width": 3,
        "order": "shuffled",
        "finals_only": True,
        "voting": "chained",
        "who": "all",
        "shown": "listed",
    }
    assert wanted.items() <= recording.card["settings"].items()
    sent = {int(call.number): call.words for call in server.calls}
    for (_, _), stream in recording.frame.groupby(["question_id", "stream"]):
        answers = stream.set_index("sample_index")["answer"]
        for row in stream.itertuples():
            number = int(row.answer)
            shown = [
                f'<attempt number="{k}">\nAnswer: {answers[p]}\n'
                for k, p in enumerate(row.parents, start=1)
            ]
            places = [sent[number].index(text) for text in shown]
            assert places == sorted(places) and sent[number].count("<attempt") == len(shown)
            assert sorted(row.parents) == ([0, 1, 2] if row.sample_index >= 3 else [])
            assert row.prompt_tokens == 7 + number and row.votes == (row.sample_index >= 3)
