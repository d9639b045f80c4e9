"""What each policy saves at equal accuracy, in large type."""

from __future__ import annotations

from html import escape

import pandas as pd

from dynlab.explorer.fragments import coarse
from dynlab.explorer.state import View
from dynlab.explorer.svg import paint
from dynlab.reports.wording import percent, plus


def savings_html(view: View) -> str:
    """Each policy's saving in large type with its interval, and what it gains at equal cost.

    A card is a button that picks its policy out, or no longer does.
    """
    unit, budget = view.setting.unit, view.setting.budget
    if view.saved.empty:
        return '<p class="dl-soft">Tick a policy beside uniform to see what it saves.</p>'
    cards = "".join(_card(row, view) for _, row in view.saved.iterrows())
    badge = f'<span class="dl-coarse">{coarse(view)}</span> ' if view.coarse else ""
    limits = "".join(
        f'<p class="dl-soft">{escape(note)}</p>' for note in view.comparison.limits(budget)
    )
    return (
        f'<p class="dl-lead">{badge}Saved in {unit} at the accuracy that uniform has with'
        f" B = {budget:g}, with paired 95 % intervals over questions</p>"
        f'<div class="dl-cards">{cards}</div>{limits}'
    )


def _card(row: pd.Series, view: View) -> str:
    name = str(row["allocator"])
    look = view.looks[name]
    gain = view.gained[name]
    saving, interval = _minus(percent((row["saving"], row["low"], row["high"]))).split(" [")
    interval, note = f"[{interval}", ""
    if not row["reached"]:
        note = "<br>that accuracy is not reached; at best this"
    if row["saving"] != row["saving"]:
        saving, interval = "n/a", ""
        note = "<br>cannot be told where the recording ends"
    elif row["flat"]:
        note = "<br>uniform gains less than 0.01 here: there is nothing to save"
    colour = f' style="color:{paint(look.colour)}"'
    strong = name in view.strong
    told = gain.value == gain.value  # not where all end at the same samples
    gained = f"{plus(gain.value)} [{plus(gain.low)}, {plus(gain.high)}]" if told else "n/a"
    return (
        f'<button type="button" class="dl-card dl-policy{" dl-strong" * strong}"'
        f' data-policy="{escape(name)}" aria-pressed="{str(strong).lower()}">'
        f'<span class="dl-who"{colour}>{escape(look.label)}</span>'
        f'<span class="dl-big"{"" if note else colour}>{saving}</span>'
        f'<span class="dl-range">{interval}</span>'
        f'<span class="dl-soft">at equal cost {_minus(gained)}{note}</span></button>'
    )


def _minus(numbers: str) -> str:
    """The hyphens of negative numbers as minus signs."""
    return numbers.replace("-", "−")
