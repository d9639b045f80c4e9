"""How samples are paid for: plan, sampler, retries, budget, store, provenance.

May import `_util`, `tasks`, `recordings`, `strategies`, `models`.
"""

from dynlab.sampling.prompt_preview import preview
from dynlab.sampling.recorder import dry_run, record
from dynlab.sampling.sampler import Sampler
from dynlab.sampling.store import Store
from dynlab.sampling.verification import verify

__all__ = ["Sampler", "Store", "dry_run", "preview", "record", "verify"]
