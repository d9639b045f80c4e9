"""dynlab: verifier-free inference scaling, paid for once and replayed exactly.

Importing this package is cheap: everything below is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "compare": "dynlab.comparing",
    "contrast": "dynlab.contrasting",
    "savings": "dynlab.comparing",
    "load": "dynlab.recordings",
    "load_task": "dynlab.tasks",
    "record": "dynlab.sampling",
    "solve": "dynlab.solving",
    "check": "dynlab.checking",
    "explore": "dynlab.widgets",
    "plot_curves": "dynlab.plots",
    "plot_savings": "dynlab.plots",
    "table": "dynlab.tables",
}
__all__ = ["__version__", *sorted(_HOMES)]

if TYPE_CHECKING:
    from dynlab.checking import check
    from dynlab.comparing import compare, savings
    from dynlab.contrasting import contrast
    from dynlab.plots import plot_curves, plot_savings
    from dynlab.recordings import load
    from dynlab.sampling import record
    from dynlab.solving import solve
    from dynlab.tables import table
    from dynlab.tasks import load_task
    from dynlab.widgets import explore


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'dynlab' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)
