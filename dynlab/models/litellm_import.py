"""LiteLLM, imported once somebody calls a model: that takes seconds."""

from __future__ import annotations

import gc
import logging
import os
import threading
from contextlib import suppress
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
    litellm.suppress_debug_info = True
    litellm.telemetry = False
    logging.getLogger("LiteLLM").setLevel(logging.ERROR)
    return litellm


def preload() -> None:
    """Imports LiteLLM in the background: it takes seconds, in which a local model can load."""

    def attempt() -> None:
        with suppress(InputError):  # told where it is needed
            imported()

    threading.Thread(target=attempt, daemon=True).start()
