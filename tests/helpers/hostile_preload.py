"""What a process that runs are forked from has imported: LiteLLM takes seconds."""

import os
import warnings

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
warnings.simplefilter("ignore")

from helpers.warm_model import warm

warm()
