"""Processes for runs that are killed or interrupted, forked from one that has imported all that
they need: LiteLLM takes seconds.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from pathlib import Path
from unittest import mock

from dynlab._util.errors import DynlabError

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["helpers.warm_model"])


def forked(call: Callable[..., object], *arguments: object, told: Path) -> BaseProcess:
    """A process that makes a call; an error of dynlab is told in a file, and its exit code is 1."""
    with mock.patch.dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, sys.path))):
        forkserver.ensure_running()  # it finds what it imports by the environment alone
    process = PROCESSES.Process(target=_made, args=(call, arguments, told), daemon=True)
    process.start()
    return process


def _made(call: Callable[..., object], arguments: tuple[object, ...], told: Path) -> None:
    assert "litellm" in sys.modules, "what runs are forked from has not imported LiteLLM"
    try:
        call(*arguments)
    except DynlabError as error:
        told.write_text(str(error))
        sys.exit(1)
