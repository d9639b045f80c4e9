"""The vote of a question, read back from the SVG."""

from xml.etree import ElementTree

import numpy as np

from dynlab.explorer.questions import VoteGrowth, vote_growth
from dynlab.explorer.vote_panel import vote_panel


def test_a_vote_shows_leading_answers_others_and_missing_ones(view):
    shares = np.tile(np.array([[0.2, 0.15, 0.15, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05]]), (4, 1))
    grown = VoteGrowth((*"abcdefgh", ""), (False,) * 7 + (True, False), shares)
    drawn = vote_panel(view, grown, 0)
    assert ">2 others ✓</text>" in drawn and ">no answer</text>" in drawn and "%" in drawn
    assert drawn.count('class="dl-share"') == 8


def test_every_vote_of_a_recording_can_be_drawn(view):
    for question in range(view.material.streams.num_questions):
        ElementTree.fromstring(
            vote_panel(view, vote_growth(view.material.streams, question, 0), question)
        )
