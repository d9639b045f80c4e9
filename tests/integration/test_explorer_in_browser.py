"""Notebook 07 in JupyterLab and a headless Chromium, every control by the keyboard."""

from __future__ import annotations

import json
import re
import shutil
from importlib.util import find_spec

import numpy as np
import pandas as pd
import papermill.iorw
import pytest
from helpers.browser import chromium, in_jupyterlab, until

from dynlab.cli.explore import copy_of
from dynlab.recordings.recording import write

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(chromium() is None, reason="no chromium or chrome is installed"),
    pytest.mark.skipif(
        not all(map(find_spec, ("jupyterlab", "ipywidgets", "websocket"))),
        reason="jupyterlab is not installed",
    ),
]
EVIL = "<img src=x onerror=\"window.hacked=1\"><b>bold</b> 'quoted'"
WATCH = """(() => {
    window.seen = [];
    const panel = document.querySelector('svg.dl-panel').parentNode;
    const released = () => { window.released = performance.now(); };
    document.addEventListener('keyup', released, { capture: true, once: true });
    window.watch = new MutationObserver(() => {
        const coarse = panel.textContent.includes('coarse');
        const note = () => window.seen.push([performance.now() - window.released, coarse]);
        requestAnimationFrame(note);
    });
    window.watch.observe(panel, { childList: true, subtree: true });
})()"""
REDRAWN = """(area) => new Promise((done) => {
    let pressed;
    const press = () => { pressed = performance.now(); };
    document.addEventListener('keydown', press, { capture: true, once: true });
    const watch = new MutationObserver(() => {
        watch.disconnect();
        requestAnimationFrame(() => done(performance.now() - pressed));
    });
    watch.observe(document.querySelector(`.dl-area-${area}`), { childList: true, subtree: true });
})"""
WITHIN_S = 90  # however busy the machine is


class Notebook:
    """The explorer on a page."""

    def __init__(self, page, path):
        self.page, self.folder, self.moves = page, path.parent, 0
        self.cells = json.loads(path.read_text())["cells"]

    def command(self, name: str, **arguments):
        self.page.js(f"void window.jupyterapp.commands.execute({name!r}, {json.dumps(arguments)})")

    def seen(self) -> None:
        """Scrolls to the explorer: JupyterLab renders the cells that are in sight only."""
        (place,) = [n for n, cell in enumerate(self.cells) if cell["id"] == "explorer"]
        there = f"(() => {{const n = window.book.content; n.scrollToItem({place}, 'start');"
        until(
            lambda: self.page.js(there + "return !!document.querySelector('.dl-status')})()"),
            "the explorer",
            WITHIN_S,
            1,
        )

    def status(self) -> str:
        return self.page.js("document.querySelector('.dl-status')?.textContent || ''")

    def settled(self, fresh: bool = True) -> str:
        """What the explorer says when it is done: with the fine picture, or with an error.

        Args:
            fresh: Wait for what it says after the last `focus`.
        """
        old = f" || s.dataset.moves <= {self.moves}" if fresh else ""
        idle = "window.book.sessionContext.session.kernel.status === 'idle'"
        code = (
            "(() => {const s = document.querySelector('.dl-status');return s &&"
            f" !(s.classList.contains('dl-busy'){old}) && {idle} ? s.textContent : ''}})()"
        )
        said = [""]

        def twice() -> str:  # a last word that stays
            said.append(self.page.js(code))
            return said[-1] if said[-1] == said[-2] else ""

        return until(twice, "the last word", WITHIN_S)

    def focus(self, kind: str, label: str) -> None:
        """Puts the focus on the control of that label, and remembers how many moves were made."""
        self.moves = int(self.page.js("document.querySelector('.dl-status').dataset.moves"))
        named = {
            "slider": (
                "[...r.querySelectorAll('[role=slider]')].find(e => e.getAttribute('aria-label')"
                " === l)"
            ),
            "field": "[...r.querySelectorAll('label')].find(e => e.textContent === l)?.control",
            "box": (
                "[...r.querySelectorAll('label')].find(e => e.textContent ==="
                " l)?.querySelector('input')"
            ),
        }[kind]
        found = (
            f"(() => {{const r = document.querySelector('.dynlab'), l = {label!r}, e = {named};"
            " e?.focus();"
        )
        until(
            lambda: self.page.js(found + "return !!e && document.activeElement === e})()"),
            f"the {kind} {label!r}",
            20,
        )

    def labels(self, kind: str) -> list[str]:
        """The labels of all visible controls of a kind."""
        code = {
            "slider": (
                "[...r.querySelectorAll('[role=slider]')].filter(seen).map(e =>"
                " e.getAttribute('aria-label'))"
            ),
            "field": (
                "[...r.querySelectorAll('select,input:not([type=checkbox])')].filter(seen)"
                ".map(e => e.labels[0]?.textContent)"
            ),
            "box": (
                "[...r.querySelectorAll('input[type=checkbox]')].filter(seen).map(e =>"
                " e.labels[0]?.textContent)"
            ),
        }[kind]
        return self.page.js(
            "(() => {const r = document.querySelector('.dl-controls'), seen = e => e.offsetParent"
            f" !== null;return {code}}})()"
        )

    def curve(self) -> str:
        return self.page.js("document.querySelector('svg.dl-panel').outerHTML")


