r"""Where a response says its final answer: after its last `Answer:`, in its last `\boxed{…}`, after
`####`, or after “the answer is”.

The surest sign decides; a sign with nothing after it is none. Everything here is linear in the
response, and nothing is read as mathematics yet.
"""

from __future__ import annotations

import re

from dynlab.tasks.notation import unwrapped
from dynlab.tasks.plain_text import LONGEST

_LABEL = re.compile(
    r"(?<![^\W_])answer(?: is)?(?:\s?\([^()\n]{0,40}\))?[*_`]{0,4}\s?[:\uff1a][*_`]{0,4}"
    r"|(?:答案(?:是|为|為)?|答え|解答|正解)[*_`]{0,4}\s?[:\uff1a][*_`]{0,4}"
    r"|\b(?:réponse|respuesta|resposta|risposta|antwort|ответ)[*_`]{0,4}\s?[:\uff1a][*_`]{0,4}",
    re.IGNORECASE,
)
_HEADING = re.compile(
    r"^[#*_> ]{0,8}(?:the )?(?:final |correct )?answer[*_ ]{0,4}$", re.IGNORECASE | re.MULTILINE
)
_STATED = re.compile(  # in prose, without a colon
    r"\b(?:answer|option|choice)(?: here| then)? (?:is|must be|should be|would be|will be)"
    r"(?: therefore| thus)?"
    r"(?! (?:not|n't|wrong|incorrect|correct|right|none)\b)\s"
    r"|\banswer (?:is not|isn['’]t) [^\n]{1,40}? but (?:rather )?"
    r"|\bantwort (?:lautet|ist)(?: also| daher| somit)?(?! (?:nicht|keine?|falsch|richtig)\b)\s"
    r"|\bréponse(?: finale| correcte)? est(?: donc)?(?! (?:pas|fausse|correcte)\b)\s"
    r"|\brespuesta(?: final| correcta)? es(?! (?:incorrecta|correcta)\b)\s"
    r"|答案(?:应该?)?(?:是|为|為)(?!什么|不)\s?|[故应應]该?[选選]择?\s?",
    re.IGNORECASE,
)
_TAG = re.compile(r"<(/?)answer>", re.IGNORECASE)
_OPENED = re.compile(r"(?<!\w)(\*\*|\*|__|_|`|\"|“|«|\(|\[)(?:[^\W\d_](?:[^\W\d_]| ){0,40})?$")
_CLOSINGS = {"“": "”", "«": "»", "(": ")", "[": "]"}
_HASHES = re.compile(r"^\s{0,8}####\s?(?!#)", re.MULTILINE)
_BOX = re.compile(r"\\f?boxed\s{0,4}\{|\\fbox\s{0,4}\{")
_BARE_BOX = re.compile(r"\\boxed\s{1,4}([^\s{}$\\]{1,40})")
_BETWEEN = re.compile(
    r"(?:[\s,;.$]|\\[()\[\]]|\\q?quad|and|or|&|\\text\{\s{0,2}(?:and|or)\s{0,2}\}){0,12}"
)
_HOPE = re.compile(r"\s*(?:I hope it is correct|I hope this helps).{0,40}$", re.IGNORECASE)
_PROSE = re.compile(r"(?!(?:sin|cos|tan|log|exp|sqrt)\b)[A-Z]?[a-z]{2,} [^\s]")
_FORMULA = re.compile(r"\$([^$\n]{1,200})\$|\\\(([^\n]{1,200}?)\\\)")
_IS = re.compile(r"\b(?:is|are|equals|be)(?: approximately| about)?:?\s+(?=[-\d$\\([{])")
_NOTHING = " *_`\n"  # what is no answer by itself
_OPENINGS = (("\\[", "\\]"), ("$$", "$$"), ("\\(", "\\)"), ("```", "```"), ("$", "$"))


def marked(text: str, *, stated: bool = True) -> str | None:
    r"""What stands after the surest sign of a final answer, up to the end of the response or of the
    box; None if there is no sign, '' if there is one and nothing after it.

    >>> marked("So 5.\nAnswer: 5"), marked("so \\boxed{5}"), marked("So the answer is (C).")
    (' 5', '5', '(C).')
    >>> marked("5")  # None
    """
    if (tagged := _tagged(text)) is not None:
        return marked(tagged, stated=stated) or tagged
    labelled = _labelled(text)
    if labelled is not None and labelled.strip(_NOTHING):
        said = _stated(labelled.strip().partition("\n")[0]) if stated else None
        return boxed(labelled) or said or labelled
    if (box := boxed(text)) is not None:
        return box
    if (headed := _after(_HEADING, text)) or (headed := _after(_HASHES, text)):
        return headed
    if stated and labelled is None and (said := _stated(text)):
        return said
    return labelled


def _stated(text: str) -> str | None:
    """What the last sentence that states an answer says, None if none does."""
    said = _after(_STATED, text)
    return said and said.partition("。")[0]


