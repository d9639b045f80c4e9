"""The page of samples in a headless Chromium, with a recording that tries to break out of it."""

from __future__ import annotations

from importlib.util import find_spec

import pandas as pd
import pytest
from helpers.browser import chromium, until

import dynlab

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(chromium() is None, reason="no chromium or chrome is installed"),
    pytest.mark.skipif(find_spec("websocket") is None, reason="websocket-client is not installed"),
]
EVIL = "</script><script>window.hacked=1</script><img src=x onerror='hacked=1'> \u2028 \x1b[31mred"
QUESTIONS = 120  # more than a page of the list
RIGHT = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4}  # question number mod 5 → right answers of four


def rows():
    for number in range(QUESTIONS):
        for strategy in ("parallel", "integrated"):
            for index in range(4):
                right = index < RIGHT[number % 5]
                yield {
                    "question_id": f"q{number:03}",
                    "question": {7: EVIL, 10: None}.get(number, f"What is {number}?"),
                    "strategy": strategy,
                    "sample_index": index,
                    "answer": "yes" if right else "" if number == 5 else EVIL,
                    "target": "yes",
                    "parents": [0, 1] if strategy == "integrated" and index > 1 else [],
                    "text": f"so {number}-{index} {'long ' * 20_000 if number == 8 else EVIL}",
                    "finish_reason": "length" if number == 9 else "stop",
                    "prompt_tokens": 10,
                    "completion_tokens": 5,
                    "mean_logprob": -0.5,
                }


@pytest.fixture(scope="module")
def page(tmp_path_factory, chrome):
    scratch = tmp_path_factory.mktemp("viewer")
    path = dynlab.browse(pd.DataFrame(rows())).write(scratch / "samples.html")
    with chrome.tab(path.as_uri()) as tab:
        until(lambda: tab.js("!!document.querySelector('.row')"), "the questions")
        yield tab


def texts(page, selector):
    return page.js(f"[...document.querySelectorAll({selector!r})].map((e) => e.textContent)")


def chip(page, label):
    """Presses the filter that begins with a label, and returns how many questions it names."""
    found = (
        f"[...document.querySelectorAll('.chip')].find((e) => e.textContent.startsWith({label!r}))"
    )
    page.js(f"{found}.click()")
    return int(page.js(f"{found}.querySelector('b').textContent"))


def ids(page):
    return texts(page, ".row .what b")


def test_questions_are_sorted_and_filtered_by_where_the_vote_stands(page):
    assert ids(page)[:2] == ["q000", "q005"] and len(ids(page)) == 50
    assert texts(page, ".pager span") == ["1–50 of 120"]
    page.js("document.querySelectorAll('.row')[2].click()")  # asked in no words
    assert texts(page, "h2") == ["q010"] and "null" not in page.js("document.body.innerText")
    for label, count, remainder in (
        ("right answer absent", 23, 0),  # q005 has no answer at all
        ("right answer present, behind", 24, 1),
        ("right answer tied", 24, 2),
        ("right answer leads", 48, 3),
    ):
        assert chip(page, label) == count
        assert int(ids(page)[0][1:]) % 5 == remainder
    assert chip(page, "no answer") == 1 and ids(page) == ["q005"]
    assert "no answer" in texts(page, ".standing b")
    assert chip(page, "all") == QUESTIONS


def test_the_keyboard_goes_through_questions_pages_and_back(page):
    page.js("document.querySelector('.rows').focus()")
    page.key("Home")
    chosen = "document.querySelector('.row[aria-selected=true] b').textContent"
    for _ in range(3):
        page.key("ArrowDown")
    assert page.js(chosen) == "q015" and texts(page, ".detail h2") == ["q015"]
    page.key("End")
    assert texts(page, ".pager span") == ["101–120 of 120"] and page.js(chosen) == "q119"
    page.key("Enter", "\r")
    assert page.js("document.activeElement.className") == "detail"
    page.key("Escape")
    assert page.js("document.activeElement.className") == "rows"
    page.key("/", "/")
    page.type("what is 33?")
    until(lambda: ids(page) == ["q033"], "the search")
    assert texts(page, ".row mark") == ["What is 33?"]
    page.js("document.activeElement.select()")
    page.type("LENGTH")  # a finish reason
    until(lambda: ids(page) == ["q009"], "the search")
    page.js("document.activeElement.select()")
    page.type("so 33-2 ")  # in a text
    until(lambda: ids(page) == ["q033"], "the search")
    assert page.js("[...document.querySelectorAll('.dot')].map((e) => e.matches('.found'))") == [
        *(False, False, True, False)
    ]
    page.key("Escape")
    until(lambda: len(ids(page)) == 50, "all questions again")


