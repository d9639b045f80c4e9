from __future__ import annotations

import os
from functools import cache

import numpy as np
import pandas as pd
import pytest
from recipe.recordings import NUM_REASONED, NUM_SAMPLES, SHIPPED

from dynlab._util.errors import InputError
from dynlab.models.weights import REASONER
from dynlab.recordings.recording import digest, load, right_of, shipped, write
from dynlab.recordings.schema import KEY, SCHEMA
from dynlab.recordings.streams import ABSENT, streams_of
from dynlab.tasks.task import load_task

NUM_DRAWN = {  # independent samples a question, by model or by name
    REASONER: NUM_REASONED,
    "gsm_symbolic--qwen2.5-coder-1.5b": 64,
    "countdown--qwen2.5-coder-1.5b": 32,
    "prime_factorization--qwen2.5-coder-1.5b": 32,
    "family_relationships--qwen2.5-coder-1.5b": 32,
    "syllogism--qwen2.5-coder-0.5b": 32,
}


@pytest.fixture(scope="module")
def loaded():
    """Shipped recordings by name, each read once; tests look at them only."""
    return cache(load)


def test_what_is_written_is_read_again_with_its_card(tmp_path, random_pool):
    frame = random_pool(seed=2)
    frame["text"] = "\x1b[31mred <b>bold</b> \u2028 ünïcode"
    path = write(frame, {"design": "fixed", "model": "m"}, tmp_path / "r.parquet")
    back = load(path)
    assert back.card == {"design": "fixed", "model": "m", "digest": digest(frame)}
    assert back.name == "r"
    assert back.frame["text"].tolist() == frame["text"].tolist()
    ordered = frame.sort_values(["question_id", "sample_index"])
    assert back.frame["answer"].tolist() == ordered["answer"].tolist()
    assert back.frame["completion_tokens"].tolist() == ordered["completion_tokens"].tolist()


@pytest.mark.slow
def test_equal_recordings_are_equal_files(tmp_path, random_pool):
    frame = random_pool()
    shuffled = frame.sample(frac=1, random_state=1)[frame.columns[::-1]]
    one, other = (
        write(frame, {}, tmp_path / "a.parquet"),
        write(shuffled, {}, tmp_path / "b.parquet"),
    )
    assert one.read_bytes() == other.read_bytes()
    assert load(one).frame.columns.tolist() == [name for name in SCHEMA if name in load(one).frame]


def test_csv_and_jsonl_are_read_like_parquet(tmp_path, make_pool):
    frame = make_pool({"q1": "ab-", "q2": "aaa"})
    frame["answer"] = frame["answer"].replace({"a": "NA", "b": "007"})
    frame["target"] = "NA"
    frame["completion_tokens"] = [1, None, 3, 4, 5, 6]
    write(frame, {}, tmp_path / "r.parquet")
    frame.to_csv(tmp_path / "r.csv", index=False)
    frame.to_json(tmp_path / "r.jsonl", orient="records", lines=True)
    tables = [load(tmp_path / f"r.{suffix}").frame for suffix in ("parquet", "csv", "jsonl")]
    for table in tables:
        assert table["answer"].tolist() == ["NA", "007", "", "NA", "NA", "NA"]
        assert table["completion_tokens"].isna().tolist() == [
            False,
            True,
            False,
            False,
            False,
            False,
        ]


def test_integer_answers_stay_integers_where_some_are_missing():
    frame = pd.DataFrame(
        {
            "question_id": [1, 1],
            "sample_index": [0, 1],
            "answer": [70.0, np.nan],
            "target": [70, 70],
        }
    )
    table = load(frame).frame
    assert table["answer"].tolist() == ["70", ""]
    assert table["target"].tolist() == ["70", "70"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.iloc[:0], "holds no samples"),
        (
            lambda f: f.rename(columns={"answer": "answers"}),
            "no column 'answer'.*is 'answers' meant",
        ),
        (lambda f: pd.concat([f, f]), "more than once.*question_id=q1"),
        (lambda f: f.assign(sample_index=-1), "sample_index must be whole numbers"),
        (lambda f: f.assign(sample_index=[0.5, 1]), "sample_index must be whole numbers.*0.5"),
        (lambda f: f.assign(question_id=[None, "q1"]), "without a question_id"),
        (lambda f: f.assign(correct=["yes", "no"]), "correct must be true or false; found 'yes'"),
    ],
)
def test_a_frame_that_is_no_recording_says_why(change, message, make_pool):
    with pytest.raises(InputError, match=message):
        load(change(make_pool({"q1": "ab"})))


