"""The recipe of the small reasoner: puzzles, lessons, training, release and what it shows.

It may import all of `dynlab`; nothing in `dynlab` imports it, and it is in no wheel. Its README
lists the files and the commands, `python -m recipe.training …` and the like.
"""
