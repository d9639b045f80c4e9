import asyncio
import json
import sqlite3

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dynlab import recordings
from dynlab._util.errors import InputError
from dynlab._util.values import Sample, Usage
from dynlab.cli.parser import main
from dynlab.recordings.recording import shipped
from dynlab.sampling.store import Store
from dynlab.sampling.verification import verify

CARD = {"questions": 3, "samples": 12, "greedy": 0, "price": {"prompt": 1.0, "completion": 10.0}}


@pytest.fixture
def frame(random_pool):
    frame = random_pool(num_questions=3, num_samples=4)
    frame["cost_usd"] = (frame["prompt_tokens"] + 10 * frame["completion_tokens"]) / 1e6
    frame["billed_usd"] = frame["cost_usd"]
    frame["parents"] = [list(range(index)) for index in frame["sample_index"]]
    frame["votes"] = True
    frame["finish_reason"] = "stop"
    return frame


@pytest.fixture
def written(tmp_path):
    def write(frame, card=CARD):
        return recordings.write(frame, card, tmp_path / "a.parquet")

    return write


@pytest.mark.slow
@pytest.mark.parametrize("name", shipped())
def test_the_shipped_recordings_are_whole(name):
    assert verify(name).problems == ()


def test_what_was_written_is_whole_and_its_digest_agrees(frame, written):
    found = verify(written(frame))
    assert (
        found.problems == ()
        and "its digest agrees" in found.summary
        and "12 samples of 3 questions" in found.summary
    )


def test_the_digest_is_the_same_however_rows_are_ordered_and_stored(frame, written):
    path = written(frame)
    assert (
        recordings.digest(frame.sample(frac=1, random_state=1))
        == recordings.load(path).card["digest"]
    )
    assert recordings.digest(recordings.load(path).frame) == recordings.load(path).card["digest"]


def changed(path, **columns):
    """Changes single values of a file, past what dynlab writes; its card stays."""
    table = pq.read_table(path)
    for name, values in columns.items():
        column = table.column(name).to_pylist()
        for place, value in values.items():
            column[place] = value
        at = table.schema.get_field_index(name)
        table = table.set_column(
            at, table.schema.field(at), pa.array(column, table.schema.field(at).type)
        )
    pq.write_table(table, path)
    return verify(path).problems


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"answer": {0: "other"}}, "digest"),
        ({"parents": {1: [5]}}, "is shown sample 5, which is not an earlier one"),
        ({"parents": {1: [1]}}, "is shown sample 1, which is not an earlier one"),
        ({"cost_usd": {2: 1.0}}, "has cost_usd 1.0, its tokens at the card's price cost"),
        ({"billed_usd": {2: 1.0}}, "more than its cost"),
        ({"finish_reason": {0: "error: content filter"}}, "has an answer or a vote all the same"),
        ({"sample_index": {1: 0}}, "more than once"),
        ({"sample_index": {1: -1}}, "whole numbers from 0 on"),
    ],
)
def test_a_change_of_one_value_is_found(frame, written, columns, words):
    problems = changed(written(frame), **columns)
    assert any(words in problem for problem in problems)
    assert all("\n" not in problem for problem in problems)


def test_reasoning_that_has_a_price_of_its_own_is_counted_at_it(frame, written):
    dearer = {"prompt": 1.0, "completion": 10.0, "reasoning": 20.0}
    frame["reasoning_tokens"] = frame["completion_tokens"] // 2
    frame["cost_usd"] += 10 * frame["reasoning_tokens"] / 1e6
    assert verify(written(frame, CARD | {"price": dearer})).problems == ()
    problems = verify(written(frame)).problems
    assert len(problems) == len(frame) and all("the card's price cost" in it for it in problems)
    (problem,) = verify(written(frame, CARD | {"price": {"prompt": 1.0}})).problems
    assert "the price in its card is not numbers" in problem


def test_a_parent_that_is_not_there_is_found(frame, written):
    first = frame["question_id"].iloc[0]
    gone = frame[(frame["question_id"] != first) | (frame["sample_index"] != 1)]
    assert any(
        "is shown sample 1, which is not there" in problem
        for problem in verify(written(gone)).problems
    )


def test_counts_that_differ_from_the_card_are_told(frame, written):
    (problem,) = verify(written(frame, CARD | {"samples": 13})).problems
    assert problem == "it holds 12 samples, its card says 13"


@pytest.mark.slow
def test_an_answer_that_its_text_does_not_give_is_found(tmp_path):
    recording = recordings.load("capitals--smollm2-135m")
    frame = recording.frame.copy()
    place = np.flatnonzero(frame["text"].notna() & (frame["answer"] != ""))[0]
    frame.loc[place, "answer"] = "atlantis"
    (problem,) = verify(recordings.write(frame, recording.card, tmp_path / "a.parquet")).problems
    assert "has the answer 'atlantis', its text gives" in problem


