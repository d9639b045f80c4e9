"""Public pools: many samples of strong models on hard questions, published by others, fetched by
name.

They are the answers behind "Best-of-∞" (BoInf, ICLR 2026): AIME 2024 and 2025, GPQA-Diamond and
MATH-500, 80 or more samples a question. A file counts only if its SHA-256 is the one in
`boinf.txt`; it is kept in the user's cache.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from dynlab._util.cache_folder import cache_folder
from dynlab._util.errors import InputError, one_of
from dynlab.recordings.formats import boinf

REPOSITORY = "jkomiyama/BoInf-code-publish"
COMMIT = "fbcb0970b0e235e9e5d8d7f5f1a6c81fe96d259c"
FOLDER = "boinf/jsonl"
LICENCE = "MIT (said in its README)"
URL = f"https://raw.githubusercontent.com/{REPOSITORY}/{COMMIT}/{FOLDER}"

_SPACES = re.compile(r"\\[,;:! ]|\\(?:displaystyle|quad)(?![a-z])|\s+")
_WRAPPED = re.compile(r"\\(?:text|mathrm|mathbf|textbf|boxed)\{([^{}]*)\}")
_LETTER = re.compile(r"\(([A-D])\).*|([A-D])")


@dataclass(frozen=True)
class Pool:
    """One published file."""

    dataset: str
    model: str
    file: str
    sha256: str
    num_bytes: int

    @property
    def name(self) -> str:
        """'aime2025--LIMO-v2'."""
        return f"{self.dataset}--{self.model}"

    @property
    def source(self) -> str:
        """Where it comes from: repository@commit:path."""
        return f"{REPOSITORY}@{COMMIT[:12]}:{FOLDER}/{self.file}"

    def describe(self) -> str:
        """What it is, whose and on what terms, to be read before it is downloaded."""
        return f"{self.name}: {self.num_bytes:,} bytes from {self.source}, licence {LICENCE}"


@cache
def pools() -> dict[str, Pool]:
    """The public pools by name, sorted."""
    found = []
    for line in Path(__file__).with_name("boinf.txt").read_text(encoding="utf-8").splitlines():
        sha256, num_bytes, file = line.split()
        if match := boinf.FILE.fullmatch(file):
            found.append(Pool(match[1], match[2], file, sha256, int(num_bytes)))
    return {pool.name: pool for pool in sorted(found, key=lambda pool: pool.name)}


def pool_named(name: str) -> Pool:
    """The public pool of a name.

    Raises:
        InputError: there is none.
    """
    if name not in pools():
        raise one_of("public pool", name, pools())
    return pools()[name]


def fetch(name: str, *, out: str | Path | None = None, mirror: str = URL) -> Path:
    """Downloads a public pool, unless it is in the cache, and writes it as a recording.

    Args:
        name: Such as 'aime2025--LIMO-v2'.
        out: The folder for NAME.parquet; None takes the user's cache ($DYNLAB_CACHE where it is
            set).
        mirror: Another place that serves the same files; their checksums stay.

    Raises:
        InputError: An unknown name, no network, a wrong checksum, or a folder that cannot be
            written to.
    """
    import pandas as pd

    from dynlab.recordings.recording import write

    pool = pool_named(name)
    if find_spec("pooch") is None:
        raise InputError("public pools are downloaded by pooch: pip install 'dynlab[public]'")
    home = cache_folder() / "public"
    rows = list(_samples(_downloaded(pool, home, mirror), pool))
    card = {
        "design": "fixed",
        "dataset": pool.dataset,
        "model": pool.model,
        "source": pool.source,
        "licence": LICENCE,
        "sha256": pool.sha256,
    }
    return write(pd.DataFrame(rows), card, Path(out or home) / f"{name}.parquet")


def normalised(answer: str | None, dataset: str) -> str:
    r"""An answer as published → a string that equal answers share; '' if there is none.

    AIME: what stands after the last '=', an integer without leading zeros. MATH-500: as its parser
    left it. GPQA: a letter; other answers as a hash, because they repeat question text that is not
    to be published.

    >>> normalised(r"m+n=\mathbf{073}", "aime2025"), normalised(r"\text{(B)}\ 4", "gpqa_diamond")
    ('73', 'B')
    """
    if not answer:
        return ""
    plain = _WRAPPED.sub(r"\1", _SPACES.sub("", answer)).strip(".$")
    if dataset == "gpqa_diamond":
        letter = _LETTER.fullmatch(plain)
        digest = hashlib.sha1(answer.encode(), usedforsecurity=False).hexdigest()
        return (letter[1] or letter[2]) if letter else f"other:{digest[:8]}"
    if dataset.startswith("aime"):
        plain = plain.rpartition("=")[2]
        return str(int(plain)) if re.fullmatch(r"[0-9]{1,40}", plain) else plain
    return plain


def _samples(path: Path, pool: Pool) -> Iterator[dict[str, Any]]:
    """A row a sample, with the answers that its data set tells apart."""
    for row in boinf.read(path):
        yield row | {
            "answer": normalised(row["answer"], pool.dataset),
            "target": normalised(row["target"], pool.dataset),
            "source": pool.source,
        }


def _downloaded(pool: Pool, home: Path, mirror: str) -> Path:
    """The published file in the cache, downloaded at first use, its checksum verified."""
    import logging

    import pooch
    from requests.exceptions import RequestException

    pooch.get_logger().setLevel(logging.ERROR)
    registry = {pool.file: f"sha256:{pool.sha256}"}
    storage = pooch.create(home, mirror.rstrip("/") + "/", registry=registry)
    try:
        return Path(storage.fetch(pool.file, downloader=pooch.HTTPDownloader(timeout=30)))
    except RequestException as error:
        reason = (
            f"{error.response.status_code} {error.response.reason}"
            if error.response is not None
            else type(error).__name__
        )
        raise InputError(
            f"cannot download {mirror.rstrip('/')}/{pool.file} ({reason}); check the network, or"
            " give another place that serves this file by --mirror URL"
        ) from None
    except ValueError:
        raise InputError(
            f"wrong checksum of {pool.file} from {mirror}: SHA-256 {pool.sha256} was expected;"
            " nothing was kept, try again or give another --mirror"
        ) from None
    except OSError as error:
        raise InputError(
            f"cannot keep {pool.file} in {home} ({error.strerror or error}); set DYNLAB_CACHE to a"
            " folder to write to"
        ) from None
