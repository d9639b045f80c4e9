"""What a process that runs are forked from has imported: LiteLLM takes seconds."""

import os
import warnings

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
warnings.simplefilter("ignore")

import litellm  # noqa: F401

import dynlab.sampling.recorder  # noqa: F401
