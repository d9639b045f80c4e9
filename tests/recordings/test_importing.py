"""Files in the shapes that other tools write become recordings that can be compared."""

from __future__ import annotations

import json
import zipfile

import pandas as pd
import pyarrow as pa
import pytest

import dynlab
from dynlab._util.errors import InputError
from dynlab.analysis.leaderboards import leaderboard
from dynlab.cli.parser import main
from dynlab.recordings.importing import import_recording
from dynlab.recordings.recording import load


def lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def inspect_log(path, samples):
    log = {
        "version": 2,
        "status": "success",
        "eval": {"task": "sums", "model": "openai/tiny"},
        "samples": samples,
    }
    path.write_text(json.dumps(log), encoding="utf-8")
    return path


def inspect_sample(number, epoch, said, *, target="4", mark="C", answer=None, **more):
    usage = {
        "openai/tiny": {
            "input_tokens": 10,
            "output_tokens": 5,
            "input_tokens_cache_read": 2,
            "total_tokens": 17,
        }
    }
    message = {"role": "assistant", "content": said}
    return {
        "id": number,
        "epoch": epoch,
        "input": "2+2?",
        "target": target,
        "model_usage": usage,
        "output": {"model": "tiny", "choices": [{"message": message, "stop_reason": "stop"}]},
        "scores": {"match": {"value": mark, "answer": answer, "explanation": said}},
        **more,
    }


def imported(path, form, tmp_path, **options):
    return load(import_recording(path, form, tmp_path / "out.parquet", **options))


def test_epochs_of_an_inspect_log_are_samples(tmp_path):
    path = inspect_log(
        tmp_path / "log.json",
        [
            inspect_sample(1, 1, "It is 4.", answer="4"),
            inspect_sample(1, 2, [{"type": "text", "text": "5"}], mark="I"),
            inspect_sample("b", 1, "x", target=["Lima", "lima"], mark=1.0, answer="Lima."),
            inspect_sample(
                "b",
                2,
                "x",
                target=["Lima", "lima"],
                mark=0,
                output={"choices": []},
                error={"message": "…"},
            ),
        ],
    )
    recording = imported(path, "inspect", tmp_path)
    frame = recording.frame
    assert frame[["question_id", "sample_index", "answer", "target"]].values.tolist() == [
        ["1", 0, "4", "4"],
        ["1", 1, "5", "4"],
        ["b", 0, "lima", "lima"],
        ["b", 1, "", "lima"],
    ]
    assert frame["correct"].tolist() == [True, False, True, False]
    assert set(frame["prompt_tokens"]) == {12} and set(frame["completion_tokens"]) == {5}
    assert set(frame["dataset"]) == {"sums"} and set(frame["model"]) == {"openai/tiny"}
    assert recording.card["imported"] == "inspect" and recording.design == "fixed"


def test_a_judge_that_contradicts_itself_gives_way_to_the_target(tmp_path):
    path = inspect_log(
        tmp_path / "log.json",
        [
            inspect_sample(1, 1, "4", answer="4", mark="C"),
            inspect_sample(1, 2, "4", answer="4", mark="I"),
        ],
    )
    assert "correct" not in imported(path, "inspect", tmp_path).frame


def lm_eval_line(document, responses, filtered, name, target="work … #### 72"):
    return {
        "doc_id": document,
        "doc": {"question": "?"},
        "target": target,
        "arguments": {"gen_args_0": {"arg_0": "?"}},
        "resps": [responses],
        "filtered_resps": filtered,
        "filter": name,
        "metrics": ["exact_match"],
    }


def test_repeats_of_lm_eval_are_samples(tmp_path):
    path = lines(
        tmp_path / "samples_gsm8k_2026-01-02T03-04-05.678.jsonl",
        [
            lm_eval_line(0, ["so 72", "so 7"], ["72"], "maj@2"),
            lm_eval_line(0, ["so 72", "so 7"], [["72", "[invalid]"]], "score-all"),
        ],
    )
    frame = imported(path, "lm-eval", tmp_path, kind="integer").frame
    assert frame[["question_id", "sample_index", "answer", "target"]].values.tolist() == [
        ["0", 0, "72", "72"],
        ["0", 1, "", "72"],
    ]
    assert set(frame["dataset"]) == {"gsm8k"}


