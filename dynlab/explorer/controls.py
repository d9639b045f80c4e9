"""The explorer's controls: a labelled widget for every part of a setting, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from dynlab._util.table_files import is_file_name, stem_of
from dynlab.analysis.methods import ORACLE
from dynlab.explorer.policy_choice import SharedSettings, looks_of, parts_of, shared_settings
from dynlab.explorer.setting_widgets import SettingGroup, labelled, setting_group
from dynlab.explorer.state import ControlValues, Material
from dynlab.plots.style import look_of, title
from dynlab.policies.base import StoppingRule
from dynlab.policies.registry import component_of, names
from dynlab.recordings.streams import UNITS

_FIRST = ("uniform", "ucb", "priced")  # of the check boxes
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
    "warmup": (
        "Samples that every question gets first, round robin (own: as the policy's paper has it,"
        " mostly 2)"
    ),
    "batch": "Pulls decided at once; in a round each pick raises n and t, votes stay as they were",
    "stopping": "When a question has enough: its samples end, and what is left goes to the others",
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
    """The widgets, and where they are shown.

    Args:
        widgets: By name, those of all policies.
        policies: Check boxes by the name of an allocator or vote, or by a policy's whole text.
        groups: The settings of allocators, votes and stopping rules by name, made when first used.
        shown: The box in which the groups in use are shown.
    """

    widgets: dict[str, Any]
    policies: dict[str, Any]
    groups: dict[str, SettingGroup]
    shown: Any

    @property
    def ticked(self) -> list[str]:
        """The names and texts of the chosen policies."""
        return [name for name, box in self.policies.items() if box.value]

    def setting(self) -> ControlValues:
        """Where the controls stand.

        Raises:
            InputError: a setting of a policy cannot work.
        """
        value = {name: widget.value for name, widget in self.widgets.items()}
        rule = self.groups[value["stopping"]].made() if value["stopping"] else None
        shared = SharedSettings(
            value["warmup"] or None, value["batch"], cast("StoppingRule | None", rule)
        )
        policies = tuple(
            shared.text(self.groups[name].made()) if name in self.groups else name
            for name in self.ticked
        )
        return ControlValues(
            value["recording"],
            policies,
            value["budget"],
            value["unit"],
            value["strategy"],
            value["replications"],
            value["seed"],
        )

    def fit(self, material: Material) -> list[Any]:
        """Choices and ranges that depend on the recording or on other controls.

        Values beyond them go to the end.

        Returns:
            Widgets that were made for it.
        """
        w = self.widgets
        if tuple(w["strategy"].options) != material.strategies:
            w["strategy"].options = material.strategies
        w["strategy"].value = material.streams.strategy
        w["strategy"].layout.display = None if len(material.strategies) > 1 else "none"
        least = w["warmup"].value or 2
        _span(w["budget"], least, max(int(material.longest), least))
        _span(w["question"], 0, material.streams.num_questions - 1)
        return self.regroup()

    def regroup(self) -> list[Any]:
        """Shows the settings of what is chosen, and returns the widgets made for it."""
        rule = self.widgets["stopping"].value
        used = [name for name in (*self.ticked, rule) if name in _known()]
        fresh = [name for name in used if name not in self.groups]
        for name in fresh:
            part = component_of(name, _known()[name])
            self.groups[name] = setting_group(part, look_of(name).label)
        boxes = tuple(self.groups[name].box for name in used if self.groups[name].widgets)
        if boxes != tuple(self.shown.children):
            self.shown.children = boxes
        return [widget for name in fresh for widget in self.groups[name].widgets.values()]


def controls(setting: ControlValues, sources: Iterable[str]) -> Controls:
    """The controls, standing where the setting says.

    Raises:
        InputError: an unknown policy, or one that cannot work.
    """
    import ipywidgets as w

    shared = shared_settings(setting.policies)
    parts, whole = parts_of(setting.policies, shared)
    rule = shared.stopping
    groups = {part.name: setting_group(part, look_of(part.name).label) for part in parts.values()}
    if rule is not None:
        groups[rule.name] = setting_group(rule, look_of(rule.name).label)

    def made(kind: Any, name: str, label: str, settings: Mapping[str, Any]) -> Any:
        return labelled(kind, label, TIPS[name], settings)

    rules = [("none", ""), *((look_of(name).label, name) for name in names("stopping rule"))]
    difficulty = ["accuracy", "disagreement"]
    recordings = recording_choices(sources)
    batches = among(_BATCHES, shared.batch)
    counts = among(_REPLICATIONS, setting.replications)
    warmup = shared.warmup or 0
    warmups = [*_WARMUPS, *[(str(warmup), warmup)][: warmup >= len(_WARMUPS)]]
    budget = {"min": 1, "max": 1024, "value": int(setting.budget)}
    given = {"value": setting.recording, "options": recordings}
    hint = {"placeholder": "path, then Enter", "continuous_update": False}
    stopping = "" if rule is None else rule.name
    seed = {"min": 0, "max": 2**31 - 1, "value": setting.seed}
    replications = {"options": counts, "value": setting.replications}
    widgets = {
        "recording": made(w.Dropdown, "recording", "recording", given),
        "path": made(w.Text, "path", "or a file", hint),
        "strategy": made(w.Dropdown, "strategy", "strategy", {"options": [], "value": None}),
        "unit": made(w.Dropdown, "unit", "unit", {"options": UNITS, "value": setting.unit}),
        "budget": made(w.IntSlider, "budget", "budget B", budget),
        "warmup": made(
            w.SelectionSlider, "warmup", "warm-up", {"options": warmups, "value": warmup}
        ),
        "batch": made(
            w.SelectionSlider, "batch", "batch", {"options": batches, "value": shared.batch}
        ),
        "stopping": made(
            w.Dropdown, "stopping", "stopping rule", {"options": rules, "value": stopping}
        ),
        "replications": made(w.SelectionSlider, "replications", "replications", replications),
        "seed": made(w.BoundedIntText, "seed", "seed", seed),
        "by": made(w.Dropdown, "by", "difficulty by", {"options": difficulty, "value": "accuracy"}),
        "question": made(w.IntSlider, "question", "question", {"min": 0, "max": 0, "value": 0}),
    }
    order = [*dict.fromkeys((*_FIRST, *names("allocator"), *names("vote"), ORACLE))]
    order += [text for text in setting.policies if text in whole]
    ticked = {ORACLE} & set(setting.policies) | set(parts) | whole
    looks = looks_of(order)
    boxes = {
        text: w.Checkbox(
            value=text in ticked, description=looks[text].label, indent=False, tooltip=text
        )
        for text in order
    }
    return Controls(widgets, boxes, groups, w.VBox([]))


def recording_choices(sources: Iterable[str]) -> list[tuple[str, str]]:
    """Recordings as a picker shows them: a file by its stem, a shipped one by its title."""
    return [
        (title(stem_of(Path(source)) if is_file_name(source) else source), source)
        for source in sources
    ]


def among(values: Iterable[int], value: int) -> list[int]:
    """The values, with this one in its place: among((1, 4), 2) → [1, 2, 4]."""
    return sorted({*values, value})


def _known() -> dict[str, tuple[str, ...]]:
    """Every part that can be chosen, and of which kind it is."""
    kinds = ("allocator", "vote", "stopping rule")
    return {name: (kind,) for kind in kinds for name in names(kind)}


def _span(slider: Any, low: int, high: int) -> None:
    """A slider's range; its value goes to the nearest end."""
    value = min(max(slider.value, low), high)
    # wide enough for either range, so that no value lies outside in between
    slider.min, slider.max = min(slider.min, low), max(slider.max, high)
    slider.value = value
    slider.min, slider.max = low, high
