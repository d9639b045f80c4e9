"""`dynlab new`: a notebook for an experiment of one's own, by hand or by papermill.

It is `templates/my-idea.ipynb` under a name of the user's.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from dynlab._util.errors import InputError
from dynlab.pipeline.inputs import located_all
from dynlab.plots.figure_files import write_bytes

_TEMPLATE = Path(__file__).with_name("templates") / "my-idea.ipynb"
_RECORDING = 'recording: str = ""'  # the line of the parameters cell that is filled in


def new_notebook(name: str | Path, recording: str = "") -> Path:
    """Writes NAME.ipynb: parameters, recordings, accuracy against cost, and the figure in words.

    Args:
        name: Of the notebook, or its path; figures are named after it.
        recording: The recordings that it draws by default: a name or a path, several with commas.

    Raises:
        InputError: The file is there already, the name can't be that of a file, or a recording is
            not there.
    """
    path = Path(name).with_suffix("") if str(name).endswith(".ipynb") else Path(name)
    if not re.fullmatch(r"[\w][\w.-]*", path.name):
        raise InputError(
            "the name of a notebook is letters, digits, '-' and '_', such as my-idea; not"
            f" {str(name)!r}"
        )
    path = path.with_name(f"{path.name}.ipynb")
    if path.exists():
        raise InputError(f"{path} is there already; give another name, or remove it first")
    if recording:
        located_all(recording)
    filled = _RECORDING.replace('""', json.dumps(recording, ensure_ascii=False))
    notebook = json.loads(_TEMPLATE.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        lines = (line.replace(_TEMPLATE.stem, path.stem) for line in cell["source"])
        cell["source"] = [line.replace(_RECORDING, filled) for line in lines]
    return write_bytes(path, (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode())
