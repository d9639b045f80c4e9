from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import comb, inf

import numpy as np
import pytest
from helpers.vote_states import states

from dynlab._util.errors import InputError
from dynlab.analysis.verbs import compare
from dynlab.policies.priced import Priced, gain_table, worth
from dynlab.policies.registry import allocator


def index(seen, **settings):
    return float(Priced(**settings).index(seen, np.random.default_rng(0)).value[0])


def chance(first, second):
    """P(the leader is the mode) under a flat prior, exactly."""
    m, least = first + second + 1, min(first, second)
    return 1 - Fraction(sum(comb(m, k) for k in range(least + 1)), 2**m)


def expected(first, second, steps):
    """E[P after `steps` votes], vote by vote through Pólya's urn."""
    if steps == 0:
        return chance(first, second)
    share = Fraction(first + 1, first + second + 2)
    return share * expected(first + 1, second, steps - 1) + (1 - share) * expected(
        first, second + 1, steps - 1
    )


def test_gains_are_those_of_an_urn_followed_vote_by_vote():
    found = gain_table(5, 6)
    for first in range(6):
        for second in range(6):
            exact = max(
                (expected(first, second, h) - chance(first, second)) / h for h in range(1, 7)
            )
            assert found[first, second] == pytest.approx(float(exact), rel=1e-9, abs=1e-12)


def test_no_step_short_of_a_tie_can_gain():
    found = gain_table(12, 4)
    for first in range(13):
        for second in range(13):
            assert (found[first, second] > 0) == (abs(first - second) < 4)


def test_index_worked_by_hand():
    tied, agreed, settled, missing = states([0, 1], [0, 0], [0] * 12, [0, 1, None])
    assert index(tied) == pytest.approx(3 / 16 / (2**0.5 * 2**0.75))
    assert index(missing) == pytest.approx(3 / 16 / (3**0.5 * 3**0.75))  # paid for, and never votes
    assert index(agreed, horizon=5) == pytest.approx(
        float(expected(2, 0, 5) - chance(2, 0)) / 5 / 2 / (2**0.5 * 2**0.75)
    )
    assert index(settled) == pytest.approx(3e-4 / (12**0.5 * 12**0.75))  # the floor
    dear = replace(tied, spent=np.array([2000.0]))
    assert index(dear, thrift=1.0) == pytest.approx(3 / 16 / (2**0.5 * 2000))


def test_doubt_raises_the_index_price_lowers_it():
    order = [[0, 1], [0, 1, 0, 1], [0, 0, 1, 1, 2, 3], [0, 0, 1], [0, 0, 1, 0], [0, 0, 0], [0] * 40]
    values = [index(seen) for seen in states(*order)]
    assert values == sorted(values, reverse=True) and values[-1] > 0
    (seen,) = states([0, 0, 1])
    assert index(replace(seen, spent=seen.spent * 2)) < index(seen)
    assert index(replace(seen, pulls=seen.pulls + 1)) < index(seen)  # one more in flight


def test_settled_questions_take_turns(make_pool):
    frame = make_pool({"q1": "a" * 30, "q2": "b" * 30, "q3": "c" * 30})
    curve = compare(frame, "priced", [20], replications=3).curves
    assert curve["exhausted"].tolist() == [0.0]  # none runs to its end while others wait


@pytest.mark.parametrize("unknown", [np.nan, 0.0])
def test_without_known_prices_samples_count(unknown):
    (seen,) = states([0, 1, 0, 1])
    assert index(replace(seen, spent=np.array([unknown]))) == index(seen)


def test_the_unit_of_price_does_not_matter(random_pool):
    frame = random_pool(20, 10)
    dearer = frame.assign(
        completion_tokens=frame["completion_tokens"] * 64, prompt_tokens=frame["prompt_tokens"] * 64
    )
    one, other = (
        compare(table, "priced", [2, 4, 6], unit="tokens", replications=20).curves["accuracy"]
        for table in (frame, dearer)
    )
    assert one.tolist() == other.tolist()


def test_long_questions_are_put_off(make_pool):
    frame = make_pool({"q1": "abcdefgh", "q2": "abcdefgh"})
    frame["completion_tokens"] = frame["question_id"].map({"q1": 10, "q2": 90})
    frame["strategy"] = "sequential"  # keeps the order
    curve = compare(frame, "priced", [2.6, 3.5], unit="tokens", replications=4).curves
    assert curve["spent_samples"].tolist() == [
        5.0,
        5.5,
    ]  # 260 tokens: all of the short one; the long one's third at 350


@pytest.mark.parametrize(
    "settings",
    [{"horizon": 0}, {"thrift": 1.5}, {"thrift": inf}, {"unanimous": 0.0}, {"floor": 0.0}],
)
def test_bad_settings_say_what_is_expected(settings):
    with pytest.raises(InputError, match="horizon from 1 on"):
        Priced(**settings)


def test_worth_is_the_index_against_one_vote_each():
    table = worth([Priced(), allocator("beta-sqrt")], most=8).set_index(["rule", "votes", "n"])[
        "index"
    ]
    one_each, agreed, ahead = states([0, 1], [0, 0, 0], [0, 0, 1, 0, 1])
    assert table["priced", "tied", 2] == table["beta-sqrt", "tied", 2] == 1
    assert table["priced", "all agree", 3] == pytest.approx(index(agreed) / index(one_each))
    assert table["priced", "one ahead", 5] == pytest.approx(index(ahead) / index(one_each))
    assert table["beta-sqrt", "two ahead", 4] == pytest.approx(
        float((1 - chance(3, 1)) / Fraction(1, 2)) / 2**0.5
    )
    assert [n for rule, votes, n in table.index if (rule, votes) == ("priced", "two ahead")] == [
        4,
        6,
        8,
    ]
