"""Language models: the LiteLLM client, servers and weights of this machine, prices, replies.

May import `_util` and `tasks`.
"""

from dynlab.models.client import Client
from dynlab.models.prices import Price
from dynlab.models.provider_errors import ProviderError
from dynlab.models.weights import WEIGHTS

__all__ = ["WEIGHTS", "Client", "Price", "ProviderError"]
