"""Files of the Hugging Face hub: fetched once into the hub's own cache, at a named revision.

What is cached is found without a network; a revision that is a commit is not even asked for. The
hub, its cache and the token are those of every other tool of it: $HF_ENDPOINT, $HF_HUB_CACHE or
$HF_HOME, $HF_TOKEN or `hf auth login`, $HF_HUB_OFFLINE. No message repeats what the hub said, so
that none can hold a token or a signed address.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dynlab._util.errors import InputError
from dynlab._util.extras import require

LATEST = "main"
_COMMIT_LETTERS = 12  # of a commit, as messages show it

Kind = Literal["dataset", "model"]
_FOLDERS: dict[Kind, str] = {"dataset": "datasets/", "model": ""}  # of a repository's page
_WORDS: dict[Kind, str] = {"dataset": "data set", "model": "model"}


_CACHE_ONLY: ContextVar[bool] = ContextVar("cache_only", default=False)


@dataclass(frozen=True)
class HubFile:
    """A file of the hub on this machine, and the commit that it is of."""

    path: Path
    commit: str


def fetched(repo: str, file: str, *, kind: Kind, revision: str = LATEST) -> HubFile:
    """A file of a repository, from the cache or from the hub.

    Args:
        repo: 'OWNER/NAME'.
        file: Its path in the repository.
        kind: 'dataset' or 'model'.
        revision: A commit, a tag or a branch.

    Raises:
        InputError: huggingface_hub is not installed; there is no such repository, revision or file;
            it is gated; the hub cannot be reached and the file is not cached.
    """
    require("whatever comes from the hub", "huggingface_hub", extra="hub")
    from huggingface_hub import hf_hub_download

    with _told(repo, kind, revision, file):
        path = Path(
            hf_hub_download(
                repo,
                file,
                repo_type=kind,
                revision=revision,
                endpoint=_endpoint(),
                cache_dir=_cache(),
                local_files_only=_offline(),
            )
        )
    # …/snapshots/COMMIT/FILE
    return HubFile(path, path.parts[-1 - len(Path(file).parts)])


def listed(repo: str, *, revision: str = LATEST) -> list[str]:
    """The files of a data set; without a network, those of them that are cached.

    Raises:
        InputError: As `fetched`.
    """
    require("whatever comes from the hub", "huggingface_hub", extra="hub")
    from huggingface_hub import HfApi

    why = _unreachable(repo, "dataset")
    if not _offline():
        try:
            with _told(repo, "dataset", revision):
                about = HfApi(endpoint=_endpoint()).dataset_info(
                    repo, revision=revision, timeout=30
                )
                return sorted(one.rfilename for one in about.siblings or ())
        except _UnreachableError as error:
            why = error
    if cached := _cached(repo, revision):
        return cached
    raise why


class _UnreachableError(InputError):
    """The hub cannot be reached, or cannot answer now: what is cached will do."""


def _cached(repo: str, revision: str) -> list[str]:
    """The files of a data set that lie in the cache."""
    from huggingface_hub.constants import HF_HUB_CACHE

    home = Path(_cache() or HF_HUB_CACHE) / f"datasets--{repo.replace('/', '--')}"
    reference = home / "refs" / revision
    commit = reference.read_text(encoding="utf-8") if reference.is_file() else revision
    folder = home / "snapshots" / commit
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))


@contextmanager
def _told(repo: str, kind: Kind, revision: str, file: str = "") -> Iterator[None]:
    """Turns what huggingface_hub raises into one line that says what to do."""
    from huggingface_hub import errors

    # an outage is told below, in one line: the hub's client would tell each of its retries
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)

    page = f"{_endpoint()}/{_FOLDERS[kind]}{repo}"
    wanted = f"{file} of {repo}" if file else repo
    try:
        yield
    except errors.GatedRepoError:
        raise InputError(
            f"{repo} is gated: accept its terms at {page}, then set HF_TOKEN to a token of that"
            " account (or run `hf auth login`)"
        ) from None
    except errors.RepositoryNotFoundError:
        raise InputError(
            f"the hub has no {_WORDS[kind]} {repo!r} that you may read: check the name at {page};"
            " a private one needs HF_TOKEN"
        ) from None
    except errors.RevisionNotFoundError:
        raise InputError(
            f"{repo} has no revision {revision!r}: give a commit, a tag or a branch of {page}"
        ) from None
    except errors.LocalEntryNotFoundError as error:  # its parent is the next one
        if isinstance(error.__cause__, errors.HfHubHTTPError):
            raise _refused(error.__cause__.response.status_code, wanted) from None
        raise _unreachable(repo, kind, file) from None
    except errors.EntryNotFoundError:
        raise InputError(
            f"{repo} has no file {file!r} at revision {short(revision)}: its files are listed at"
            f" {page}/tree/{revision}"
        ) from None
    except errors.HFValidationError:
        raise InputError(f"{repo!r} names nothing on the hub: give OWNER/NAME") from None
    except errors.HfHubHTTPError as error:
        raise _refused(error.response.status_code, wanted) from None
    except Exception as error:
        raise _unreachable(repo, kind, file, type(error).__name__) from None


def _refused(status: int, wanted: str) -> InputError:
    """The error for an answer of the hub that says nothing more than its status."""
    if status in (401, 403):
        return InputError(
            f"the hub refuses {wanted} ({status}): HF_TOKEN is no token that may read it, or it has"
            " expired"
        )
    return _UnreachableError(f"the hub answers {status} for {wanted}: try again later")


def _unreachable(repo: str, kind: Kind, file: str = "", why: str = "") -> _UnreachableError:
    wanted = f"{file} of {repo}" if file else repo
    said = f" ({why})" if why else ""
    return _UnreachableError(
        f"cannot reach the hub at {_endpoint()}{said}, and {wanted} is not in its cache: run once"
        f" with a network, or copy {kind}s--{repo.replace('/', '--')} into HF_HUB_CACHE from a"
        " machine that has it"
    )


def short(revision: str) -> str:
    """A revision as messages show it: the first letters of a commit, a name whole."""
    return revision[:_COMMIT_LETTERS] if len(revision) == 40 else revision


def _endpoint() -> str:
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


def _cache() -> str | None:
    return os.environ.get("HF_HUB_CACHE") or None  # None: huggingface_hub's own


@contextmanager
def cache_only() -> Iterator[None]:
    """Within it nothing is fetched: what is not cached is an InputError."""
    token = _CACHE_ONLY.set(True)
    try:
        yield
    finally:
        _CACHE_ONLY.reset(token)


def _offline() -> bool:
    return _CACHE_ONLY.get() or os.environ.get("HF_HUB_OFFLINE", "").casefold() in (
        "1",
        "true",
        "yes",
        "on",
    )
