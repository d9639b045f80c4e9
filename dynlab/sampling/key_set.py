"""Keys of samples in little memory: millions of them are asked for at every turn of a recording."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableSet

from dynlab.sampling.store_rows import Key

Stream = tuple[str, str, int]  # question id, strategy, stream


class KeySet(MutableSet[Key]):
    """A set of keys that takes a bit for a sample and some 200 bytes for a stream.

    >>> held = KeySet([("q", "parallel", 0, 2)])
    >>> ("q", "parallel", 0, 2) in held, ("q", "parallel", 0, 1) in held, len(held)
    (True, False, 1)
    """

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        self._bits: dict[Stream, int] = {}  # bit i: whether sample i is there
        self._num = 0
        self.update(keys)

    def __contains__(self, key: object) -> bool:
        if not isinstance(key, tuple):
            return False
        return bool(self._bits.get(key[:3], 0) >> key[3] & 1)

    def __iter__(self) -> Iterator[Key]:
        for stream, bits in self._bits.items():
            for index in range(bits.bit_length()):
                if bits >> index & 1:
                    yield (*stream, index)

    def __len__(self) -> int:
        return self._num

    def add(self, key: Key) -> None:
        """Adds a key; one that is there already is not added again."""
        if key not in self:
            self._bits[key[:3]] = self._bits.get(key[:3], 0) | 1 << key[3]
            self._num += 1

    def discard(self, key: Key) -> None:
        """Takes a key out, if it is there."""
        if key in self:
            self._bits[key[:3]] ^= 1 << key[3]
            self._num -= 1

    def update(self, keys: Iterable[Key]) -> None:
        """Adds many."""
        for key in keys:
            self.add(key)

    def num_of(self, stream: Stream, num_samples: int) -> int:
        """How many of the first samples of a stream are there."""
        return (self._bits.get(stream, 0) & ((1 << num_samples) - 1)).bit_count()
