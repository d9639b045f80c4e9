from __future__ import annotations

import numpy as np
import pytest

from dynlab._util.errors import InputError
from dynlab.recordings.recording import Recording, load
from dynlab.recordings.streams import ABSENT, MISSING, streams_of


def test_answers_are_coded_by_first_appearance(make_pool):
    streams = streams_of(load(make_pool({"q1": "ba-b", "q2": "a"})))
    assert streams.codes[0, 0].tolist() == [0, 1, MISSING, 0]
    assert streams.codes[1, 0].tolist() == [0, ABSENT, ABSENT, ABSENT]
    assert streams.answers == (("b", "a"), ("a",))
    assert streams.right[0].tolist() == [False, True]


def test_an_answer_that_does_not_vote_is_paid_for_only(make_pool):
    frame = make_pool({"q1": "ab"}, votes=[True, False], completion_tokens=[3, 5])
    streams = streams_of(load(frame))
    assert streams.codes[0, 0].tolist() == [0, MISSING]
    assert streams.prices("tokens")[0, 0].tolist() == [3, 5]


def test_aliases_are_right_while_votes_stay_apart(make_pool):
    frame = make_pool({"q1": "abc"})
    frame["correct"] = [True, True, False]
    streams = streams_of(load(frame))
    assert streams.right[0].tolist() == [True, True, False]


def test_an_answer_both_right_and_wrong_is_refused(make_pool):
    frame = make_pool({"q1": "aa"}, correct=[True, False])
    with pytest.raises(InputError, match="both correct and not"):
        streams_of(load(frame))


def test_a_question_without_a_target_among_others_is_refused(make_pool):
    with pytest.raises(InputError, match="'q2' has no target while others have"):
        streams_of(load(make_pool({"q1": "ab", "q2": "ab"}, target={"q1": "a", "q2": None})))


def test_adaptive_recordings_are_refused(make_pool):
    recording = Recording(load(make_pool({"q1": "ab"})).frame, {"design": "adaptive"}, "run")
    with pytest.raises(InputError, match="adaptive design"):
        streams_of(recording)


def test_an_unknown_strategy_lists_those_held(make_pool):
    with pytest.raises(InputError, match="must be one of 'parallel'"):
        streams_of(load(make_pool({"q1": "ab"})), strategy="integrated")


def test_a_pool_is_one_stream_chains_stay_apart(make_pool):
    import pandas as pd

    table = pd.concat([make_pool({"q1": "ab"}, stream=s) for s in (0, 3)])
    assert streams_of(load(table)).codes.shape == (1, 1, 4)
    table["strategy"] = "sequential"
    streams = streams_of(load(table))
    assert streams.codes.shape == (1, 2, 2)
    assert streams.path.tolist() == [[1, 2], [1, 1]]


def test_tokens_are_prompt_plus_completion_if_known(make_pool):
    frame = make_pool({"q1": "ab"}, completion_tokens=[3, 5])
    assert streams_of(load(frame)).tokens_kind == "completion"
    frame["prompt_tokens"] = [10, 10]
    streams = streams_of(load(frame))
    assert (streams.tokens_kind, streams.prices("tokens")[0, 0].tolist()) == ("total", [13, 15])


def test_a_missing_count_is_its_questions_mean(make_pool):
    frame = make_pool({"q1": "aab", "q2": "a"}, completion_tokens=[2, None, 4, 100])
    streams = streams_of(load(frame))
    assert streams.prices("tokens")[0, 0].tolist() == [2, 3, 4]
    assert streams.imputed == 0.25


def test_a_missing_prompt_count_is_that_of_like_prompts(make_pool):
    frame = make_pool({"q1": "aabb", "q2": "aa"}, completion_tokens=[1] * 6)
    frame["prompt_tokens"] = [10, None, 90, None, 20, 20]
    frame["role"] = ["independent"] * 2 + ["chained"] * 2 + ["independent"] * 2
    streams = streams_of(load(frame))
    assert streams.prices("tokens")[0, 0].tolist() == [11, 11, 91, 91]
    assert (streams.tokens_kind, streams.imputed) == ("total", pytest.approx(2 / 6))
    priced = streams_of(load(frame), price=(2e6, 0.5e6))
    assert priced.prices("usd")[0, 0].tolist() == [20.5, 20.5, 180.5, 180.5]
    assert streams.prices("samples").sum() == 6


def test_samples_need_no_tokens(make_pool):
    frame = make_pool({"q1": "ab"}, completion_tokens=[None, None])
    assert streams_of(load(frame)).prices("samples").tolist() == [[[1, 1]]]


