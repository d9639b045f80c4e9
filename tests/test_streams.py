from __future__ import annotations

import numpy as np
import pytest

from dynlab.errors import InputError
from dynlab.recordings import Recording, load
from dynlab.streams import ABSENT, MISSING, streams_of


def test_answers_are_coded_by_first_appearance_and_missing_ones_never_vote(make_pool):
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


def test_aliases_are_right_by_the_column_correct_while_votes_stay_apart(make_pool):
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


def test_streams_of_a_pool_are_one_and_those_of_chains_stay_apart(make_pool):
    import pandas as pd

    table = pd.concat([make_pool({"q1": "ab"}, stream=s) for s in (0, 3)])
    assert streams_of(load(table)).codes.shape == (1, 1, 4)
    table["strategy"] = "sequential"
    streams = streams_of(load(table))
    assert streams.codes.shape == (1, 2, 2)
    assert streams.path.tolist() == [[1, 2], [1, 1]]


def test_tokens_are_prompt_plus_completion_or_completion_alone_where_prompts_are_unknown(make_pool):
    frame = make_pool({"q1": "ab"}, completion_tokens=[3, 5])
    assert streams_of(load(frame)).tokens_kind == "completion"
    frame["prompt_tokens"] = [10, 10]
    streams = streams_of(load(frame))
    assert (streams.tokens_kind, streams.prices("tokens")[0, 0].tolist()) == ("total", [13, 15])
    frame["prompt_tokens"] = [10, None]
    with pytest.raises(InputError, match="prompt_tokens is missing for 1 of 2 samples"):
        streams_of(load(frame))


def test_a_missing_completion_count_takes_its_questions_mean_and_is_reported(make_pool):
    frame = make_pool({"q1": "aab", "q2": "a"}, completion_tokens=[2, None, 4, 100])
    streams = streams_of(load(frame))
    assert streams.prices("tokens")[0, 0].tolist() == [2, 3, 4]
    assert streams.imputed == 0.25


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


def test_a_budget_is_a_multiple_of_the_mean_over_questions_of_their_mean_price(make_pool):
    frame = make_pool({"q1": "aaa", "q2": "a"}, completion_tokens=[1, 1, 1, 9])
    assert streams_of(load(frame)).per_sample("tokens") == pytest.approx(5)