def test_files_that_are_no_recordings_say_what_was_expected(tmp_path):
    for name, content, expected in (
        ("a.parquet", b"not parquet", "is not a Parquet file"),
        ("b.jsonl", b'{"question_id": 1}\nnot json', "is not JSON objects, one a line"),
        ("l.jsonl", b'{"question_id": 1}\nnot json', r"\(Expecting value: line 2 column 1\)"),
        ("c.csv", b"", "is not a CSV table"),
        ("d.parquet", b"", "is not a Parquet file"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=expected) as caught:
            load(tmp_path / name)
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="is a folder"):
        load(tmp_path)
    with pytest.raises(InputError, match="no file"):
        load(tmp_path / "nothing.parquet")
    with pytest.raises(InputError, match="unknown recording 'gsm--qwen2.5-coder-1.5': did you"):
        load("gsm--qwen2.5-coder-1.5")  # a version's dot begins no ending


def test_greedy_answers_are_the_first_of_each_question_and_looked_for_once(make_pool):
    greedy = make_pool({"q1": "ba", "q2": "c"}).assign(strategy="greedy")
    made = load(pd.concat([make_pool({"q1": "aab", "q2": "abb"}), greedy]))
    assert made.greedy["answer"].tolist() == ["b", "c"]
    assert made.greedy is made.greedy and load(make_pool({"q1": "a"})).greedy.empty


def test_a_folder_that_cannot_be_written_leaves_nothing_behind(tmp_path, make_pool):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="cannot write.*writable"):
        write(make_pool({"q": "a"}), {}, tmp_path / "file" / "r.parquet")


