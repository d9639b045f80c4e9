"""Recorded samples: Parquet files, arrays [Q, N], logs of other tools, public pools.

May import `_util` and `tasks`.
"""

from dynlab.recordings.recording import Recording, digest, load, located, write
from dynlab.recordings.schema import SCHEMA
from dynlab.recordings.streams import Streams, streams_of

__all__ = ["SCHEMA", "Recording", "Streams", "digest", "load", "located", "streams_of", "write"]
