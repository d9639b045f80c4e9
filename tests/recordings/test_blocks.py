"""Recordings in blocks: the same rows, digests and bytes as those of a whole in memory."""

import hashlib
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dynlab import recordings
from dynlab._util.errors import InputError
from dynlab.recordings import blocks, writing
from dynlab.recordings.blocks import blocks_of, in_step
from dynlab.recordings.parquet_files import CARD, card_in
from dynlab.recordings.recording import load, write
from dynlab.recordings.schema import SCHEMA, validated
from dynlab.recordings.writing import write_blocks

# the last two stand the other way round in UTF-16
IDS = ("a", "é", "\uffee", "\U0001f600")
TEXTS = ("said\u2028so", '"\\u" \x00', None, "", "\U0001f600" * 9)


@pytest.fixture
def small(monkeypatch):
    """Blocks and row groups of a few rows."""
    monkeypatch.setattr(blocks, "BLOCK_ROWS", 2)
    monkeypatch.setattr(writing, "ROWS", 5)


def frame_of(ids=IDS, num_samples=3, **columns):
    rows = [
        {"question_id": id_, "sample_index": index, "question": f"{id_}?", "model": "m"}
        for id_ in ids
        for index in range(num_samples)
    ]
    frame = pd.DataFrame(rows)
    places = np.arange(len(frame))
    frame["text"] = [TEXTS[place % len(TEXTS)] for place in places]
    frame["answer"] = [f"{place % 4}" for place in places]
    frame["parents"] = [list(range(place % 3)) or None for place in places]
    frame["mean_logprob"] = np.where(places % 2, -places / 7, np.nan)
    return frame.assign(dataset="d", cost_usd=places / 3, votes=places % 2 == 0, **columns)


def whole(frame, path):
    """The file and the digest of rows that are all in memory, by their definitions."""
    frame = validated(frame, "rows")
    fields = [(name, kind) for name, kind in SCHEMA.items() if name in frame]
    table = pa.Table.from_pandas(frame[[name for name, _ in fields]], pa.schema(fields), False)
    body = json.dumps(table.to_pydict(), default=str).encode()
    card = {"model": "m", "digest": hashlib.blake2b(body, digest_size=16).hexdigest()}
    table = table.replace_schema_metadata({CARD: json.dumps(card, sort_keys=True).encode()})
    how = {"compression": "zstd", "compression_level": 12}
    pq.write_table(table, path, row_group_size=writing.ROWS, **how)
    return path


@pytest.mark.parametrize("ends", [[4], [1, 2, 3, 4], [3, 4]])
def test_a_recording_is_the_same_bytes_however_it_comes(small, tmp_path, ends):
    frame = frame_of()
    parts = [
        frame[frame["question_id"].isin(IDS[first:last])]
        for first, last in zip([0, *ends], ends, strict=False)
    ]
    counted = {}
    made = write_blocks(
        parts, lambda counts: counted.update(counts) or {"model": "m"}, tmp_path / "a"
    )
    assert made.read_bytes() == whole(frame, tmp_path / "b").read_bytes()
    assert counted == {"questions": 4, "samples": 12, "greedy": 0}
    assert recordings.digest(load(made).frame) == card_in(made)["digest"]


def test_what_is_written_at_once_is_the_same_bytes(tmp_path):
    made = write(frame_of(), {"model": "m"}, tmp_path / "a.parquet")
    assert made.read_bytes() == whole(frame_of(), tmp_path / "b").read_bytes()


@pytest.mark.parametrize(
    ("targets", "first"),
    [({"target": "7.0"}, "5"), ({}, "5.0")],  # without targets there is nothing to agree with
)
def test_decimals_that_another_block_lacks_are_left_out(small, tmp_path, targets, first):
    answers = {"answer": ["5.0", "2.0", ""] * 3 + ["5", "7", ""]} | targets
    parts = [part for _, part in frame_of(**answers).groupby("question_id", sort=False)]
    made = write_blocks(parts, lambda _: {"model": "m"}, tmp_path / "a")
    assert made.read_bytes() == whole(frame_of(**answers), tmp_path / "b").read_bytes()
    found = load(made).frame
    assert found["answer"].tolist() == [first, "2.0", ""] * 3 + ["5", "7", ""]
    assert not targets or set(found["target"]) == {"7"}


@pytest.mark.slow
def test_a_file_is_read_in_whole_questions(small, tmp_path):
    path = write(frame_of(), {}, tmp_path / "a.parquet")
    found = list(blocks_of(path))
    assert [frame["question_id"].unique().tolist() for frame in found] == [[id_] for id_ in IDS]
    pd.testing.assert_frame_equal(pd.concat(found, ignore_index=True), load(path).frame)
    assert "text" not in blocks_of(path).overview.frame  # which is all that is kept of it


@pytest.mark.parametrize("told", [{}, {"digest": "00"}])
def test_rows_in_another_order_are_read_as_a_whole(small, tmp_path, told):
    table = writing.table_of(validated(frame_of(), "rows"))
    table = table.take(list(reversed(range(len(table)))))
    path = tmp_path / "a.parquet"
    pq.write_table(table.replace_schema_metadata({CARD: json.dumps(told).encode()}), path)
    found = blocks_of(path)
    assert found.path is None
    pd.testing.assert_frame_equal(pd.concat(found, ignore_index=True), load(path).frame)


@pytest.mark.slow
def test_rows_of_a_question_meet_from_all_recordings(small, tmp_path):
    own = {"a": IDS[:3], "b": IDS[1:], "c": IDS[2:3]}
    frames = {name: frame_of(ids, 2, strategy=name) for name, ids in own.items()}
    frames["b"]["picked"] = 1  # which the others lack
    paths = [write(frame, {}, tmp_path / f"{name}.parquet") for name, frame in frames.items()]
    found = list(in_step([blocks_of(path) for path in paths]))
    assert [frame["question_id"].unique().tolist() for frame in found] == [[id_] for id_ in IDS]
    together = validated(pd.concat([load(path).frame for path in paths]), "all")
    made = pd.concat([validated(frame, "part") for frame in found], ignore_index=True)
    pd.testing.assert_frame_equal(made, together)


def test_nothing_is_left_of_what_cannot_be_written(tmp_path):
    twice = frame_of(("1", "1.0"))
    parts = [part for _, part in twice.groupby("question_id", sort=False)]
    for given, words in (([], "no samples"), (parts, "ids '1' and '1.0'")):
        with pytest.raises(InputError, match=words):
            write_blocks(given, lambda _: {}, tmp_path / "a.parquet")
    assert not list(tmp_path.iterdir())
