"""The command line, one file a command.

May import everything.
"""

from dynlab.cli.parser import main

__all__ = ["main"]
