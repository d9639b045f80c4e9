"""Recorded samples: Parquet files, arrays [Q, N], logs of other tools, public pools.

May import `_util` and `tasks`. Loaded when first used: a list of recordings needs no pandas.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOMES = {
    "SCHEMA": "schema",
    "Recording": "recording",
    "Streams": "streams",
    "digest": "recording",
    "load": "recording",
    "located": "recording",
    "streams_of": "streams",
    "write": "recording",
}
__all__ = ["SCHEMA", "Recording", "Streams", "digest", "load", "located", "streams_of", "write"]

if TYPE_CHECKING:
    from dynlab.recordings.recording import Recording, digest, load, located, write
    from dynlab.recordings.schema import SCHEMA
    from dynlab.recordings.streams import Streams, streams_of


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