def test_a_write_that_fails_leaves_the_old_file_and_no_temporary(tmp_path, make_pool):
    path = write(make_pool({"q": "a"}), {}, tmp_path / "r.parquet")
    before = path.read_bytes()
    with pytest.raises(TypeError):
        write(make_pool({"q": "b"}), {"card": object()}, path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["r.parquet"]


@pytest.mark.slow
@pytest.mark.parametrize("name", shipped())
def test_shipped_recordings_hold_planned_numbers_of_real_samples(name, loaded):
    recording = loaded(name)
    frame = recording.frame
    pooled = frame[frame["strategy"] == "parallel"]
    assert recording.design == "fixed"
    assert recording.card["weights_sha256"]
    num_samples = NUM_DRAWN.get(name, NUM_DRAWN.get(name.partition("--")[2], NUM_SAMPLES))
    assert pooled.groupby("question_id").size().unique().tolist() == [num_samples]
    assert not frame.duplicated(list(KEY)).any()
    greedy = frame[frame["strategy"] == "greedy"]
    assert set(greedy["question_id"]) == set(pooled["question_id"])
    assert pooled["correct"].notna().all()
    assert (pooled["completion_tokens"] > 0).all() and (pooled["prompt_tokens"] > 0).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", shipped())
def test_shipped_recordings_spread_over_difficulties(name, loaded):
    assert right_shares(loaded(name)).between(0.2, 0.8).mean() >= 0.25


@pytest.mark.slow
@pytest.mark.parametrize(("task", "model"), SHIPPED)
def test_plain_models_are_neither_lost_nor_sure(task, model, loaded):
    assert 0.3 <= right_shares(loaded(f"{task}--{model}")).mean() <= 0.85


def right_shares(recording):
    """The share of right independent samples of each question."""
    pooled = recording.frame.query("strategy == 'parallel'")
    return pooled["correct"].astype(float).groupby(pooled["question_id"]).mean()


def test_shipped_recordings_are_small_enough_for_a_repository():
    from dynlab._util.shipped_files import named

    files = named("data/recordings", (".parquet",))
    assert sum(path.stat().st_size for path in files.values()) < 10 * 2**20


def test_json_lines_end_at_line_feeds_alone(tmp_path):
    row = (
        '{"question_id": "q", "sample_index": 0, "answer": "a", "text": "one\u2028two\u0085three"}'
    )
    path = tmp_path / "r.jsonl"
    path.write_text("\ufeff" + row + "\n\n", encoding="utf-8")
    assert load(path).frame["text"].tolist() == ["one\u2028two\u0085three"]


SAVED = {
    "A.CSV": lambda frame, path: frame.to_csv(path, index=False),
    "a.csv.gz": lambda frame, path: frame.to_csv(path, index=False),
    "a.jsonl.GZ": lambda frame, path: frame.to_json(
        path, orient="records", lines=True, compression="gzip"
    ),
    "a.json": lambda frame, path: frame.to_json(path, orient="records"),
    "arrow.parquet": lambda frame, path: frame.convert_dtypes(dtype_backend="pyarrow").to_parquet(
        path
    ),
    "indexed.parquet": lambda frame, path: frame.set_index(
        ["question_id", "sample_index"]
    ).to_parquet(path),
}


@pytest.mark.parametrize("name", SAVED)
def test_however_a_table_was_saved_it_is_read(name, tmp_path, make_pool):
    frame = make_pool({"q1": "aab", "q2": "ba"}, completion_tokens=[3, None, 4, 5, 6])
    SAVED[name](frame, tmp_path / name)
    read = load(tmp_path / name)
    pd.testing.assert_frame_equal(read.frame, load(frame).frame)
    assert read.name == name.split(".")[0]


def test_frames_are_read_whatever_holds_their_values(make_pool):
    frame = make_pool({"q1": "aab", "q2": "ba"}, completion_tokens=[3, None, 4, 5, 6])
    for other in (
        frame.convert_dtypes(dtype_backend="pyarrow"),
        frame.set_index(["question_id", "sample_index"]),
        frame.to_dict("records"),
    ):
        pd.testing.assert_frame_equal(load(other).frame, load(frame).frame)


@pytest.mark.parametrize("given", [None, [1], {"a": 1}, 5, []])
def test_what_is_no_recording_is_told_in_a_line(given):
    with pytest.raises(InputError, match="a recording is a path") as told:
        load(given)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("name", ["Target", "Answer", "Sample_Index"])
def test_a_column_under_nearly_its_name_is_an_error(name, make_pool):
    frame = make_pool({"q1": "aab"}).rename(columns={name.lower(): name})
    with pytest.raises(InputError, match=f"has a column '{name}': rename it '{name.lower()}'"):
        load(frame)


@pytest.mark.parametrize(
    ("target", "right"),
    [
        (["Lima", "Ciudad"], [1, 1, 0]),
        ("['Lima', 'Ciudad']", [1, 1, 0]),
        ("Lima", [1, 0, 0]),
        (["Lima"], [1, 0, 0]),
        ("[0, 1]", [0, 0, 0]),  # an interval, not a list of texts
    ],
)
def test_a_list_of_targets_are_aliases(target, right):
    rows = [
        {"question_id": "q", "sample_index": i, "answer": answer, "target": target}
        for i, answer in enumerate(["Lima", "Ciudad", "Cusco"])
    ]
    recording = load(pd.DataFrame(rows))
    assert right_of(recording.frame).astype(int).tolist() == right
    assert recording.counts()["right"].tolist() == [pytest.approx(sum(right) / 3)]
    streams = streams_of(recording)
    shown = [streams.right[0, streams.answers[0].index(row["answer"])] for row in rows]
    assert [int(one) for one in shown] == right


@pytest.mark.parametrize("target", [None, "None", "nan", float("nan"), ""])
def test_no_target_is_unknown_and_not_wrong(target):
    rows = [
        {"question_id": "q", "sample_index": i, "answer": "a", "target": target} for i in (0, 1)
    ]
    recording = load(rows)
    assert recording.counts()["right"].isna().all() and not streams_of(recording).has_target


@pytest.mark.slow
@pytest.mark.parametrize("name", shipped())
def test_shown_shares_are_those_of_comparisons(name, loaded):
    recording = loaded(name)
    counts = recording.counts()
    for strategy, row in counts.iterrows():
        if strategy != "greedy":
            streams = streams_of(recording, strategy)
            codes = (
                streams.codes[:, 0]
                if streams.exchangeable
                else streams.codes.reshape(streams.num_questions, -1)
            )
            marks = np.take_along_axis(streams.right, np.maximum(codes, 0), axis=1) & (codes >= 0)
            present = codes != ABSENT
            assert row["right"] == pytest.approx(marks[present].mean())
    if name.startswith("capitals"):
        assert counts.loc["parallel", "right"] > 0.4


def test_a_file_that_is_not_packed_as_its_name_says_is_told_in_a_line(tmp_path):
    (tmp_path / "a.csv.gz").write_text("junk")
    for read in (load, load_task):
        with pytest.raises(InputError, match="no whole packed file"):
            read(tmp_path / "a.csv.gz")


def test_marks_that_are_known_stand_beside_lists_of_targets():
    rows = [
        {"question_id": q, "sample_index": i, "answer": answer, "target": target, "correct": mark}
        for q, target in (("q", ["a", "b"]), ("p", None))
        for i, (answer, mark) in enumerate([("a", False), ("b", None), ("c", None)])
    ]
    frame = load(pd.DataFrame(rows).astype({"correct": "boolean"})).frame
    assert frame["correct"].tolist() == [False, pd.NA, pd.NA, False, True, False]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("question_id,sample_index,answer,answer\na,0,1,2\n", "has 2 columns 'answer'"),
        (
            "question_id,sample_index,answer,label\na,0,1,1\n",
            "a column 'label': rename it 'target'",
        ),
        (
            "question_id,sample_index,answer,targt\na,0,1,1\n",
            "a column 'targt': rename it 'target'",
        ),
        ("question_id,sample_index,answer\n1,0,1\n1.0,1,1\n", "has the ids '1' and '1.0'"),
    ],
)
def test_an_odd_table_of_samples_is_told_in_a_line(tmp_path, text, expected):
    (tmp_path / "r.csv").write_text(text)
    with pytest.raises(InputError, match=expected):
        load(tmp_path / "r.csv")