@pytest.fixture(scope="module")
def notebook(lab, chrome):
    """Notebook 07 on a made-up recording, with all its cells run."""
    folder = lab[0] / "explorer"
    folder.mkdir()
    rng = np.random.default_rng(0)
    rows = [
        {
            "question_id": f"q{q:02}",
            "question": EVIL,
            "sample_index": i,
            "answer": rng.choice(list("abc"), p=chances),
            "target": "a",
            "text": EVIL,
            "prompt_tokens": 30,
            "completion_tokens": int(rng.integers(2, 9)),
            "mean_logprob": -rng.exponential(0.2),
        }
        for q, chances in enumerate(rng.dirichlet((2, 1, 1), 30))
        for i in range(24)
    ]
    recording = write(pd.DataFrame(rows), {"design": "fixed"}, folder / "coins--tiny.parquet")
    path = copy_of(str(recording), folder)
    with in_jupyterlab(chrome, lab[1], f"explorer/{path.name}") as page:
        made = Notebook(page, path)
        page.js("window.jupyterapp.shell.activateById(window.book.id)")
        made.command("notebook:run-all-cells")
        made.seen()
        made.settled(fresh=False)
        yield made


def test_run_all_shows_the_explorer(notebook):
    assert notebook.status() == "30 questions × 24 samples · 200 draw orders"
    assert notebook.page.js("document.querySelectorAll('.dynlab svg.dl-panel').length") == 3
    assert re.fullmatch(
        r"−?\d+ %", notebook.page.js("document.querySelector('.dl-big').textContent")
    )


def test_every_control_has_a_label_that_a_screen_reader_says(notebook):
    assert set(notebook.labels("slider")) >= {
        "budget B",
        "exploration",
        "warm-up",
        "batch",
        "replications",
        "question",
    }
    assert set(notebook.labels("field")) == {
        "floor",  # of priced
        "recording",
        "or a file",
        "unit",
        "uncertainty",
        "stopping rule",
        "seed",
        "difficulty by",
    }
    assert {"uniform", "UCB", "priced", "hindsight oracle"} <= set(notebook.labels("box"))
    assert all(
        notebook.labels(kind) and None not in notebook.labels(kind)
        for kind in ("slider", "field", "box")
    )


def test_a_slider_moved_by_the_keyboard_changes_the_picture_soon(notebook, capsys):
    before = notebook.curve()
    notebook.focus("slider", "exploration")
    notebook.page.js(WATCH)
    notebook.page.key("ArrowRight")
    until(
        lambda: notebook.page.js("window.seen.some(each => !each[1])"), "the fine picture", WITHIN_S
    )
    seen = notebook.page.js("window.watch.disconnect(), window.seen")
    assert [coarse for _, coarse in seen] == [True, False] and notebook.curve() != before
    with capsys.disabled():
        print(
            f"\n[explorer: {seen[0][0]:.0f} ms from release to the coarse picture, {seen[1][0]:.0f}"
            " ms to the fine one]"
        )
    assert notebook.page.js("document.activeElement.getAttribute('aria-valuenow')") == "1.1"


@pytest.mark.parametrize(
    "name", ["exploration", "budget B", "warm-up", "batch", "question", "replications"]
)
def test_every_slider_goes_to_both_ends(notebook, name):
    for key, end in (("End", "aria-valuemax"), ("Home", "aria-valuemin")):
        notebook.focus("slider", name)
        notebook.page.key(key)
        there = (
            f"['aria-valuenow', {end!r}].map(e =>"
            " parseFloat(document.activeElement.getAttribute(e)))"
        )
        until(lambda there=there: len(set(notebook.page.js(there))) == 1, f"{name} at {key}")
        assert "draw orders" in notebook.settled(fresh=name != "question")
    assert "nan" not in notebook.page.js("document.querySelector('.dl-views').innerHTML").lower()


