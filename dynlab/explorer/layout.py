"""How the explorer's parts are arranged on the page, with their style sheet `explorer.css`."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from dynlab.explorer.controls import Controls
from dynlab.explorer.panels import folded, look_of
from dynlab.explorer.svg import paint

_NAME = (  # sliders have labels, but nothing that tells a screen reader whose they are
    "var r=this.closest('.dynlab'),f=function(){r.querySelectorAll('.widget-inline-hbox').forEach(function(w){"
    "var l=w.querySelector(':scope>label'),h=w.querySelector('[role=slider]');"
    "if(l&&h)h.setAttribute('aria-label',l.textContent)})};f();setTimeout(f,1000);r.addEventListener('focusin',f)"
)
_COPY = (
    "var c=this.parentNode.querySelector('code');getSelection().selectAllChildren(c);"
    "document.execCommand('copy');this.textContent='Copied'"
)


def laid_out(w: Any, made: Controls, shown: dict[str, Any], save: Any, saved: Any) -> Any:
    """Controls on the left, panels on the right; they wrap where the page is narrow."""
    css = Path(__file__).with_name("explorer.css").read_text(encoding="utf-8")
    css += "".join(
        f".dl-of-{name}{{--dl-of:{paint(look_of(name).colour)}}}" for name in made.allocators
    )
    ticks = _boxed(w.Box, list(made.allocators.values()), "dl-ticks")
    first, rest = ("recording", "path", "strategy", "unit", "budget"), ("by", "question")
    settings = [widget for name, widget in made.widgets.items() if name not in (*first, *rest)]
    head = {
        text: w.HTML(f"<h4>{text}</h4>")
        for text in ("Policies", "Their settings", "One question", "Take it along")
    }
    left = [
        *(made.widgets[name] for name in first),
        head["Policies"],
        ticks,
        head["Their settings"],
        *settings,
        head["One question"],
        *(made.widgets[name] for name in rest),
        head["Take it along"],
        save,
        saved,
    ]
    panes = _boxed(
        w.Box, [shown[name] for name in ("curves", "spending", "vote", "words")], "dl-panels"
    )
    right = _boxed(w.VBox, [shown["status"], shown["savings"], panes, shown["code"]], "dl-views")
    body = _boxed(w.Box, [_boxed(w.VBox, left, "dl-controls"), right], "dl-body")
    return _boxed(
        w.VBox, [w.HTML(f'<style onload="{escape(_NAME)}">{css}</style>'), body], "dynlab"
    )


def code_html(code: str) -> str:
    """Code to be read, and a button that copies it."""
    button = f'<button type="button" onclick="{escape(_COPY)}">Copy as code</button>'
    code = f"{button}<pre><code>{escape(code)}</code></pre>"
    return f'<div class="dl-code">{folded("code", "The calls behind this view", code)}</div>'


def _boxed(kind: Any, children: list[Any], style: str) -> Any:
    box = kind(children)
    box.add_class(style)
    return box
