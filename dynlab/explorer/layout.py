"""How the explorer's parts are arranged: controls on the left, panels on the right."""

from __future__ import annotations

from typing import Any

from dynlab.explorer.controls import Controls

_SOURCE = ("recording", "path", "strategy", "unit", "budget")
_QUESTION = ("by", "question")


def laid_out(made: Controls, page: Any, save: Any, saved: Any) -> Any:
    """All parts in one box; they wrap where the page is narrow.

    Args:
        made: The controls.
        page: The panels, a `dynlab.explorer.page.Page`.
        save: The button that saves the setting.
        saved: Where it says what it wrote.
    """
    import ipywidgets as w

    settings = [
        widget for name, widget in made.widgets.items() if name not in (*_SOURCE, *_QUESTION)
    ]
    left = [
        *(made.widgets[name] for name in _SOURCE),
        w.HTML("<h4>Policies</h4>"),
        _boxed(w.Box, list(made.allocators.values()), "dl-ticks"),
        w.HTML("<h4>Their settings</h4>"),
        *settings,
        w.HTML("<h4>One question</h4>"),
        *(made.widgets[name] for name in _QUESTION),
        w.HTML("<h4>Take it along</h4>"),
        save,
        saved,
    ]
    body = _boxed(w.Box, [_boxed(w.VBox, left, "dl-controls"), page], "dl-body")
    return _boxed(w.VBox, [body], "dynlab")


def _boxed(kind: Any, children: list[Any], style: str) -> Any:
    box = kind(children)
    box.add_class(style)
    return box
