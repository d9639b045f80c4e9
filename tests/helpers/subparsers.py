"""The parsers of a command line's commands and actions."""

import argparse


def subparsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The parsers of a parser's commands, by name."""
    kinds = (each for each in parser._actions if isinstance(each, argparse._SubParsersAction))
    return {name: own for each in kinds for name, own in each.choices.items()}
