"""Files named by an address: `hf://datasets/…`, `s3://…`, `https://…`, whatever fsspec knows.

A file of the hub lies in the hub's own cache, any other in the user's cache folder: it is fetched
again only where its place says that it is another one (size, date, entity tag). No message repeats
what may be secret in an address, its user or its query.
"""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from dynlab._util import hub
from dynlab._util.cache_folder import cache_folder
from dynlab._util.errors import InputError
from dynlab._util.extras import require
from dynlab._util.files import replacing

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+(?:::|://)", re.IGNORECASE)
_HUB = re.compile(r"hf://(datasets/)?([^/@]+/[^/@]+)(?:@([^/]+))?/(.+)")


def is_address(source: object) -> bool:
    """Whether a text is an address, not a path: is_address('s3://bucket/a.parquet') → True."""
    return isinstance(source, str) and _ADDRESS.match(source) is not None


def shown(address: str) -> str:
    """An address without what may be secret in it.

    >>> shown("https://me:pw@host/a.parquet?signature=1"), shown("s3://bucket/a.parquet")
    ('https://host/a.parquet', 's3://bucket/a.parquet')
    """
    return re.sub(r"//[^/@]*@", "//", address).partition("?")[0]


def fetched(address: str) -> Path:
    """The file of an address, on this machine.

    Raises:
        InputError: No such file, one that may not be read, a protocol that is not known or whose
            package is not installed.
    """
    if address.casefold().startswith("hf://"):
        return _of_hub(address)
    require("a file named by its address", "fsspec", extra="hub")
    import fsspec

    protocol = address.partition(":")[0]
    try:
        files, path = fsspec.core.url_to_fs(address)
        about = files.info(path)
        if about.get("type") == "directory":
            raise InputError(f"{shown(address)} is a folder: give one recording of it")
        place = _kept_at(address, about)
        if not place.is_file():
            with replacing(place) as temporary:
                files.get_file(path, str(temporary))
        return place
    except InputError:
        raise
    except ImportError as error:
        raise InputError(f"{protocol}:// needs {_lacking(protocol, error)}") from None
    except FileNotFoundError:
        raise InputError(
            f"no file {shown(address)}, or its server cannot be reached; give the address of a"
            " recording"
        ) from None
    except Exception as error:
        if protocol not in fsspec.available_protocols():
            raise InputError(
                f"fsspec knows no {protocol}://: give hf://, s3://, gs://, https:// or a path"
            ) from None
        # what it says may hold keys or signed addresses
        raise InputError(
            f"cannot read {shown(address)} ({type(error).__name__}): check the address, the network"
            " and the rights of this account"
        ) from None


def _of_hub(address: str) -> Path:
    """A file of a data set or of a model's repository."""
    named = _HUB.fullmatch(address)
    if named is None:
        raise InputError(
            f"{shown(address)} names no file of the hub: give hf://datasets/OWNER/NAME/FILE, or"
            " hf://datasets/OWNER/NAME@REVISION/FILE"
        )
    data_set, repo, revision, file = named.groups()
    kind: hub.Kind = "dataset" if data_set else "model"
    return hub.fetched(repo, file, kind=kind, revision=unquote(revision or hub.LATEST)).path


def _kept_at(address: str, about: dict[str, Any]) -> Path:
    """Where this version of a file is kept, under its own name."""
    version = json.dumps([address, about], sort_keys=True, default=str)
    folder = hashlib.blake2b(version.encode(), digest_size=8).hexdigest()
    name = PurePosixPath(urlsplit(shown(address)).path).name or "file"
    return cache_folder() / "remote" / folder / name


def _lacking(protocol: str, error: ImportError) -> str:
    """What to install for a protocol."""
    from fsspec.registry import known_implementations

    with suppress(KeyError):
        package = str(known_implementations[protocol]["class"]).partition(".")[0]
        if package != "fsspec":
            return f"{package}, which is not installed; run: pip install {package}"
    return f"a package that is not installed ({error})"
