"""`python execute.py IN OUT PARAMETERS`: one notebook by papermill, in a process of its own.

It writes a line to stdout as each cell begins. What failed stands in the executed notebook.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any


def main(source: str, executed: str, parameters: str) -> int:
    """Executes the notebook `source` into `executed` with parameters (a JSON object).

    Returns:
        The exit code: 1 where a cell failed.
    """
    # jsonschema would build a grammar of URIs for checks that no notebook needs, and that takes
    # longer than all the rest of papermill's start
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    for remote in ("boto3", "pyarrow"):  # papermill's ways to other places: half of its start
        sys.modules.setdefault(remote, None)  # type: ignore[arg-type]
    import papermill
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from traitlets.config import Config

    class OwnKernelManager(AsyncKernelManager):
        """Starts this interpreter's kernel, whatever JUPYTER_PATH or the user call `python3`."""

        def __init__(self, **traits: Any) -> None:
            super().__init__(kernel_spec_manager=KernelSpecManager(kernel_dirs=[]), **traits)

    def on_cell_start(cell: Any, cell_index: int) -> None:
        if cell.cell_type == "code":
            sys.stdout.write(f"{cell_index}\n")
            sys.stdout.flush()

    # Kernels are reached by files where the system can: no network is needed, and no ports clash.
    # The files lie in a folder of this process; jupyter would put all of a folder's side by side.
    with TemporaryDirectory(prefix="dynlab-") as sockets:
        ipc = {"transport": "ipc", "ip": str(Path(sockets) / "kernel")}
        try:
            papermill.execute_notebook(
                source,
                executed,
                json.loads(parameters),
                kernel_name="python3",
                kernel_manager_class=OwnKernelManager,
                progress_bar=False,
                on_cell_start=on_cell_start,
                extra_arguments=["--log-level=ERROR"],
                config=Config({} if sys.platform == "win32" else {"KernelManager": ipc}),
            )
        except papermill.PapermillExecutionError:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
