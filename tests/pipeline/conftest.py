"""Tiny notebooks."""

from helpers.tiny_notebooks import run, tiny  # noqa: F401
