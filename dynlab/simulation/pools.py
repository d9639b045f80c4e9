"""Simulated independent samples as arrays, for thousands of simulations, and policies on them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from dynlab.analysis.methods import Method
from dynlab.analysis.replays import Replays, Setup
from dynlab.policies.policy import Policy
from dynlab.recordings.arrays import Floats
from dynlab.recordings.critical_path import paths
from dynlab.recordings.recording import Recording, simulated_name
from dynlab.recordings.streams import Streams
from dynlab.replay.loop import Curve
from dynlab.simulation.model import RecordingModel
from dynlab.simulation.questions import SimulatedQuestions
from dynlab.strategies.parallel import Parallel


def simulated_pool(
    model: RecordingModel,
    num_questions: int,
    num_samples: int,
    rng: np.random.Generator,
    *,
    even: bool = False,
) -> Streams:
    """What `streams_of(simulate(model, …))` holds, a pool of independent samples.

    `even` as for `SimulatedQuestions`.
    """
    questions = SimulatedQuestions(model, num_questions, num_samples, rng, even=even)
    drawn = questions.stream(Parallel(), num_samples)
    # 0 is right, −1 no answer, here as there
    codes = drawn.codes[:, None, :].astype(np.int32)
    right = np.zeros((num_questions, int(codes.max(initial=0)) + 1), bool)
    right[:, 0] = True
    unknown = np.full(codes.shape, np.nan)
    tokens, kind = unknown, "unknown"
    if drawn.tokens is not None:
        tokens, kind = drawn.tokens[:, None, :].astype(float), "completion"
        if drawn.prompts is not None:
            tokens, kind = tokens + drawn.prompts[:, None, :], "total"
    names = tuple(f"wrong {number}" for number in range(1, right.shape[1]))
    return Streams(
        name=simulated_name(model.source),
        strategy=Parallel.name,
        question_ids=tuple(map(str, range(num_questions))),
        answers=(("right", *names),) * num_questions,
        codes=codes,
        tokens=tokens,
        cost_usd=unknown,
        logprob=unknown,
        path=paths({}, num_samples),
        right=right,
        exchangeable=True,
        has_target=True,
        tokens_kind=kind,
        imputed=0.0,
    )


def pool_curves(
    pool: Streams, policies: Mapping[str, Policy], budgets: Floats, setup: Setup
) -> dict[str, Curve]:
    """The curve of each policy by its name, all on the same draws of a pool.

    Args:
        pool: Simulated or recorded samples.
        policies: By name.
        budgets: [C] ascending, in multiples of a sample's mean price.
        setup: What budgets count, and which draws are averaged over.
    """
    methods = tuple(Method(name, name, policy, pool) for name, policy in policies.items())
    unread = Recording(pd.DataFrame(), {}, pool.name)  # replays read the streams of methods alone
    price = pool.per_sample(setup.unit)
    return Replays(unread, methods, methods[0], setup, price).curves(budgets)
