"""Widgets of a policy's settings, derived from its dataclass."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import pytest

import dynlab
from dynlab.explorer.setting_widgets import setting_group, words_of
from dynlab.policies import registry
from dynlab.policies.base import Allocator, Index
from dynlab.policies.registry import component_of, names
from dynlab.policies.ucb import UCB

KINDS = ("allocator", "vote", "stopping rule")


@dataclass(frozen=True)
class Mine(Allocator):
    """Samples what was sampled least: −a·n.

    Args:
        eagerness: a, without unit;
            the larger the eagerer.
    """

    name: ClassVar[str] = "mine"
    eagerness: float = field(default=1.0, metadata={"range": (0, 5, 0.5)})
    rounds: int = 3
    bold: bool = False
    mode: str = field(default="low", metadata={"choices": ("low", "high")})

    def index(self, seen, rng):
        return Index(-self.eagerness * seen.pulls)


@pytest.fixture
def mine(monkeypatch):
    names("allocator")  # dynlab's own come first
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    return registry.register(Mine)


def test_a_registered_policy_appears_with_its_own_settings(mine, random_pool):
    explorer = dynlab.explore(random_pool(num_samples=12), ["uniform"], budget=4, replications=20)
    explorer.widgets["mine"].value = True
    explorer.widgets["mine.eagerness"].value = 2.5
    view = explorer.view(120)
    assert view.setting.policies == ("uniform", "mine(eagerness=2.5)")
    assert ">mine</text>" in explorer.page.curves


def test_kinds_ranges_and_words_are_those_of_the_fields():
    group = setting_group(Mine(eagerness=4.0), "mine")
    kinds = {name: type(widget).__name__ for name, widget in group.widgets.items()}
    assert kinds == {
        "eagerness": "FloatSlider",
        "rounds": "IntText",
        "bold": "Checkbox",
        "mode": "Dropdown",
    }
    slider = group.widgets["eagerness"]
    assert (slider.min, slider.max, slider.step, slider.value) == (0, 5, 0.5, 4)
    assert "a, without unit; the larger the eagerer.\nSamples what" in slider.description
    assert group.widgets["mode"].options == ("low", "high")
    group.widgets["rounds"].value = 7
    assert group.made() == Mine(eagerness=4.0, rounds=7)


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in KINDS for name in names(kind)])
def test_widgets_give_back_the_component(kind, name):
    component = component_of(name, (kind,))
    assert setting_group(component, name).made() == component


def test_words_are_read_from_the_docstring():
    assert set(words_of(UCB())) == {"uncertainty", "exploration"}
