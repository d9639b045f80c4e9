"""The explorer's controls: a labelled widget for every part of a setting, and back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from dynlab.analysis.methods import ORACLE
from dynlab.explorer.state import Material, Setting
from dynlab.plots.style import look_of, title
from dynlab.policies.registry import names, stopping_rule
from dynlab.policies.uncertainty import UNCERTAINTIES
from dynlab.recordings.streams import UNITS

_WARMUPS = [("own", 0), *((str(n), n) for n in range(1, 9))]
_BATCHES = (1, 2, 4, 8, 16, 32)
_REPLICATIONS = (20, 50, 100, 200, 400)
TIPS = {
    "recording": "The recorded samples that every policy is replayed on",
    "path": (
        "A .parquet, .csv or .jsonl file with question_id, sample_index, answer and, where known,"
        " target"
    ),
    "strategy": "How the recording's samples of a question were drawn",
    "unit": "What budgets count: a budget of B tokens is what B samples cost on average",
    "budget": "B, per question: samples, or what so many cost on average",
    "exploration": "c of UCB: index = u + c·√(ln t / n); n samples of the question, t of all",
    "uncertainty": (
        "u of UCB: top-share 1 − v1/n · entropy −Σ p·ln p / ln n · margin 1 − (v1 − v2)/n ·"
        " posterior 1 − P"
    ),
    "warmup": (
        "Samples that every question gets first, round robin (own: as the policy's paper has it,"
        " mostly 2)"
    ),
    "batch": "Pulls decided at once; in a round each pick raises n and t, votes stay as they were",
    "stopping": "When a question has enough: its samples end, and what is left goes to the others",
    "threshold": "Where the rule stops; eager ones stand on the right",
    "replications": "Draw orders that are averaged over; the first picture takes 20",
    "seed": "Of draw orders, ties and resamples",
    "by": (
        "Difficulty: 1 − share of right samples, or 1 − share of the leading answer; over all"
        " samples"
    ),
    "question": "The question whose vote is shown: its place from easy to hard",
}


@dataclass
class Controls:
    """The widgets by name; allocators are check boxes."""

    widgets: dict[str, Any]
    allocators: dict[str, Any]

    def setting(self) -> Setting:
        """Where the controls stand."""
        value = {name: widget.value for name, widget in self.widgets.items()}
        rule = value["stopping"]
        ticked = tuple(name for name, box in self.allocators.items() if box.value)
        return Setting(
            value["recording"],
            value["strategy"],
            ticked,
            value["unit"],
            value["budget"],
            value["exploration"],
            value["uncertainty"],
            value["warmup"] or None,
            value["batch"],
            ruled(rule, value["threshold"]) if rule else None,
            value["replications"],
            value["seed"],
        )

    def fit(self, material: Material) -> None:
        """Choices and ranges that depend on the recording or on other controls; values beyond them
        go to the end.
        """
        w = self.widgets
        if tuple(w["strategy"].options) != material.strategies:
            w["strategy"].options = material.strategies
        w["strategy"].value = material.streams.strategy
        w["strategy"].layout.display = None if len(material.strategies) > 1 else "none"
        least = w["warmup"].value or 2
        _span(w["budget"], least, max(int(material.longest), least))
        _span(w["question"], 0, material.streams.num_questions - 1)
        rule, threshold = w["stopping"].value, w["threshold"]
        threshold.layout.display = None if rule else "none"
        if not rule:
            return
        swept = stopping_rule(rule)
        if [value for _, value in threshold.options][: len(swept.grid)] != [*swept.grid]:
            threshold.description = described("threshold", swept.swept)
            threshold.options = _thresholds(rule)
            threshold.value = swept.parameters[swept.swept]


def controls(setting: Setting, sources: Iterable[str]) -> Controls:
    """The controls, standing where the setting says."""
    import ipywidgets as w

    rule, _, threshold = (setting.stopping or "").partition(":")
    shown = rule or "adaptive-consistency"
    swept = stopping_rule(shown)
    default = float(swept.parameters[swept.swept])
    number = float(threshold) if threshold else default

    def made(kind: Any, name: str, label: str, **settings: Any) -> Any:
        layout = w.Layout(width="310px", margin="1px 0")
        style = {"description_width": "92px"}
        return kind(
            description=described(name, label),
            description_allow_html=True,
            layout=layout,
            style=style,
            **settings,
        )

    at = {"continuous_update": True}
    widgets = {
        "recording": made(
            w.Dropdown, "recording", "recording", options=named(sources), value=setting.recording
        ),
        "path": made(
            w.Text, "path", "or a file", placeholder="path, then Enter", continuous_update=False
        ),
        "strategy": made(w.Dropdown, "strategy", "strategy", options=[], value=None),
        "unit": made(w.Dropdown, "unit", "unit", options=UNITS, value=setting.unit),
        "budget": made(
            w.IntSlider, "budget", "budget B", min=1, max=1024, value=int(setting.budget), **at
        ),
        "exploration": made(
            w.FloatSlider,
            "exploration",
            "exploration c",
            min=0,
            max=4,
            step=0.1,
            value=setting.exploration,
            **at,
        ),
        "uncertainty": made(
            w.Dropdown,
            "uncertainty",
            "uncertainty u",
            options=list(UNCERTAINTIES),
            value=setting.uncertainty,
        ),
        "warmup": made(
            w.SelectionSlider,
            "warmup",
            "warm-up",
            options=_WARMUPS,
            value=setting.warmup or 0,
            **at,
        ),
        "batch": made(
            w.SelectionSlider,
            "batch",
            "batch",
            options=among(_BATCHES, setting.batch),
            value=setting.batch,
        ),
        "stopping": made(
            w.Dropdown,
            "stopping",
            "stopping rule",
            options=[("none", ""), *((look_of(n).label, n) for n in names("stopping rule"))],
            value=rule,
        ),
        "threshold": made(
            w.SelectionSlider,
            "threshold",
            swept.swept,
            options=_thresholds(shown, number),
            value=number,
            **at,
        ),
        "replications": made(
            w.SelectionSlider,
            "replications",
            "replications",
            options=among(_REPLICATIONS, setting.replications),
            value=setting.replications,
        ),
        "seed": made(w.BoundedIntText, "seed", "seed", min=0, max=2**31 - 1, value=setting.seed),
        "by": made(
            w.Dropdown,
            "by",
            "difficulty by",
            options=["accuracy", "disagreement"],
            value="accuracy",
        ),
        "question": made(w.IntSlider, "question", "question", min=0, max=0, value=0, **at),
    }
    order = dict.fromkeys(("uniform", "ucb", "priced", *names("allocator"), *names("vote"), ORACLE))
    boxes = {name: _box(w, name, name in setting.allocators) for name in order}
    return Controls(widgets, boxes)


def described(name: str, label: str) -> str:
    """A control's label; what it means, with its formula, is told on hover."""
    return f'<span title="{escape(TIPS[name])}">{label}</span>'


