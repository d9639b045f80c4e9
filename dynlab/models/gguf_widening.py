"""Five-bit weights (Q5_0) written as eight-bit ones (Q8_0), which hold the same numbers.

OpenVINO reads Q8_0 and not Q5_0. Both store 32 numbers as whole ones times a scale: of Q5_0 they
are -16 to 15, of Q8_0 -128 to 127, and the scale stays as it is. Both layouts:
https://github.com/ggml-org/ggml (`block_q5_0`, `block_q8_0`).
"""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dynlab._util.cache_folder import cache_folder
from dynlab._util.errors import InputError
from dynlab._util.files import replacing
from dynlab.models.checksums import sha256
from dynlab.models.gguf_header import Header, Tensor, header

Q5_0, Q8_0 = 6, 8  # ggml's numbers of the types
_NUM_OF_BLOCK = 32
_Q5_0_BYTES, _Q8_0_BYTES = 22, 34  # of a block


def widened(path: Path) -> Path:
    """A GGUF file with the same numbers and no Q5_0: itself, or one made once in the cache folder.

    Raises:
        InputError: It is no whole GGUF file; the cache folder cannot be written to.
    """
    found = header(path)
    if Q5_0 not in found.tensor_types:
        return path
    target = cache_folder() / "weights" / "widened" / f"{path.stem}-{sha256(path)[:16]}.gguf"
    if not target.exists():
        try:
            with replacing(target) as temporary:
                _write(path, found, temporary)
        except ValueError:
            raise InputError(f"{path} ends before its weights do: is it whole?") from None
        except OSError as error:
            raise InputError(
                f"cannot keep the weights of {path.name} in {target.parent} ({error.strerror}): set"
                " DYNLAB_CACHE to a folder that can be written and has room"
            ) from None
    return target


def eight_bits(blocks: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Blocks of Q5_0 as blocks of Q8_0.

    Args:
        blocks: (blocks, 22) bytes each: the scale (2), the fifth bits of the 32 numbers (4), their
            lower four bits, those of numbers j and j + 16 in one byte (16).

    Returns:
        (blocks, 34) bytes: the scale (2), the 32 numbers (32).
    """
    scales, fifth, lower = np.split(blocks, [2, 6], axis=1)
    upper = np.unpackbits(fifth, axis=1, bitorder="little") << 4
    numbers = np.hstack([lower & 15, lower >> 4]) | upper
    return np.hstack([scales, numbers - np.uint8(16)])  # modulo 256: as signed bytes


def _write(source: Path, found: Header, target: Path) -> None:
    whole = np.memmap(source, np.uint8, "r")
    stored = sorted(found.tensors, key=lambda tensor: tensor.offset)
    ends = [tensor.offset for tensor in stored[1:]] + [len(whole) - found.data_at]
    written: dict[str, Tensor] = {}
    with target.open("wb") as file:
        file.write(whole[: found.data_at].tobytes())
        for tensor, end in zip(stored, ends, strict=True):
            offset = file.tell() - found.data_at
            data = whole[found.data_at + tensor.offset : found.data_at + end]
            kind = tensor.kind
            if kind == Q5_0:
                num_blocks = int(np.prod(tensor.axes)) // _NUM_OF_BLOCK
                five = data[: num_blocks * _Q5_0_BYTES].reshape(num_blocks, _Q5_0_BYTES)
                kind, data = Q8_0, eight_bits(five)
            file.write(data.tobytes())
            file.write(b"\0" * (-data.size % found.alignment))
            written[tensor.name] = replace(tensor, kind=kind, offset=offset)
        file.seek(found.tensors_at)
        file.write(b"".join(_listed(written[tensor.name]) for tensor in found.tensors))


def _listed(tensor: Tensor) -> bytes:
    """As the header lists it."""
    name, axes = tensor.name.encode(), tensor.axes
    return struct.pack(
        f"<Q{len(name)}sI{len(axes)}QIQ",
        len(name),
        name,
        len(axes),
        *axes,
        tensor.kind,
        tensor.offset,
    )
