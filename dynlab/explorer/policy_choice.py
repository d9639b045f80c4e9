"""Policies as the controls hold them: parts by name, with what is set for all of them at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from dynlab.analysis.methods import named_policies
from dynlab.plots.style import LOOKS, Look, contrasted
from dynlab.policies.base import Allocator, Component, StoppingRule, Vote
from dynlab.policies.policy import Policy
from dynlab.policies.uniform import Uniform

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class SharedSettings:
    """What is set for all policies at once; None is each policy's own warm-up, and no rule."""

    warmup: int | None = None
    batch: int = 1
    stopping: StoppingRule | None = None

    def text(self, part: Component) -> str:
        """The text form of a policy of this allocator or vote.

        Raises:
            InputError: a stopping rule is set, and the vote chooses the answer itself.
        """
        if isinstance(part, Vote):
            return Policy(Uniform(), self.stopping, vote=part).text
        assert isinstance(part, Allocator)
        if not part.adaptive and self.stopping is None:
            return Policy(part).text  # the others have no say
        warmup = part.warmup if self.warmup is None else self.warmup
        return Policy(part, self.stopping, warmup, self.batch).text

    @property
    def reference(self) -> str:
        """What savings are against: uniform allocation, to the end, from the same warm-up."""
        return Policy(Uniform(), warmup=self.warmup or Uniform.warmup).text


def shared_settings(texts: Iterable[str]) -> SharedSettings:
    """What the policies agree on, where they do.

    >>> shared_settings(["uniform", "ucb(warmup=3)", "priced(warmup=3)"]).warmup
    3
    """
    policies = [policy for policy in named_policies(list(texts)).values() if policy is not None]
    adaptive = [policy for policy in policies if policy.allocator.adaptive]
    own = [None if p.warmup == p.allocator.warmup else p.warmup for p in adaptive]
    return SharedSettings(
        _agreed(own, None),
        _agreed([policy.batch for policy in adaptive], 1),
        _agreed([policy.stopping for policy in policies if policy.vote is None], None),
    )


def parts_of(texts: Iterable[str], shared: SharedSettings) -> tuple[dict[str, Component], set[str]]:
    """Allocators and votes by name, and the texts that say more than their part and what is shared.

    Of two settings of one allocator the second one is such a text.
    """
    parts: dict[str, Component] = {}
    whole = set()
    for text, policy in named_policies(list(texts)).items():
        if policy is None:
            continue
        part = policy.allocator if policy.vote is None else policy.vote
        if part.name not in parts and _text(shared, part) == text:
            parts[part.name] = part
        else:
            whole.add(text)
    return parts, whole


def looks_of(texts: Sequence[str]) -> dict[str, Look]:
    """How policies look beside one another; settings are told where a name stands twice."""
    names = {text: text.partition("+")[0].partition("(")[0] for text in texts}
    found: dict[str, Look] = {}
    for number, (text, name) in enumerate(names.items()):
        look = LOOKS.get(name) or contrasted(name, number)
        if name in [names[other] for other in found]:
            spare = contrasted(text, number)
            settings = text.removeprefix(name).strip("(+").replace(")", "")
            look = replace(spare, label=f"{look.label} {settings}")
        found[text] = look
    return found


def _text(shared: SharedSettings, part: Component) -> str:
    if isinstance(part, Vote):
        shared = replace(shared, stopping=None)
    return shared.text(part)


def _agreed(values: list[_Value], otherwise: _Value) -> _Value:
    """The one value that all have, else another."""
    return values[0] if values and all(value == values[0] for value in values) else otherwise
