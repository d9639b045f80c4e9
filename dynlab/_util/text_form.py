"""Objects as text, `NAME(key=value, …)`: split into a name and its settings."""

from __future__ import annotations

import re

from dynlab._util.errors import InputError

_CALL = re.compile(r"([^\s()=,]+)\s*(?:\((.*)\))?", re.DOTALL)


def split(text: str, mark: str) -> list[str]:
    """The parts of a text between marks that stand outside of brackets, without the empty ones.

    >>> split("uniform, ucb(exploration=0.3, warmup=4)", ",")
    ['uniform', 'ucb(exploration=0.3, warmup=4)']

    Raises:
        InputError: a bracket has no other.
    """
    parts = [""]
    depth = 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if depth < 0:
            break
        if letter == mark and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    if depth:
        raise InputError(f"{text!r} has a bracket without its other")
    return [part.strip() for part in parts if part.strip()]


def parsed_call(text: str) -> tuple[str, dict[str, str]]:
    """The name and the settings of a text form.

    >>> parsed_call("integrated(width=4, order=shuffled)")
    ('integrated', {'width': '4', 'order': 'shuffled'})

    Raises:
        InputError: it is not NAME(key=value, …), or a key stands twice.
    """
    found = _CALL.fullmatch(text.strip())
    if found is None:
        raise InputError(f"{text!r} is not of the form NAME(key=value, …)")
    name, inside = found.groups()
    return name, settings_in(inside or "", name)


def settings_in(inside: str, name: str) -> dict[str, str]:
    """The settings between the brackets of a text form, in their order.

    >>> settings_in("width=4, order=shuffled", "integrated")
    {'width': '4', 'order': 'shuffled'}

    Raises:
        InputError: one is not key=value, or a key stands twice.
    """
    settings: dict[str, str] = {}
    for pair in split(inside, ","):
        key, equal, value = (part.strip() for part in pair.partition("="))
        if not equal or not value:
            raise InputError(f"settings of {name} are key=value; not {pair!r}")
        if key in settings:
            raise InputError(f"{key} of {name} stands twice in {inside!r}; give it once")
        settings[key] = value
    return settings
