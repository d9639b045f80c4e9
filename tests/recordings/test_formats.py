"""Files in the shape of each tool become the samples that stand in them."""

from __future__ import annotations

import json
import math

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dynlab._util.errors import InputError
from dynlab.recordings.formats import NAMES, format_named, guessed
from dynlab.recordings.importing import import_recording
from dynlab.recordings.recording import load, right_of


def lines(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def columns(frame, *names):
    return frame[list(names)].astype(object).where(frame[list(names)].notna(), None).values.tolist()


def imported(path, form, **options):
    return load(import_recording(path, form, path.with_name("out.parquet"), **options))


def branchpilot(folder):
    samples = [
        {
            "text": "so 72",
            "answer": "72",
            "token_count": 4,
            "mean_logprob": -0.5,
            "finish_reason": "stop",
            "parse_status": "parsed",
        },
        {"text": "hm", "answer": None, "token_count": 9, "mean_logprob": None},
    ]
    rollout = {"uid": "q1", "question": "9*8?", "gold": "72", "samples": samples}
    rollout |= {"prompt_tokens": 11, "metadata": {}, "schema_version": 2}
    return lines(folder / "test.jsonl", [rollout])


def test_a_trajectory_of_branchpilot_is_its_samples(tmp_path):
    frame = imported(branchpilot(tmp_path), None, kind="integer").frame
    named = ("question_id", "answer", "target", "text", "prompt_tokens", "completion_tokens")
    assert columns(frame, *named) == [
        ["q1", "72", "72", "so 72", 11, 4],
        ["q1", "", "72", "hm", 11, 9],
    ]
    assert columns(frame, "mean_logprob", "finish_reason") == [[-0.5, "stop"], [None, None]]


def autotts(folder):
    branches = [[["3", "ERR"], 900, "204"], [[], 120, "ERR"]]
    question = {
        "question": "t?",
        "final_answers_trace": [],
        "each_branch": branches,
        "gold_answer": "204",
        "probe_freq": 500,
    }
    path = folder / "aime24.json"
    path.write_text(json.dumps([question, question | {"gold_answer": "7"}], indent=1))
    return path


def test_whole_branches_of_autotts_are_samples(tmp_path):
    frame = imported(autotts(tmp_path), None).frame
    assert columns(frame, "question_id", "answer", "target", "completion_tokens") == [
        ["aime24-000", "204", "204", 900],
        ["aime24-000", "", "204", 120],
        ["aime24-001", "204", "7", 900],
        ["aime24-001", "", "7", 120],
    ]


def boinf(folder):
    question = {"problem_num": 3, "gold_answer": 73, "all_answers": [["073", 50], [None, 0]]}
    return lines(folder / "analysis_aime2025_Tiny-1B.jsonl", [question])


def test_answers_of_best_of_infinity_are_samples(tmp_path):
    frame = imported(boinf(tmp_path), None, kind="integer").frame
    assert columns(frame, "question_id", "model", "answer", "target", "completion_tokens") == [
        ["aime2025-003", "Tiny-1B", "73", "73", 50],
        ["aime2025-003", "Tiny-1B", "", "73", None],
    ]


def lighteval(folder, **response):
    golds = {"choices": ["4", "four"], "gold_index": [0, 1]}
    doc = {"id": "7", "task_name": "sums|0", "query": "2+2?", **golds}
    response = {
        "text": ["<think>…</think> 4", "5"],
        "text_post_processed": [" 4", "5"],
        "input_tokens": [1, 2, 3],
        "output_tokens": [[1, 2], [3]],
        **response,
    }
    row = {"doc": doc, "metric": {"avg@n": 0.5}, "model_response": response}
    path = folder / "details_sums|0_2026-11-28T12-00-00.parquet"
    pq.write_table(pa.Table.from_pylist([row]), path)
    return path


def test_details_of_lighteval_are_samples(tmp_path):
    recording = imported(lighteval(tmp_path), None)
    named = ("question_id", "answer", "target", "prompt_tokens", "completion_tokens", "dataset")
    assert columns(recording.frame, *named) == [
        ["7", "4", "4", 3, 2, "sums|0"],
        ["7", "5", "4", 3, 1, "sums|0"],
    ]
    assert recording.frame["text"].tolist() == ["<think>…</think> 4", "5"]
    assert recording.card["reported"] == {"avg@n": 0.5}


def test_choices_that_lighteval_only_weighed_are_no_samples(tmp_path):
    with pytest.raises(InputError, match="log-likelihoods"):
        imported(lighteval(tmp_path, text=[], output_tokens=[]), None)


def evalscope(folder, *, tokens=True):
    score = {"value": {"acc": 1.0}, "extracted_prediction": "4", "prediction": "It is 4."}
    review = {"index": 1, "target": ["4"], "messages": []}
    of = {"score": score, "sample_id": 1, "group_id": 0, "generation_index": 1}
    first = score | {"value": {"acc": 0.0}, "extracted_prediction": "", "prediction": "It is?"}
    reviews = [
        review | {"sample_score": of},
        review | {"index": 0, "sample_score": of | {"score": first, "generation_index": 0}},
    ]
    usage = {"input_tokens": 20, "output_tokens": 5, "total_tokens": 25}
    prediction = {"index": 1, "model": "tiny", "model_output": {"usage": usage}}
    if tokens:
        lines(folder / "predictions" / "tiny" / "sums_main.jsonl", [prediction])
    return lines(folder / "reviews" / "tiny" / "sums_main.jsonl", reviews)


@pytest.mark.parametrize("tokens", [True, False])
def test_reviews_of_evalscope_are_samples(tmp_path, tokens):
    recording = imported(evalscope(tmp_path, tokens=tokens), None)
    assert columns(recording.frame, "question_id", "sample_index", "answer", "target") == [
        ["0", 0, "", "4"],
        ["0", 1, "4", "4"],
    ]
    assert recording.frame["correct"].tolist() == [False, True]
    assert recording.card["reported"] == {"acc": 0.5}
    assert ("completion_tokens" in recording.frame) == tokens
    if tokens:
        assert columns(recording.frame, "model", "prompt_tokens") == [[None, None], ["tiny", 20]]


def test_predictions_of_evalscope_lead_to_their_reviews(tmp_path):
    reviews = evalscope(tmp_path)
    predictions = tmp_path / "predictions" / "tiny" / "sums_main.jsonl"
    assert len(imported(predictions, None).frame) == 2
    reviews.unlink()
    with pytest.raises(InputError, match="under reviews/"):
        imported(predictions, None)


def answered(name, *texts, **more):
    choices = [
        {"index": at, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        for at, text in enumerate(texts)
    ]
    usage = {"prompt_tokens": 12, "completion_tokens": 6, "total_tokens": 18}
    body = {"model": "tiny", "choices": choices, "usage": usage, **more}
    response = {"status_code": 200, "request_id": "r", "body": body}
    return {"id": "b", "custom_id": name, "response": response, "error": None}


def asked(name, text):
    body = {"model": "tiny", "messages": [{"role": "user", "content": text}]}
    return {"custom_id": name, "method": "POST", "url": "/v1/chat/completions", "body": body}


def refused(name):
    body = {"error": {"message": "too long", "code": "context_length_exceeded"}}
    return {"custom_id": name, "response": {"status_code": 400, "body": body}, "error": None}


def batch(folder):
    logprobs = {"content": [{"logprob": -1.0}, {"logprob": -2.0}]}
    second = answered("add-1", "Answer: 5")
    second["response"]["body"]["choices"][0]["logprobs"] = logprobs
    return lines(
        folder / "output.jsonl",
        [second, answered("mul-10", "6", "7"), refused("mul-9"), answered("add-0", "Answer: 4")],
    )


def test_requests_with_one_prompt_are_samples_of_a_question(tmp_path):
    path = batch(tmp_path)
    prompts = {"add-0": "2+2?", "add-1": "2+2?", "mul-9": "2*3?", "mul-10": "2*3?"}
    requests = lines(tmp_path / "input.jsonl", [asked(*pair) for pair in prompts.items()])
    frame = imported(path, None, kind="integer", requests=requests).frame
    named = ("question_id", "sample_index", "answer", "question", "completion_tokens", "votes")
    assert columns(frame, *named) == [
        ["add", 0, "4", "2+2?", 6, True],
        ["add", 1, "5", "2+2?", 6, True],
        ["mul", 0, "", "2*3?", None, False],
        ["mul", 1, "6", "2*3?", None, True],  # tokens of two choices are counted together
        ["mul", 2, "7", "2*3?", None, True],
    ]
    assert columns(frame, "finish_reason", "mean_logprob")[1:3] == [
        ["stop", -1.5],
        ["error: too long", None],
    ]


def test_a_number_that_is_the_question_s_own_stays(tmp_path):
    path = lines(tmp_path / "o.jsonl", [answered("aime-1", "4"), answered("aime-2", "5")])
    requests = lines(tmp_path / "i.jsonl", [asked("aime-1", "a?"), asked("aime-2", "b?")])
    frame = imported(path, "openai-batch", requests=requests).frame
    assert frame["question_id"].tolist() == ["aime-1", "aime-2"]


def test_a_task_gives_a_batch_its_questions_and_judges_it(tmp_path):
    header = {"task": {"answer": "integer", "reasoned": False}}
    questions = [
        {"id": "add", "question": "2+2?", "target": "4"},
        {"id": "mul", "question": "2*3?", "target": 7},
    ]
    task = lines(tmp_path / "task.jsonl", [header, *questions])
    frame = imported(batch(tmp_path), "openai-batch", task=task).frame
    assert columns(frame, "question_id", "answer", "target", "correct", "dataset") == [
        ["add", "4", "4", True, "task"],
        ["add", "5", "4", False, "task"],
        ["mul", "", "7", False, "task"],
        ["mul", "6", "7", False, "task"],
        ["mul", "7", "7", True, "task"],
    ]


def test_a_batch_by_itself_is_refused_in_one_line(tmp_path):
    path = batch(tmp_path)
    with pytest.raises(InputError, match="--requests FILE, or the task by --task"):
        imported(path, None)
    with pytest.raises(InputError, match="no request 'add-0'"):
        imported(path, None, requests=lines(tmp_path / "i.jsonl", [asked("x", "2?")]))
    with pytest.raises(InputError, match="no input of a batch"):
        imported(path, None, requests=path)
    task = lines(tmp_path / "t.jsonl", [{"id": "other", "question": "?", "target": "4"}])
    with pytest.raises(InputError, match=r"no question of the task is 'add-0'.*'other'"):
        imported(path, None, task=task)
    with pytest.raises(InputError, match="more than once"):
        imported(lines(tmp_path / "o.jsonl", [refused("a"), refused("a")]), None, task=task)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"choices": [{"text": "4", "finish_reason": "stop"}]}, "4"),
        ({"output": [{"type": "message", "content": [{"type": "output_text", "text": "4"}]}]}, "4"),
        ({"choices": [{"message": {"content": None}}]}, ""),
    ],
)
def test_bodies_of_each_endpoint_are_read(tmp_path, body, text):
    line = {"custom_id": "q", "response": {"status_code": 200, "body": body}, "error": None}
    (row,) = format_named("openai-batch").read(lines(tmp_path / "o.jsonl", [line]))
    assert row["text"] == text


