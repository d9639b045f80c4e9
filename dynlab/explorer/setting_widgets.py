"""Widgets for the settings of an allocator, a vote or a stopping rule, derived from its dataclass.

A field's type and default say what may be set, the class's docstring says what it means. Its
metadata may hold `range` (low, high, step) or `choices`; a rule's `grid` are the values of the
setting that is swept.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from dataclasses import Field, dataclass, fields, replace
from html import escape
from typing import Any, cast

from dynlab.policies.base import Component, StoppingRule


@dataclass
class SettingGroup:
    """The settings of one component as widgets, by field, under a heading."""

    component: Component
    widgets: dict[str, Any]
    box: Any

    def made(self) -> Component:
        """The component as the widgets stand.

        Raises:
            InputError: A value cannot work.
        """
        values = {name: _plain(widget.value) for name, widget in self.widgets.items()}
        return cast(Component, replace(cast(Any, self.component), **values))


def setting_group(component: Component, heading: str) -> SettingGroup:
    """Widgets for a component's settings, standing where it has them."""
    import ipywidgets as w

    held = fields(cast(Any, component)) if component.parameters else ()
    shown = [each for each in held if each.name in component.parameters and _is_shown(each)]
    widgets = {each.name: _widget(component, each) for each in shown}
    box = w.VBox([w.HTML(f"<h5>{escape(heading)}</h5>"), *widgets.values()])
    box.add_class("dl-group")
    return SettingGroup(component, widgets, box)


def labelled(kind: Any, label: str, tip: str, settings: Mapping[str, Any]) -> Any:
    """A widget with its label; what it means is told on hover."""
    import ipywidgets as w

    return kind(
        description=f'<span title="{escape(tip)}">{escape(label)}</span>',
        description_allow_html=True,
        layout=w.Layout(width="310px", margin="1px 0"),
        style={"description_width": "92px"},
        **settings,
    )


def words_of(component: Component) -> dict[str, str]:
    """What each setting means, as the `Args` of the class's docstring say it.

    >>> from dynlab.policies.ucb import UCB
    >>> words_of(UCB())["exploration"]
    'c ≥ 0, without unit.'
    """
    text = inspect.getdoc(type(component)) or ""
    found = re.findall(r"(?m)^ {4}(\w+): (.*(?:\n {8}.*)*)", text.partition("Args:\n")[2])
    return {name: " ".join(words.split()) for name, words in found}


def _plain(value: Any) -> Any:
    """A number as it is read: 0.30000000000000004, three steps of a slider, is 0.3."""
    return round(value, 10) if isinstance(value, float) else value


def _is_shown(each: Field[Any]) -> bool:
    """A setting whose metadata says `range=None` is not for sliders."""
    return each.metadata.get("range", ()) is not None


def _widget(component: Component, each: Field[Any]) -> Any:
    import ipywidgets as w

    value = component.parameters[each.name]
    summary = (inspect.getdoc(type(component)) or "").split("\n\n")[0]
    tip = "\n".join(filter(None, (words_of(component).get(each.name), " ".join(summary.split()))))

    def made(kind: Any, settings: Mapping[str, Any] | None = None) -> Any:
        label = each.name.replace("_", " ")
        return labelled(kind, label, tip, {"value": value, **(settings or {})})

    if isinstance(component, StoppingRule) and each.name == component.swept:
        return made(w.SelectionSlider, {"options": _swept(component.grid, cast(float, value))})
    if isinstance(value, bool):
        return made(w.Checkbox)
    if isinstance(value, str):
        choices = each.metadata.get("choices")
        return made(w.Dropdown, {"options": list(choices)}) if choices else made(w.Text)
    whole = isinstance(value, int)
    if (span := each.metadata.get("range")) is None:
        return made(w.IntText if whole else w.FloatText)
    low, high, step = span
    # a value beyond the range is one that somebody asked for
    ends = {"min": min(low, value), "max": max(high, value), "step": step}
    return made(w.IntSlider if whole else w.FloatSlider, ends)


def _swept(grid: Iterable[float], value: float) -> list[tuple[str, float]]:
    """The values of a sweep from cautious to eager, and one beside them."""
    values = [type(value)(each) for each in grid]
    return [(f"{each:g}", each) for each in (*values, *[value][: value not in values])]