def named(sources: Iterable[str]) -> list[tuple[str, str]]:
    """Recordings as a picker shows them: a file by its stem, a shipped one by its title."""
    return [
        (title(Path(source).stem if Path(source).suffix else source), source) for source in sources
    ]


def among(values: Iterable[int], value: int) -> list[int]:
    """The values, with this one in its place: among((1, 4), 2) → [1, 2, 4]."""
    return sorted({*values, value})


def ruled(rule: str, threshold: float) -> str:
    """A stopping rule with its setting, unless that is its default: ('esc', 4) → 'esc:4', ('esc',
    5) → 'esc'.
    """
    swept = stopping_rule(rule)
    default = swept.parameters[swept.swept]
    return rule if threshold == default else f"{rule}:{threshold:g}"


def _span(slider: Any, low: int, high: int) -> None:
    """A slider's range; its value goes to the nearest end."""
    value = min(max(slider.value, low), high)
    slider.min, slider.max = min(slider.min, low), max(slider.max, high)  # wide enough for either
    slider.value = value
    slider.min, slider.max = low, high


def _thresholds(rule: str, *more: float) -> list[tuple[str, float]]:
    values = stopping_rule(rule).grid
    return [(f"{value:g}", value) for value in (*values, *(m for m in more if m not in values))]


def _box(w: Any, name: str, ticked: bool) -> Any:
    box = w.Checkbox(value=ticked, description=look_of(name).label, indent=False, tooltip=name)
    box.add_class(f"dl-of-{name}")
    return box