def test_a_missing_log_probability_is_the_mean(
    make_pool,
):
    frame = make_pool({"q1": "aab", "q2": "ab"})
    frame["mean_logprob"] = [-1.0, np.nan, -3.0, np.nan, np.nan]
    found = streams_of(load(frame)).logprob[:, 0]
    assert found[0].tolist() == [-1.0, -2.0, -3.0]
    assert found[1, :2].tolist() == [-2.0, -2.0]  # no sample of q2 has one: all questions' mean
    frame["mean_logprob"] = np.nan
    assert np.isnan(streams_of(load(frame)).logprob).all()


def test_unknown_prices_are_unknown_never_zero(make_pool):
    frame = make_pool({"q1": "ab"}, completion_tokens=[3, 5])
    streams = streams_of(load(frame))
    assert np.isnan(streams.cost_usd).all()
    with pytest.raises(InputError, match="give a price by --price"):
        streams.prices("usd")
    with pytest.raises(InputError, match="a price needs prompt_tokens"):
        streams_of(load(frame), price=(1, 2))
    frame["prompt_tokens"] = 10
    priced = streams_of(load(frame), price=(1.0, 2.0))
    assert priced.prices("usd")[0, 0] == pytest.approx([16e-6, 20e-6])


def test_a_budget_counts_mean_prices_of_questions(make_pool):
    frame = make_pool({"q1": "aaa", "q2": "a"}, completion_tokens=[1, 1, 1, 9])
    assert streams_of(load(frame)).per_sample("tokens") == pytest.approx(5)


# ——— what waits for what ———


def chained(make_pool, awaited, parents=None, streams=1):
    import pandas as pd

    letters = "abcdefghij"[: len(awaited)]
    table = pd.concat([make_pool({"q1": letters, "q2": letters}, stream=s) for s in range(streams)])
    table["strategy"] = "integrated"
    table["awaited"] = awaited * (2 * streams)
    table["parents"] = (parents or awaited) * (2 * streams)
    return table


def test_a_sample_waits_for_all_it_might_be_shown(make_pool):
    # 1 is shown 0 and waits for it; 3 is shown 2 alone, which waited for nothing, but was chosen
    # among 0, 1 and 2
    frame = chained(make_pool, awaited=[[], [0], [], [0, 1, 2]], parents=[[], [0], [], [2]])
    assert streams_of(load(frame)).path[0].tolist() == [1, 2, 1, 3]
    assert streams_of(load(frame.drop(columns="awaited"))).path[0].tolist() == [1, 2, 1, 2]


def test_the_longest_path_of_rounds_laid_out_by_hand(make_pool):
    # two rounds of 2 independent and 2 chained samples, the second chain made of the first one and
    # its own round
    awaited = [[], [], [0, 1], [0, 1], [], [], [2, 3, 4, 5], [2, 3, 4, 5]]
    assert streams_of(load(chained(make_pool, awaited, streams=2))).path.tolist() == [
        [1, 1, 2, 2, 1, 1, 3, 3],  # nothing has arrived
        [1, 1, 2, 2, 1, 1, 3, 3],  # 0 has: 2 still waits for 1
        [1, 1, 1, 1, 1, 1, 2, 2],  # 0 and 1 have: the chain starts at once
        [1, 1, 1, 1, 1, 1, 2, 2],
        [1, 1, 1, 1, 1, 1, 2, 2],  # the first round has: the second chain waits for 4 and 5 alone
        [1, 1, 1, 1, 1, 1, 2, 2],
        [1, 1, 1, 1, 1, 1, 1, 1],  # all that it is made of has
        [1, 1, 1, 1, 1, 1, 1, 1],
    ]


def test_indices_are_read_from_csv(make_pool, tmp_path):
    frame = chained(make_pool, awaited=[[], [], [0, 1], [0, 1]], parents=[[], [], [1], [0]])
    frame.to_csv(tmp_path / "chains.csv", index=False)
    recording = load(tmp_path / "chains.csv")
    assert recording.frame["awaited"].tolist() == 2 * [[], [], [0, 1], [0, 1]]
    assert streams_of(recording).path[0].tolist() == [1, 1, 2, 2]


def test_streams_that_wait_unlike_are_refused(make_pool):
    frame = chained(make_pool, awaited=[[], [], [0, 1]])
    with pytest.raises(
        InputError, match="sample 2 of question 'q1' waited for sample 0, which is not there"
    ):
        streams_of(load(frame[frame["sample_index"] > 0]))
    frame["awaited"] = [[], [], [0, 1], [], [0], [0, 1]]
    with pytest.raises(InputError, match="sample 1 of question 'q2' waited for other samples"):
        streams_of(load(frame))
