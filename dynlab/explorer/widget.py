"""The explorer in a notebook: controls, panels, and a thread that computes meanwhile.

What is computed is in `compute`, how it is drawn in the panels' modules; this one only passes on.
Errors show in the widget.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from html import escape
from shlex import quote
from threading import RLock
from typing import Any

from dynlab._util.errors import DynlabError, InputError
from dynlab.explorer.compute import Workbench
from dynlab.explorer.controls import Controls, controls, recording_choices
from dynlab.explorer.curve_panel import curves_panel
from dynlab.explorer.export import code_of, save_parameters, takers
from dynlab.explorer.fragments import coarse, code_html, question_html
from dynlab.explorer.layout import laid_out
from dynlab.explorer.policy_choice import looks_of, shared_settings
from dynlab.explorer.questions import QuestionSummary, VoteGrowth, summaries_of, vote_growth
from dynlab.explorer.savings_cards import savings_html
from dynlab.explorer.spending_panel import spending_panel
from dynlab.explorer.state import ControlValues, Material, View
from dynlab.explorer.svg import paint
from dynlab.explorer.vote_panel import vote_panel
from dynlab.explorer.worker import CancelCheck, LatestWorker
from dynlab.reports.wording import count

_WITH_NUMBERS = ("curves", "savings", "spending", "vote", "words", "code")  # areas of the page
_FINE_S = 5  # that a still picture waits for fine numbers
_ANY_S = 60  # that it waits for any


class Explorer:
    """The widget; `view()` waits for its numbers, `error` is what it shows in red ('' = nothing).

    Args:
        sources: Recordings to choose from.
        setting: Where the controls stand at first.
        bench: What computes.
        answers: ControlValues and check → views, coarse ones first; by default `bench.views`.
    """

    def __init__(
        self,
        sources: Iterable[str],
        setting: ControlValues,
        bench: Workbench | None = None,
        answers: Callable[[ControlValues, CancelCheck], Iterator[View]] | None = None,
    ) -> None:
        try:
            import ipywidgets as w

            from dynlab.explorer.page import Page
        except ImportError as error:
            raise InputError(
                f"explore needs {error.name}; run: pip install 'dynlab[notebooks]'"
            ) from None
        self.error, self._moves = "", 0
        self._bench = bench or Workbench()
        self._sources, self._quiet, self._drawing = list(sources), False, RLock()
        self._shown: View | None = None
        self._questions: tuple[Material, list[QuestionSummary]] | None = None
        self._grown: tuple[Hashable, VoteGrowth] | None = None
        self._latest = LatestWorker(answers or self._bench.views, self._show, self._fail)
        material = self._bench.material(setting.recording, setting.strategy)
        self._controls: Controls = controls(setting, self._sources)
        self._controls.fit(material)
        # an easy question shows little
        self.widgets["question"].value = 3 * material.streams.num_questions // 4
        looks = looks_of(list(self._controls.policies))
        colours = [paint(look.colour) for look in looks.values()]
        self.page = Page(colours=colours)
        self._save = w.Button(
            description="Save as parameters", tooltip="YAML that papermill takes by -f", icon="save"
        )
        self._save.add_class("dl-save")
        self._saved = w.HTML()
        self.box = laid_out(self._controls, self.page, self._save, self._saved)
        acts = {"question": self._picked, "by": self._picked, "path": self._path}
        for name, widget in self._controls.widgets.items():
            widget.observe(self._guarded(acts.get(name, self._changed)), "value")
        groups = [each for own in self._controls.groups.values() for each in own.widgets.values()]
        self._observe([*self._controls.policies.values(), *groups])
        self._save.on_click(self._guarded(self._write))
        # Enter on a path that was tried before changes no value, yet the file may be there by now
        again = self._guarded(lambda _: self._path({"new": self.widgets["path"].value}))
        self.widgets["path"].on_msg(
            lambda _, content, __: again(content) if content.get("event") == "submit" else None
        )
        self._changed({})

    @property
    def widgets(self) -> dict[str, Any]:
        """All controls by name: check boxes by a policy's, its settings as 'ucb.exploration'."""
        made = self._controls
        settings = {
            f"{name}.{key}": widget
            for name, group in made.groups.items()
            for key, widget in group.widgets.items()
        }
        return {**made.widgets, **made.policies, **settings}

    @property
    def setting(self) -> ControlValues:
        """Where the controls stand."""
        return self._controls.setting()

    def view(self, timeout_s: float = 600) -> View:
        """The finest view of the setting, waited for.

        Raises:
            DynlabError: What the widget shows in red, or that it takes too long.
        """
        if not self._latest.wait(timeout_s):
            raise DynlabError(
                f"the view is not there after {timeout_s:g} s; choose fewer replications"
            )
        if self.error or self._shown is None:
            raise InputError(self.error or "nothing was shown yet")
        return self._shown

    def _repr_mimebundle_(self, **kinds: Any) -> Any:
        """The widget; beside it a still picture, for pages that have no kernel."""
        for second in range(_ANY_S):
            if self._latest.wait(1) or (self._shown is not None and second >= _FINE_S):
                break
        said = (
            f"the explorer on {self.setting.recording}: open this notebook in JupyterLab to move"
            " its sliders"
        )
        still = f'{self.page.still()}<p class="dl-soft">{escape(said)}</p>'
        bundle = self.box._repr_mimebundle_(**kinds)
        return {**bundle, "text/html": still, "text/plain": said}

    def _observe(self, widgets: Iterable[Any]) -> None:
        """A moved widget changes the view."""
        for widget in widgets:
            widget.observe(self._guarded(self._changed), "value")

    def _guarded(self, act: Callable[[Any], object]) -> Callable[[Any], None]:
        """A callback whose errors the reader sees."""

        def guarded(change: Any) -> None:
            if self._quiet:
                return
            self._moves += 1
            try:
                act(change)
            except Exception as error:
                self._latest.drop()
                self._fail(error)

        return guarded

    def _changed(self, change: Any) -> None:
        """A control was moved: the ranges of the others follow, and the view is asked for."""
        own = change.get("owner")
        value = self.widgets["recording"].value
        fresh = own is self.widgets["recording"]
        material = self._bench.material(value, None if fresh else self.widgets["strategy"].value)
        self._quiet = True
        try:
            made = self._controls.fit(material)
        finally:
            self._quiet = False
        self._observe(made)
        self._say("computing …", "dl-busy")
        self._latest.ask(self.setting)

    def _path(self, change: Any) -> None:
        """A path was typed: it joins the choice of recordings, if it is one."""
        path = change["new"].strip()
        if not path:
            return
        self._bench.material(path)
        if path not in self._sources:
            self._sources.append(path)
            self._quiet, kept = True, self.widgets["recording"].value
            self.widgets["recording"].options = recording_choices(self._sources)
            self.widgets["recording"].value = kept
            self._quiet = False
        if self.widgets["recording"].value == path:
            self._changed({})  # it is shown again, after an error or as the file is now
        self.widgets["recording"].value = path

    def _picked(self, change: Any) -> None:
        """Another question, or another order of them: nothing is computed anew."""
        with self._drawing:
            if self._shown is not None:
                self._draw_questions(self._shown)

    def _show(self, view: View) -> None:
        """Puts a view into the panels; called from the computing thread."""
        is_named = view.setting.recording not in self._bench.given
        with self._drawing, self.page.hold_sync():
            self._shown, self.error = view, ""
            self.page.curves = curves_panel(view)
            self.page.savings = savings_html(view)
            self._draw_questions(view)
            self.page.code = code_html(
                code_of(view.setting, view.material.longest, is_named=is_named)
            )
            if view.coarse:
                self._say(coarse(view) + " …", "dl-busy dl-coarse")
            else:
                self._say(_summary(view))

    def _draw_questions(self, view: View) -> None:
        material = view.material
        if self._questions is None or self._questions[0] is not material:
            self._questions = (material, summaries_of(material.recording, material.streams))
        told, by = self._questions[1], self.widgets["by"].value
        by = by if material.streams.has_target else "disagreement"
        order = material.order(by)
        place = min(self.widgets["question"].value, len(order) - 1)
        question = int(order[place])
        self.page.spending = spending_panel(view, order, told, place, by)
        key = (material.key, question, view.setting.seed)
        if self._grown is None or self._grown[0] != key:
            self._grown = (key, vote_growth(material.streams, question, view.setting.seed))
        self.page.vote = vote_panel(view, self._grown[1], question)
        self.page.words = question_html(told[question], view, question)

    def _write(self, _: Any) -> None:
        self._saved.value = ""  # what was written before is not this setting's
        setting = self.setting
        if setting.recording in self._bench.given:
            raise InputError(
                "this recording has no file, so papermill could not read it; write it to one first"
            )
        path = save_parameters(
            setting, self._bench.material(setting.recording, setting.strategy).longest
        )
        commands = "<br>".join(
            f"<code>papermill {escape(quote(str(notebook)))} out.ipynb"
            f" -f {escape(quote(path.name))}</code>"
            for notebook in takers()
        )
        self._saved.value = (
            f"<p>wrote <b>{escape(str(path))}</b>; run, in its folder:</p>{commands}"
        )

    def _fail(self, error: Exception) -> None:
        """Shows an error in one line: what dynlab says of wrong use, or what else was raised."""
        said = str(error) if isinstance(error, DynlabError) else f"{type(error).__name__}: {error}"
        self.error = said.splitlines()[0] if said else type(error).__name__
        with self._drawing, self.page.hold_sync():
            # numbers of another setting than the controls show would be taken for this one's
            if self._shown is None or not self._stands_at(self._shown.setting):
                self._shown = None
                for area in _WITH_NUMBERS:
                    setattr(self.page, area, "")
            self._say(self.error, "dl-error")

    def _stands_at(self, setting: ControlValues) -> bool:
        try:
            return self.setting == setting
        except InputError:
            return False

    def _say(self, words: str, style: str = "") -> None:
        role = "alert" if style == "dl-error" else "status"
        with self._drawing:
            self.page.status = (
                f'<div class="dl-status {style}" role="{role}"'
                f' data-moves="{self._moves}">{escape(words)}</div>'
            )


def _summary(view: View) -> str:
    """How much a view is from: '30 questions × 24 samples · 200 draw orders'."""
    rule = shared_settings(view.setting.policies).stopping
    stops = "" if rule is None else f" · stopping: {rule.text}"
    return (
        f"{count(view.material.streams.num_questions, 'question')} × {view.material.longest:g}"
        f" samples · {view.replications} draw orders{stops}"
    )
