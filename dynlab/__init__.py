"""dynlab: verifier-free inference scaling, paid for once and replayed exactly.

Importing this package is cheap: everything below is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "Comparison": "dynlab.analysis",
    "compare": "dynlab.analysis",
    "contrast": "dynlab.analysis",
    "leaderboard": "dynlab.analysis",
    "savings": "dynlab.analysis",
    "Asking": "dynlab._util.options",
    "Limits": "dynlab._util.options",
    "Sampling": "dynlab._util.options",
    "RequestOptions": "dynlab._util.options",
    "RecordingOptions": "dynlab._util.options",
    "load": "dynlab.recordings",
    "load_task": "dynlab.tasks",
    "preview": "dynlab.sampling",
    "record": "dynlab.sampling",
    "solve": "dynlab.online",
    "audit": "dynlab.online",
    "RecordingModel": "dynlab.simulation",
    "fit": "dynlab.simulation",
    "power": "dynlab.simulation",
    "simulate": "dynlab.simulation",
    "explore": "dynlab.explorer",
    "browse": "dynlab.viewer",
    "plot_curve_grid": "dynlab.plots",
    "plot_curves": "dynlab.plots",
    "plot_savings": "dynlab.plots",
    "table": "dynlab.reports",
}
__all__ = ["__version__", *sorted(_HOMES)]

if TYPE_CHECKING:
    from dynlab._util.options import Asking, Limits, RecordingOptions, RequestOptions, Sampling
    from dynlab.analysis import Comparison, compare, contrast, leaderboard, savings
    from dynlab.explorer import explore
    from dynlab.online import audit, solve
    from dynlab.plots import plot_curve_grid, plot_curves, plot_savings
    from dynlab.recordings import load
    from dynlab.reports import table
    from dynlab.sampling import preview, record
    from dynlab.simulation import RecordingModel, fit, power, simulate
    from dynlab.tasks import load_task
    from dynlab.viewer import browse


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'dynlab' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)
