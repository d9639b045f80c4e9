"""A setting's budgets, and the questions of a recording from easy to hard."""

import numpy as np
import pytest

from dynlab.explorer.compute import Workbench
from dynlab.explorer.state import horizon
from dynlab.recordings.recording import load


def test_questions_are_ordered_from_easy_to_hard(make_pool):
    answers = {"easy": "aaaa", "split": "aabb", "wrong": "bbbb", "torn": "abcd"}
    known = Workbench({"p": load(make_pool(answers))}).material("p")
    assert known.wrong.tolist() == [
        0,
        0.5,
        0.75,
        1,
    ]  # easy, split, torn, wrong: questions are sorted by id
    ids = np.array(known.streams.question_ids)
    assert ids[known.order("accuracy")].tolist() == ["easy", "split", "torn", "wrong"]
    assert ids[known.order("disagreement")].tolist() == ["easy", "wrong", "split", "torn"]
    unknown = Workbench({"p": load(make_pool(answers, target=None))}).material("p")
    assert ids[unknown.order("accuracy")].tolist()[-1] == "torn"  # no targets: by disagreement


@pytest.mark.parametrize("budget", [2, 8, 16, 17, 23.5, 40])
def test_the_horizon_holds_all_that_a_saving_asks_for(budget):
    assert horizon(budget, 1000) >= 2 * budget and horizon(budget, 30) <= 30
