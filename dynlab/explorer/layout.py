"""How the explorer's parts are arranged: controls on the left, panels on the right."""

from __future__ import annotations

from typing import Any

from dynlab.explorer.controls import Controls


def laid_out(made: Controls, page: Any, save: Any, saved: Any) -> Any:
    """All parts in one box; they wrap where the page is narrow.

    Args:
        made: The controls.
        page: The panels, a `dynlab.explorer.page.Page`.
        save: The button that saves the setting.
        saved: Where it says what it wrote.
    """
    import ipywidgets as w

    def of(*names: str) -> list[Any]:
        return [made.widgets[name] for name in names]

    left = [
        *of("recording", "path", "strategy", "unit", "budget"),
        w.HTML("<h4>Policies</h4>"),
        _boxed(w.Box, list(made.policies.values()), "dl-ticks"),
        w.HTML("<h4>Their settings</h4>"),
        made.shown,
        w.HTML("<h4>Settings of all policies</h4>"),
        *of("warmup", "batch", "stopping", "replications", "seed"),
        w.HTML("<h4>One question</h4>"),
        *of("by", "question"),
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
