"""What is kept of computed values, as much as fits."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any


@dataclass
class SizedCache:
    """The values used last, as many as fit by their sizes.

    >>> cache = SizedCache(most=2)
    >>> [cache.put(letter, letter.upper(), 1) for letter in "abc"], cache.get("a"), cache.get("c")
    (['A', 'B', 'C'], None, 'C')
    """

    most: int
    values: OrderedDict[Any, tuple[int, Any]] = field(default_factory=OrderedDict)

    def get(self, key: Any) -> Any:
        """The value, None if it is not kept."""
        if key not in self.values:
            return None
        self.values.move_to_end(key)
        return self.values[key][1]

    def put(self, key: Any, value: Any, size: int) -> Any:
        """Keeps a value, forgets those that no longer fit, and returns it."""
        self.values[key] = (size, value)
        self.values.move_to_end(key)
        while sum(size for size, _ in self.values.values()) > self.most and len(self.values) > 1:
            self.values.popitem(last=False)
        return value
