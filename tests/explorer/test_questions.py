"""What is told of one question: its votes, its texts, and how its vote grows."""

import numpy as np
import pytest

from dynlab.explorer.questions import LONGEST, TEXTS, summaries_of, vote_growth
from dynlab.recordings.recording import load
from dynlab.recordings.streams import streams_of
from dynlab.replay.draws import draws_of


@pytest.fixture
def recorded(make_pool):
    frame = make_pool({"q1": "abba-b", "q2": "cccccc"}, target={"q1": "a", "q2": "x"})
    frame["question"], frame["text"] = "What?", [f"{'long ' * 200}{n}" for n in range(12)]
    return load(frame)


def test_votes_are_told_most_first_and_missing_ones_last(recorded):
    first, second = summaries_of(recorded, streams_of(recorded))
    assert first.votes == (("b", 3, False), ("a", 2, True), ("", 1, False))
    assert second.votes == (("c", 6, False),)
    assert (first.id, first.question) == ("q1", "What?")


def test_some_texts_are_kept_and_shortened(recorded):
    first, _ = summaries_of(recorded, streams_of(recorded))
    assert len(first.texts) == TEXTS and all(
        len(text) == LONGEST + 2 and text.endswith(" …") for text in first.texts
    )


def test_a_recording_without_words_is_told_without(make_pool):
    recording = load(make_pool({"q1": "ab"}))
    (only,) = summaries_of(recording, streams_of(recording))
    assert only.question == "" and only.texts == ()


def test_a_vote_grows_in_the_order_of_the_first_replication(recorded):
    streams = streams_of(recorded)
    (draws,) = draws_of(streams, 3, 5, "samples")
    grown = vote_growth(streams, 0, 5)
    assert grown.answers == ("b", "a", "") and grown.right == (False, True, False)
    letters = [streams.answers[0][code] if code >= 0 else "" for code in draws.tally.codes[:, 0, 0]]
    for n in range(1, 7):
        assert np.allclose(
            grown.shares[n - 1], [letters[:n].count(answer) / n for answer in grown.answers]
        )


def test_another_seed_gives_another_order_and_the_same_end(recorded):
    streams = streams_of(recorded)
    several = [vote_growth(streams, 0, seed).shares for seed in range(5)]
    assert all(np.allclose(shares[-1], [1 / 2, 1 / 3, 1 / 6]) for shares in several)
    assert any(not np.allclose(shares, several[0]) for shares in several)


def test_shorter_streams_grow_to_their_own_end(make_pool):
    recording = load(make_pool({"q1": "ab", "q2": "aaab"}))
    assert [len(vote_growth(streams_of(recording), question, 0).shares) for question in (0, 1)] == [
        2,
        4,
    ]


def test_the_greedy_answer_is_told_where_it_is_recorded(make_pool):
    frame = make_pool({"q1": "ab", "q2": "ab"})
    frame["strategy"] = ["parallel", "parallel", "greedy", "parallel"]
    recording = load(frame)
    assert [one.greedy for one in summaries_of(recording, streams_of(recording))] == [None, "a"]
