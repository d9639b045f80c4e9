"""Recordings that nobody drew: a model of one fitted to real samples, and samples drawn from it.

May import `_util`, `recordings`, `strategies` and `analysis`.
"""

from dynlab.simulation.experiments import power
from dynlab.simulation.fitting import fit
from dynlab.simulation.goodness_of_fit import agreement, fittable
from dynlab.simulation.model import RecordingModel
from dynlab.simulation.simulator import simulate

__all__ = ["RecordingModel", "agreement", "fit", "fittable", "power", "simulate"]
