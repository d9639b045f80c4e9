"""`--help` shows a command line that works as it stands, for each command and each action."""

import shlex

import pytest
from helpers.subparsers import subparsers

from dynlab.cli.parser import _parser
from dynlab.recordings.public_pools import pool_named
from dynlab.recordings.recording import shipped

PARSER = _parser()
COMMANDS = subparsers(PARSER)
ACTIONS = {f"{one} {own}": p for one, c in COMMANDS.items() for own, p in subparsers(c).items()}


@pytest.mark.parametrize("name", [*COMMANDS, *ACTIONS])
def test_help_shows_an_example_that_is_read_without_complaint(name):
    parser = (COMMANDS | ACTIONS)[name]
    assert f"\n  {parser.example}\n" in parser.format_help()
    program, *arguments = shlex.split(parser.example)
    assert [program, *arguments[: name.count(" ") + 1]] == ["dynlab", *name.split()]
    assert callable(PARSER.parse_args(arguments).run)
    for word in arguments:
        if "--" in word[1:]:  # a recording: it comes with dynlab, or can be fetched
            assert word in shipped() or pool_named(word)


def test_the_first_page_shows_them_all():
    shown = PARSER.format_help()
    assert all(f"\n  {parser.example}\n" in shown for parser in COMMANDS.values())
