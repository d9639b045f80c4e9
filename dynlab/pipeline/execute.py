"""`python -m dynlab.pipeline.execute IN OUT PARAMETERS`: one notebook by papermill, in a process
that can be ended.

It writes a line to stdout as each cell begins; what failed stands in the executed notebook.
"""

from __future__ import annotations

import json
import sys
from typing import Any

# Kernels are reached by files instead of TCP ports where the system can: no network is needed, no
# ports clash.
_SOCKETS = {} if sys.platform == "win32" else {"KernelManager": {"transport": "ipc"}}


def main(source: str, executed: str, parameters: str) -> int:
    """Executes the notebook `source` into `executed` with a JSON object of parameters; returns the
    exit code.
    """
    # jsonschema would build a grammar of URIs, most of papermill's start, for checks that no
    # notebook needs.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    import papermill
    from traitlets.config import Config

    def on_cell_start(cell: Any, cell_index: int) -> None:
        if cell.cell_type == "code":
            sys.stdout.write(f"{cell_index}\n")
            sys.stdout.flush()

    try:
        papermill.execute_notebook(
            source,
            executed,
            json.loads(parameters),
            kernel_name="python3",
            progress_bar=False,
            on_cell_start=on_cell_start,
            extra_arguments=["--log-level=ERROR"],
            config=Config(_SOCKETS),
        )
    except papermill.PapermillExecutionError:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