def test_problems_hold_no_escape_sequences(frame, written):
    frame["question_id"] = frame["question_id"] + "\x1b[2J"
    frame["parents"] = [[9]] * len(frame)
    assert all(problem.isprintable() for problem in verify(written(frame)).problems)


def test_a_file_that_is_no_recording_is_one_problem_and_a_missing_one_wrong_use(tmp_path):
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1 no more")
    (problem,) = verify(path).problems
    assert "not a Parquet file" in problem
    with pytest.raises(InputError):
        verify(tmp_path / "b.parquet")
    with pytest.raises(InputError):
        verify(tmp_path / "b.sqlite")


def test_a_column_of_another_kind_is_told(frame, written):
    path = written(frame)
    table = pq.read_table(path)
    at = table.schema.get_field_index("stream")
    pq.write_table(table.set_column(at, "stream", [["0"] * len(table)]), path)
    assert any(
        "column stream is of type string, not int32" in problem for problem in verify(path).problems
    )


# ——— stores ———


@pytest.fixture
def store(tmp_path):
    """The path of a store with a settled, a released and a reserved call."""
    path = tmp_path / "a.parquet.sqlite"

    async def fill(store):
        key = ("q", "parallel", 0, 0)
        call, _ = store.reserve(key, 1, Usage(50, 8), 130)
        await store.settle(
            call, [(Sample(*key, "2", "It is 2.", Usage(10, 5)), None)], Usage(10, 5), 60
        )
        call, _ = store.reserve(("q", "parallel", 0, 1), 1, Usage(50, 8), 130)
        await store.mark(call, "released", "slow down")
        store.reserve(("q", "parallel", 0, 2), 1, Usage(50, 8), 130)
        await store.flush()

    with Store(path, {"model": "m"}, {"q": "1 + 1?"}) as opened:
        asyncio.run(fill(opened))
    return path


def test_a_store_tells_what_its_calls_came_to(store):
    found = verify(store)
    assert found.problems == ()
    assert "1 samples are whole; 3 calls: 1 settled, 1 reserved, 1 released" in found.summary
    assert "spent 15 tokens" in found.summary and "reserved 58 tokens" in found.summary


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DELETE FROM samples", "is settled, and its sample"),
        ("UPDATE calls SET prompt_tokens = -3", "amounts that are no counts"),
        ("UPDATE calls SET prompt_tokens = 'many'", "amounts that are no counts"),
        ("UPDATE samples SET response = '{'", "cannot be read"),
        ("UPDATE samples SET response = '{\"answer\": 3}'", "cannot be read"),
        ("DROP TABLE samples", "no store"),
    ],
)
def test_a_change_in_a_store_is_found(store, statement, words):
    with sqlite3.connect(store) as database:
        database.execute(statement)
    database.close()
    assert any(words in problem for problem in verify(store).problems)


def test_a_broken_database_is_one_problem_and_is_left_alone(store):
    content = bytearray(store.read_bytes())
    content[4096:6000] = b"\xff" * (6000 - 4096)
    store.write_bytes(content)
    assert verify(store).problems
    assert store.read_bytes() == bytes(content)


def test_a_store_of_an_earlier_version_is_whole_without_calls(tmp_path):
    path = tmp_path / "old.sqlite"
    with sqlite3.connect(path) as database:
        database.execute(
            "CREATE TABLE samples (question_id, strategy, stream, sample_index, response)"
        )
        values = {"answer": "2", "text": "2", "parents": [], "usage": vars(Usage(10, 5))}
        database.execute(
            "INSERT INTO samples VALUES ('q', 'parallel', 0, 0, ?)", [json.dumps(values)]
        )
    database.close()
    assert verify(path).problems == () and "did not count calls" in verify(path).summary


@pytest.mark.slow
def test_the_command_says_it_in_one_line_or_one_a_problem(frame, written, capsys):
    path = written(frame)
    assert main(["recordings", "verify", str(path)]) == 0
    assert capsys.readouterr().out.count("\n") == 1
    changed(path, billed_usd={2: 1.0})
    assert main(["recordings", "verify", str(path)]) == 1
    assert capsys.readouterr().out.count("\n") == 2  # what was changed, and the digest
    assert main(["recordings", "verify", str(path.with_name("none.parquet"))]) == 2


@pytest.mark.parametrize(
    "card", [{"merged": []}, {"merged": ["x"]}, {"merged": 3}, {"settings": []}]
)
def test_a_card_of_another_shape_is_no_fault_of_the_recording(card, frame, written):
    assert verify(written(frame, card)).problems == ()
