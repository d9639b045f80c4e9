"""Policies as the controls hold them, and how they look beside one another."""

import pytest

from dynlab._util.errors import InputError
from dynlab.explorer.policy_choice import SharedSettings, looks_of, parts_of, shared_settings
from dynlab.plots.style import LOOKS
from dynlab.policies.stopping import EarlyStopping
from dynlab.policies.ucb import UCB
from dynlab.policies.uniform import Uniform
from dynlab.policies.weighted_votes import ConfidenceInformed


def test_shared_settings_are_part_of_every_text():
    shared = SharedSettings(3, 4, EarlyStopping(window=4))
    assert shared.text(UCB(exploration=0.3)) == (
        "ucb(exploration=0.3, warmup=3, batch=4)+esc(window=4)"
    )
    assert SharedSettings(3, 4).text(Uniform()) == "uniform"  # neither has a say
    with pytest.raises(InputError, match="chooses by a vote of its own"):
        shared.text(ConfidenceInformed())


@pytest.mark.parametrize(
    ("texts", "warmup", "batch", "rule"),
    [
        (["uniform", "ucb"], None, 1, None),
        (["uniform", "ucb(warmup=3, batch=2)", "priced(warmup=3, batch=2)"], 3, 2, None),
        (["ucb(warmup=3)", "priced"], None, 1, None),
        (["uniform+esc", "ucb+esc", "cisc"], None, 1, "esc"),
        (["uniform+esc", "ucb"], None, 1, None),
    ],
    ids=str,
)
def test_policies_share_what_they_agree_on(texts, warmup, batch, rule):
    shared = shared_settings(texts)
    assert (shared.warmup, shared.batch) == (warmup, batch)
    assert (shared.stopping and shared.stopping.name) == rule
    parts, whole = parts_of(texts, shared)
    again = {shared.text(part) for part in parts.values() if part.kind == "allocator"} | whole
    assert again | {"cisc"} == set(texts) | {"cisc"}


def test_a_second_setting_of_an_allocator_stands_by_its_text():
    texts = ["ucb(exploration=0.3)", "ucb", "oracle"]
    parts, whole = parts_of(texts, shared_settings(texts))
    assert parts == {"ucb": UCB(exploration=0.3)} and whole == {"ucb"}


def test_looks_tell_settings_where_a_name_stands_twice():
    looks = looks_of(["uniform", "ucb(exploration=0.3)", "ucb(exploration=2)+esc", "mine"])
    assert [look.label for look in looks.values()] == [
        "uniform",
        "UCB",
        "UCB exploration=2+esc",
        "mine",
    ]
    assert looks["ucb(exploration=0.3)"].colour == LOOKS["ucb"].colour
    assert len({look.colour for look in looks.values()}) == 4
