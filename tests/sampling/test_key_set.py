"""A set of keys is a set, in little memory."""

import random

from dynlab.sampling.key_set import KeySet


def test_it_holds_what_a_set_holds():
    rng = random.Random(0)
    drawn = [
        (rng.choice("ab"), "parallel", rng.randrange(2), rng.randrange(90)) for _ in range(300)
    ]
    plain, held = set(drawn[:200]), KeySet(drawn[:200])
    for key in drawn[150:250]:
        plain.discard(key)
        held.discard(key)
    held.update(drawn[100:160])
    plain.update(drawn[100:160])
    assert held == plain and len(held) == len(plain) and sorted(held) == sorted(plain)
    assert all((key in held) == (key in plain) for key in drawn)
    for stream in {key[:3] for key in drawn}:
        of = [key[3] for key in plain if key[:3] == stream]
        assert [held.num_of(stream, num) for num in (0, 64, 90)] == [
            sum(index < num for index in of) for num in (0, 64, 90)
        ]
