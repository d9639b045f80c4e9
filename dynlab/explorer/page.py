"""The panels' place on the page, with the explorer's JavaScript and style sheet (anywidget).

The module is imported where the widget is made: anywidget is none of the package's requirements.
"""

from __future__ import annotations

from pathlib import Path

import anywidget  # noqa: TID253
import traitlets

STATIC = Path(__file__).with_name("static")
AREAS = ("status", "savings", "curves", "spending", "vote", "words", "code")


class Page(anywidget.AnyWidget):
    """One HTML text for each area of `AREAS`; whatever a model wrote is escaped in it."""

    _esm = STATIC / "explorer.js"
    _css = STATIC / "explorer.css"
    status = traitlets.Unicode().tag(sync=True)
    savings = traitlets.Unicode().tag(sync=True)
    curves = traitlets.Unicode().tag(sync=True)
    spending = traitlets.Unicode().tag(sync=True)
    vote = traitlets.Unicode().tag(sync=True)
    words = traitlets.Unicode().tag(sync=True)
    code = traitlets.Unicode().tag(sync=True)
    colours = traitlets.List(traitlets.Unicode()).tag(sync=True)  # of the policies' check boxes

    def still(self) -> str:
        """The areas as HTML that needs no kernel and no script, for exported pages."""
        css = (STATIC / "explorer.css").read_text(encoding="utf-8")
        areas = {name: f'<div class="dl-area">{getattr(self, name)}</div>' for name in AREAS}
        grid = "".join(areas[name] for name in ("curves", "spending", "vote", "words"))
        return (
            f'<style>{css}</style><div class="dynlab dl-still"><div class="dl-views">'
            f"{areas['savings']}"
            f'<div class="dl-panels">{grid}</div></div></div>'
        )
