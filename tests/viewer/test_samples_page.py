"""The page as text: nothing of a recording is markup in it, and nothing but its script runs."""

import base64
import hashlib
import json
import re
from html import unescape

import pytest

import dynlab
from dynlab._util.errors import InputError
from dynlab.viewer.samples_page import SCRIPTS, STATIC, as_json

EVIL = "</script><script>window.hacked = 1</script><!-- \u2028 \x1b[31m \" ' & $data {{ x }}"


@pytest.fixture
def page(make_pool):
    frame = make_pool({"q1": "aab"}, text=EVIL, question=EVIL).replace({"b": EVIL})
    frame.attrs["name"] = EVIL
    return dynlab.browse(frame)


def test_what_a_model_wrote_is_no_markup(page, tmp_path):
    html = page.write(tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<script>window" not in html and html.count("</script>") == 2
    (data,) = re.findall(
        r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL
    )
    assert "<" not in data and "\u2028" not in data
    told = json.loads(data)
    assert told["strings"] == [EVIL] and told["name"] == EVIL
    assert told["strategies"][0]["answers"][0][1][0] == EVIL


def test_half_a_character_can_be_written():
    assert json.loads(as_json(["\ud800"]).encode()) == ["\ud800"]


def test_only_the_page_s_own_script_and_style_are_allowed(page):
    (policy,) = re.findall(r'Content-Security-Policy" content="(.*?)"', page.html)
    script = "".join((STATIC / name).read_text(encoding="utf-8") for name in SCRIPTS)
    style = (STATIC / "viewer.css").read_text(encoding="utf-8")
    for own, tag, start in (
        (script, "script", '<script type="module">'),
        (style, "style", "<style>"),
    ):
        digest = base64.b64encode(hashlib.sha256(own.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy and f"{start}{own}</{tag}>" in page.html
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy
    assert {*SCRIPTS} == {path.name for path in STATIC.glob("*.js")}
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|fetch", script
    )


def test_in_a_notebook_it_is_a_frame_of_its_own(page):
    bundle = page._repr_mimebundle_()
    assert bundle["text/plain"].startswith("SamplesPage of ")
    (frame,) = re.findall(r'<iframe [^<>]*srcdoc="([^"<>]*)"></iframe>', bundle["text/html"])
    assert unescape(frame) == page.html


def test_a_page_is_as_large_as_it_may_be(make_pool):
    frame = make_pool({f"q{n}": "ab" for n in range(20)})
    frame["text"] = [f"{n} " + '"word" \n' * 3000 for n in range(len(frame))]
    whole, small = (dynlab.browse(frame, max_mb=size).html for size in (24, 0.2))
    assert len(whole) > 800_000 and 180_000 < len(small) < 206_000
    for size in (0, -1, float("nan"), "big"):
        with pytest.raises(InputError, match="max_mb must be a number above 0"):
            dynlab.browse(frame, max_mb=size)
