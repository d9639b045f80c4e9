"""The one loop: policies moved along recorded streams, and the same policies asked and told live.

May import `_util`, `recordings`, `policies`.
"""

from dynlab.replay.draws import Draws, draws_of
from dynlab.replay.loop import Curve, replay, run
from dynlab.replay.online_policy import OnlinePolicy
from dynlab.replay.trace import Trace

__all__ = ["Curve", "Draws", "OnlinePolicy", "Trace", "draws_of", "replay", "run"]
