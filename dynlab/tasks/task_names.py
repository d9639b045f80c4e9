"""Tasks that are neither built in nor a file, by how their names begin: benchmarks, data sets of
the hub, generators. One row a kind; a loader is imported when a name asks for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from dynlab.tasks import benchmark_table

if TYPE_CHECKING:
    from dynlab.tasks.task import Task

# a name, how many questions to keep, the form that is asked for
Loader = Callable[[str, int | None, str | None], "Task"]

GENERATED = "reasoning-gym:"  # how the name of a generated task begins
HUB = "hf:"  # and that of a data set of the hub


@dataclass(frozen=True)
class _Source:
    """A kind of name: whose it is, how it is shown, and the function that loads it."""

    owns: Callable[[str], bool]
    shown: tuple[str, ...]
    loader: str  # module:function


def _is_benchmark(name: str) -> bool:
    head = name.partition("?")[0]
    return head in benchmark_table.BENCHMARKS or head.startswith(benchmark_table.BBH)


_SOURCES = (
    _Source(
        lambda name: name.startswith(GENERATED),
        (f"{GENERATED}FAMILY?size=…&seed=…",),
        "dynlab.tasks.reasoning_gym:generated",
    ),
    _Source(
        lambda name: name.startswith(HUB),
        (f"{HUB}OWNER/NAME?split=…&question=…&target=…",),
        "dynlab.tasks.hub_tasks:hub_task",
    ),
    _Source(_is_benchmark, tuple(benchmark_table.listed()), "dynlab.tasks.benchmarks:benchmark"),
)


def loader(name: str) -> Loader | None:
    """What loads the task of a name; None for a built-in task and a file."""
    for source in _SOURCES:
        if source.owns(name):
            module, _, function = source.loader.partition(":")
            found: Loader = getattr(import_module(module), function)
            return found
    return None


def listed() -> list[str]:
    """How the names look, for help and for the error of a mistyped one."""
    return [shown for source in _SOURCES for shown in source.shown]
