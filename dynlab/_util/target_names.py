"""Columns that look like what is read under another name: targets that would be ignored."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from difflib import get_close_matches

from dynlab._util.errors import InputError

_TARGETS = frozenset(
    (
        *("target", "targets", "answer", "answers", "gold", "golds", "label", "labels", "solution"),
        *("solutions", "correct_answer", "correct_answers", "right_answer", "gold_answer"),
        *("gold_target", "gold_label", "golden_answer", "golden_answers", "true_answer"),
        *("final_answer", "expected", "expected_answer", "expected_output", "ground_truth"),
        *("groundtruth", "gt", "reference", "references", "reference_answer", "answer_key"),
        *("correct_option", "correct_choice", "truth"),
    )
)
_LONGEST_TYPO = len("target") + 1


def looks_like_target(name: object) -> bool:
    """Whether a column's name says that it holds right answers: `Gold`, `correct answer`, `targt`.

    >>> [looks_like_target(name) for name in ("Correct-Answer", "targt", "meta", "target_id")]
    [True, True, False, False]
    """
    plain = re.sub(r"[\s.-]+", "_", str(name).strip().casefold())
    mistyped = len(plain) <= _LONGEST_TYPO and get_close_matches(plain, ["target"], cutoff=0.8)
    return plain in _TARGETS or bool(mistyped)


def tell_ignored(
    names: Iterable[object], where: str, *, read: Iterable[str], is_known: bool
) -> None:
    """Says which columns look like targets and are not read as such.

    Args:
        names: The columns.
        where: The words for whose they are.
        read: Those of them that are read.
        is_known: Whether what is right is known by another column.

    Raises:
        InputError: It is not: one of these may be meant.
    """
    known = set(read)
    ignored = [str(name) for name in names if name not in known and looks_like_target(name)]
    if ignored and not is_known:
        raise InputError(
            f"{where} has a column {ignored[0]!r}: rename it 'target' if it holds the right"
            " answers, else leave it out"
        )
    if ignored:
        listed = ", ".join(map(repr, ignored))
        warnings.warn(f"{where}: {listed} ignored, 'target' is read", stacklevel=2)
