"""The recipe of the small reasoner: lessons, training, shipping and what its recordings show.

Nothing in `dynlab` imports it. Run it as `PYTHONPATH=data/models python -m recipe.train …`.
"""
