"""Words that panels share, as HTML; whatever a model wrote is escaped."""

from __future__ import annotations

from html import escape

from dynlab.explorer.questions import QuestionSummary
from dynlab.explorer.state import View
from dynlab.explorer.svg import paint


def question_html(one: QuestionSummary, view: View, question: int) -> str:
    """The question in words: what was asked, its votes, its samples by policy, some responses."""
    votes = ", ".join(
        f"{f'<b>{escape(answer)}</b>' if answer else '<i>no answer</i>'}{' ✓' if right else ''}"
        f" {count}"
        for answer, count, right in one.votes[:8]
    )
    more = f" and {len(one.votes) - 8} more answers" if len(one.votes) > 8 else ""
    greedy = ""
    if one.greedy is not None:
        greedy = f" · greedy: <b>{escape(one.greedy) or '∅'}</b>"
    drawn = ", ".join(
        f'<span style="color:{paint(look.colour)}">{escape(look.label)}</span>'
        f" {view.samples[name][question]:.1f}"
        for name, look in view.looks.items()
    )
    texts = "".join(f"<pre>{escape(text.strip())}</pre>" for text in one.texts)
    said = folded("texts", f"{len(one.texts)} of its responses", texts) if one.texts else ""
    return (
        f'<div class="dl-question"><p><b>{escape(one.id)}</b> {escape(one.question)}</p>'
        f"<p>votes: {votes}{more}{greedy}</p>"
        f"<p>samples drawn of it at B, on average: {drawn}</p>{said}</div>"
    )


def code_html(code: str) -> str:
    """Code to be read, and a button that copies it."""
    button = '<button type="button" data-copy>Copy as code</button>'
    content = f"{button}<pre><code>{escape(code)}</code></pre>"
    return f'<div class="dl-code">{folded("code", "The calls behind this view", content)}</div>'


def folded(name: str, summary: str, content: str) -> str:
    """HTML to be unfolded; the page keeps by its name whether it is."""
    return f'<details data-fold="{name}"><summary>{summary}</summary>{content}</details>'


def coarse(view: View) -> str:
    """What a picture says that is from few replications: finer ones are on their way."""
    return f"coarse: {view.replications} of {view.setting.replications} draw orders"


def unit_name(unit: str) -> str:
    """A unit as axes name it: 'usd' → 'USD'."""
    return "USD" if unit == "usd" else unit


def cost_name(view: View) -> str:
    """What the axis of cost counts."""
    name = f"{unit_name(view.setting.unit)} per question"
    if view.setting.unit == "tokens":
        kind = view.material.streams.tokens_kind
        name += " (completion only)" if kind == "completion" else " (prompt + completion)"
    return name
