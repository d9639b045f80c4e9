"""Links between pages, as they are read on their own and as the site has them."""

from __future__ import annotations

import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
import yaml
from helpers.documented_code import ROOT

PAGES = [
    *(ROOT / "README.md", ROOT / ".github" / "CONTRIBUTING.md"),
    *sorted((ROOT / "notebooks" / "guides").glob("*.md")),
    *sorted((ROOT / "data" / "models").rglob("*.md")),
    *sorted((ROOT / "figures" / "notebooks").glob("*.md")),
]
_LINK = re.compile(r"\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]+))?\)")
_CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.M | re.S)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as hosts of Markdown and the site make them."""
    headings = re.findall(r"^#+ +(.+)$", page.read_text(encoding="utf-8"), re.M)
    words = (re.sub(r"[^\w\s-]", "", heading.lower()).strip() for heading in headings)
    return {re.sub(r"\s+", "-", each) for each in words}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    text = _CODE.sub("", page.read_text(encoding="utf-8"))
    for target, anchor in _LINK.findall(text):
        file = (page.parent / target).resolve() if target else page
        assert file.is_file(), target
        assert not anchor or anchor in anchors(file), f"{target}#{anchor}"


@pytest.fixture(scope="module")
def on_the_site():
    """The files behind the pages of the site's navigation."""

    class Loader(yaml.SafeLoader):
        """Reads the tags of MkDocs as nothing."""

    Loader.add_multi_constructor("", lambda loader, tag, node: None)
    config = yaml.load((ROOT / ".docs" / "mkdocs.yml").read_text(encoding="utf-8"), Loader)
    return re.findall(r"'([^']+\.(?:md|ipynb))'", str(config["nav"]))


def test_every_guide_and_notebook_is_on_the_site(on_the_site):
    there = [*ROOT.glob("notebooks/guides/*.md"), *ROOT.glob("notebooks/*.ipynb")]
    shown = [name for name in on_the_site if name.startswith("notebooks/")]
    assert sorted(shown) == sorted(path.relative_to(ROOT).as_posix() for path in there)


def test_what_a_page_of_the_site_links_to_is_on_the_site(on_the_site):
    pages = [ROOT / name for name in on_the_site if (ROOT / name).suffix == ".md"]
    linked = {
        (page.parent / target).resolve()
        for page in pages
        if page.is_file()  # others are made with the site
        for target, _ in _LINK.findall(_CODE.sub("", page.read_text(encoding="utf-8")))
        if target.endswith(".md")
    }
    assert len(linked) > 10
    assert {path.relative_to(ROOT).as_posix() for path in linked} <= set(on_the_site)


@pytest.fixture(scope="module")
def dead_links():
    """The check of the built pages, which is no part of the package."""
    spec = spec_from_file_location("dead_links", ROOT / ".docs" / "dead_links.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_site_s_check_finds_what_is_wrong(tmp_path, dead_links):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "index.html").write_text('<h1 id="a">A</h1><a href="../index.html">x</a>')
    right = '<a href="sub/#a">x</a><a href="https://else.where/">x</a><a href="#">x</a>'
    wrong = {
        "sub/#b": '<a href="sub/#b">x</a>',
        "gone.svg": '<img src="gone.svg">',
        "https://else.where/x.js": '<script src="https://else.where/x.js"></script>',
    }
    (tmp_path / "index.html").write_text(right)
    assert dead_links.found(tmp_path) == []
    (tmp_path / "index.html").write_text(right + "".join(wrong.values()))
    assert [line.rpartition(": ")[2] for line in dead_links.found(tmp_path)] == [*wrong]
    with pytest.raises(SystemExit, match="no such anchor"):
        dead_links.check(tmp_path)