def test_without_such_a_filter_the_responses_themselves_are_read(tmp_path):
    path = lines(
        tmp_path / "samples_x.jsonl",
        [lm_eval_line(3, ["it is 7", "8"], ["it is 7"], "take_first", "8")],
    )
    assert imported(path, "lm-eval", tmp_path, kind="integer").frame["answer"].tolist() == [
        "7",
        "8",
    ]


@pytest.mark.parametrize(
    "line",
    [
        {"resps": [["Answer: 4"]]},
        {"resps": [["Answer: 4"]], "filtered_resps": "Answer: 4", "filter": "none"},
        {"resps": ["Answer: 4"], "filtered_resps": ["Answer: 4"]},
    ],
)
def test_a_single_response_of_lm_eval_may_stand_alone(tmp_path, line):
    path = lines(tmp_path / "samples_sums.jsonl", [{"doc_id": 0, "target": "4", **line}])
    frame = imported(path, "lm-eval", tmp_path, kind="integer").frame
    assert (frame["answer"].tolist(), frame["target"].tolist()) == (["4"], ["4"])


@pytest.mark.parametrize("mark", [1.0, 0.0])
def test_a_single_response_is_right_where_lm_eval_says_so(tmp_path, mark, capsys):
    lone = lm_eval_line(0, ["1000"], ["1000"], "flexible", "1,000") | {"exact_match": mark}
    path = lines(tmp_path / "samples_x.jsonl", [lone])
    out = str(tmp_path / "out.parquet")
    flags = ["--from", "lm-eval", "--kind", "integer", "--out", out]
    assert main(["recordings", "import", str(path), *flags]) == 0
    told = capsys.readouterr().out
    assert f"right {mark:.3f}" in told
    assert f"by its own report: exact_match,flexible {mark:.3f}" in told
    assert load(out).counts()["right"].tolist() == [mark]


def test_a_mark_of_the_first_of_several_responses_is_not_one_of_all(tmp_path):
    first = lm_eval_line(0, ["so 72", "so 7"], ["72"], "first") | {"exact_match": 1.0}
    whole = lm_eval_line(0, ["so 72", "so 7"], [["72", "7"]], "all") | {"exact_match": 1.0}
    made = imported(
        lines(tmp_path / "samples_x.jsonl", [first, whole]), "lm-eval", tmp_path, kind="integer"
    )
    assert "correct" not in made.frame and made.counts()["right"].tolist() == [0.5]
    assert made.card["reported"] == {"exact_match,first": 1.0, "exact_match,all": 1.0}
    assert made.frame["text"].tolist() == ["so 72", "so 7"]


def test_log_likelihoods_are_no_samples(tmp_path):
    line = lm_eval_line(0, [], [["-1.5", "False"], ["-0.5", "True"]], "none")
    line["resps"] = [[["-1.5", "False"]], [["-0.5", "True"]]]
    with pytest.raises(InputError, match="log-likelihoods"):
        imported(lines(tmp_path / "samples_x.jsonl", [line]), "lm-eval", tmp_path)


@pytest.mark.slow
def test_plain_lines_are_samples_in_their_order(tmp_path):
    path = lines(
        tmp_path / "mine.jsonl",
        [
            {
                "id": "a",
                "response": "I guess.\nAnswer: (B)",
                "target": "B",
                "completion_tokens": 9,
                "extra": 1,
            },
            {"id": "a", "answer": None, "target": "B", "completion_tokens": 3},
            {"id": "b", "answer": "C", "target": "C", "completion_tokens": 2},
            {"id": "b", "answer": "D", "target": "C", "completion_tokens": 2},
        ],
    )
    frame = imported(path, "samples", tmp_path, kind="choice").frame
    assert frame["answer"].tolist() == ["B", "", "C", "D"]
    assert frame["sample_index"].tolist() == [0, 1, 0, 1]
    table = leaderboard(tmp_path / "out.parquet", at=[2], replications=3, progress=False).table
    assert "uniform" in table["policy"].tolist()


