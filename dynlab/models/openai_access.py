"""Address, key and trusted certificates for OpenAI's own client, by the environment and LiteLLM's
settings.
"""

from __future__ import annotations

import os
from functools import cache
from importlib import import_module
from ssl import SSLContext
from types import ModuleType

from dynlab._util.errors import InputError
from dynlab.models.llama_cpp import Endpoint


def base() -> str | None:
    """The address of a server other than OpenAI's own; None where none is set."""
    return os.environ.get("OPENAI_BASE_URL") or os.environ.get("OPENAI_API_BASE") or None


def key(litellm: ModuleType) -> str | None:
    """The key, from the environment or as LiteLLM was given it."""
    return os.environ.get("OPENAI_API_KEY") or litellm.openai_key or litellm.api_key or None


def require_key(endpoint: Endpoint, litellm: ModuleType) -> None:
    """Refuses to ask OpenAI itself without a key, which it would only turn down.

    Raises:
        InputError: It is OpenAI that would be asked, and there is no key.
    """
    if endpoint.api_key or endpoint.api_base or base() or key(litellm):
        return
    raise InputError(
        f"{endpoint.litellm_model} needs a key, and OPENAI_API_KEY is not set: set it, or"
        " OPENAI_BASE_URL to the address of a server of your own"
    )


def trusted() -> SSLContext:
    """What servers' certificates are checked by: the same as by default, read once."""
    return _trusted(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@cache  # each reading takes longer than a call to a model
def _trusted(file: str | None, folder: str | None) -> SSLContext:
    """What OpenAI's client, of httpx or its successor, trusts while the environment says these."""
    import openai

    bases = {base.__name__: base.__module__ for base in openai.DefaultAioHttpClient.__mro__}
    http = import_module(bases["AsyncClient"].partition(".")[0])
    context: SSLContext = http.create_ssl_context()
    return context
