"""Notebooks by papermill: figures, pages, their cache.

May import everything down to `reports`.
"""

from dynlab.pipeline.reproduction import reproduce
from dynlab.pipeline.template import new_notebook

__all__ = ["new_notebook", "reproduce"]
