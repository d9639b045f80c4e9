"""Long lists of cases: `make test` takes some of each, `make exhaustive` the others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def some_of(cases: Iterable[Any], every: int = 2) -> list[Any]:
    """Every second case (or third, …) as it is, the others marked `exhaustive`."""
    return [case if place % every == 0 else _marked(case) for place, case in enumerate(cases)]


def _marked(case: Any) -> Any:
    values = case if isinstance(case, tuple) else (case,)
    return pytest.param(*values, marks=pytest.mark.exhaustive)
