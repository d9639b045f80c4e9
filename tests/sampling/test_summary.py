"""What a recording says of itself at its end, and what it doubts."""

import pandas as pd
import pytest
from helpers.scripted_server import Reply, ScriptedServer

from dynlab.cli.parser import main
from dynlab.models.llama_cpp import Endpoint
from dynlab.recordings.recording import load
from dynlab.sampling.prompt_preview import Preview, Previewed, preview
from dynlab.sampling.recorder import record
from dynlab.sampling.summary import doubts_about, summary_of

QUESTIONS = "id,question,target\n1,What is 2+2?,4\n2,What is 3+5?,8\n"


def sums(call):
    """Plain sentences, as a chat model gives them that was not told otherwise."""
    first, second = (int(c) for c in call.words.split("What is ")[-1][:3].split("+"))
    if call.body.get("max_tokens") == 2:
        usage = {"prompt_tokens": 10, "completion_tokens": 2}
        return Reply("Let", finish_reason="length", usage=usage)
    return Reply(f"{first} + {second} = {first + second}")


@pytest.fixture
def server():
    with ScriptedServer(sums) as running:
        yield running


@pytest.fixture
def called(server, tmp_path, monkeypatch):
    """called(*flags) → the exit code of `dynlab record` on two sums, in a folder of its own."""
    monkeypatch.setenv("OPENAI_API_BASE", server.address)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sums.csv").write_text(QUESTIONS)
    base = ["record", "--task", "sums.csv", "--model", "openai/any", "--samples", "3"]
    return lambda *flags: main([*base, "--out", "sums.parquet", "--price", "1,1", *flags])


@pytest.mark.slow
def test_answers_that_are_read_wrongly_are_told(called, capsys):
    assert called() == 0
    told = capsys.readouterr().err
    assert "8 samples of 2 questions" in told and "right 0.000" in told and "USD" in told
    assert "hold their target" in told and "--kind (now 'text')" in told


@pytest.mark.slow
def test_the_right_kind_reads_them_and_doubts_nothing(called, tmp_path, capsys):
    assert called("--kind", "integer", "--direct") == 0
    told = capsys.readouterr().err
    assert "right 1.000" in told and "--kind" not in told
    assert load(tmp_path / "sums.parquet").frame["answer"].tolist() == ["4"] * 4 + ["8"] * 4
    assert (
        called("--kind", "text", "--direct") == 2
    )  # what was read as integers is not gone on with as text
    assert "was recorded with" in capsys.readouterr().err


@pytest.mark.slow
def test_answers_that_were_cut_off_are_told(called, capsys):
    assert called("--kind", "integer", "--max-tokens", "2") == 0
    told = capsys.readouterr().err
    assert "100% of the samples give no answer of kind 'integer'" in told
    assert "were cut off: raise --max-tokens" in told


@pytest.mark.slow
def test_a_grader_and_an_instruction_of_ones_own(called, server, tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text("def key(text, question):\n    return text[0]\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert called("--kind", "mine:key", "--instruction", "Be brief.") == 0
    assert load(tmp_path / "sums.parquet").counts()["right"].tolist() == [0, 0]
    assert all("Be brief." in call.words for call in server.calls)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--kind", "intger"], "unknown kind of answer 'intger'"),
        (["--kind", "nowhere:key"], "no grader 'nowhere:key'"),
        (["--form", "chatty"], "form"),
        (["--tolerance", "-1"], "tolerance"),
        (["--preview", "0"], "num_questions is 0"),
    ],
)
def test_wrong_ways_to_ask_are_refused_before_anything_is_sent(called, server, capsys, flags, said):
    assert called(*flags) == 2
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1 and not server.calls


@pytest.mark.slow
def test_a_preview_shows_prompts_and_pays_for_nothing_twice(called, server, tmp_path, capsys):
    assert called("--kind", "integer", "--direct", "--preview", "1") == 0
    shown = capsys.readouterr().out
    assert "[user] Question: What is 2+2?" in shown and "one integer" in shown
    assert "\n2 + 2 = 4\n" in shown and "read as '4': right" in shown
    assert "3+5" not in shown and len(server.calls) == 1
    assert called("--kind", "integer", "--direct") == 0
    told = capsys.readouterr().err
    assert "7 samples in 7 calls; expected " in told and "the mean of the 1 samples that" in told
    assert ", depth 1, a call 0." in told and ", the longest path of calls " in told
    assert ", took " in told and load(tmp_path / "sums.parquet").card["wall_s"] > 0
    assert len(server.calls) == 8 and len(load(tmp_path / "sums.parquet").frame) == 8


def test_without_a_model_prompts_alone_are_shown(tmp_path):
    shown = preview([{"id": "1", "question": "What is <b>1</b>?"}], num_questions=2)
    assert "What is <b>1</b>?" in str(shown) and "read as" not in str(shown)
    assert "&lt;b&gt;" in shown._repr_html_()


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_columns_of_a_table_say_how_it_is_asked(suffix, server, tmp_path):
    path = tmp_path / f"sums.{suffix}"
    rows = [("1", "What is 2+2?", "4"), ("2", "What is 3+5?", "8")]
    frame = pd.DataFrame(rows, columns=["id", "question", "target"]).assign(
        kind="integer", instruction="Be brief.", reasoned=False
    )
    frame.to_csv(path, index=False) if suffix == "csv" else frame.to_parquet(path)
    made = record(
        path,
        Endpoint("openai/any", server.address, "none"),
        num_samples=1,
        out=tmp_path / "r.parquet",
    )
    assert load(made).counts()["right"].tolist() == [1, 1]
    assert all("Be brief." in call.words for call in server.calls)


def test_what_is_unknown_is_not_said():
    frame = pd.DataFrame({"question_id": ["q"], "answer": ["a"], "text": ["a"]})
    assert summary_of(frame) == "1 sample of 1 question: 0.0% without an answer, no targets"
    assert doubts_about(frame, "text") == []


@pytest.mark.parametrize(("last", "doubted"), [("so 4", True), ("it is 4", False)])
def test_samples_that_are_all_one_text_are_doubted(last, doubted):
    rows = [(question, "parallel", "so 4") for question in "aabbcc"] + [("a", "parallel", last)]
    rows += [("a", "greedy", "4")]
    frame = pd.DataFrame(rows, columns=["question_id", "strategy", "text"]).assign(answer="4")
    doubts = doubts_about(frame, "integer")
    assert len(doubts) == doubted and all("sample at this temperature" in each for each in doubts)


def test_two_questions_with_one_text_each_may_be_easy():
    frame = pd.DataFrame({"question_id": [*"aabb"], "text": ["4"] * 4, "answer": ["4"] * 4})
    assert doubts_about(frame, "integer") == []


def test_what_a_preview_prints_cannot_steer_a_terminal():
    said = "\x1b]0;other title\x07 \x1b[31mred\u202e\r\x9b2J\ntwo"
    one = Previewed("q\x1b[2J", said, None, text=said, answer="2")
    shown = str(Preview((one,)))
    assert not set("\x1b\x07\x9b\r\u202e") & set(shown)
    assert "red" in shown and shown.count("\ntwo") == 2
    assert "\x1b" not in Preview((one,))._repr_html_()
