"""Widths: a chain's gain is recounted by hand, at the cost of as many independent samples."""

import numpy as np
import pandas as pd
import pytest

from dynlab.analysis.chain_widths import in_several_widths, shipped_widths, width_files, widths
from dynlab.recordings.recording import Recording, load
from dynlab.reports import sensitivity as sensitivity_reading

OPTIONS = {"replications": 200, "seed": 3}


@pytest.fixture
def recorded(random_pool):
    """A pool of 12 questions with samples of 30 tokens, and chains on 10 of them that cost 60 a
    chained sample.
    """

    def recording(width, with_pool=True):
        pool = random_pool(12, 32, seed=1, strategy="parallel", stream=0).assign(
            completion_tokens=10, dataset="d"
        )
        part = random_pool(12, width + 4, seed=width, strategy="integrated", stream=0).assign(
            dataset="d"
        )
        part = part[part["question_id"].isin(sorted(part["question_id"].unique())[:10])]
        late = part["sample_index"] >= width
        part["completion_tokens"] = np.where(late, 40, 10)
        part["role"] = np.where(late, "chained", "independent")
        part["parents"] = [list(range(width)) if chained else [] for chained in late]
        pool["role"], pool["parents"] = "independent", [[] for _ in range(len(pool))]
        frame = pd.concat([pool, part] if with_pool else [part], ignore_index=True)
        return Recording(
            frame.assign(model="m", correct=frame["answer"] == frame["target"], prompt_tokens=20)
        )

    return recording


@pytest.mark.slow
def test_a_gain_is_the_paired_difference_to_independent_samples_at_equal_tokens(recorded):
    recording = recorded(4)
    rows = widths(recording, **OPTIONS).set_index("method")
    frame = recording.frame
    chains, plain = (frame[frame["strategy"] == name] for name in ("integrated", "parallel"))
    chained = chains[chains["role"] == "chained"].groupby("question_id")["correct"].mean()
    assert rows.loc["chained", "difference"] == pytest.approx(
        (chained - plain.groupby("question_id")["correct"].mean()).dropna().mean()
    )
    assert (rows["width"] == 4).all() and (rows["questions"] == 10).all()
    assert rows["at"].tolist() == pytest.approx([(4 * 30 + 4 * 60) / 30] * 2)
    assert (
        rows.loc["integrated", "low"]
        <= rows.loc["integrated", "difference"]
        <= rows.loc["integrated", "high"]
    )


@pytest.mark.slow
def test_equal_chains_at_equal_price_gain_nothing(recorded):
    recording = recorded(4)
    plain = recording.frame[recording.frame["strategy"] == "parallel"]
    same = plain.assign(
        strategy="integrated", role=np.where(plain["sample_index"] < 2, "independent", "chained")
    )
    same["parents"] = [[0, 1] if index >= 2 else [] for index in same["sample_index"]]
    table = widths(Recording(pd.concat([plain, same], ignore_index=True)), **OPTIONS).set_index(
        "method"
    )
    assert (
        table.loc["integrated", "difference"] == pytest.approx(0)
        and table.loc["integrated", "at"] == 32
    )


@pytest.mark.slow
def test_chains_take_their_independent_samples_from_a_recording_of_the_same_model(recorded):
    whole, chains = recorded(4), recorded(2, with_pool=False)
    table = widths([whole, chains], **OPTIONS)
    assert table["width"].tolist() == [2, 4, 2, 4] and table["recording"].nunique() == 1
    other = Recording(chains.frame.assign(model="another"))
    assert widths([whole, other], **OPTIONS)["width"].tolist() == [4, 4]


@pytest.mark.slow
def test_without_targets_votes_are_compared_and_nothing_is_called_right(recorded):
    frame = recorded(4).frame.drop(columns=["target", "correct"])
    table = widths(Recording(frame), **OPTIONS)
    assert table["method"].tolist() == ["integrated"] and set(table["measure"]) == {
        "self-consistency rate"
    }


def test_where_there_are_no_chains_the_reading_says_how_to_draw_some(random_pool):
    table = widths(Recording(random_pool(4, 8, strategy="parallel")), **OPTIONS)
    assert table.empty and "--width" in sensitivity_reading.of_widths(table)


def test_chains_that_do_not_say_what_they_were_shown_are_left_out(recorded):
    frame = recorded(4).frame
    assert widths(Recording(frame.drop(columns=["parents"])), **OPTIONS).empty
    assert widths(Recording(frame[frame["role"] != "chained"]), **OPTIONS).empty


@pytest.mark.slow
def test_the_reading_names_every_width(recorded):
    words = sensitivity_reading.of_widths(
        widths([recorded(4), recorded(2, with_pool=False)], **OPTIONS)
    )
    assert "at width 2" in words and "at width 4" in words


@pytest.mark.slow
@pytest.mark.skipif(not width_files(), reason="no recordings of several widths are committed")
def test_the_shipped_chains_are_shown_as_many_attempts_as_their_names_say():
    for recording in shipped_widths():
        (width,) = {int(recording.name.rpartition("-")[2])}
        chained = recording.frame[recording.frame["role"] == "chained"]
        assert {len(parents) for parents in chained["parents"]} == {width}


@pytest.mark.slow
@pytest.mark.skipif(not width_files(), reason="no recordings of several widths are committed")
def test_only_recordings_whose_chains_come_in_several_widths_are_set_beside_them():
    chosen = in_several_widths(map(load, ["totals--dynlab-reasoner", "capitals--smollm2-135m"]))
    assert [each.name for each in chosen] == [
        "capitals--smollm2-135m",
        *(each.name for each in shipped_widths()),
    ]
