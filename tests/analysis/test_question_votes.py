"""All samples of a strategy as votes: an example by hand, and what other modules say of it."""

import numpy as np
import pytest

from dynlab.analysis.difficulty import difficulty_of
from dynlab.analysis.question_votes import question_votes
from dynlab.recordings.recording import Recording, load
from dynlab.recordings.streams import streams_of

DRAWN = {"q1": "aaab", "q2": "aabb", "q3": "abbc", "q4": "bbcc", "q5": "----", "q6": "a---"}


def test_where_the_vote_of_each_question_stands(make_pool):
    votes = question_votes(load(make_pool(DRAWN)), "parallel")
    standing = dict(zip(votes.question_ids, votes.standing, strict=True))
    assert standing == {
        "q1": "leads",
        "q2": "tied",
        "q3": "behind",
        "q4": "absent",
        "q5": "none",
        "q6": "leads",
    }
    assert votes.winner.tolist() == [1, 0.5, 0, 0, 0, 1]  # a tied vote scores its expectation
    assert votes.share_right.tolist() == [0.75, 0.5, 0.25, 0, 0, 0.25]
    assert votes.top_share.tolist() == [0.75, 0.5, 0.5, 0.5, 0, 0.25]
    assert votes.uncertainty("top-share").tolist() == [0.25, 0.5, 0.5, 0.5, 1, 0.75]
    shares = np.array([0.75, 0.25])
    entropy = -(shares * np.log(shares)).sum() / np.log(4)
    assert votes.uncertainty("entropy")[[0, 5]] == pytest.approx([entropy, entropy])
    assert votes.uncertainty("margin").tolist() == [0.5, 1, 0.75, 1, 1, 0.75]


def test_without_targets_it_says_how_settled_the_vote_is(make_pool):
    votes = question_votes(
        load(make_pool({"q1": "aab", "q2": "abc", "q3": "---"}, None)), "parallel"
    )
    assert not votes.has_target
    assert votes.standing.tolist() == ["settled", "open", "none"]


def test_it_says_what_difficulty_says(random_pool):
    recording = load(random_pool(20, 9))
    hard = difficulty_of(streams_of(recording))
    votes = question_votes(recording, "parallel")
    assert votes.share_right.tolist() == hard.easy.tolist()
    assert votes.top_share.tolist() == hard.leader.tolist()
    assert votes.winner.tolist() == hard.winner.tolist()
    assert ((votes.standing == "none") == (hard.outcome == "no answer")).all()


def test_a_live_run_is_looked_at_and_what_does_not_vote_is_not_counted(make_pool):
    frame = make_pool({"q1": "aab"}, votes=[False, True, True])
    votes = question_votes(Recording(load(frame).frame, {"design": "adaptive"}), "parallel")
    assert votes.counts.tolist() == [[1, 1]] and votes.samples.tolist() == [3]
    assert votes.standing.tolist() == ["tied"]
