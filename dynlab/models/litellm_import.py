"""LiteLLM, imported once somebody calls a model: that takes seconds."""

from __future__ import annotations

import gc
import logging
import os
import threading
import warnings
from contextlib import suppress
from functools import cache
from types import ModuleType

from dynlab._util.errors import InputError


def imported() -> ModuleType:
    """LiteLLM, silent and without a price list from elsewhere.

    Raises:
        InputError: It is not installed.
    """
    os.environ.setdefault(
        "LITELLM_LOCAL_MODEL_COST_MAP", "True"
    )  # else the import fetches a price list
    collecting = gc.isenabled()
    gc.disable()  # it would look through a million new objects again and again: a sixth of the time
    try:
        import litellm
    except ImportError:
        raise InputError("calling a model needs LiteLLM: pip install 'dynlab[live]'") from None
    finally:
        if collecting:
            gc.enable()
    _quieten()
    litellm.suppress_debug_info = True
    litellm.telemetry = False
    logging.getLogger("LiteLLM").setLevel(logging.ERROR)
    module: ModuleType = litellm
    return module


@cache
def _quieten() -> None:
    """Leaves out what pydantic says of answers in parts, which LiteLLM's types do not expect."""
    warnings.filterwarnings("ignore", "Pydantic serializer warnings", UserWarning)


def preload() -> None:
    """Imports LiteLLM in the background: it takes seconds, in which a local model can load."""

    def attempt() -> None:
        with suppress(InputError):  # told where it is needed
            imported()

    threading.Thread(target=attempt, daemon=True).start()
