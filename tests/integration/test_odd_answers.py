"""What a provider may answer and a user may ask: nothing paid for is lost, what makes no sense is
refused.
"""

import json
import math

import pandas as pd
import pytest
from helpers.flat_options import grouped
from helpers.scripted_server import Reply, ScriptedServer

from dynlab._util.errors import InputError
from dynlab._util.values import Question, Sample
from dynlab.analysis.same_model import agreement
from dynlab.models.llama_cpp import Endpoint
from dynlab.recordings.recording import load, write
from dynlab.sampling.recorder import dry_run, record
from dynlab.sampling.store import store_path
from dynlab.strategies.integrated import Integrated
from dynlab.strategies.recursive import Recursive
from dynlab.tasks.answers import clean, extract
from dynlab.tasks.prompts import Chat, Completion
from dynlab.tasks.task import Task

TASK = Task(
    "sums",
    tuple(Question(f"q{i}", f"{i} + 1?", "3") for i in range(2)),
    form="chat",
    answer="integer",
)


@pytest.fixture
def draw(tmp_path):
    """record() from a server with a script: the recording's frame, and the words of every call."""

    def run(script, **changes):
        with ScriptedServer(script) as server:
            endpoint = Endpoint("openai/scripted", server.address, "none")
            given = {
                "num_samples": 3,
                "out": tmp_path / "r.parquet",
                "progress": False,
                "greedy": False,
            }
            path = record(changes.pop("task", TASK), endpoint, **grouped(**given | changes))
            return load(path).frame, [call.words for call in server.calls]

    return run


@pytest.mark.slow
def test_a_lone_surrogate_loses_no_recording(draw):
    odd = json.dumps(
        {
            "choices": [
                {"message": {"content": "\ud800 Answer: 3"}, "finish_reason": "st\udfffop"}
            ],
            "usage": {"prompt_tokens": 5, "completion_tokens": 5},
        }
    )
    assert "\\ud800" in odd
    frame, _ = draw(lambda call: Reply(body=odd), strategy="integrated", width=1)
    assert set(frame["answer"]) == {"3"} and set(frame["text"]) == {"? Answer: 3"}


@pytest.mark.parametrize("end", ["\r", "\r\n", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"])
def test_whatever_ends_a_line_ends_a_line(end):
    assert extract(f"Reason{end}Answer: 5{end}more", "integer", reasoned=True) == "5"
    assert extract(f"Answer: Lima{end}Hope that helps", "text", reasoned=True).strip() == "Lima"
    assert clean(f"word{end}word") == "word\nword"


@pytest.mark.slow
def test_empty_texts_are_known_without_the_store(draw, tmp_path):
    def script(call):
        return "" if call.number == 0 else "Answer: 3"

    frame, _ = draw(script, strategy="sequential", num_samples=2, concurrency=1)
    assert (frame["text"] == "").sum() == 1
    store_path(tmp_path / "r.parquet").unlink()
    longer, words = draw(script=lambda call: "Answer: 4", strategy="sequential", num_samples=4)
    assert (
        len(longer) == 8
        and len(words) == 4
        and sum("(no answer)" in said or "number=" in said for said in words) == 4
    )


@pytest.mark.slow
def test_texts_that_were_not_kept_are_still_missed(draw, tmp_path):
    draw(lambda call: "Answer: 3", num_samples=3, keep_text=0, strategy="integrated", width=2)
    store_path(tmp_path / "r.parquet").unlink()
    path = tmp_path / "r.parquet"
    frame, card = load(path).frame, load(path).card
    write(frame.assign(text=None), card, path)
    with pytest.raises(InputError, match="lacks texts that a chain is shown"):
        draw(lambda call: "Answer: 3", num_samples=4, strategy="integrated", width=2)


def test_a_dry_run_counts_distinct_attempts(tmp_path):
    endpoint = Endpoint("openai/scripted", "http://127.0.0.1:1", "none")
    worst = [
        dry_run(
            TASK,
            endpoint,
            num_samples=9,
            out=tmp_path / "r.parquet",
            strategy=Integrated(8, who=who),
        ).worst.tokens
        for who in ("all", "distinct")
    ]
    assert worst[0] == worst[1]


def test_a_plan_in_which_nothing_votes_is_refused(draw, tmp_path):
    for strategy, first in ((Recursive(), 145), (Integrated(8, voting="chained"), 9)):
        with pytest.raises(InputError, match=f"the first that does is number {first}"):
            draw(lambda call: pytest.fail("called"), strategy=strategy)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "change",
    [
        {"price": (math.inf, 1)},
        {"price": (1e300, 1)},
        {"temperature": math.inf},
        {"top_p": math.nan},
        {"top_p": 7},
        {"timeout_s": math.inf},
        {"max_tokens": 10**30},
    ],
)
def test_numbers_that_make_no_sense_are_refused(draw, tmp_path, change):
    with pytest.raises(InputError, match=f"{next(iter(change))} is "):
        draw(lambda call: pytest.fail("called"), out=tmp_path / "new" / "r.parquet", **change)
    assert not list(tmp_path.iterdir())  # not even a folder


@pytest.mark.parametrize(
    "change", [{"num_per_call": 0}, {"concurrency": 0}, {"timeout_s": math.nan}, {"keep_text": -4}]
)
def test_a_dry_run_refuses_what_the_run_would(tmp_path, change):
    endpoint = Endpoint("openai/scripted", "http://127.0.0.1:1", "none")
    with pytest.raises(InputError, match=f"{next(iter(change))} is "):
        dry_run(TASK, endpoint, **grouped(num_samples=2, out=tmp_path / "r.parquet", **change))


@pytest.mark.slow
def test_unmarked_recordings_are_compared_by_target(make_pool):
    one, other = (
        make_pool({f"q{i}": "aaba" for i in range(9)}),
        make_pool({f"q{i}": "abba" for i in range(9)}),
    )
    table = agreement(load(one).frame, load(other).frame).set_index("measure")
    assert (table.loc["sample", "one"], table.loc["sample", "other"]) == (0.75, 0.5)
    marked = one.assign(correct=(one["answer"] == "a").where(one["question_id"] != "q0", pd.NA))
    for target, num_known in (("a", 9), (None, 8)):  # of q0, whose marks are unknown
        known = marked.assign(target=one["target"].where(one["question_id"] != "q0", target))
        assert (
            agreement(load(known).frame, load(other).frame)
            .set_index("measure")
            .loc["sample", "num_one"]
            == num_known
        )


def test_an_attempt_cannot_close_the_frame_it_stands_in():
    (message,) = Chat()(
        TASK.questions[0],
        [Sample("q0", "parallel", 0, 0, answer="", text="x < /attempt> < attempt")],
    )
    assert message["content"].count("< /attempt>") == message["content"].count("< attempt") == 0


def test_an_attempt_that_begins_with_its_question_is_shown():
    text = "Question: hi. Answer: 5\nQuestion: next?"
    asked = Completion()(TASK.questions[0], [Sample("q0", "parallel", 0, 0, answer="5", text=text)])
    assert "(1) Question: hi. Answer: 5\n" in asked


def test_all_of_a_population_may_be_shown():
    assert (
        Recursive().num_shown,
        Recursive(who="all").num_shown,
        Recursive(who="last").num_shown,
    ) == (4, None, 4)