@pytest.mark.parametrize(
    "name", ["unit", "uncertainty", "stopping rule", "difficulty by", "recording"]
)
def test_every_picker_goes_to_both_ends(notebook, name):
    picked = "document.activeElement.selectedIndex"
    notebook.focus("field", name)
    first = notebook.page.js(picked)
    for key in ("End", "Home"):
        notebook.focus("field", name)
        notebook.page.key(key)
        wanted = (
            notebook.page.js("document.activeElement.options.length - 1") if key == "End" else 0
        )
        until(lambda wanted=wanted: notebook.page.js(picked) == wanted, f"{name} at {key}")
        said = notebook.settled(fresh=name != "difficulty by")
        assert "draw orders" in said or (name, key) == ("unit", "End")
        if (name, key) == ("unit", "End"):
            assert "budgets in usd need the column cost_usd" in said
            assert not notebook.page.js("document.querySelector('.dl-views svg, .dl-card')")
    assert first == 0


def test_every_policy_is_ticked_by_the_space_bar(notebook):
    for name in notebook.labels("box"):
        for _ in range(2):
            notebook.focus("box", name)
            before = notebook.page.js("document.activeElement.checked")
            notebook.page.key(" ", " ")
            until(
                lambda before=before: notebook.page.js("document.activeElement.checked") != before,
                f"{name} ticked",
            )
            assert "draw orders" in notebook.settled()


def test_a_click_on_a_saving_picks_its_policy_out(notebook):
    drawn = "[...document.querySelectorAll('.dl-area-curves g.dl-policy{}')]"
    names = drawn + ".map(e => e.dataset.policy)"
    strong, all_names = names.format(".dl-strong"), names.format("")
    assert set(notebook.page.js(strong)) == set(notebook.page.js(all_names))
    card = "document.querySelector('.dl-card[data-policy^=ucb]')"
    ucb = notebook.page.js(f"{card}.dataset.policy")
    for pressed in ("false", "true"):
        notebook.page.js(f"{card}.click()")
        assert notebook.page.js(f"{card}.getAttribute('aria-pressed')") == pressed
        assert (ucb in notebook.page.js(strong)) == (pressed == "true")
        notebook.focus("slider", "budget B")
        notebook.page.key("ArrowRight")
        notebook.settled()
        assert (ucb in notebook.page.js(strong)) == (pressed == "true")


def test_settings_of_a_policy_come_with_its_tick(notebook):
    assert "horizon" in notebook.labels("slider") and "num draws" not in notebook.labels("slider")
    for shown in (True, False):
        notebook.focus("box", "Thompson")
        notebook.page.key(" ", " ")
        until(
            lambda shown=shown: ("num draws" in notebook.labels("slider")) == shown,
            "the settings of Thompson",
            20,
        )
        assert "draw orders" in notebook.settled()


def test_an_invalid_recording_is_told_and_a_valid_one_shown(notebook):
    before = notebook.curve()
    other = notebook.folder / "other--tiny.parquet"
    shutil.copy(notebook.folder / "coins--tiny.parquet", other)
    for path, said in (("nowhere.parquet", "no file nowhere.parquet"), (other.name, "draw orders")):
        notebook.focus("field", "or a file")
        notebook.page.js("document.activeElement.select()")
        notebook.page.type(path)
        notebook.page.key("Enter", "\r")
        assert said in notebook.settled()
        red = notebook.page.js(
            "document.querySelector('.dl-status').classList.contains('dl-error')"
        )
        assert red == (path == "nowhere.parquet")
        if red:
            assert notebook.curve() == before  # the controls stand at what it shows
            assert (
                notebook.page.js("document.querySelector('.dl-status').getAttribute('role')")
                == "alert"
            )


def test_a_number_is_typed(notebook):
    notebook.focus("field", "seed")
    notebook.page.js("document.activeElement.select()")
    notebook.page.type("7")
    notebook.page.key("Enter", "\r")
    assert "draw orders" in notebook.settled()
    assert "seed=7" in notebook.page.js("document.querySelector('.dl-code').textContent")


