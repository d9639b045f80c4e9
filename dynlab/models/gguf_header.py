"""What the header of a GGUF file says: its architecture, and how its tensors are stored."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO

from dynlab._util.errors import InputError

_MAGIC = b"GGUF"
_FORMATS = "BbHhIif?..Qqd"  # of a value's type: number → struct's letter; 8 is a text, 9 an array
_TEXT, _ARRAY = 8, 9
_MOST = 1 << 24  # of a text's bytes and of an array's items: more is no header


@dataclass(frozen=True)
class Header:
    """A model's architecture ('qwen2') and ggml's numbers of its tensors' types ({0, 12, 14})."""

    architecture: str
    tensor_types: frozenset[int]


@cache
def header(path: Path) -> Header:
    """The header of a GGUF file.

    Raises:
        InputError: the file is none, or it is cut off.
    """
    try:
        with path.open("rb") as file:
            if file.read(4) != _MAGIC:
                raise ValueError("it does not start with 'GGUF'")
            _, num_tensors, num_values = struct.unpack("<IQQ", file.read(20))
            values = {_text(file): _value(file, _number(file, "I")) for _ in range(num_values)}
            types = {_tensor_type(file) for _ in range(num_tensors)}
    except (ValueError, struct.error, OSError) as error:
        raise InputError(f"{path} cannot be read as a GGUF file ({error}): is it whole?") from None
    return Header(str(values.get("general.architecture", "")), frozenset(types))


def _number(file: BinaryIO, letter: str) -> int:
    size = struct.calcsize("<" + letter)
    return int(struct.unpack("<" + letter, file.read(size))[0])


def _text(file: BinaryIO) -> str:
    length = _number(file, "Q")
    if length > _MOST:
        raise ValueError(f"a text of {length} bytes")
    return file.read(length).decode("utf-8", "replace")


def _value(file: BinaryIO, kind: int) -> str | float | None:
    """One value; of an array None, since none is asked for."""
    if kind == _TEXT:
        return _text(file)
    if kind == _ARRAY:
        inner, length = _number(file, "I"), _number(file, "Q")
        if length > _MOST:
            raise ValueError(f"an array of {length} items")
        if inner in (_TEXT, _ARRAY):
            for _ in range(length):
                _value(file, inner)
        else:
            file.seek(length * struct.calcsize("<" + _letter(inner)), 1)
        return None
    letter = _letter(kind)
    value: float = struct.unpack("<" + letter, file.read(struct.calcsize("<" + letter)))[0]
    return value


def _letter(kind: int) -> str:
    if not 0 <= kind < len(_FORMATS) or kind in (_TEXT, _ARRAY):
        raise ValueError(f"a value of the unknown type {kind}")
    return _FORMATS[kind]


def _tensor_type(file: BinaryIO) -> int:
    _text(file)
    file.seek(8 * _number(file, "I"), 1)
    kind = _number(file, "I")
    file.seek(8, 1)
    return kind
