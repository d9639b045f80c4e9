"""A model of a recording: few numbers, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import pandas as pd

from dynlab._util.errors import InputError
from dynlab.simulation.chains import ChainGain
from dynlab.simulation.chances import BetaChance
from dynlab.simulation.lengths import Lengths, Prompts
from dynlab.simulation.wrong_answers import WrongAnswers

_PARTS: Mapping[str, type[Any]] = {
    "right": BetaChance,
    "none": BetaChance,
    "wrong": WrongAnswers,
    "lengths": Lengths,
    "prompts": Prompts,
    "chains": ChainGain,
}
PARAMETERS = ["parameter", "value", "low", "high"]


@dataclass(frozen=True)
class RecordingModel:
    """How the samples of a recording come about, as `dynlab.fit` finds it; compared by its numbers.

    Args:
        source: The name of the recording that it was fitted to.
        right: The chance of a right sample, over questions.
        wrong: How wrong answers spread.
        none: The chance that a sample which is not right has no answer; None: all have one.
        lengths: Tokens of responses; None: not known.
        prompts: Tokens of prompts; None: not known.
        chains: What being shown samples changes; None: the recording has no chained samples.
        intervals: 95 % intervals of parameters, by their name `part.parameter`.
    """

    source: str
    right: BetaChance
    wrong: WrongAnswers
    none: BetaChance | None = None
    lengths: Lengths | None = None
    prompts: Prompts | None = None
    chains: ChainGain | None = None
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict, compare=False)

    def table(self) -> pd.DataFrame:
        """A row a parameter: its value, and its 95 % interval where one is known."""
        rows = [
            {"parameter": name, "value": value} | _ends(self.intervals.get(name))
            for part, values in self._parts().items()
            for name, value in ((f"{part}.{own}", value) for own, value in values.items())
        ]
        return pd.DataFrame(rows, columns=PARAMETERS)

    def to_json(self) -> str:
        """The model as JSON, which `from_json` reads."""
        ends = {name: list(map(_finite, each)) for name, each in self.intervals.items()}
        return json.dumps({"source": self.source, **self._parts(), "intervals": ends}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> RecordingModel:
        """The model that `to_json` wrote.

        Raises:
            InputError: It is no such text.
        """
        try:
            given = json.loads(text)
            parts = {name: kind(**given[name]) for name, kind in _PARTS.items() if given.get(name)}
            ends = {
                name: (_number(low, -1), _number(high, 1))
                for name, (low, high) in given.get("intervals", {}).items()
            }
            return cls(source=str(given["source"]), intervals=ends, **parts)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"not the JSON of a model ({error}); give what RecordingModel.to_json() wrote"
            ) from None

    def _parts(self) -> dict[str, dict[str, float]]:
        """The parameters of each part that there is."""
        known = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: asdict(known[name]) for name in _PARTS if known[name] is not None}

    def __str__(self) -> str:
        parts = [
            f"  {name}: {', '.join(f'{own} {value:.4g}' for own, value in values.items())}"
            for name, values in self._parts().items()
        ]
        return "\n".join([f"model of {self.source}", *parts])


def _ends(interval: tuple[float, float] | None) -> dict[str, float]:
    low, high = interval or (float("nan"), float("nan"))
    return {"low": low, "high": high}


def _finite(value: float) -> float | None:
    """A number that JSON has; None for an open end."""
    return value if abs(value) < float("inf") else None


def _number(value: float | None, sign: int) -> float:
    return sign * float("inf") if value is None else float(value)
