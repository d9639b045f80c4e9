"""Recordings of several strategies as one: nothing is lost, nothing doubled, and what does not
belong is refused.
"""

import pandas as pd
import pytest

from dynlab._util.errors import InputError
from dynlab.analysis.verbs import compare
from dynlab.cli.parser import main
from dynlab.recordings.merging import merge, split
from dynlab.recordings.recording import load, write
from dynlab.recordings.schema import KEY
from dynlab.recordings.streams import strategies_of, streams_of

CARD = {
    "design": "fixed",
    "model": "m",
    "date": "2026-01-01",
    "weights_sha256": "aa",
    "questions": 2,
    "samples": 9,
}


@pytest.fixture
def parts(make_pool, tmp_path):
    """A pool with greedy answers, and an ordered recording with greedy answers of its own."""

    def part(name, strategy, answers, **card):
        pool = make_pool(answers, strategy=strategy, model="m", dataset="d", question="?")
        greedy = make_pool(
            {q: drawn[0] for q, drawn in answers.items()}, strategy="greedy", model="m", dataset="d"
        )
        settings = {"strategy": strategy, "temperature": 1.0}
        return write(
            pd.concat([pool, greedy]),
            CARD | {"settings": settings} | card,
            tmp_path / f"{name}.parquet",
        )

    return [
        part("pool", "parallel", {"q1": "aab", "q2": "bba"}),
        part("chains", "integrated", {"q1": "baa", "q2": "abb"}, date="2026-02-01"),
    ]


@pytest.mark.slow
def test_a_merged_recording_holds_each_sample_once(parts, tmp_path):
    frame = load(merge(parts, tmp_path / "both.parquet")).frame
    assert frame["strategy"].value_counts().to_dict() == {
        "parallel": 6,
        "integrated": 6,
        "greedy": 2,
    }
    assert not frame.duplicated(list(KEY)).any()
    assert frame.loc[frame["strategy"] == "greedy", "answer"].tolist() == [
        "a",
        "b",
    ]  # those of the first


@pytest.mark.slow
def test_its_card_keeps_those_of_its_parts(parts, tmp_path):
    card = load(merge(parts, tmp_path / "both.parquet")).card
    assert (card["design"], card["model"], card["weights_sha256"], card["date"]) == (
        "fixed",
        "m",
        "aa",
        "2026-02-01",
    )
    assert (card["questions"], card["samples"], card["greedy"]) == (
        2,
        12,
        2,
    ) and "settings" not in card
    assert [own["settings"]["strategy"] for own in card["merged"]] == ["parallel", "integrated"]
    twice = merge([tmp_path / "both.parquet", third(tmp_path)], tmp_path / "three.parquet")
    assert [own["settings"]["strategy"] for own in load(twice).card["merged"]] == [
        "parallel",
        "integrated",
        "rsa",
    ]


def third(folder):
    frame = load(folder / "chains.parquet").frame
    frame = frame[frame["strategy"] != "greedy"].assign(strategy="rsa")
    return write(frame, CARD | {"settings": {"strategy": "rsa"}}, folder / "third.parquet")


@pytest.mark.slow
def test_chains_beside_a_pool_change_nothing_of_it(parts, tmp_path):
    both = load(merge(parts[::-1], tmp_path / "both.parquet"))
    assert (
        strategies_of(both) == ["parallel", "integrated"]
        and streams_of(both).strategy == "parallel"
    )
    alone, beside = (
        compare(one, budgets=[2, 3], replications=5).curves for one in (parts[0], both)
    )
    columns = [name for name in alone if name != "recording"]
    sampled = alone["allocator"] != "greedy"
    pd.testing.assert_frame_equal(alone.loc[sampled, columns], beside.loc[sampled, columns])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": "n"}, "pool has model = 'm', other has 'n'"),
        ({"weights_sha256": "bb"}, "weights_sha256"),
        ({"design": "adaptive"}, "adaptive design"),
    ],
)
def test_recordings_that_do_not_belong_together_are_refused(parts, tmp_path, change, words):
    chains = load(parts[1])
    write(chains.frame, dict(chains.card) | change, tmp_path / "other.parquet")
    with pytest.raises(InputError, match=words):
        merge([parts[0], tmp_path / "other.parquet"], tmp_path / "both.parquet")
    assert not (tmp_path / "both.parquet").exists()