def test_a_table_with_semicolons_and_decimal_commas_is_read(tmp_path):
    lines = ["question_id;sample_index;answer;target;mean_logprob", "a;0;1,5;1,5;-0,5"]
    (tmp_path / "r.csv").write_text("\n".join(lines))
    row = load(tmp_path / "r.csv").frame.iloc[0]
    assert (row["answer"], row["target"], row["mean_logprob"]) == ("1,5", "1,5", -0.5)


def test_columns_that_stand_twice_in_a_frame_are_told():
    columns = ["question_id", "sample_index", "answer", "answer"]
    with pytest.raises(InputError, match="the DataFrame has 2 columns 'answer'"):
        load(pd.DataFrame([["a", 0, "1", "2"]], columns=columns))


def test_whole_numbers_with_decimals_are_those_without():
    rows = [("a", 0, "5", "5.0"), ("a", 1, "5.0", "5.0"), ("b", 0, "6.0", "6.5")]
    frame = pd.DataFrame(rows, columns=["question_id", "sample_index", "answer", "target"])
    read = load(frame).frame
    assert read["answer"].tolist() == ["5", "5", "6.0"]
    assert read["target"].tolist() == ["5", "5", "6.5"]


def test_targets_of_bytes_and_sets_are_texts():
    rows = [("a", 0, b"Lima", b"Lima"), ("b", 0, "x", {"y", "x"})]
    frame = pd.DataFrame(rows, columns=["question_id", "sample_index", "answer", "target"])
    assert right_of(load(frame).frame).tolist() == [True, True]
    with pytest.raises(InputError, match="'target' is {'a': 1}: give a text"):
        load(frame.assign(target=[{"a": 1}] * 2))


def test_without_texts_a_recording_is_the_same_but_for_them(make_pool, tmp_path):
    frame = make_pool({"q1": "ab-", "q2": "ba"}, text="long", question="?", source="s")
    frame["parents"] = [[], [0], None, [], []]
    for name, changed in {"parents": frame, "empty": frame.assign(parents=[[]] * 5)}.items():
        path = write(changed, {"model": "m"}, tmp_path / f"{name}.parquet")
        whole, lean = load(path), load(path, texts=False)
        assert lean.card == whole.card
        pd.testing.assert_frame_equal(lean.frame, whole.frame.drop(columns="text"))
    shown = load(tmp_path / "parents.parquet").frame["parents"].tolist()
    assert shown == [[], [0], None, [], []]


@pytest.mark.parametrize("order", [[1, 0, 2], [0, 2, 1], [2, 1, 0]])
def test_rows_in_any_order_are_sorted(make_pool, order):
    frame = make_pool({"q1": "ab", "q2": "c"})
    assert load(frame.iloc[order]).frame["answer"].tolist() == ["a", "b", "c"]
