"""Values of parameters: read as the types that notebooks declare, or refused."""

import pytest

from dynlab._util.errors import InputError
from dynlab.pipeline import parameters


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("3", "int", 3),
        (3, "int", 3),
        ("1e-3", "float", 0.001),
        ("2", "float", 2.0),
        (2, "float", 2.0),
        ("true", "bool", True),
        ("2,4.5, 8", "list", [2, 4.5, 8]),
        ("[2, 4]", "list", [2, 4]),
        ("a,b", "list", ["a", "b"]),
        ("samples", "list", ["samples"]),
        ("2024", "str", "2024"),
        (2024, "str", "2024"),
        ("true", "str", "true"),
    ],
)
def test_a_value_is_read_as_its_declared_type(value, kind, expected):
    found = parameters.fitted("x", value, kind)
    assert found == expected and type(found) is type(expected)


def test_a_list_of_numbers_takes_no_words():
    assert parameters.fitted("x", "2,4.5", "list", [1]) == [2, 4.5]
    assert parameters.fitted("x", "a,4", "list", ["b"]) == ["a", 4]
    for value in ("4,x", [4, "x"], "[4, x]"):
        with pytest.raises(InputError, match="parameter x must hold numbers.*; not 'x'"):
            parameters.fitted("x", value, "list", [2, 4.5])


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("x", "int"),
        ("2.5", "int"),
        (True, "int"),
        ("x", "float"),
        ("3", "bool"),
        (3, "list"),
        ([1], "str"),
    ],
)
def test_a_value_of_another_type_is_refused(value, kind):
    with pytest.raises(InputError, match=f"parameter x must be of type {kind}"):
        parameters.fitted("x", value, kind)