def test_targets_may_be_unknown(tmp_path):
    path = lines(tmp_path / "mine.jsonl", [{"id": 1, "answer": "a"}, {"id": 1, "answer": "b"}])
    assert "target" not in imported(path, "samples", tmp_path).frame


@pytest.mark.parametrize(
    ("form", "content", "message"),
    [
        ("inspect", "{}", "it lacks 'eval'"),
        ("lm-eval", '{"id": 1}\n', "it lacks"),
        ("samples", '{"id": 1}\n', "it lacks 'response'"),
        ("samples", "[1]\n", "another shape"),
        ("samples", "nonsense", "another shape"),
        ("samples", "", "holds no samples"),
        ("excel", "", "'autotts', 'boinf'"),
    ],
)
def test_another_file_is_refused_in_one_line(tmp_path, capsys, form, content, message):
    (tmp_path / "file").write_text(content)
    out = tmp_path / "out.parquet"
    assert (
        main(["recordings", "import", str(tmp_path / "file"), "--from", form, "--out", str(out)])
        == 2
    )
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line and not out.exists()


def packed_log(path, samples, *, zstd):
    """A log as Inspect packs it: a header and a file a sample, in a ZIP file."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        members = {f"samples/{s['id']}_epoch_{s['epoch']}.json": s for s in samples}
        for name, content in {
            "_journal/start.json": {},
            **members,
            "header.json": {"eval": {"task": "sums", "model": "openai/tiny"}},
        }.items():
            if not zstd:
                archive.writestr(name, json.dumps(content))
                continue
            packed = pa.compress(json.dumps(content).encode(), "zstd", asbytes=True)
            archive.writestr(name, packed, zipfile.ZIP_STORED)
            archive.getinfo(name).compress_type = 93
    return path


@pytest.mark.slow
@pytest.mark.parametrize("zstd", [False, True])
def test_a_packed_log_is_read_as_it_is(tmp_path, zstd):
    judged = inspect_sample("b", 1, "I think.\nAnswer: 4", answer="i think.\nanswer: 4")
    judged["model_usage"]["openai/judge"] = {"input_tokens": 900, "output_tokens": 90}
    judged["scores"]["judge"] = {"value": "I", "answer": None}
    failed = inspect_sample("b", 2, "") | {"scores": {}, "model_usage": {}, "error": {}}
    failed["output"] = {"choices": []}
    samples = [inspect_sample(1, 1, "It is 5.", answer="5", mark="I"), judged, failed]
    path = packed_log(tmp_path / "log.eval", samples, zstd=zstd)
    frame = imported(path, "inspect", tmp_path, kind="integer").frame
    assert frame["answer"].tolist() == ["5", "4", ""]
    assert frame["correct"].tolist() == [False, True, pd.NA]
    assert frame["prompt_tokens"].tolist() == [12, 12, pd.NA]  # not the judge's
    assert frame["completion_tokens"].tolist() == [5, 5, pd.NA]
    assert frame["text"].tolist() == ["It is 5.", "I think.\nAnswer: 4", ""]
    comparison = dynlab.compare(frame, budgets=[1], policies="uniform(warmup=1)", unit="tokens")
    assert comparison.curves["accuracy"].tolist() == [pytest.approx(0.25, abs=0.1)]


def test_the_command_writes_a_recording(tmp_path, capsys):
    path = lines(tmp_path / "mine.jsonl", [{"id": 1, "answer": "a"}])
    assert (
        main(
            [
                "recordings",
                "import",
                str(path),
                "--from",
                "samples",
                "--out",
                str(tmp_path / "o.parquet"),
            ]
        )
        == 0
    )
    assert len(load(tmp_path / "o.parquet").frame) == 1


@pytest.mark.parametrize(
    ("target", "kind", "expected"),
    [
        (["Lima", "Ciudad"], "text", ["lima", "lima", "quito"]),
        ("['Lima', 'Ciudad']", "text", ["lima", "lima", "quito"]),
    ],
)
def test_a_list_of_targets_are_aliases_of_the_first(tmp_path, target, kind, expected):
    rows = [{"id": "q", "answer": said, "target": target} for said in ("Lima", "Ciudad", "Quito")]
    frame = imported(lines(tmp_path / "s.jsonl", rows), "samples", tmp_path, kind=kind).frame
    assert frame["answer"].tolist() == expected and set(frame["target"]) == {"lima"}


@pytest.mark.parametrize("target", ["29.00", 29.0, 29, "$29.00", "29"])
def test_a_whole_target_is_an_integer_however_it_is_stored(tmp_path, target):
    rows = [{"id": 1.0, "answer": "29", "target": target}, {"id": 1, "answer": 5.0}]
    frame = imported(lines(tmp_path / "s.jsonl", rows), "samples", tmp_path, kind="integer").frame
    assert frame["target"].tolist()[0] == "29" and frame["answer"].tolist() == ["29", "5"]
    assert set(frame["question_id"]) == {"1"}


@pytest.mark.parametrize("target", [None, "None", float("nan"), ""])
def test_no_target_is_no_target(tmp_path, target):
    rows = [{"id": "q", "answer": "29", "target": target}]
    assert "target" not in imported(lines(tmp_path / "s.jsonl", rows), "samples", tmp_path).frame


@pytest.mark.parametrize(
    ("target", "kind"), [("2", "choice"), ("Lima", "integer"), ("1/2", "integer")]
)
def test_a_target_that_cannot_be_read_is_named(tmp_path, target, kind):
    rows = [{"id": "q7", "answer": "A", "target": target}]
    with pytest.raises(
        InputError, match=f"'q7': the target '{target}' is no answer of kind"
    ) as told:
        imported(lines(tmp_path / "s.jsonl", rows), "samples", tmp_path, kind=kind)
    assert ("C counted from 0, B counted from 1" in str(told.value)) == (kind == "choice")


def test_an_index_into_the_choices_of_lm_eval_is_their_letter(tmp_path):
    line = lm_eval_line(0, ["so (C)"], ["C"], "none", target="2") | {
        "doc": {"choices": ["Quito", "Lima", "Bogotá"]}
    }
    path = lines(tmp_path / "samples_x.jsonl", [line])
    assert imported(path, "lm-eval", tmp_path, kind="choice").frame["target"].tolist() == ["C"]


def test_a_wrongly_named_column_is_an_error_with_the_right_name(tmp_path):
    rows = [{"id": "q", "answer": "4", "Target": "4"}]
    with pytest.raises(InputError, match="a column 'Target': rename it 'target'"):
        imported(lines(tmp_path / "s.jsonl", rows), "samples", tmp_path)


def test_targets_that_differ_within_a_question_are_told_on_import(tmp_path):
    rows = [{"id": "a", "answer": "4", "target": target} for target in ("4", "5")]
    path = lines(tmp_path / "s.jsonl", rows)
    with pytest.raises(InputError, match="question 'a' has the targets '4' and '5'"):
        import_recording(path, "samples", tmp_path / "r.parquet")


def test_options_of_plain_samples_are_told_or_read(tmp_path):
    rows = [{"id": "a", "answer": "Lima", "target": "B", "choices": ["Quito", "Lima"]}]
    path = lines(tmp_path / "s.jsonl", rows)
    with pytest.warns(UserWarning, match="give --kind choice"):
        import_recording(path, "samples", tmp_path / "text.parquet")
    frame = load(import_recording(path, "samples", tmp_path / "r.parquet", kind="choice")).frame
    assert frame[["answer", "target"]].to_numpy().tolist() == [["B", "B"]]


def test_lm_eval_documents_without_a_response_stay_as_samples_without_an_answer(tmp_path):
    said = ([["4"]], [], [[None]])
    rows = [{"doc_id": n, "target": "4", "resps": each} for n, each in enumerate(said)]
    made = import_recording(
        lines(tmp_path / "samples_t.jsonl", rows), "lm-eval", tmp_path / "r.parquet"
    )
    assert load(made).frame["answer"].tolist() == ["4", "", ""]


def test_an_inspect_message_may_be_empty_or_a_number(tmp_path):
    log = inspect_log(
        tmp_path / "log.json", [inspect_sample(n, 1, said) for n, said in enumerate((None, 4))]
    )
    frame = imported(log, "inspect", tmp_path).frame
    assert frame[["answer", "text"]].to_numpy().tolist() == [["", ""], ["4", "4"]]
