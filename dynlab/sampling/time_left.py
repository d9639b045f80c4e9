"""How long a run still takes, from how long its calls took so far."""

from __future__ import annotations

from collections.abc import Sequence

from dynlab.sampling.latencies import Latencies


def seconds_left(
    latencies: Latencies | None,
    num_queued: int,
    ages: Sequence[float],
    in_flight: float,
    round_size: int | None = None,
    relative: float = 1.0,
) -> float | None:
    """Seconds until the last call has ended, None where nothing is known of how long calls take.

    With m the mean latency and c calls in flight, q queued calls are begun after q·m/c; then the
    last c of them end, the longest last. Rounds, of which each begins when the one before it has
    ended, have fewer calls in flight on average, and what is left of this one comes first.

    Args:
        latencies: How long calls take.
        num_queued: Calls that were not begun.
        ages: For how long each call in flight has been going, in seconds.
        in_flight: Calls at once, on average over time.
        round_size: Calls of a round, where there are rounds.
        relative: How long queued calls take, in multiples of the mean.
    """
    if latencies is None or latencies.num < (round_size or 0):
        return None  # how long a round takes is not known before one has ended
    running = latencies.longest_left(ages)
    if not num_queued:
        return running
    width = min(max(in_flight, 1.0), num_queued + len(ages))
    begun = num_queued * relative * latencies.mean / width
    return running + begun if round_size else max(begun + latencies.longest_rest(width), running)


def in_flight_of_rounds(latencies: Latencies, round_size: int, most: int) -> float:
    """Calls at once on average, where rounds wait for their longest call: n·m/(length of a round).

    Args:
        latencies: How long calls take.
        round_size: n, calls of a round.
        most: Calls at once at most.
    """
    wide = min(round_size, most)
    later = (round_size - wide) * latencies.mean / wide
    longest = latencies.longest_rest(wide) if later else latencies.longest(wide)
    return round_size * latencies.mean / (later + longest)