@pytest.mark.slow
def test_parts_that_contradict_are_refused(parts, tmp_path):
    chains = load(parts[1])
    write(chains.frame.assign(target="z"), chains.card, tmp_path / "other.parquet")
    with pytest.raises(InputError, match="target of 'q1' = 'a', other has 'z'"):
        merge([parts[0], tmp_path / "other.parquet"], tmp_path / "both.parquet")
    with pytest.raises(
        InputError, match="the sample of question_id=q1, strategy=parallel, stream=0"
    ):
        merge([parts[0], parts[0]], tmp_path / "both.parquet")
    with pytest.raises(InputError, match="two or more"):
        merge(parts[:1], tmp_path / "both.parquet")
    with pytest.raises(InputError, match=r"ends in \.parquet"):
        merge(parts, tmp_path / "both.csv")


@pytest.mark.slow
def test_a_merged_recording_is_taken_apart_again(parts, tmp_path):
    whole = merge(parts, tmp_path / "both.parquet")
    again = split(whole, tmp_path / "apart")
    assert {name: path.name for name, path in again.items()} == {
        "parallel": "both.parallel.parquet",
        "integrated": "both.integrated.parquet",
    }
    pool, chains = (load(path) for path in again.values())
    counted = {"questions": 2, "samples": 6}  # what is there, whatever a card said before
    assert pool.card == load(parts[0]).card | counted | {"greedy": 2} and pool.frame.equals(
        load(parts[0]).frame
    )
    assert (
        chains.card.items() >= (counted | {"greedy": 0, "date": "2026-02-01"}).items()
    )  # its own stayed behind
    assert set(chains.frame["strategy"]) == {"integrated"} and len(chains.frame) == 6
    once_more = merge(list(again.values()), tmp_path / "again.parquet")
    assert load(once_more).frame.equals(load(whole).frame)


@pytest.mark.slow
def test_what_is_not_merged_is_not_taken_apart(parts, tmp_path):
    with pytest.raises(InputError, match="pool is not merged of different strategies"):
        split(parts[0], tmp_path / "apart")
    frame = load(parts[1]).frame
    other = write(
        frame[frame["strategy"] != "greedy"].assign(stream=1),
        load(parts[1]).card,
        tmp_path / "other.parquet",
    )
    streams = merge([parts[1], other], tmp_path / "streams.parquet")
    with pytest.raises(InputError, match="streams is not merged of different strategies"):
        split(streams, tmp_path / "apart")
    assert not (tmp_path / "apart").exists()


@pytest.mark.slow
def test_the_command_line_merges_and_takes_apart(parts, tmp_path, capsys):
    whole = tmp_path / "both.parquet"
    assert main(["recordings", "merge", *map(str, parts), "--out", str(whole)]) == 0
    assert main(["recordings", "split", str(whole), "--out", str(tmp_path / "apart")]) == 0
    made = [line.removeprefix("wrote ") for line in capsys.readouterr().out.splitlines()]
    assert made == [
        str(whole),
        *(str(tmp_path / f"apart/both.{name}.parquet") for name in ("parallel", "integrated")),
    ]
    assert main(["recordings", "split", str(parts[0]), "--out", str(tmp_path / "apart")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "known",
    [
        {},
        {"question": "Which?"},
        {"target": "a"},
        {"dataset": "d"},
    ],
)
def test_recordings_of_nothing_in_common_are_refused(known, make_pool, tmp_path):
    def part(ids, strategy):
        pool = make_pool(dict.fromkeys(ids, "ab"), strategy=strategy).drop(columns="target")
        return write(pool.assign(**known), {}, tmp_path / f"{strategy}.parquet")

    one, like, other = (
        part(ids, strategy)
        for ids, strategy in (
            (["q1", "q2"], "parallel"),
            (["q2"], "integrated"),
            (["p1"], "sequential"),
        )
    )
    out = tmp_path / "out.parquet"
    if "dataset" in known:  # shards of one task
        assert len(load(merge([one, other], out)).frame) == 6
        return
    with pytest.raises(InputError, match="nothing tells that parallel and sequential are of one"):
        merge([one, other], out)
    if known:
        assert len(load(merge([one, like], out)).frame) == 6
    else:
        with pytest.raises(InputError, match="nothing tells"):
            merge([one, like], out)
