"""Parameters of notebooks: what they declare, and values from the command line or YAML files."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any

from dynlab._util.errors import InputError

# of a parameters cell: `seed: int = 0  # of the draws`
_LINE = re.compile(r"(\w+): (str|int|float|bool|list) = ")
_EXAMPLES = {"int": "3", "float": "0.5", "bool": "true", "list": "[2, 4, 8]", "str": "text"}
_FILES = (".yaml", ".yml", ".json")  # JSON is YAML, too


def declared(notebook: Mapping[str, Any]) -> dict[str, str]:
    """The parameters of a notebook (its JSON) by name, with the name of their type, in order."""
    return {found[1]: found[2] for line in _declaring(notebook) if (found := _LINE.match(line))}


def declared_in(path: Path) -> dict[str, str]:
    """The parameters of a notebook's file, as `declared`."""
    return declared(json.loads(path.read_text(encoding="utf-8")))


def defaults(notebook: Mapping[str, Any]) -> dict[str, Any]:
    """The defaults of a notebook's parameters, where they are plain Python values."""
    found = {}
    for line in _declaring(notebook):
        with suppress(SyntaxError, ValueError):  # of several lines, or computed
            found[line.partition(":")[0]] = ast.literal_eval(line.partition(" = ")[2].strip())
    return found


def _declaring(notebook: Mapping[str, Any]) -> list[str]:
    """The lines of the parameters cell that declare one."""
    cells = (cell for cell in notebook["cells"] if "parameters" in cell["metadata"].get("tags", []))
    lines = "".join("".join([*cell["source"], "\n"]) for cell in cells).splitlines()
    return [line for line in lines if _LINE.match(line)]


def read_parameters(path: str | Path) -> dict[str, Any]:
    """Names and values of one YAML file, as `papermill -f` takes it.

    Raises:
        InputError: There is no such file, or it does not hold a mapping.
    """
    yaml: Any = import_module("yaml")
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise InputError(
            f"cannot read parameters from {path} ({reason}); give a YAML file of `name: value`"
        ) from None
    if not isinstance(values, dict) or not all(isinstance(name, str) for name in values):
        raise InputError(
            f"{path} holds no parameters; give a YAML file with a line `name: value` for each"
        )
    return values


def read_sweep(folder: Path) -> dict[str, dict[str, Any]]:
    """The parameters of every YAML file of a folder, by the file's name without its ending.

    Raises:
        InputError: The folder holds none, two of the same name, or one that can't be read.
    """
    files = sorted(
        path for path in folder.iterdir() if path.suffix in _FILES and not path.name.startswith(".")
    )
    if not files:
        raise InputError(
            f"{folder} holds no parameter files; put a .yaml file in it for each setting"
        )
    names = [path.stem for path in files]
    for name in names:
        if names.count(name) > 1:
            raise InputError(
                f"{folder} holds two parameter files named {name!r}; rename one: each gets a folder"
            )
    return {path.stem: read_parameters(path) for path in files}


def fitted(name: str, value: Any, kind: str, default: Any = None) -> Any:
    """A value as the type that a notebook declares; text from a command line is read as that type.

    >>> fitted("seed", "3", "int"), fitted("budgets", "2,4.5", "list", default=[2, 4])
    (3, [2, 4.5])

    Raises:
        InputError: It is none, or holds what is no number where the default holds numbers alone.
    """
    found = _of_kind(name, value, kind)
    if kind == "list" and default and all(map(_is_number, default)):
        strange = [each for each in found if not _is_number(each)]
        if strange:
            raise InputError(
                f"parameter {name} must hold numbers, such as {_EXAMPLES[kind]}; not {strange[0]!r}"
            )
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _of_kind(name: str, value: Any, kind: str) -> Any:
    """A value as a type; errors as `fitted`."""
    if kind == "list" and isinstance(value, str) and not value.strip().startswith("["):
        return [_read(part) for part in value.split(",") if part.strip()]
    known = value if kind == "str" else _read(value) if isinstance(value, str) else value
    if kind == "float" and _is_number(known):
        return float(known)
    if kind == "str" and _is_number(known):
        return str(known)
    if type(known).__name__ != kind:
        if kind == "str" and name == "recording" and isinstance(known, list):
            return known  # several recordings, also as a list
        raise InputError(
            f"parameter {name} must be of type {kind}, such as {_EXAMPLES[kind]}; not {value!r}"
        )
    return known


def checked_names(given: Iterable[str], notebooks: Mapping[str, Iterable[str]]) -> None:
    """Refuses parameters that none of the notebooks has (name of a notebook → its parameters).

    Raises:
        InputError: It lists what each notebook has, what all have once.
    """
    known = dict.fromkeys(name for names in notebooks.values() for name in names)
    for name in given:
        if name in known:
            continue
        near = get_close_matches(name, known, n=2, cutoff=0.5)
        hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        common = [each for each in known if all(each in names for names in notebooks.values())]
        own = {
            stem: [each for each in names if each not in common]
            for stem, names in notebooks.items()
        }
        listed = [f"{stem}: {', '.join(names)}" for stem, names in own.items() if names]
        raise InputError(
            f"no notebook has a parameter {name!r}.{hint} All have: {', '.join(common)}"
            + (f". Besides, {'; '.join(listed)}" if listed else "")
        )


def _read(text: str) -> Any:
    """A word of the command line: a number if it is one, else as YAML reads it."""
    yaml: Any = import_module("yaml")
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text
