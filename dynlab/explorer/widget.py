"""The explorer in a notebook: controls, panels, and a thread that computes meanwhile.

What is computed is in `compute`, how it is drawn in the panels' modules; this one only passes on.
Errors show in the widget.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import replace
from html import escape
from pathlib import Path
from shlex import quote
from threading import RLock
from typing import Any, cast

import pandas as pd

from dynlab._util.errors import DynlabError, InputError, one_of
from dynlab.analysis.methods import ORACLE
from dynlab.analysis.options import checked_budgets
from dynlab.analysis.replays import Source
from dynlab.explorer.compute import Workbench
from dynlab.explorer.controls import Controls, controls, named
from dynlab.explorer.curve_panel import curves_panel
from dynlab.explorer.export import code_of, save_parameters, takers
from dynlab.explorer.fragments import coarse, code_html, question_html
from dynlab.explorer.layout import laid_out
from dynlab.explorer.questions import Asked, Growth, asked, growth
from dynlab.explorer.savings_cards import savings_html
from dynlab.explorer.spending_panel import spending_panel
from dynlab.explorer.state import Material, Setting, View
from dynlab.explorer.svg import paint
from dynlab.explorer.vote_panel import vote_panel
from dynlab.explorer.worker import CancelCheck, Latest
from dynlab.plots.style import LOOKS, look_of
from dynlab.recordings.recording import Recording, load, shipped

AREAS = ("curves", "savings", "spending", "vote", "words", "code")  # of the page, with numbers
STILL_S = 5.0  # waited for the numbers of the still picture at most


def explore(recording: Source | Iterable[Source] | None = None, **setting: Any) -> Explorer:
    """Sliders over budget policies on recordings, to be shown as the last value of a notebook's
    cell.

    Args:
        recording: A path, the name of a shipped recording, a DataFrame or a Recording; several make
            a choice beside those that come with dynlab, the first is shown.
        setting: Where the controls stand at first, by the names of `dynlab.explorer.state.Setting`:
            `allocators`, `budget`, `unit`, `exploration`, `uncertainty`, `warmup`, `batch`,
            `stopping`, `replications`, `seed`, `strategy`.

    Raises:
        InputError: An unknown setting, a recording that cannot be read, or ipywidgets is not
            installed.
    """
    known, given = _sources(recording)
    for name in setting:
        if name not in Setting.__dataclass_fields__:
            raise one_of("setting", name, Setting.__dataclass_fields__)
    setting["allocators"] = tuple(setting.get("allocators", Setting.allocators))
    for name in ("strategy", "warmup", "stopping"):  # a notebook's parameters have no None
        setting[name] = setting.get(name) or None
    first = Setting(known[0], **setting)
    options = first.options()  # names and numbers are refused here, in one line
    checked_budgets([first.budget], options)
    options.policy("ucb")
    for name in first.allocators:
        if name != ORACLE:
            replace(options, stopping=None).policy(name)
    return Explorer(known, first, Workbench(given))


def _sources(recording: Source | Iterable[Source] | None) -> tuple[list[str], dict[str, Recording]]:
    """Paths and names to choose from, and the recordings among them that have no file."""
    single = recording is None or isinstance(recording, str | Path | pd.DataFrame | Recording)
    sources: list[Any] = [recording] if single else list(cast("Iterable[Source]", recording))
    known, given = [], {}
    for source in sources:
        if isinstance(source, pd.DataFrame | Recording):
            made = load(source)
            known.append(made.source or made.name)
            if not made.source:
                if made.name in given:
                    raise InputError(
                        f"two recordings are named {made.name!r}, and a picker tells them by name;"
                        " rename one"
                    )
                given[made.name] = made
        elif source:
            known.append(str(source))
    known = list(dict.fromkeys([*known, *shipped()]))
    if not known:
        raise InputError(
            "dynlab comes without recordings here; give one: dynlab.explore('my.parquet')"
        )
    return known, given


class Explorer:
    """The widget; `view()` waits for its numbers, `error` is what it shows in red ('' = nothing).

    Args:
        sources: Recordings to choose from.
        setting: Where the controls stand at first.
        bench: What computes.
        answers: Setting and check → views, coarse ones first; by default `bench.views`.
    """

    def __init__(
        self,
        sources: Iterable[str],
        setting: Setting,
        bench: Workbench | None = None,
        answers: Callable[[Setting, CancelCheck], Iterator[View]] | None = None,
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
        self._asked: tuple[Material, list[Asked]] | None = None
        self._grown: tuple[Hashable, Growth] | None = None
        self._latest = Latest(answers or self._bench.views, self._show, self._fail)
        material = self._bench.material(setting.recording, setting.strategy)
        self._controls: Controls = controls(setting, self._sources)
        self._controls.fit(material)
        # an easy question shows little
        self.widgets["question"].value = 3 * material.streams.num_questions // 4
        colours = [paint(look_of(name).colour) for name in self._controls.allocators]
        self.page = Page(colours=colours)
        self._save = w.Button(
            description="Save as parameters", tooltip="YAML that papermill takes by -f", icon="save"
        )
        self._save.add_class("dl-save")
        self._saved = w.HTML()
        self.box = laid_out(self._controls, self.page, self._save, self._saved)
        for name, widget in self.widgets.items():
            acts = {"question": self._picked, "by": self._picked, "path": self._path}
            widget.observe(self._guarded(acts.get(name, self._changed)), "value")
        self._save.on_click(self._guarded(self._write))
        self._changed({})

    @property
    def widgets(self) -> dict[str, Any]:
        """All controls by name; check boxes of allocators by theirs."""
        return {**self._controls.widgets, **self._controls.allocators}

    @property
    def setting(self) -> Setting:
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
        self._latest.wait(STILL_S)
        said = (
            f"the explorer on {self.setting.recording}: open this notebook in JupyterLab to move"
            " its sliders"
        )
        still = f'{self.page.still()}<p class="dl-soft">{escape(said)}</p>'
        bundle = self.box._repr_mimebundle_(**kinds)
        return {**bundle, "text/html": still, "text/plain": said}

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
            self._controls.fit(material)
        finally:
            self._quiet = False
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
            self.widgets["recording"].options = named(self._sources)
            self.widgets["recording"].value = kept
            self._quiet = False
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
            self.page.code = code_html(code_of(view.setting, view.material.longest, named=is_named))
            if view.coarse:
                self._say(coarse(view) + " …", "dl-busy dl-coarse")
            else:
                self._say(_summary(view))

    def _draw_questions(self, view: View) -> None:
        if self._asked is None or self._asked[0] is not view.material:
            self._asked = (view.material, asked(view.material.recording, view.material.streams))
        told, by = self._asked[1], self.widgets["by"].value
        by = by if view.material.streams.has_target else "disagreement"
        order = view.material.order(by)
        place = min(self.widgets["question"].value, len(order) - 1)
        question = int(order[place])
        self.page.spending = spending_panel(view, order, told, place, by)
        key = (view.material.key, question, view.setting.seed)
        if self._grown is None or self._grown[0] != key:
            self._grown = (key, growth(view.material.streams, question, view.setting.seed))
        self.page.vote = vote_panel(view, self._grown[1], question)
        self.page.words = question_html(told[question], view, question)

    def _write(self, _: Any) -> None:
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
            if self._shown is None or self._shown.setting != self.setting:
                self._shown = None
                for area in AREAS:
                    setattr(self.page, area, "")
            self._say(self.error, "dl-error")

    def _say(self, words: str, style: str = "") -> None:
        role = "alert" if style == "dl-error" else "status"
        with self._drawing:
            self.page.status = (
                f'<div class="dl-status {style}" role="{role}"'
                f' data-moves="{self._moves}">{escape(words)}</div>'
            )


def _summary(view: View) -> str:
    """How much a view is from: '30 questions × 24 samples · 200 draw orders'."""
    name, _, threshold = (view.setting.stopping or "").partition(":")
    stops = f" · stopping: {LOOKS[name].label} {threshold}" if name else ""
    return (
        f"{view.material.streams.num_questions} questions × {view.material.longest:g} samples ·"
        f" {view.replications} draw orders{stops}"
    )
