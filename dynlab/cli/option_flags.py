"""Flags generated from the fields of option classes: flag, default and help stand there alone."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import Field, fields
from typing import Any, TypeVar

from dynlab.cli.argument_types import price

_Options = TypeVar("_Options")
_TYPES = {
    "int": int,
    "int | None": int,
    "float": float,
    "float | None": float,
    "str": str,
    "str | None": str,
    "tuple[float, float] | None": price,
}


def add(command: argparse.ArgumentParser, kind: Any, without: tuple[str, ...] = ()) -> None:
    """Adds a flag for each field of an option class that has one.

    Args:
        command: Where to.
        kind: `Sampling`, `Limits`, `RequestOptions` or `RecordingOptions`.
        without: Fields that the command does not use.
    """
    for each in _flagged(kind):
        if each.name in without:
            continue
        settings: dict[str, Any] = {"dest": _dest(kind, each), "help": each.metadata["help"]}
        if each.type == "bool":
            settings["action"] = "store_false" if each.default else "store_true"
        else:
            settings["type"] = _TYPES[str(each.type)]
            settings["default"] = each.default
            settings["metavar"] = each.metadata["metavar"] or each.name.upper()
        command.add_argument(each.metadata["flag"], **settings)


def chosen(given: argparse.Namespace, kind: type[_Options]) -> _Options:
    """The options that the flags describe.

    Raises:
        InputError: a value cannot work.
    """
    values = vars(given)
    named = {
        each.name: values[_dest(kind, each)]
        for each in _flagged(kind)
        if _dest(kind, each) in values
    }
    return kind(**named)


def _flagged(kind: Any) -> Iterator[Field[Any]]:
    return (each for each in fields(kind) if each.metadata.get("flag"))


def _dest(kind: Any, field: Field[Any]) -> str:
    return f"{kind.__name__}.{field.name}"
