from __future__ import annotations

import pytest

from dynlab._util.errors import InputError
from dynlab.policies.registry import allocator
from dynlab.policies.ucb import UCB


def test_bad_settings_say_what_is_expected():
    with pytest.raises(InputError, match="did you mean 'ucb'"):
        allocator("ubc")
    with pytest.raises(InputError, match="uncertainty"):
        UCB(uncertainty="top")
    with pytest.raises(InputError, match="exploration"):
        UCB(exploration=-1)
