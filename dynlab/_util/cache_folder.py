"""Where downloads are kept: weights of local models, public pools."""

from __future__ import annotations

import os
from pathlib import Path

from dynlab._util.errors import InputError


def cache_folder() -> Path:
    """The folder of downloads: $DYNLAB_CACHE, or the user's cache folder."""
    if given := os.environ.get("DYNLAB_CACHE"):
        return Path(given).expanduser()
    try:
        import platformdirs
    except ImportError:
        raise InputError(
            "models on this machine need platformdirs: pip install 'dynlab[local]'"
        ) from None
    return Path(platformdirs.user_cache_dir("dynlab", appauthor=False))
