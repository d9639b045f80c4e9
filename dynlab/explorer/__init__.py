"""The widget: sliders in front of the same numbers.

A setting goes in, a view of a `Comparison` comes out, panels draw it; the page's JavaScript and CSS
are files in `static`. May import everything down to `reports`.
"""

from dynlab.explorer.entry_point import explore
from dynlab.explorer.state import ControlValues, View
from dynlab.explorer.widget import Explorer

__all__ = ["ControlValues", "Explorer", "View", "explore"]
