"""Shards of one recording joined: the whole is what one undisturbed run would have written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dynlab._util.errors import InputError
from dynlab.recordings.blocks import Blocks, in_step
from dynlab.recordings.recording import Recording
from dynlab.recordings.writing import write_blocks

_COUNTED = ("questions", "samples", "greedy")
_SUMMED = ("spent", "reserved")


def is_shard(part: Recording) -> bool:
    """Whether a recording says of itself that it is one of several shards."""
    return isinstance(part.card.get("shard"), dict)


def merge_shards(blocks: Sequence[Blocks], out: Path) -> Path:
    """Writes shards of one recording as the whole, which `record` can go on from.

    Raises:
        InputError: one is no shard, missing, there twice, or was recorded otherwise than the first.
    """
    parts = [each.overview for each in blocks]
    for part in parts:
        if not is_shard(part):
            raise InputError(
                f"{_named(part)} is no shard: merge the shards of one recording, then the whole"
                " with others"
            )
    first = parts[0]
    for part in parts[1:]:
        _refuse_other(first, part)
    places: dict[int, Recording] = {}
    for part in parts:
        number = int(part.card["shard"]["number"])
        if number in places:
            raise InputError(
                f"{_named(places[number])} and {_named(part)} are both shard {number}: give each"
                " shard once"
            )
        places[number] = part
    of = int(first.card["shard"]["of"])
    if lacking := [str(number) for number in range(1, of + 1) if number not in places]:
        raise InputError(
            f"of {of} shards {', '.join(lacking)} {'are' if lacking[1:] else 'is'} missing: record"
            f" with --shard {lacking[0]}/{of}, or name the file"
        )
    held = len({id_ for part in parts for id_ in part.frame["question_id"].unique()})
    if (asked := int(first.card["shard"]["questions"])) != held:
        raise InputError(
            f"the shards hold {held} of {asked} questions: one was not recorded to its end"
        )
    card = _card([places[number].card for number in sorted(places)])
    return write_blocks(in_step(blocks), lambda _: card, out)


def _named(part: Recording) -> str:
    return part.source or part.name


def _refuse_other(one: Recording, other: Recording) -> None:
    """Refuses a shard that was recorded otherwise: what is the same of all shards, by name."""

    def deciding(part: Recording) -> dict[str, Any]:
        settings = dict(part.card.get("settings", {}))
        own = {f"shard's {name}": value for name, value in part.card["shard"].items()}
        described = {name: part.card.get(name) for name in ("weights_sha256", "server_version")}
        return settings | described | own

    known, given = deciding(one), deciding(other)
    for name in known.keys() | given.keys():
        if name in ("shard", "shard's number"):
            continue
        if known.get(name) != given.get(name):
            raise InputError(
                f"{_named(one)} was recorded with {name} = {known.get(name)!r}, {_named(other)}"
                f" with {given.get(name)!r}: only shards of one recording are merged"
            )


def _card(cards: Sequence[Any]) -> dict[str, Any]:
    """What a run over all questions would have said; what the shards do not agree on is left out.

    Seconds and spending are those of all shards together.
    """
    first = cards[0]
    card = {
        name: value
        for name, value in first.items()
        if all(each.get(name) == value for each in cards)
    }
    settings = {name: value for name, value in first["settings"].items() if name != "shard"}
    card |= {"settings": settings, "date": max(str(each.get("date", "")) for each in cards)}
    card |= {name: sum(each.get(name, 0) for each in cards) for name in _COUNTED}
    for name in _SUMMED:
        if all(name in each for each in cards):
            card[name] = _summed([each[name] for each in cards])
    if all("wall_s" in each for each in cards):
        card["wall_s"] = round(sum(each["wall_s"] for each in cards), 3)
    return {name: value for name, value in card.items() if name != "shard"}


def _summed(spendings: Sequence[Any]) -> dict[str, Any]:
    """Calls, tokens and USD of all; what one does not know is not known of all."""

    def total(name: str) -> Any:
        values = [each.get(name) for each in spendings]
        if None in values:
            return None
        whole = sum(values)
        return round(whole, 12) if isinstance(whole, float) else whole

    return {name: total(name) for name in spendings[0]}
