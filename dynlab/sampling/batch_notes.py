"""What a store says of a provider's batches: which calls each holds, and its id once it has one."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from dynlab.sampling.store import Store
from dynlab.sampling.store_rows import Key

BATCHES = "batches"  # a kind of notes in the store


@dataclass
class SentBatch:
    """A batch as it is noted, before it is made and again when it has an id.

    Args:
        number: Its place among all batches of the recording, from 1 on.
        keys: The first samples of its calls; a call's place among them is its line's name.
        tag: That the provider keeps with it, so that it is found where its id is lost.
        sent_at: Seconds since 1970.
        id: The provider's name for it; None: whether it was made is not known here.
    """

    number: int
    keys: Sequence[Key]
    tag: str = field(default_factory=lambda: uuid.uuid4().hex)
    sent_at: float = field(default_factory=time.time)
    id: str | None = None


async def note_sent(store: Store, sent: SentBatch) -> None:
    """Notes which calls a batch holds; returns when that is on disk, and it may be made."""
    await store.note(
        BATCHES, {"tag": sent.tag, "sent_at": sent.sent_at, "keys": list(map(list, sent.keys))}
    )


async def note_made(store: Store, sent: SentBatch) -> None:
    """Notes the id of a batch that was made; returns when it is on disk."""
    await store.note(BATCHES, {"tag": sent.tag, "id": sent.id})


def batches_in(store: Store) -> list[SentBatch]:
    """All batches that were noted, in the order they were sent."""
    found: dict[str, SentBatch] = {}
    for note in store.notes(BATCHES):
        if "keys" in note:
            keys = [(str(q), str(strategy), int(s), int(i)) for q, strategy, s, i in note["keys"]]
            found[note["tag"]] = SentBatch(len(found) + 1, keys, note["tag"], note["sent_at"])
        else:
            found[note["tag"]].id = note["id"]
    return list(found.values())
