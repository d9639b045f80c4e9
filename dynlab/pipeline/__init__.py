"""Notebooks run by papermill: their parameters, figures, pages, and what need not run again.

May import everything but the command line. `reproduction` is the whole, `run` one setting of the
parameters, `job` one notebook of it; `inputs` is what notebooks themselves call.
"""

from dynlab.pipeline.reproduction import Report, reproduce
from dynlab.pipeline.template import new_notebook

__all__ = ["Report", "new_notebook", "reproduce"]
