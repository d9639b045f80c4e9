"""The project as a whole: its layers, sizes and signatures, its docstrings, what a wheel holds."""

from __future__ import annotations

import ast
import doctest
import importlib
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from helpers.made_up_pool import DATA, made_up_pool

from dynlab.recordings.recording import load

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "dynlab"
RECIPE = ROOT / "data" / "models" / "recipe"
FILES = sorted([*PACKAGE.rglob("*.py"), *RECIPE.glob("*.py")])
PACKAGES = sorted(
    path.parent.name for path in PACKAGE.glob("*/__init__.py") if path.parent.name != "_util"
)
NAMES = [str(path.relative_to(ROOT)) for path in FILES]
every_file = pytest.mark.parametrize("path", FILES, ids=NAMES)


def module_name(path: Path) -> str:
    """'dynlab.policies.ucb' of its file."""
    root = ROOT if path.is_relative_to(PACKAGE) else RECIPE.parent
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def statements(node):
    """All statements within a node of a syntax tree; its expressions, most of it, are left out."""
    for part in ("body", "orelse", "finalbody", "handlers", "cases"):
        for each in getattr(node, part, ()):
            yield each
            yield from statements(each)


def public_functions(path: Path):
    """The public functions and methods that a file defines, each as its node of the syntax tree."""
    for node in statements(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name[0] != "_":
            yield node


@pytest.mark.slow
def test_packages_import_downwards_only():
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert told.returncode == 0, told.stdout


@every_file
def test_modules_stay_small(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


@every_file
def test_public_functions_take_few_options(path):
    for function in public_functions(path):
        given = function.args
        names = [each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
        rest = given.kwarg and given.kwarg.annotation
        assert len({*names} - {"self", "cls"}) <= 10, function.name
        assert not (rest and ast.unparse(rest) == "Any"), function.name


@every_file
def test_examples_in_docstrings_are_true(path):
    if path.name in ("__main__.py", "execute.py"):
        pytest.skip("a program, not a library: importing it has no purpose")
    module = importlib.import_module(module_name(path))
    runner = doctest.DocTestRunner()
    for each in doctest.DocTestFinder().find(module, extraglobs={"np": np, "pd": pd}):
        if each.examples:  # most have none, and each run looks at all files anew
            runner.run(each)
    assert runner.failures == 0


@pytest.mark.parametrize("name", PACKAGES)
def test_packages_export_a_few_names(name):
    package = importlib.import_module(f"dynlab.{name}")
    least = 1 if name == "cli" else 3  # a program: all that is called is where it begins
    assert least <= len(package.__all__) <= 8
    assert all(hasattr(package, each) for each in package.__all__)
    assert package.__doc__


def test_only_models_import_litellm():
    importing = re.compile(r"^\s*(import|from) litellm", flags=re.M)
    found = {path.parent for path in FILES if importing.search(path.read_text(encoding="utf-8"))}
    assert found == {PACKAGE / "models"}


def test_the_package_does_not_know_its_recipe():
    importing = re.compile(r"^\s*(import|from) recipe", flags=re.M)
    inside = [path for path in FILES if path.is_relative_to(PACKAGE)]
    assert not [path for path in inside if importing.search(path.read_text(encoding="utf-8"))]


def test_tests_import_no_other_test():
    importing = re.compile(r"^\s*from \.*(test_|tests\b|conftest)", flags=re.M)
    for path in (*ROOT.glob("tests/**/*.py"), *RECIPE.glob("tests/*.py")):
        text = path.read_text(encoding="utf-8")
        if importing.search(text):  # it may stand in a text: a program that a test starts
            imports = [n for n in statements(ast.parse(text)) if isinstance(n, ast.ImportFrom)]
            assert not [n for n in imports if importing.match(f"from {n.module}")], path


@pytest.mark.slow
def test_the_shipped_pool_is_what_its_helper_makes():
    path = DATA / "made-up.parquet"
    assert path.stat().st_size < 300_000
    frame = load(path).frame
    for name, column in made_up_pool().items():
        assert frame[name].tolist() == column.tolist(), name


@pytest.mark.slow
def test_a_wheel_carries_what_the_package_reads(tmp_path):
    pytest.importorskip("hatchling", reason="building a wheel here needs hatchling")
    from hatchling.builders.wheel import WheelBuilder

    wheel = next(WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"]))
    packed = set(zipfile.ZipFile(wheel).namelist())
    shipped = {
        f"dynlab/_shipped/{path.relative_to(ROOT)}"
        for pattern in (
            "notebooks/0*.ipynb",
            "data/tasks/*.jsonl",
            "data/recordings/**/*.parquet",
            "data/models/*.*",
        )
        for path in ROOT.glob(pattern)
    }
    own = {
        str(path.relative_to(ROOT))
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert len(shipped) > 50 and shipped <= packed
    assert own <= packed
    assert not [name for name in packed if "recipe" in name or "10-small-reasoner" in name]
