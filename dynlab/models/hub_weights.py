"""Weights of the Hugging Face hub by name, `local/hf:OWNER/REPO:FILE.gguf`, for this machine's
engines; `local/hf:OWNER/REPO@COMMIT:FILE.gguf` is one version of them for ever.

They lie in the hub's own cache, where other tools find them, too. A file that the hub keeps by its
SHA-256, as it does large ones, is checked by it.
"""

from __future__ import annotations

import re
from functools import cache

from dynlab._util.errors import InputError
from dynlab._util.hub import LATEST, HubFile, fetched
from dynlab.models.checksums import verify

PREFIX = "local/hf:"
_NAME = re.compile(r"local/hf:([^:@\s]+)(?:@([^:\s]+))?:(\S+\.gguf)", re.IGNORECASE)
_PART = re.compile(r"-\d{5}-of-(\d{5})\.gguf$", re.IGNORECASE)
_SHA256 = re.compile(r"[0-9a-f]{64}")


def is_of_hub(model: str) -> bool:
    """Whether a model's name means weights of the hub."""
    return model.startswith(PREFIX)


def origin(model: str) -> str:
    """Where the weights are from: 'OWNER/REPO@COMMIT/FILE.gguf'; errors as `hub_weights`."""
    repo, _, file = _parts(model)
    return f"{repo}@{hub_weights(model).commit}/{file}"


@cache  # a branch is asked once per process, so that all of a run is of one commit
def hub_weights(model: str) -> HubFile:
    """The GGUF file of a name.

    Raises:
        InputError: It is no such name, or one of several parts; huggingface_hub is not installed;
            the file cannot be had; its checksum is wrong.
    """
    repo, revision, file = _parts(model)
    if (part := _PART.search(file)) and int(part[1]) > 1:
        raise InputError(f"{file} is one of {int(part[1])} parts: give a model of one file")
    found = fetched(repo, file, kind="model", revision=revision)
    stored = found.path.resolve()  # large files are stored under their SHA-256
    if _SHA256.fullmatch(stored.name):
        verify(stored, stored.name, file)
    return found


def _parts(model: str) -> tuple[str, str, str]:
    """Repository, revision and file of a name."""
    match = _NAME.fullmatch(model)
    if match is None:
        raise InputError(
            f"{model!r} names no file of the hub: give {PREFIX}OWNER/REPO:FILE.gguf, with"
            " @COMMIT behind REPO for one version"
        )
    return match[1], match[2] or LATEST, match[3]
