from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import ClassVar

import pytest

from dynlab._util.errors import InputError
from dynlab.policies import registry
from dynlab.policies.base import Allocator, Index
from dynlab.policies.parsing import parse_policy

PLUGIN = """
from dataclasses import dataclass
from typing import ClassVar
from dynlab.policies import Allocator, Index, register

@register
@dataclass(frozen=True)
class Elsewhere(Allocator):
    name: ClassVar[str] = "elsewhere"
    strength: float = 2.0
    def index(self, seen, rng):
        return Index(-self.strength * seen.pulls)
"""


@pytest.fixture
def mine():
    @registry.register
    @dataclass(frozen=True)
    class Mine(Allocator):
        name: ClassVar[str] = "mine"
        patience: int = 3
        loud: bool = False

        def index(self, seen, rng):
            return Index(-seen.pulls / self.patience)

    yield Mine
    del registry._registered["mine"]


def test_a_registered_class_is_known_by_its_name(mine):
    assert registry.names("allocator")[-1] == "mine"
    policy = parse_policy("mine(patience=5, loud=true)")
    assert policy.allocator == mine(5, True) and policy.text == "mine(patience=5, loud=true)"
    with pytest.raises(InputError, match="patience, such as patience=3; not 'x'"):
        parse_policy("mine(patience=x)")


def test_a_class_that_cannot_be_used_says_why(mine):
    class Nameless(Allocator):
        def index(self, seen, rng): ...

    class Half(Allocator):
        name = "half"

    @dataclass(frozen=True)
    class Undecided(Allocator):
        name: ClassVar[str] = "undecided"
        patience: int

        def index(self, seen, rng): ...

    class Mine(Allocator):
        name = "mine"

        def index(self, seen, rng): ...

    @dataclass(frozen=True)
    class Hasty(Allocator):
        name: ClassVar[str] = "hasty"
        batch: int = 5

        def index(self, seen, rng): ...

    Mine.__qualname__ = "Another"
    for wrong, said in (
        (Nameless, "has the name ''"),
        (Half, "Half lacks index"),
        (Undecided, "Undecided lacks patience"),
        (Mine, "'mine' is .*Mine's already"),
        (Hasty, "a setting 'batch', which is one of every policy"),
    ):
        with pytest.raises(InputError, match=said):
            registry.register(wrong)


def test_the_order_of_names_is_that_of_figures():
    first = ("uniform", "ucb", "thompson", "entropy-greedy", "margin-greedy", "beta-greedy")
    assert registry.names("allocator")[:6] == first
    assert registry.names("vote") == ("cisc", "deepconf")
    assert [registry.allocator(name).name for name in registry.names("allocator")] == [
        *registry.names("allocator")
    ]


@pytest.mark.slow
def test_the_order_does_not_depend_on_what_is_imported_first():
    code = "import dynlab.policies.priced; from dynlab.policies import registry as r; "
    code += "print(*r.names('allocator'))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert tuple(told.stdout.split()) == registry.names("allocator")


@pytest.mark.slow
def test_another_package_announces_its_policies(tmp_path):
    (tmp_path / "elsewhere.py").write_text(PLUGIN)
    (tmp_path / "broken.py").write_text("import nothing_of_that_name")
    metadata = tmp_path / "elsewhere-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: elsewhere\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "[dynlab.policies]\nbroken = broken\nelsewhere = elsewhere\n"
    )
    code = (
        "import elsewhere; from dynlab.policies.parsing import parse_policy\n"
        "print(parse_policy('elsewhere(strength=3)').text)"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120
    )
    assert run.stdout.strip() == "elsewhere(strength=3)", run.stderr
    assert "policies of broken are left out" in run.stderr
