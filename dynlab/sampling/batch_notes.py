"""What a store says of a provider's batches: which calls each holds, and its id once it has one."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from dynlab.sampling.store import Store

BATCHES = "batches"  # a kind of notes in the store


@dataclass
class SentBatch:
    """A batch as it is noted, before it is made and again when it has an id.

    Args:
        number: Its place among all batches of the recording, from 1 on.
        calls: The numbers of its calls; a call's place among them is its line's name.
        tag: That the provider keeps with it, so that it is found where its id is lost.
        sent_at: Seconds since 1970.
        id: The provider's name for it; None: whether it was made is not known here.
    """

    number: int
    calls: Sequence[int] = ()
    tag: str = field(default_factory=lambda: uuid.uuid4().hex)
    sent_at: float = field(default_factory=time.time)
    id: str | None = None


async def note_sent(store: Store, sent: SentBatch) -> None:
    """Notes which calls a batch holds; returns when that is on disk, and it may be made."""
    note = {"tag": sent.tag, "sent_at": sent.sent_at, "calls": list(sent.calls)}
    await store.note(BATCHES, note)


async def note_made(store: Store, sent: SentBatch) -> None:
    """Notes the id of a batch that was made; returns when it is on disk."""
    await store.note(BATCHES, {"tag": sent.tag, "id": sent.id})


def batches_in(store: Store) -> list[SentBatch]:
    """All batches that were noted, in the order they were sent."""
    found: dict[str, SentBatch] = {}
    for note in store.notes(BATCHES):
        tag = note["tag"]
        if "calls" in note:
            found[tag] = SentBatch(len(found) + 1, note["calls"], tag, note["sent_at"])
        else:
            found[tag].id = note["id"]
    return list(found.values())