def test_a_format_is_told_by_what_stands_in_the_file(tmp_path):
    plain = lines(tmp_path / "mine.jsonl", [{"id": 1, "answer": "a", "target": "a"}])
    harness = {"doc_id": 0, "target": "4", "resps": [["4"]], "filtered_resps": ["4"]}
    inspect = tmp_path / "log.json"
    inspect.write_text(json.dumps({"eval": {}, "samples": []}, indent=2))
    files = {
        "samples": plain,
        "lm-eval": lines(tmp_path / "samples_x.jsonl", [harness]),
        "inspect": inspect,
        **{
            each.__name__: each(tmp_path)
            for each in (autotts, boinf, branchpilot, evalscope, lighteval)
        },
        "openai-batch": batch(tmp_path),
    }
    assert {name: guessed(path) for name, path in files.items()} == {name: name for name in NAMES}


@pytest.mark.parametrize("form", [None, "inspect", "samples"])
def test_a_broken_archive_is_told_in_one_line(tmp_path, form):
    path = tmp_path / "log.eval"
    path.write_bytes(b"PK\x05\x06" + b"\x01" * 16 + b"\0\0")
    with pytest.raises(InputError, match="has another shape|give --from"):
        imported(path, form)


@pytest.mark.parametrize("content", ["", "nonsense", "[1]", '{"a": 1}', "\udcff", "PAR1"])
def test_a_file_of_no_known_format_is_refused(tmp_path, content):
    path = tmp_path / ("x.parquet" if content == "PAR1" else "x.jsonl")
    path.write_text(content, errors="surrogateescape")
    with pytest.raises(InputError, match="give --from, one of autotts, boinf"):
        imported(path, None)


def test_shares_right_are_those_of_the_tool(tmp_path):
    recording = imported(evalscope(tmp_path), None)
    assert math.isclose(right_of(recording.frame).mean(), recording.card["reported"]["acc"])
