"""A setting of the explorer taken elsewhere: the calls behind it, and papermill's parameters."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from dynlab._util import shipped_files
from dynlab._util.errors import InputError
from dynlab._util.files import replacing
from dynlab.analysis.options import Options
from dynlab.explorer.state import Setting

_DEFAULTS = Options()


def code_of(setting: Setting, longest: float, *, named: bool = True) -> str:
    """Python that gives the tables behind a view: `curves` and `savings`.

    Args:
        longest: The recording's mean samples per question.
        named: Whether the recording is a path or a name; else the code calls it `recording`.
    """
    source = json.dumps(setting.recording, ensure_ascii=False) if named else "recording"
    options = setting.options()
    given = [
        f"{name}={_python(getattr(options, name))}"
        for name in Options.__dataclass_fields__
        if getattr(options, name) != getattr(_DEFAULTS, name)
    ]
    budgets = [_whole(budget) for budget in setting.budgets(longest)]
    rivals = [name for name in setting.allocators if name not in ("uniform", "oracle")]
    compare = [f"allocators={_python(list(setting.allocators))}", f"budgets={budgets}", *given]
    savings = [f"allocators={_python(rivals)}", f"at=[{_whole(setting.budget)}]", *given]
    calls = [
        _call("curves", "compare", source, compare),
        _call("savings", "savings", source, savings),
    ]
    return "import dynlab\n\n" + "".join(calls)


def parameters_of(setting: Setting, longest: float) -> dict[str, Any]:
    """The setting as parameters of notebooks: of this explorer (07), and what others know of it.

    A warm-up of 0 is each policy's own; '' is no strategy or stopping rule in particular.
    """
    return {
        "recording": setting.recording,
        "strategy": setting.strategy or "",
        "allocators": list(setting.allocators),
        "budgets": [_whole(budget) for budget in setting.budgets(longest)],
        "budget": _whole(setting.budget),
        "units": [setting.unit],
        "unit": setting.unit,
        "exploration": setting.exploration,
        "uncertainty": setting.uncertainty,
        "warmup": setting.warmup or 0,
        "batch": setting.batch,
        "stopping": setting.stopping or "",
        "replications": setting.replications,
        "seed": setting.seed,
    }


def save_parameters(setting: Setting, longest: float, folder: str | Path = ".") -> Path:
    """Writes the parameters as YAML that papermill takes by `-f`, and returns the absolute path.

    Raises:
        InputError: The recording is a file that is not there any more, or the folder cannot be
            written to.
    """
    values = parameters_of(setting, longest)
    if (file := Path(setting.recording)).suffix:
        if not file.is_file():
            raise InputError(
                f"no file {file}: papermill could not find it either; write the recording to a file"
                " first"
            )
        values["recording"] = str(file.resolve())
    stem = re.sub(
        r"[^\w.-]+", "-", Path(setting.recording).stem if file.suffix else setting.recording
    )
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


def _call(name: str, function: str, source: str, arguments: list[str]) -> str:
    lines = "".join(f"    {argument},\n" for argument in (source, *arguments))
    return f"{name} = dynlab.{function}(\n{lines})\n"


def _python(value: object) -> str:
    """A value as Python, strings in double quotes."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str | list) else repr(value)


def _whole(number: float) -> float:
    """A whole number as int: 8.0 → 8."""
    return int(number) if float(number).is_integer() else float(number)
