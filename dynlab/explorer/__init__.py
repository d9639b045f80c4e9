"""The widget: sliders in front of the same numbers.

May import everything down to `reports`.
"""

from dynlab.explorer.entry_point import explore

__all__ = ["explore"]
