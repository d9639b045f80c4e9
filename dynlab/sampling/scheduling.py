"""All that is planned: each sample begun when those that it waits for have arrived."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from dynlab.sampling.sampler import Sampler, Stopped
from dynlab.sampling.store_rows import Key

_NO_MORE = -1  # a place that comes before all others: there is nothing to draw any more


async def draw_plan(sampler: Sampler, counted: Callable[[], object] = lambda: None) -> None:
    """Draws all that is missing of a plan, or until the sampler is stopped.

    A sample is begun when those that it waits for have arrived, in the order of the plan
    otherwise.

    Args:
        sampler: Draws them.
        counted: Called for each sample once it is on disk.

    Raises:
        DynlabError: the first failure, after the calls in flight have been finished and stored.
    """
    sampler.counted = counted
    missing = [
        key
        for key in sampler.plan.keys
        if key not in sampler.arrived and sampler.together(key)[0] == key
    ]
    num_left = len(missing)
    # samples are known by their places in `missing`, and nothing is kept of those that wait for
    # none: there may be millions
    awaited: dict[int, set[Key]] = {}
    children: dict[Key, list[int]] = {}
    ready: asyncio.PriorityQueue[int] = asyncio.PriorityQueue()
    for place, key in enumerate(missing):
        if earlier := {p for p in sampler.plan.awaited(key) if p not in sampler.arrived}:
            awaited[place] = earlier
            for parent in earlier:
                children.setdefault(parent, []).append(place)
        else:
            ready.put_nowait(place)

    async def work() -> None:
        nonlocal num_left
        try:
            while num_left and not sampler.stop:
                place = await ready.get()
                if place == _NO_MORE or sampler.stop:
                    return
                together = sampler.together(missing[place])
                await sampler.one(missing[place])
                num_left -= 1
                for parent in together:
                    for child in children.pop(parent, ()):
                        awaited[child].discard(parent)
                        if not awaited[child]:
                            del awaited[child]
                            ready.put_nowait(child)
        except Stopped:
            return
        except BaseException:
            sampler.stop = True
            raise
        finally:
            # wakes one that waits for work that will not come, which wakes the next
            ready.put_nowait(_NO_MORE)

    async with sampler:
        # half as many again as slots: some workers wait for the disk, which takes no slot
        num_workers = min(sampler.num_in_flight + sampler.num_in_flight // 2, len(missing))
        workers = [asyncio.create_task(work()) for _ in range(num_workers)]
        outcomes = await asyncio.gather(*workers, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
