from __future__ import annotations

import pytest

from dynlab._util.errors import InputError
from dynlab.policies.knowledge_gradient import KnowledgeGradient
from dynlab.policies.parsing import Defaults, parse_policy
from dynlab.policies.policy import Policy
from dynlab.policies.stopping import Doubling
from dynlab.policies.ucb import UCB
from dynlab.policies.uniform import Uniform
from dynlab.policies.weighted_votes import ConfidenceInformed


def test_a_papers_warmup_holds_unless_one_is_given():
    assert [parse_policy(name).warmup for name in ("ucb", "okg-beta", "okg-pets")] == [2, 1, 1]
    assert parse_policy("okg-pets", Defaults(warmup=3)).warmup == 3
    assert Policy(KnowledgeGradient()).warmup == 1


@pytest.mark.parametrize("given", [{"warmup": 0}, {"batch": 0}, {"batch": 1.5}])
def test_counts_below_one_are_refused(given):
    with pytest.raises(InputError, match="must be a whole number from 1 on"):
        Policy(UCB(), **given)


def test_two_ways_to_choose_an_answer_are_refused():
    with pytest.raises(InputError, match="chooses by a vote of its own"):
        Policy(Uniform(), Doubling(), vote=ConfidenceInformed())