def test_texts_stand_behind_each_answer_and_are_not_run(page):
    page.js("document.querySelector('.rows').focus()")
    page.key("Home")
    page.js("document.getElementById('question-0').click()")
    assert texts(page, ".answer .number") == ["4 · 100 %"]
    page.js("document.querySelector('.answer button').click()")
    found = texts(page, ".behind pre")
    assert len(found) == 4 and "so 0-0 </script><script>window.hacked=1</script>" in found[0]
    assert "\u241b[31mred" in found[0]  # an escape that a terminal would obey is spelled out
    assert "10 + 5 tokens" in texts(page, ".behind .head")[0]
    assert "log-prob. \u22120.5" in texts(page, ".behind .head")[0]
    assert page.js("window.hacked === undefined && !document.querySelector('#viewer img')")


def test_a_chained_sample_tells_what_it_was_shown(page):
    page.js("document.querySelectorAll('.tab')[1].click()")  # strategies stand by name
    name = page.js("document.querySelector('.tab[aria-selected=true] b').textContent")
    assert name == "integrated" and texts(page, ".detail h2") == ["q000"]
    assert page.js("document.querySelectorAll('.dot.chained').length") == 2
    page.js("document.querySelectorAll('.dot')[3].click()")
    assert page.js("[...document.querySelectorAll('.dot.parent')].map((e) => e.title[1])") == [
        *"01"
    ]
    path = page.js("document.querySelector('.chosen-sample .path').textContent")
    assert path.startswith("path#0") and path.endswith("›#3")
    page.js("document.querySelector('.chosen-sample details').open = true")
    until(lambda: len(texts(page, ".attempt pre")) == 2, "what it was shown")
    assert texts(page, ".attempt pre")[1].startswith("so 0-1 ")
    page.js("document.querySelector('.chosen-sample .path button').click()")
    assert page.js("document.querySelector('.chosen-sample .head').textContent").startswith("#0")
    page.js("document.querySelectorAll('.tab')[0].click()")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_are_told_from_the_ground_in_both_themes(page, theme, tmp_path):
    scheme = {"name": "prefers-color-scheme", "value": theme}
    page.call("Emulation.setEmulatedMedia", features=[scheme])
    code = """(() => {
        const draw = document.createElement('canvas').getContext('2d');
        const light = (colour) => {
            draw.fillStyle = colour; draw.fillRect(0, 0, 1, 1);
            const part = (value) =>
                value <= 10 ? value / 3294.6 : ((value / 255 + .055) / 1.055) ** 2.4;
            const [red, green, blue] = [...draw.getImageData(0, 0, 1, 1).data].map(part);
            return .2126 * red + .7152 * green + .0722 * blue;
        };
        const ground = light(getComputedStyle(document.body).backgroundColor);
        return [...document.querySelectorAll('h1, h2, .facts, .share, dt, dd, .number, .soft')]
            .map((e) => light(getComputedStyle(e).color))
            .map((ink) => (Math.max(ink, ground) + .05) / (Math.min(ink, ground) + .05));
    })()"""
    contrasts = page.js(code)
    assert len(contrasts) > 60 and min(contrasts) > 4.5
    dark = page.js("getComputedStyle(document.body).backgroundColor") == "rgb(21, 23, 26)"
    assert dark == (theme == "dark")
    page.shot(tmp_path / "viewer.png")
    assert (tmp_path / "viewer.png").stat().st_size > 20_000


def test_on_a_narrow_page_nothing_is_cut_off(page):
    screen = {"width": 380, "height": 700, "deviceScaleFactor": 1, "mobile": False}
    page.call("Emulation.setDeviceMetricsOverride", **screen)
    overflow = "document.documentElement.scrollWidth - innerWidth"
    page.js("document.getElementById('question-0').click()")
    assert page.js("document.querySelector('.rows').offsetParent === null")  # the question alone
    assert page.js(overflow) <= 0
    page.js("document.querySelector('.back').click()")
    assert page.js("document.querySelector('.detail').offsetParent === null")
    assert page.js(overflow) <= 0
    page.call("Emulation.clearDeviceMetricsOverride")


def test_the_console_holds_no_complaint(page):
    page.js("1")
    assert page.complaints == []
