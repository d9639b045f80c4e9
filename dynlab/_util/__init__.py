"""What every package may use: errors, frozen values, whole-or-absent files, shipped files.

Imports nothing of dynlab.
"""