def _after(sign: re.Pattern[str], text: str) -> str | None:
    """What stands after the last sign, None if there is no sign or nothing after it."""
    matches = list(sign.finditer(text))
    said = _within_marks(text, matches[-1], len(text)) if matches else ""
    return said if said.strip(_NOTHING) else None


def _labelled(text: str) -> str | None:
    """What stands after the last label; None if there is none. Empty labels at the beginning of a
    line are passed over; one within a line is a solution that broke off, so '' stands for it.
    """
    labels = list(_LABEL.finditer(text))
    limit = len(text)
    for label in reversed(labels):
        said = _within_marks(text, label, limit)
        line = text[max(0, label.start() - 80) : label.start()].rpartition("\n")
        if said.strip(_NOTHING) or not line[1] or line[2].strip(_NOTHING):
            return said
        limit = label.start()
    return "" if labels else None


def _tagged(text: str) -> str | None:
    """The content of the last `<answer>…</answer>` that has one; None if there is none."""
    tags = list(_TAG.finditer(text))
    if tags and not tags[-1][1] and (rest := text[tags[-1].end() :].strip()):
        return rest  # the closing tag was a stop word
    for opening, closing in zip(tags[-2::-1], tags[:0:-1], strict=True):
        content = text[opening.end() : closing.start()].strip()
        if closing[1] and not opening[1] and content:
            return content
    return None


def _within_marks(text: str, sign: re.Match[str], limit: int) -> str:
    """What stands after a sign, up to the mark that closes one opened before it: the 5 of
    `**Answer: 5**`, the 12 of `(Answer: 12)`.
    """
    said = text[sign.end() : limit]
    opened = _OPENED.search(text[max(0, sign.start() - 40) : sign.start()])
    if opened is None or opened[1] in sign[0]:
        return said
    mark, depth = _CLOSINGS.get(opened[1], opened[1]), 0
    line = said[: 2 * LONGEST]
    for index, character in enumerate(line):
        if mark in (")", "]"):
            depth += (character in "([{") - (character in ")]}")
            if depth < 0:
                return said[:index]
        elif line.startswith(mark, index) and index and not line[index - 1].isspace():
            after = line[index + len(mark) :][:1]
            if not after.isalnum() and after != mark[0]:
                return said[:index]
    return said


def boxed(text: str) -> str | None:
    r"""The content of the last `\boxed{…}` or `\fbox{…}`, together with those right before it;
    None if none closes within `LONGEST` characters.

    >>> boxed(r"\boxed{1} and \boxed {2}"), boxed(r"\boxed{1}, so in all \fbox{2}")
    ('1,2', '2')
    """
    found: list[str] = []
    limit = len(text)
    for match in reversed(list(_BOX.finditer(text))[-8:]):
        closing = _closing(text, match.end(), limit)
        if closing is None:
            if not found:
                continue
            break
        between = text[closing + 1 : limit]
        if found and not _BETWEEN.fullmatch(between):
            break
        content = text[match.end() : closing].strip()
        if content and content not in found:
            found.append(content)
        limit = match.start()
    if not found and (bare := list(_BARE_BOX.finditer(text))):
        return bare[-1][1]
    return ",".join(reversed(found)) or None


def _closing(text: str, start: int, limit: int) -> int | None:
    depth = 1
    for position in range(start, min(start + LONGEST + 1, limit)):
        depth += (text[position] == "{") - (text[position] == "}")
        if depth == 0:
            return position
    return None


def first_line(text: str) -> str:
    r"""The first line of a text; where it begins with displayed mathematics, that, over its lines.

    >>> first_line(" \\[\n5\n\\]\nThat is all."), first_line("\n**73**\nmore")
    ('5', '**73**')
    """
    text = text.strip()
    for opening, closing in _OPENINGS:
        if text.startswith(opening):
            inner, found, rest = text[len(opening) :].partition(closing)
            line = rest.partition("\n")[0].strip()
            if found and inner.strip() and (not line or line in ".,;:。"):
                return " ".join(inner.split())
    return text.partition("\n")[0].strip()


def mathematics(line: str) -> str:
    r"""The mathematics of a line of prose: its only formula, or what it says something is.

    >>> mathematics("Therefore $x > 5$ is the solution."), mathematics("The largest $n$ is 34.")
    ('x > 5', '34.')
    """
    line = _HOPE.sub("", line)
    if not _PROSE.match(line):
        return line
    formulas = [next(filter(None, found)) for found in _FORMULA.findall(line)]
    tail = line[ends[-1] :] if (ends := [match.end() for match in _IS.finditer(line)]) else ""
    if tail.strip(" .") and not re.search(r"[A-Za-z]{4,}", re.sub(r"\\[A-Za-z]+", "", tail)):
        return tail
    return formulas[0] if len(formulas) == 1 else line


def worded(text: str) -> str:
    r"""The first line of an answer without what stands around the whole of it.

    >>> worded("**73**.\nI am sure")
    '73'
    """
    return unwrapped(first_line(text))
