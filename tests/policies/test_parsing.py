from __future__ import annotations

import pytest

from dynlab._util.errors import InputError
from dynlab.policies.parsing import Defaults, as_policy, parse_policy, split_policies
from dynlab.policies.policy import Policy
from dynlab.policies.stopping import Doubling, EarlyStopping
from dynlab.policies.ucb import UCB
from dynlab.policies.uniform import Uniform
from dynlab.policies.weighted_votes import ConfidenceInformed


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("ucb", Policy(UCB())),
        ("okg-beta(warmup=2)", parse_policy("okg-beta", Defaults(warmup=2))),
        ("ucb( exploration = .3,uncertainty=entropy )", Policy(UCB("entropy", 0.3))),
        ("uniform+esc(window=4)", Policy(Uniform(), EarlyStopping(4))),
        ("esc:4", Policy(Uniform(), EarlyStopping(4))),
        ("ucb(batch=8)+doubling:0.5", Policy(UCB(), Doubling(0.5), batch=8)),
        ("cisc(temperature=0.2)", Policy(Uniform(), vote=ConfidenceInformed(0.2))),
        ("ucb+cisc", Policy(UCB(), vote=ConfidenceInformed())),
    ],
)
def test_a_text_form_is_its_policy(text, policy):
    assert parse_policy(text) == policy and parse_policy(policy.text) == policy


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("ucb(exploration=1.0)", "ucb"),
        ("ucb(exploration=2.0, uncertainty=margin)", "ucb(uncertainty=margin, exploration=2)"),
        ("priced(floor=0.0003)+esc:5", "priced+esc"),
    ],
)
def test_canonical_text_names_what_differs_alone(text, canonical):
    assert parse_policy(text).text == canonical


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ubc", "did you mean 'ucb'"),
        ("ucb+ecs", "unknown stopping rule 'ecs': did you mean 'esc'"),
        ("ucb(explore=1)", "unknown setting of ucb 'explore': did you mean 'exploration'"),
        ("ucb(exploration=x)", "ucb is set by its exploration"),
        ("ucb(exploration)", "settings of ucb are key=value"),
        ("ucb(exploration=1, exploration=2)", "exploration of ucb stands twice"),
        ("ucb(exploration", "a bracket without its other"),
        ("ucb(warmup=0)", "warmup must be a whole number from 1 on"),
        ("ucb+esc+doubling", "two parts of one kind"),
        ("ucb:3", "ucb takes its settings in brackets"),
        ("cisc+esc", "cisc chooses by a vote of its own"),
        ("esc(window=50)", "at most 40, or it never ends a question"),
        ("", "is no policy"),
    ],
)
def test_a_wrong_text_says_what_is_expected(text, said):
    with pytest.raises(InputError, match=said) as error:
        parse_policy(text)
    assert "\n" not in str(error.value)


def test_defaults_fill_in_what_a_text_leaves_open():
    given = Defaults(exploration=0.3, warmup=3, batch=4, stopping="esc:4")
    ucb, fixed, free = (
        parse_policy(text, given)
        for text in ("ucb", "ucb(exploration=1, batch=1)+doubling", "thompson+none")
    )
    assert ucb == Policy(UCB(exploration=0.3), EarlyStopping(4), 3, 4)
    assert fixed == Policy(UCB(), Doubling(), 3, 1)
    assert free.stopping is None and free.warmup == 3


def test_a_part_alone_becomes_a_policy():
    assert as_policy(UCB(), Defaults(batch=4)) == Policy(UCB(), batch=4)
    assert as_policy(EarlyStopping()).text == "uniform+esc"
    assert as_policy(ConfidenceInformed()).text == "cisc"
    policy = Policy(UCB(), warmup=5)
    assert as_policy(policy, Defaults(warmup=1)) is policy
    with pytest.raises(InputError, match="a policy is a text such as"):
        as_policy(3)


def test_commas_in_brackets_part_no_policies():
    text = "uniform, ucb(exploration=0.3, warmup=4),priced+esc(window=4, most=8)"
    assert split_policies(text) == [
        "uniform",
        "ucb(exploration=0.3, warmup=4)",
        "priced+esc(window=4, most=8)",
    ]
