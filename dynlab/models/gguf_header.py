"""What the header of a GGUF file says: its architecture, and how and where tensors are stored."""

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
_ALIGNMENT = 32  # bytes, where the header gives none
_MOST = 1 << 24  # of a text's bytes and of an array's items: more is no header


@dataclass(frozen=True)
class Tensor:
    """One tensor: its axes, the fastest first, ggml's number of its type, and how many bytes after
    the header it begins.
    """

    name: str
    axes: tuple[int, ...]
    kind: int
    offset: int


@dataclass(frozen=True)
class Header:
    """A model's architecture ('qwen2') and its tensors, which the header lists from byte
    `tensors_at` on; their numbers begin at byte `data_at`, each at a multiple of `alignment`.
    """

    architecture: str
    tensors: tuple[Tensor, ...] = ()
    tensors_at: int = 0
    data_at: int = 0
    alignment: int = _ALIGNMENT

    @property
    def tensor_types(self) -> frozenset[int]:
        """ggml's numbers of the tensors' types: {0, 12, 14}."""
        return frozenset(tensor.kind for tensor in self.tensors)


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
            tensors_at = file.tell()
            tensors = tuple(_tensor(file) for _ in range(num_tensors))
            alignment = int(values.get("general.alignment") or _ALIGNMENT)
            data_at = -(-file.tell() // alignment) * alignment
    except (ValueError, struct.error, OSError) as error:
        raise InputError(f"{path} cannot be read as a GGUF file ({error}): is it whole?") from None
    architecture = str(values.get("general.architecture", ""))
    return Header(architecture, tensors, tensors_at, data_at, alignment)


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


def _tensor(file: BinaryIO) -> Tensor:
    name = _text(file)
    axes = tuple(_number(file, "Q") for _ in range(_number(file, "I")))
    return Tensor(name, axes, _number(file, "I"), _number(file, "Q"))
