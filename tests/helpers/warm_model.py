"""What runs are forked from imports this: it solves a few questions, so that a fork finds
everything imported and nothing to collect.
"""

from __future__ import annotations

import gc
import warnings
from tempfile import TemporaryDirectory

import dynlab
from helpers.flat_options import grouped
from helpers.scripted_server import ScriptedServer
from helpers.sums import TASK, answers, endpoint_at

warnings.simplefilter("ignore")

with TemporaryDirectory() as folder, ScriptedServer(answers) as server:
    options = grouped(out=f"{folder}/answers.jsonl", budget=3, price=(1.0, 2.0), progress=False)
    dynlab.solve(TASK, endpoint_at(server), **options)
gc.collect()
gc.freeze()
