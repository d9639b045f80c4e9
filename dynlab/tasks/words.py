"""Answers to mathematical questions that are words, and the words between answers."""

from __future__ import annotations

import re

from dynlab.tasks.plain_text import plain

AND = re.compile(
    r",?\s*(?:\\text\s?\{\s*(?:and|or)\s*\}|(?<![A-Za-z\\])(?:and|or)(?![A-Za-z])),?\s*"
)
_WORDS = re.compile(r"[^\W\d_][^\W\d_ '\-,.!?]*(?:[ '\-,.!?]+[^\W\d_]+)*[.!?]?")
_SHORT_WORDS = {
    *("no", "so", "up", "on", "or", "in", "to", "if", "we", "he", "it", "is", "as", "at", "by"),
    *("do", "go", "me", "my", "of", "us", "an", "am", "be", "ok"),
}
_TEXT = re.compile(r"\\(?:text|mathrm)\s?\{([^{}]*)\}")


def words_of(written: str) -> str | None:
    r"""The words of an answer that is words: `No solution`, `\text{Evelyn}`."""
    words = _TEXT.sub(r"\1", written)
    if words != written and re.fullmatch(r"[A-Za-z]", words):
        return words
    if not _WORDS.fullmatch(words) or re.search(r"\\|\d", words):
        return None
    parts = AND.sub(",", words).split(",")
    if len(parts) > 1 and all(len(part.strip()) <= 2 for part in parts):
        return None
    letters = re.sub(r"[^\w]", "", words)
    if len(letters) >= 3 and not re.fullmatch(r"(?:[A-Za-z],\s?)*[A-Za-z]", words):
        return plain(words)
    return plain(words) if letters.casefold() in _SHORT_WORDS else None
