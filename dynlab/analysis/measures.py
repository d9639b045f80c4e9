"""What `accuracy` is in a table: the share that is right or, without targets, agreement.

Tables of recordings that all have targets say nothing of it. Where one has none, every row does, in
a column `measure`: 'accuracy' or 'self-consistency rate'.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

ACCURACY = "accuracy"


def framed(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    """Rows as a table of these columns, with `measure` behind them where it is not all accuracy."""
    measures = {row["measure"] for row in rows} - {ACCURACY}
    return pd.DataFrame(rows, columns=[*columns, *(["measure"] if measures else [])])


def measure_of(table: pd.DataFrame) -> str:
    """What the accuracy of a table's rows is, 'accuracy / self-consistency rate' where both are.

    >>> measure_of(pd.DataFrame({"accuracy": [0.5]}))
    'accuracy'
    """
    known = sorted(set(table["measure"])) if "measure" in table else []
    return " / ".join(known) or str(table.attrs.get("measure", ACCURACY))
