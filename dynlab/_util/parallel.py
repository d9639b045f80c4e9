"""Jobs spread over cores or machines by joblib: the one place that says where they run.

By default that is threads of this process, one a core: compiled loops and numpy let one another
run, nothing is copied, and nothing has to start. A joblib backend that is configured around the
call, such as `joblib.parallel_config(backend="dask")`, goes before that. Results come in the order
of the jobs, whoever ran them, so sums over them are bitwise those of one process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

Shared = TypeVar("Shared")
Result = TypeVar("Result")

_ALONE = 1_000_000  # steps that are done sooner than joblib is imported and threads begin
_HELD = 8_000_000  # steps of a job are its memory, too: so many at once on one machine, a GiB
_SENT = 2**28  # bytes that may travel with the jobs; more is given to each machine once


def num_workers(steps: int, longest: int) -> int:
    """How many jobs run at a time: 1 where spreading them would not pay.

    Args:
        steps: Of all jobs together: samples that are played.
        longest: Of one job.
    """
    if steps < _ALONE:
        return 1
    from joblib.parallel import get_active_backend

    backend, _ = get_active_backend(prefer="threads")
    _, chosen = get_active_backend()  # the other call says 1 where it falls back on threads
    number = int(backend.effective_n_jobs(-1 if chosen is None else chosen))
    shared = getattr(backend, "uses_threads", False)  # other processes may have memory of their own
    return min(number, max(1, _HELD // longest)) if shared else number


def in_order(
    work: Callable[..., Result],
    shared: Shared,
    jobs: Sequence[tuple[Any, ...]],
    workers: int,
    num_bytes: int,
) -> Iterator[Result]:
    """`work(shared, *job)` of every job, in their order, a few at a time.

    Args:
        work: A function of a module, so that other processes find it.
        shared: What all jobs need; it is not changed.
        jobs: The further arguments of each.
        workers: As `num_workers` gives it.
        num_bytes: The size of `shared`.
    """
    from joblib import Parallel, delayed
    from joblib.parallel import get_active_backend

    backend, _ = get_active_backend(prefer="threads")
    lazy = getattr(backend, "supports_return_generator", False)  # Ray's backend does not
    with _given_once(shared, num_bytes * len(jobs)):
        how = "generator" if lazy else "list"
        spread = Parallel(n_jobs=workers, prefer="threads", return_as=how)
    yield from spread(delayed(work)(shared, *job) for job in jobs)


def _given_once(shared: object, num_bytes: int) -> AbstractContextManager[Any]:
    """A Dask cluster gets what is large before the jobs, a copy a machine.

    What is small travels with each job: so nothing is lost with a machine that dies.
    """
    from joblib.parallel import get_active_backend, parallel_config

    backend, _ = get_active_backend()
    client = getattr(backend, "client", None)  # of Dask's backend alone
    if client is None or num_bytes <= _SENT:
        return nullcontext()
    given: AbstractContextManager[Any] = parallel_config(
        backend="dask", client=client, scatter=[shared]
    )
    return given
