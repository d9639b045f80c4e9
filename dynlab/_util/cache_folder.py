"""Where downloads are kept: weights of local models, public pools, files named by an address."""

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
            "the folder of downloads is found by platformdirs: pip install 'dynlab[local]', or set"
            " DYNLAB_CACHE"
        ) from None
    return Path(platformdirs.user_cache_dir("dynlab", appauthor=False))