def test_settings_are_taken_along(notebook):
    notebook.page.js(
        "[...document.querySelectorAll('.dl-controls button')].find(e =>"
        " e.textContent.includes('Save')).click()"
    )
    files = until(lambda: list(notebook.folder.glob("explorer-*.yaml")), "the parameters", 30)
    assert papermill.iorw.read_yaml_file(str(files[0]))["seed"] == 7
    until(
        lambda: (
            str(files[0]) in notebook.page.js("document.querySelector('.dl-controls').textContent")
        ),
        "the path",
        30,
    )
    notebook.page.js("document.querySelector('.dl-code details').open = true")
    notebook.focus("slider", "budget B")
    notebook.page.key("ArrowRight")
    notebook.settled()
    until(
        lambda: notebook.page.js("document.querySelector('.dl-code details').open"),
        "what was unfolded stays so",
        20,
    )
    origin = notebook.page.js("location.origin")
    allowed = ["clipboardReadWrite", "clipboardSanitizedWrite"]
    notebook.page.call("Browser.grantPermissions", origin=origin, permissions=allowed)
    notebook.page.js("document.querySelector('.dl-code button').click()")
    label = "document.querySelector('.dl-code button').textContent"
    until(lambda: notebook.page.js(label) == "Copied", "the button says so", 20)
    assert "dynlab.compare(" in notebook.page.js("navigator.clipboard.readText()")
    assert "dynlab.compare(" in notebook.page.js("String(getSelection())")


def test_model_text_is_shown_and_not_run(notebook):
    assert EVIL in notebook.page.js("document.querySelector('.dl-question').textContent")
    assert EVIL in notebook.page.js("document.querySelector('.dl-hit title').textContent")
    assert notebook.page.js(
        "window.hacked === undefined && !document.querySelector('.dl-question img')"
    )


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_words_and_lines_are_told_from_the_ground_in_both_themes(notebook, theme, tmp_path):
    notebook.command("apputils:change-theme", theme=f"JupyterLab {theme}")
    light = str(theme == "Light").lower()
    until(
        lambda: notebook.page.js(f"document.body.dataset.jpThemeLight === '{light}'"), "the theme"
    )
    until(
        lambda: notebook.page.js("!document.getElementById('jupyterlab-splash')"),
        "the page behind the splash",
    )
    notebook.seen()
    colours = notebook.page.js(
        "(() => {const found ="
        " [getComputedStyle(document.querySelector('.jp-Notebook')).backgroundColor];for (const e"
        " of document.querySelectorAll('.dl-panel text, .dl-who, .dl-status, .dl-range')){const s ="
        " getComputedStyle(e); found.push(e.matches('text') ? s.fill : s.color)} return found})()"
    )
    ground, *inks = map(luminance, colours)
    contrasts = [(max(ink, ground) + 0.05) / (min(ink, ground) + 0.05) for ink in inks]
    assert len(contrasts) > 20 and min(contrasts) > 2.0 and np.median(contrasts) > 4.5
    notebook.page.shot(tmp_path / "explorer.png")
    assert (tmp_path / "explorer.png").stat().st_size > 20_000


def luminance(colour: str) -> float:
    """Relative luminance (WCAG) of 'rgb(1, 2, 3)' or 'color(srgb .1 .2 .3)'."""
    parts = np.array(
        [float(part) for part in re.findall(r"[\d.]+", colour.replace("srgb", ""))[:3]]
    )
    parts = parts if colour.startswith("color(") else parts / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_the_console_holds_no_complaint(notebook):
    notebook.page.js("1")
    assert notebook.page.complaints == []


def redrawn_ms(notebook, slider: str, area: str, times: int = 15) -> float:
    """Milliseconds from a key on a slider to the changed picture of an area, the median."""
    took = []
    for _ in range(times):
        notebook.focus("slider", slider)
        notebook.page.js(f"void (window.redrawn = ({REDRAWN})({area!r}))")
        notebook.page.key("ArrowRight")
        took.append(notebook.page.js("window.redrawn"))
        notebook.settled(fresh=slider != "question")
    return float(np.median(took))


@pytest.mark.benchmarks
def test_a_replay_hardly_delays_the_picture_that_follows_a_slider(notebook, capsys):
    notebook.focus("field", "or a file")
    notebook.page.type("capitals--smollm2-135m")
    notebook.page.key("Enter", "\r")
    assert notebook.settled().startswith("120 questions × 64 samples")
    # another question is only drawn: what kernel, connection and page take by themselves
    drawn = redrawn_ms(notebook, "question", "vote")
    kept = redrawn_ms(notebook, "budget B", "curves")
    replayed = redrawn_ms(notebook, "exploration", "curves")
    with capsys.disabled():
        print(
            f"\n[explorer, key → picture, median of 15: question {drawn:.0f} ms; budget"
            f" {kept:.0f} ms, {kept / drawn:.1f} of that; exploration, replayed, {replayed:.0f} ms,"
            f" {replayed / drawn:.1f} of that]"
        )
    assert replayed < 7 * drawn
