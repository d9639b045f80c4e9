"""Any text made safe to print, send and compare.

Responses are untrusted: any length, any character. Everything here is linear in the text.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST = 200  # characters of an answer; what is longer is prose

_ESCAPES = re.compile(r"\x1b\[[0-9;?]{0,16}[A-Za-z]")
_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
_TURNS = re.compile(
    r"<\|[^<>|\n]{1,40}\|>|<｜[^<>｜\n]{1,40}｜>|</?s>|\[/?INST\]"
    r"|<(?:eos|bos|pad|(?:end|start)_of_(?:turn|utterance))>"
)
_DECORATION = "✅☑✔✓✨🎉👍💯🎯🙂😊😀😃😄👏\ufe0f∎■□◻◼"
_FOLDED = str.maketrans(
    {"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "−": "-", "’": "'", "ʼ": "'", "‘": "'"}
)


def clean(text: str) -> str:
    """Text without terminal escapes, control and direction characters, lone surrogates; every line
    ends with a newline.

    >>> clean("\\x1b[31mLima\\x1b[0m\\x00")
    'Lima'
    """
    return _CONTROLS.sub("", _LINE_ENDS.sub("\n", _ESCAPES.sub("", text)))


def without_tokens(text: str) -> str:
    """A response without the marks between turns that some servers leave in it; a line ends there.

    >>> without_tokens("12<|im_end|>"), without_tokens("<s>[INST] 12 [/INST]").strip()
    ('12\\n', '12')
    """
    return _TURNS.sub("\n", text)


def undecorated(text: str) -> str:
    """An answer without ticks, smileys and ends of proofs around it, where that leaves something.

    >>> undecorated("12 ✅"), undecorated("✅"), undecorated("Ace of ♠")
    ('12', '✅', 'Ace of ♠')
    """
    return text.strip(_DECORATION + " ") or text


def writable(text: str) -> str:
    """Text as UTF-8 can hold it: lone surrogates, which JSON may escape, become question marks."""
    return text.encode("utf-8", "replace").decode()


def plain(text: str) -> str:
    """Words only: no case, accents, punctuation, quotes or leading article (English, French).

    >>> plain("The “Côte d’Ivoire”.")
    'cote divoire'
    """
    text = unicodedata.normalize("NFKD", text)
    # accents only: marks of other scripts are letters
    text = "".join(c for c in text if not "\u0300" <= c <= "\u036f")
    text = unicodedata.normalize("NFKD", text.casefold()).translate(_FOLDED)
    text = re.sub(r"\bl'(?=\w)", "", text)
    text = re.sub(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))|['`´]|(?<![0-9])\.|\.(?![0-9])", "", text)
    text = re.sub(r"(?<!\w)-(?=[0-9])", "\0", text)  # a sign, not a hyphen
    text = "".join(" " if _is_punctuation(c) else c for c in text).replace("\0", "-")
    text = " ".join(text.split())
    text = re.sub(r"^(?:(?:the|a|an|le|la|les|un|une) )+", "", text)
    text = unicodedata.normalize("NFC", text)
    return text if len(text) <= LONGEST else ""


def _is_punctuation(character: str) -> bool:
    category = unicodedata.category(character)
    return category == "Sk" or (category[0] in "PZ" and character not in "%.#")
