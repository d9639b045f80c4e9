"""Numerals: one value however it is written, exactly; no value for what is not read whole."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynlab.tasks.answers import normalise
from dynlab.tasks.numerals import decimal, latex, value


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1 1/4", "5/4"),
        ("11 5/6", "71/6"),
        ("-1 1/4", "-5/4"),
        (r"3\frac12", "7/2"),
        (r"-3\frac{1}{2}", "-7/2"),
        ("1½", "3/2"),
        (r"0.\overline{3}", "1/3"),
        (r"0.\overline{6}", "2/3"),
        (r"0.1\overline{6}", "1/6"),
        ("0.1(6)", "1/6"),
        ("1 000 000", "1000000"),
        (r"10\,000", "10000"),
        (r"10,\!000", "10000"),
        ("80{,}000", "80000"),
        ("1,000,000.5", "2000001/2"),
        ("1.5e3", "1500"),
        ("1e-3", "1/1000"),
        (r"1.5 \times 10^{3}", "1500"),
        ("3 × 10⁵", "300000"),
        ("10³", "1000"),
        ("2**3", "8"),
        ("2^3^2", "512"),
        ("2·3", "6"),
        ("2(3)", "6"),
        (r"50\%", "1/2"),
        ("28 percent", "28/100"),
        (r"\frac{-6}{8}", "-3/4"),
        (r"\left(\frac{1}{2}\right)^{2}", "1/4"),
        (r"\sqrt{16}", "4"),
        ("√16", "4"),
        (r"8^{1/3}", "2"),
        (r"\binom52", "10"),
        ("5!", "120"),
        ("–5", "-5"),
        ("- 5", "-5"),
        ("１２", "12"),
    ],
)
def test_a_number_has_its_value(written, expected):
    assert value(written) == Fraction(expected)


@pytest.mark.parametrize(
    "written",
    [
        *("2516_8", "9^9^9^9", "9^{9^{9^9}}", "1e999999", "99999!", "(" * 90 + "1" + ")" * 90),
        *("1/2(3)", "1 2", "2 3/2", r"2\frac{3}{2}", r"\sqrt2", "1,22", "0,111", "1,2", "1,234,56"),
        *("1/0", "0^0", "--5", "12:00", "1.2.3", "x", "", "-", "1 000/", "7" * 500, "١٢x"),
    ],
)
def test_what_is_not_read_whole_has_no_value(written):
    assert value(written) is None


def renderings(number):
    """Ways in which a non-negative fraction is written."""
    over, under = number.numerator, number.denominator
    ways = [f"{over}/{under}", rf"\frac{{{over}}}{{{under}}}", rf"$\dfrac{{{over}}}{{{under}}}$."]
    whole, rest = divmod(over, under)
    if whole and rest:
        ways += [f"{whole} {rest}/{under}", rf"{whole}\frac{{{rest}}}{{{under}}}"]
    if under == 1:
        ways += [
            f"{over}",
            f"{over:,}",
            f"{over}.0",
            f"{over:,}.00",
            f"{over:,}".replace(",", "{,}"),
        ]
        ways += [f"{over:,}".replace(",", " "), f"{over:,}".replace(",", r"\,"), f"**{over}**"]
    if 1000 % under == 0:
        ways += [
            f"{over * 1000 // under}e-3",
            f"{decimal(100 * number)}%",
            rf"\[{decimal(number)}\]",
        ]
    return ways


@pytest.mark.slow
@given(st.fractions(min_value=0, max_value=10**7, max_denominator=400))
@settings(max_examples=300, deadline=None)
def test_all_ways_to_write_a_number_share_a_key(number):
    for way in renderings(number):
        assert value(way) == number, way
        assert value(f"-{way}" if "*" not in way and way[0] not in "$\\" else way) in (
            -number,
            number,
        )
        assert normalise(way, "number") == decimal(number), way
        assert (
            normalise(way, "integer") == (str(number) if number.denominator == 1 else "")
            or "%" in way
        )


@pytest.mark.slow
@given(st.fractions(max_denominator=10**6))
def test_keys_of_values_are_read_as_the_values(number):
    assert value(latex(number)) == value(decimal(number)) == number


@pytest.mark.slow
@given(st.text(st.sampled_from("0123456789 .,/^*+-(){}[]!%eE\\fracsqt½³"), max_size=30))
@settings(max_examples=500, deadline=None)
def test_any_text_is_read_or_refused(written):
    number = value(written)
    assert number is None or value(latex(number)) == number
