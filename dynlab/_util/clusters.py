"""Clusters by their address: joblib's jobs run there instead of on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dynlab import __version__
from dynlab._util.errors import DynlabError, InputError
from dynlab._util.extras import require

CLUSTER_HELP = "a Dask scheduler (tcp://HOST:PORT) that replays instead of this machine"
_DASK = ("tcp://", "tls://", "ucx://", "ws://", "wss://", "inproc://")
_PATIENCE_S = 10  # for a scheduler, and for its first worker


@contextmanager
def on_cluster(address: str | None) -> Iterator[None]:
    """Jobs of the `with` block run on the cluster at an address; None leaves them where they are.

    Raises:
        InputError: No such kind of address, or a package that is not installed.
        DynlabError: Nobody answers there, it has no workers, or one has another dynlab.
    """
    if address is None:
        yield
    elif address.startswith(_DASK):
        with _dask(address):
            yield
    else:
        raise InputError(
            f"--cluster is {address!r}: give the address of a Dask scheduler, such as"
            " tcp://HOST:8786"
        )


@contextmanager
def _dask(address: str) -> Iterator[None]:
    require("--cluster", "distributed", extra="cluster")
    import distributed
    from joblib import parallel_config

    connect: Any = distributed.Client
    try:
        client = connect(address, timeout=_PATIENCE_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise DynlabError(
            f"no Dask scheduler answers at {address} ({_first_line(error)}); start one by `dask"
            " scheduler`, or give another address"
        ) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=_PATIENCE_S)
            versions: set[Any] = set(client.run(_version).values())
        except TimeoutError:
            raise DynlabError(
                f"the cluster at {address} has no worker; start some by `dask worker {address}`"
            ) from None
        except ImportError:
            versions = {"none"}
        if other := sorted(versions - {__version__}):
            raise DynlabError(
                f"a worker at {address} has dynlab {other[0]}, here it is {__version__}: install"
                " the same version there"
            )
        with parallel_config(backend="dask", client=client):
            yield


def _version() -> str:
    """The version of dynlab where it is called."""
    return __version__


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).split("\n")[0]
