"""All that is planned: each sample begun when those that it waits for have arrived."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from dynlab.sampling.sampler import Sampler, Stopped
from dynlab.sampling.store_rows import Key


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
    order = {key: place for place, key in enumerate(missing)}
    awaited = {
        key: {p for p in sampler.plan.awaited(key) if p not in sampler.arrived} for key in missing
    }
    children: dict[Key, list[Key]] = {}
    for key, earlier in awaited.items():
        for parent in earlier:
            children.setdefault(parent, []).append(key)
    ready: asyncio.PriorityQueue[tuple[int, Key | None]] = asyncio.PriorityQueue()

    def release(keys: Iterable[Key]) -> None:
        for key in keys:
            if not awaited[key]:
                ready.put_nowait((order.pop(key), key))

    async def work() -> None:
        try:
            while awaited and not sampler.stop:
                _, key = await ready.get()
                if key is None or sampler.stop:
                    return
                together = sampler.together(key)
                await sampler.one(key)
                del awaited[key]
                for parent in together:
                    for child in children.pop(parent, ()):
                        awaited[child].discard(parent)
                        release([child])
        except Stopped:
            return
        except BaseException:
            sampler.stop = True
            raise
        finally:
            # wakes one that waits for work that will not come, which wakes the next
            ready.put_nowait((-1, None))

    release(missing)
    async with sampler:
        # half as many again as slots: some workers wait for the disk, which takes no slot
        num_workers = min(sampler.num_in_flight + sampler.num_in_flight // 2, len(missing))
        workers = [asyncio.create_task(work()) for _ in range(num_workers)]
        outcomes = await asyncio.gather(*workers, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
