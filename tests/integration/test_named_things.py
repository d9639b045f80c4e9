"""What messages, docstrings, help and guides point to is there: names, commands, flags, extras."""

from __future__ import annotations

import ast
import importlib
import json
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest
from helpers.subparsers import subparsers

from dynlab.cli.parser import _parser

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
DOTTED = re.compile(r"(?<![\w/.\[-])dynlab((?:\.[A-Za-z_]\w*)+)")
COMMAND = re.compile(r"(`?)\bdynlab ([a-z]+)\b([^`;)#|\n]*)")
EXTRA = re.compile(r"\bdynlab\[([\w, -]+)\]")


@cache
def texts() -> dict[str, str]:
    """All that is said: the strings of the package, and pages as a whole, by file."""
    found = {}
    for path in sorted((ROOT / "dynlab").rglob("*.py")):
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        strings = (node.value for node in nodes if isinstance(node, ast.Constant))
        found[str(path)] = "\n".join(text for text in strings if isinstance(text, str))
    for path in sorted((ROOT / "notebooks").rglob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        found[str(path)] = "\n".join("".join(cell["source"]) for cell in cells)
    pages = [*ROOT.glob("*.md"), *(ROOT / "notebooks").rglob("*.md"), *ROOT.glob(".github/*.md")]
    return found | {str(path): path.read_text(encoding="utf-8") for path in sorted(pages)}


@cache
def exists(dotted: str) -> bool:
    """Whether '.plots.save' leads from `dynlab` to something, a data file of the package too."""
    found = importlib.import_module("dynlab")
    for name in dotted.strip(".").split("."):
        if hasattr(found, name):
            found = getattr(found, name)
        elif hasattr(found, "__path__") and importlib.util.find_spec(f"{found.__name__}.{name}"):
            found = importlib.import_module(f"{found.__name__}.{name}")
        elif name not in getattr(found, "__dataclass_fields__", ()):
            return any((ROOT / "dynlab").rglob(f"dynlab{dotted}"))
    return True


COMMANDS = subparsers(_parser())


def complaints(text: str) -> list[str]:
    """The commands and flags that a text names, and that are not there."""
    found = []
    for quoted, name, rest in COMMAND.findall(text):
        if name not in COMMANDS:
            found += [f"dynlab {name}"] if quoted else []  # else a sentence: dynlab comes without …
            continue
        parser = COMMANDS[name]
        if actions := subparsers(parser):
            action = rest.split()[0] if rest.split() else ""
            parser = actions.get(action, parser)
            if quoted and action and action not in actions:
                found.append(f"dynlab {name} {action}")
        for flag in re.findall(r"(?<!\S)--[a-z][a-z-]*", rest):
            if flag not in parser._option_string_actions:
                found.append(f"dynlab {name} {flag}")
    return found


def test_every_name_leads_somewhere():
    named = {(path, name) for path, text in texts().items() for name in DOTTED.findall(text)}
    assert len(named) > 30 and not exists(".plot_curve_grids") and exists(".policies.ucb.UCB")
    assert sorted((path, f"dynlab{name}") for path, name in named if not exists(name)) == []


def test_every_command_and_flag_is_there():
    wrong = "Try `dynlab recordings mend x.parquet`, `dynlab lok`, or dynlab compare --budget 3."
    assert complaints(wrong) == [
        "dynlab recordings mend",
        "dynlab lok",
        "dynlab compare --budget",
    ]
    assert {path: found for path, text in texts().items() if (found := complaints(text))} == {}


def test_every_extra_can_be_installed():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {
        extra.strip()
        for text in texts().values()
        for listed in EXTRA.findall(text)
        for extra in listed.split(",")
    }
    assert len(named) >= 3 and named <= set(project["optional-dependencies"])
