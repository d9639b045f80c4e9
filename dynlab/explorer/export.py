"""A setting of the explorer taken elsewhere: the calls behind it, and papermill's parameters."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from dynlab._util import shipped_files
from dynlab._util.errors import InputError
from dynlab._util.files import replacing
from dynlab._util.remote_files import is_address
from dynlab._util.table_files import is_file_name, stem_of
from dynlab.explorer.policy_choice import shared_settings
from dynlab.explorer.state import ControlValues


def code_of(setting: ControlValues, longest: float, *, is_named: bool = True) -> str:
    """Python that gives the tables behind a view: `curves` and `savings`.

    Args:
        setting: The setting.
        longest: The recording's mean samples per question.
        is_named: Whether the recording is a path or a name; else the code calls it `recording`.
    """
    source = json.dumps(setting.recording, ensure_ascii=False) if is_named else "recording"
    reference = shared_settings(setting.policies).reference
    optional = {
        "reference": (reference, "uniform"),
        "strategies": (setting.strategy, None),
        "unit": (setting.unit, ControlValues.unit),
        "replications": (setting.replications, ControlValues.replications),
        "seed": (setting.seed, ControlValues.seed),
    }
    arguments = [
        source,
        f"policies={_python(list(setting.policies))}",
        f"budgets={[_whole(budget) for budget in setting.budgets(longest)]}",
        *(f"{name}={_python(v)}" for name, (v, default) in optional.items() if v != default),
    ]
    lines = "".join(f"    {argument},\n" for argument in arguments)
    return (
        f"import dynlab\n\ncomparison = dynlab.compare(\n{lines})\n"
        f"curves = comparison.curves\nsavings = comparison.savings(at={_whole(setting.budget)})\n"
    )


def parameters_of(setting: ControlValues, longest: float) -> dict[str, Any]:
    """The setting as parameters of notebooks: of this explorer (07), and what others know of it.

    '' is no strategy in particular.
    """
    return {
        "recording": setting.recording,
        "policies": list(setting.policies),
        "budgets": [_whole(budget) for budget in setting.budgets(longest)],
        "budget": _whole(setting.budget),
        "units": [setting.unit],
        "unit": setting.unit,
        "strategy": setting.strategy or "",
        "replications": setting.replications,
        "seed": setting.seed,
    }


def save_parameters(setting: ControlValues, longest: float, folder: str | Path = ".") -> Path:
    """Writes the parameters as YAML that papermill takes by `-f`, and returns the absolute path.

    Raises:
        InputError: The recording is a file that is not there any more, or the folder cannot be
            written to.
    """
    values = parameters_of(setting, longest)
    file, of_file = Path(setting.recording), is_file_name(setting.recording)
    if of_file and not is_address(setting.recording):
        if not file.is_file():
            raise InputError(
                f"no file {file}: papermill could not find it either; write the recording to a file"
                " first"
            )
        values["recording"] = str(file.resolve())
    stem = re.sub(r"[^\w.-]+", "-", stem_of(file) if of_file else setting.recording)
    path = Path(folder).resolve() / f"explorer-{stem}.yaml"
    with replacing(path) as temporary:
        lines = [
            f"{name}: {json.dumps(value, ensure_ascii=False)}\n" for name, value in values.items()
        ]
        temporary.write_text("".join(lines), encoding="utf-8")
    return path


def takers(folder: str | Path = ".") -> list[Path]:
    """Notebooks that take the parameters: 07 as it lies in the folder, else as shipped, and 01."""
    shipped = shipped_files.named("notebooks", (".ipynb",))
    found = []
    for stem in ("07-explorer", "01-accuracy-vs-cost"):
        own = sorted(Path(folder).glob(f"{stem}*.ipynb"))
        found += [Path(own[0].name)] if own else [shipped[stem]] if stem in shipped else []
    return found


def _python(value: object) -> str:
    """A value as Python, strings in double quotes."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str | list) else repr(value)


def _whole(number: float) -> float:
    """A whole number as int: 8.0 → 8."""
    return int(number) if float(number).is_integer() else float(number)
