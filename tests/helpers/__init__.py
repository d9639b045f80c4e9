"""What several tests need: made-up recordings, scripted servers, tiny models, plain oracles.

Tests import from here (`from helpers.sums import TASK`), never from one another.
"""
