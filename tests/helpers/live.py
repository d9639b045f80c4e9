"""A live run on recorded samples."""

from __future__ import annotations

from dynlab.replay.counts import Told


def played(decider, streams, unit="samples", deal=None):
    """The picks of an online policy, asked and told until nothing is left.

    `deal` picks which of the samples in flight arrives next; by default the first.
    """
    prices = streams.prices(unit)[:, 0]
    waiting = []
    while True:
        while (pick := decider.ask()) is not None:
            waiting.append(pick)
        if not waiting:
            assert not decider.in_flight
            return decider.picks
        pick = waiting.pop(0 if deal is None else deal(len(waiting)))
        code = streams.codes[pick.question, 0, pick.sample]
        answer = streams.answers[pick.question][code] if code >= 0 else None
        logprob = streams.logprob[pick.question, 0, pick.sample]
        price = prices[pick.question, pick.sample]
        decider.tell(pick.question, pick.sample, Told(answer, price, logprob))
