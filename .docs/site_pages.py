"""Hooks of the site's build: they gather its pages from the project and write those of its code.

A page keeps its path in the project as its source, so links between pages are those that work
where files are shown, too.
"""

from __future__ import annotations

import argparse
import re
import sys
from html import unescape
from importlib import import_module
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

sys.path.insert(0, str(Path(__file__).parent))

import dead_links

import dynlab
from dynlab.cli.parser import _parser
from dynlab.pipeline.formulas import as_mathml
from dynlab.policies import registry

ROOT = Path(__file__).resolve().parents[1]
GUIDES = "notebooks/guides/"
OTHERS = (
    *(".github/CONTRIBUTING.md", "CHANGELOG.md", "data/models/dynlab-reasoner.md"),
    *("data/models/dynlab-untaught.md", "data/models/recipe/README.md"),
    "data/recordings/README.md",
)
PACKAGES = sorted(
    path.parent.name
    for path in ROOT.glob("dynlab/*/__init__.py")
    if path.parent.name not in ("_util", "cli")
)
SAMPLES = "samples/capitals--smollm2-135m.html"  # the samples of a recording, to look at
_LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)(?:#[^)\s]*)?\)")
_FORMULA = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.S)
_PICTURE = re.compile(r'<p><img alt="([^"]*)" src="([^"]*figures/([^"/]+))\.svg"\s*/?></p>')
_PARAMETERS = re.compile(r"```python\n(\w+: \w+ = .*?)\n```", re.S)


class Notebook(File):
    """A notebook as a page: its executed copy in Markdown."""

    def is_documentation_page(self) -> bool:
        """It is one, whatever its name ends with."""
        return True


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """The pages of the API, a package each, close the navigation."""
    pages = [{"dynlab": "api/index.md"}, *({name: f"api/{name}.md"} for name in PACKAGES)]
    config.nav[-1] = {"API": pages}
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Every page, and every file of the project that a page shows or links to."""
    pages = [path.relative_to(ROOT).as_posix() for path in ROOT.glob(f"{GUIDES}*.md")]
    for source in (*pages, *OTHERS):
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(_page(config, source, text))
    for copy in sorted(ROOT.glob("figures/notebooks/*.md")):
        text = copy.read_text(encoding="utf-8").replace("](../", "](../figures/")
        files.append(_page(config, f"notebooks/{copy.stem}.ipynb", text, Notebook))
    files.append(_page(config, "reference/commands.md", commands()))
    files.append(_page(config, "reference/policies.md", policies()))
    files.append(File.generated(config, SAMPLES, content=dynlab.browse(Path(SAMPLES).stem).html))
    for name in ("", *PACKAGES):
        files.append(_page(config, f"api/{name or 'index'}.md", interface(name)))
    for file in [*files.documentation_pages()]:
        for linked in _LINK.findall(file.content_string):
            target = (ROOT / file.src_uri).parent.joinpath(linked).resolve()
            for path in (target, target.with_suffix(".csv")):
                name = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else ""
                if name and path.is_file() and name not in files:
                    files.append(File(name, str(ROOT), config.site_dir, False))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """A notebook's parameters are folded."""

    def folded(found: re.Match[str]) -> str:
        lines = "\n".join(f"    {line}".rstrip() for line in found[0].splitlines())
        return f'??? abstract "Parameters"\n\n{lines}'

    return (
        _PARAMETERS.sub(folded, markdown, count=1) if isinstance(page.file, Notebook) else markdown
    )


def on_page_content(html: str, page: Page, **_: Any) -> str:
    """Formulas become MathML, pictures figures with their files, frames the site's tables."""
    if isinstance(page.file, Notebook):  # every other heading is "Reading the figure"
        for heading in page.toc:
            for part in heading.children:
                part.children.clear()

    def formula(found: re.Match[str]) -> str:
        return as_mathml(unescape(found[2]), "inline" if found[1] == "span" else "block")

    def figure(found: re.Match[str]) -> str:
        alt, path, name = found.groups()
        svg = f'<a href="{path}.svg"><img alt="{alt}" src="{path}.svg"></a>'
        kinds = [kind for kind in ("svg", "csv") if (ROOT / f"figures/{name}.{kind}").is_file()]
        links = " · ".join(f'<a href="{path}.{kind}">{kind.upper()}</a>' for kind in kinds)
        return f'<figure class="plot">{svg}<figcaption>{name} · {links}</figcaption></figure>'

    html = _PICTURE.sub(figure, _FORMULA.sub(formula, html))
    return re.sub(
        r'<table class="dataframe">(.*?)</table>',
        r'<div class="numbers"><table>\1</table></div>',
        html,
        flags=re.S,
    )


def on_post_build(config: MkDocsConfig) -> None:
    """The built pages are read once more: no dead link, nothing fetched from elsewhere."""
    dead_links.check(Path(config.site_dir))


def commands() -> str:
    """The page of all commands: what `--help` says of each."""
    parts = ["# Commands", f"```text\n{_parser().format_help().strip()}\n```"]
    for name, parser in _commands(_parser()):
        parts += [f"## dynlab {name}", f"```text\n{parser.format_help().strip()}\n```"]
    return "\n\n".join(parts)


def _commands(parser: argparse.ArgumentParser, words: str = "") -> list[tuple[str, Any]]:
    """Every command's words and its parser, those of groups in their place."""
    found = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, own in action.choices.items():
                inner = _commands(own, f"{words}{name} ")
                found += inner or [(f"{words}{name}", own)]
    return found


def policies() -> str:
    """The page of all policies: what each one's docstring says."""
    parts = ["# Every policy"]
    options = (
        "show_root_heading: false, show_root_toc_entry: false, show_bases: false, members: false"
    )
    for kind in ("allocator", "stopping rule", "vote"):
        parts.append(f"## {kind.capitalize()}s")
        for name in registry.names(kind):
            shown = type(registry.component_of(name, (kind,)))
            path = f"{shown.__module__}.{shown.__qualname__}"
            parts += [f"### `{name}`", f"::: {path}\n    options: {{{options}}}"]
    return "\n\n".join(parts)


def interface(name: str) -> str:
    """The page of a package's public names, of dynlab's own where it has no name."""
    module = import_module(f"dynlab.{name}" if name else "dynlab")
    said = re.sub(r"\s*May import .*?(\.\s|\Z)", "", module.__doc__ or "").strip()
    top = {each: getattr(dynlab, each) for each in dynlab.__all__ if each != "__version__"}
    verbs_first = sorted(top, key=lambda each: isinstance(top[each], type))
    shown = module.__all__ if name else verbs_first
    parts = [f"# {module.__name__}", said]
    for each in shown:
        if name and top.get(each) is getattr(module, each):
            parts.append(f"`{each}` is also [`dynlab.{each}`][dynlab.{each}].")
        else:
            parts.append(f"::: {module.__name__}.{each}")
    return "\n\n".join(parts)


def _page(config: MkDocsConfig, source: str, text: str, kind: type[File] = File) -> File:
    """A page by its path in the project; guides lie at the top of the site."""
    stem = source.removeprefix(GUIDES).removesuffix(".md").removesuffix(".ipynb")
    place = "guides/" + stem if source.startswith(GUIDES) and stem != "index" else stem
    place = place.replace(".github/CONTRIBUTING", "reference/contributing")
    place = place.replace("CHANGELOG", "reference/changes").replace("/README", "")
    shown = InclusionLevel.INCLUDED  # also what lies in .github
    file = kind(source, None, config.site_dir, False, dest_uri=f"{place}.html", inclusion=shown)
    file.content_string = text
    file.generated_by = "site_pages"
    return file
