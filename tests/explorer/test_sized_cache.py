"""What is kept of computed values."""

from dynlab.explorer.sized_cache import SizedCache


def test_the_least_used_is_forgotten_first():
    kept = SizedCache(most=3)
    for letter in "abc":
        kept.put(letter, letter, 1)
    assert kept.get("a") == "a"
    kept.put("d", "d", 2)
    assert list(kept.values) == ["a", "d"]
