"""Files of samples that other tools write, a module each, by the name of their format.

Each module has a `FORMAT`: how such a file is recognised, and how it is read. The shapes are those
that the tools themselves write, as their sources say. A new one is a module and a line here.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from dynlab._util.errors import InputError, one_of
from dynlab.recordings.formats.base import Format, names_in

_MODULES = {
    "autotts": "autotts",
    "boinf": "boinf",
    "branchpilot": "branchpilot",
    "evalscope": "evalscope",
    "inspect": "inspect_logs",
    "lighteval": "lighteval",
    "lm-eval": "lm_eval",
    "openai-batch": "openai_batch",
    "samples": "plain_samples",
}
NAMES = tuple(_MODULES)


def format_named(name: str) -> Format:
    """The format of a name.

    Raises:
        InputError: There is none.
    """
    if name not in _MODULES:
        raise one_of("format of samples", name, NAMES)
    module = import_module(f"{__name__}.{_MODULES[name]}")
    found: Format = module.FORMAT
    return found


def guessed(path: Path) -> str:
    """The name of the format that a file has, told by the names that stand in it.

    Raises:
        OSError: It cannot be read.
        InputError: It has none of them.
    """
    held = names_in(path)
    fitting = {
        name: max(len(sign) for sign in signs)
        for name in NAMES
        if (signs := [sign for sign in format_named(name).signs if sign <= held])
    }
    if not fitting:
        raise InputError(
            f"cannot tell which tool wrote {path}: give --from, one of {', '.join(NAMES)}"
        )
    return max(fitting, key=lambda name: fitting[name])
