"""Replications played chunk by chunk, on as many cores or machines as there are, and summed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from dynlab._util.parallel import in_order, num_workers
from dynlab.recordings.streams import Floats, Streams
from dynlab.replay.draws import Draws, chunks_of, drawn_chunk, draws_of

Item = TypeVar("Item")
Key = TypeVar("Key", bound=Hashable)  # what tables are called


def summed(
    play: Callable[[Item, Draws], dict[Key, Floats]],
    items: Sequence[Item],
    streams: Streams,
    *,
    unit: str,
    replications: int,
    seed: int,
    profiles: bool = False,
    done: Callable[[int], object] = lambda replications: None,
    drawn: Iterable[Draws] | None = None,
) -> list[dict[Key, Floats]]:
    """What each item comes to on the same draws, summed over replications.

    A chunk's draws depend on the seed and the numbers of its replications alone, and its sums are
    added in its turn: so it does not matter, to the last bit, who played it.

    Args:
        play: An item and draws → sums over their replications; a function of a module, or a
            `functools.partial` of one.
        items: What is played: policies, stopping rules.
        unit: That spending is counted in.
        done: Told the number of replications that an item has just been played on.
        drawn: What `draws_of` gave for these arguments, where it was kept.
    """
    sums: list[dict[Key, Floats]] = [{} for _ in items]

    def add(place: int, part: dict[Key, Floats], number: int) -> None:
        total = sums[place]
        for name, values in part.items():  # one by one: all at once would be in memory twice
            total[name] = total.get(name, 0.0) + values
        done(number)

    chunks = chunks_of(streams, replications)
    size = streams.codes[:, 0].size
    longest = size * max((number for _, number in chunks), default=1)
    workers = 1 if drawn else num_workers(size * replications * len(items), longest)
    # the items of a chunk are parted only where there are fewer chunks than workers: each part
    # draws the chunk anew
    parts = min(len(items), -(-workers // len(chunks)))
    if workers == 1 or len(chunks) * parts == 1:
        for draws in drawn or draws_of(streams, replications, seed, unit, profiles):
            for place, item in enumerate(items):
                add(place, play(item, draws), draws.price.shape[1])
            del draws  # the next chunk is drawn without this one in memory
        return sums
    jobs = [
        (play, items[part::parts], chunk, seed, unit, profiles)
        for chunk in chunks
        for part in range(parts)
    ]
    places = [range(part, len(items), parts) for _ in chunks for part in range(parts)]
    bare = replace(streams, question_ids=(), answers=())  # names do not travel: nobody reads them
    found = in_order(_played, bare, jobs, workers, streams.nbytes)
    for (_, _, (_, number), *_), own, results in zip(jobs, places, found, strict=True):
        for place, part in zip(own, results, strict=True):
            add(place, part, number)
    return sums


def _played(
    streams: Streams,
    play: Callable[[Item, Draws], dict[Key, Floats]],
    items: Sequence[Item],
    chunk: tuple[int, int],
    seed: int,
    unit: str,
    profiles: bool,
) -> list[dict[Key, Floats]]:
    """What some items come to on one chunk of replications."""
    draws = drawn_chunk(streams, chunk, seed, unit, profiles)
    return [play(item, draws) for item in items]
