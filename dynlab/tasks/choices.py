"""The letter that an answer to a multiple-choice question chooses.

An answer that names several letters chooses them all (`A,B`) where it lists them, and none where it
hesitates between them (`A or B`); letters that it rules out are not chosen.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

from dynlab.tasks.extraction import first_line
from dynlab.tasks.notation import latexed, unwrapped
from dynlab.tasks.plain_text import LONGEST, plain

_LETTER = (
    r"[(\[{]\s?([A-Za-z])\s?[)\]}]|(?<![\w'])([B-HJ-Z])(?![\w'’])"
    r"|(?<![\w'])([AI])(?=\s+(?:is|was|seems|are|and|or|nor|but)\b|\s*[.,;)*:/&]|\s*$)(?![\w'’])"
)
_MENTION = re.compile(_LETTER)
_LEADING = re.compile(
    r"(?:(?:the )?(?:correct |right |best |final )?"
    r"(?:option|choice|answer|letter)s?\s*(?:is|are)?\s*:?\s*)?"
    r"(?:[(\[{]\s?([A-Za-z])\s?[)\]}]"
    r"|([A-Z])(?=[).:\]]|\s*[-–—=,;]|\s*$|\s+(?:is|because|since|as|and|or|&|/)\b|\s*[/&])"
    r"|([B-HJ-Z])(?=\s)(?! [a-z]+ (?:is|are)\b)|([a-z])(?=[).:]|\s*$))",
    re.IGNORECASE,
)
_OR = r"or\W{1,3}(?:(?:maybe|perhaps|possibly|even|option)\W{1,3})?"
_LIST = re.compile(
    r"(?:(?:both|either|options?|choices?|answers?|letters?)\s+)*[(\[{]?\s?([A-Z])\s?[)\]}]?"
    r"(?:(?:\s*(?:,|;|/|&|\+)\s*(?:and\s+|or\s+)?|\s+and\s+|\s+or\s+(?:(?:maybe|perhaps|possibly|even)\s+)?)"
    r"[(\[{]?\s?([A-Z])\s?[)\]}]?(?![\w'’]))+"
)
_RUN = re.compile(r"[A-Z]{2,8}")
_NEGATED_BEFORE = re.compile(
    r"(?:\bnot|n't|n’t|\bnor|\bneither|\bnever|\bexclud\w+|\beliminat\w+|\brul\w+ out"
    r"|\bdismiss\w*|\breject\w*|\brather than|\binstead of|\bunlike|\bexcept"
    r"|\bwrong\w*|\bincorrect)"
    r"\s+(?:(?:is|be|option|choice|answer|the|both|either)\s+)*[(\[{*]*$",
    re.IGNORECASE,
)
_NEGATED_AFTER = re.compile(
    r"[)\]}*]*\s*(?:(?:is|are|was|seems|looks|must be|can be|could be)\s+(?:\w+ly\s+)?"
    r"(?:not|n't|wrong|incorrect|false|out|excluded|eliminated|ruled out|impossible|too|invalid)\b"
    r"|(?:isn|aren|doesn|can|won|couldn|wouldn)['’]?t\b"
    r"|cannot\b|does not\b|fails?\b|contradicts?\b)",
    re.IGNORECASE,
)
_CUE = re.compile(
    r"(?:\b(?i:is|it's|be|choose|chose|pick|select|go with"
    r"|therefore|thus|hence|so|conclude|answer|option|choice|leaving|leaves)"
    r"|[:=→]|\\rightarrow),?\s*"
    r"(?i:therefore |thus |clearly |option |choice |letter |the |answer )*[*_]*(?:" + _LETTER + ")",
)


def choice(text: str, options: Sequence[str] = (), *, last: bool = False) -> str:
    """The chosen letter, upper-case; several as 'A,B'; '' if none is chosen.

    >>> choice("not (A), it is (C)"), choice("A or B"), choice("A, B")
    ('C', '', 'A,B')
    >>> choice("AB", ("O", "A", "B", "AB")), choice("-x", ("x", "-x"))
    ('D', 'B')

    Args:
        text: What stands after the sign of an answer, or a whole response without one.
        options: The options, in the order of their letters.
        last: It is a whole response: its last line counts like its first.
    """
    if exact := _exact(text if last else text[: 10 * LONGEST], options):
        return exact
    text = unicodedata.normalize("NFKC", text[: 10 * LONGEST] if not last else _ends(text))
    lines = [first_line(text)]
    if last:
        lines.append(text.strip().rpartition("\n")[2].strip())
    for line in lines:
        if found := _in_line(line, options, last=last):
            return found if found != _UNDECIDED else ""
    return ""


def letters_meant(target: str, num_options: int = 26) -> str:
    """What a target that is an index could mean, in words; '' if it is none.

    Files count from 0 as from 1, and a wrong guess would make every answer wrong.

    >>> letters_meant("2", 4)
    "'2' is C counted from 0, B counted from 1: give letters, or the texts of the options"
    >>> letters_meant("0", 4)
    "'0' is A counted from 0: give letters, or the texts of the options"
    """
    index = target.strip()
    if not index.isascii() or not index.isdigit() or len(index) > 2:
        return ""
    meant = [
        f"{chr(ord('A') + int(index) - start)} counted from {start}"
        for start in (0, 1)
        if 0 <= int(index) - start < min(num_options, 26)
    ]
    if not meant:
        return ""
    return f"{index!r} is {', '.join(meant)}: give letters, or the texts of the options"


_UNDECIDED = "?"


def _ends(text: str) -> str:
    most = 5 * LONGEST
    return text if len(text) <= 2 * most else f"{text[:most]}\n{text[-most:]}"


def _exact(text: str, options: Sequence[str]) -> str:
    """The letter of the only option with just this text: signs and case count. An upper-case letter
    that is offered is a letter.
    """
    text = text.strip()
    if len(text) > 10 * LONGEST or (_is_letter(text) and _is_offered(text, options)):
        return ""
    line = first_line(text) if "\n" in text else text
    readers: tuple[Callable[[str], str], ...] = (str.strip, unwrapped, _spelled)
    for read in readers:
        wanted = read(line)
        if read is not str.strip and _is_letter(wanted) and _is_offered(wanted, options):
            return ""
        found = [index for index, option in enumerate(options) if read(option) == wanted]
        if len(found) == 1 and wanted:
            return chr(ord("A") + found[0])
    return ""


def _spelled(text: str) -> str:
    """Mathematics in one spelling, without spaces."""
    return latexed(unwrapped(text)).replace(" ", "")


def _is_letter(text: str) -> bool:
    return len(text) == 1 and text.isascii() and text.isupper()


def _in_line(line: str, options: Sequence[str], *, last: bool) -> str:
    """The letter or letters of a line, '?' if it hesitates, '' if it names none."""
    line = unwrapped(line).strip("*_ \"'")
    bare = line.strip("()[]{}.:*_ ")
    if len(bare) == 1 and bare.isalpha() and bare.isascii() and _is_offered(bare, options):
        return bare.upper()
    if named := _named(line, options):
        return named
    if listed := _listed(line, options):
        return listed
    # a whole response may go through the options before it concludes
    if last and (concluded := _mentioned(line, options, concluded=True)):
        return concluded
    if (match := _LEADING.match(line)) and not _NEGATED_AFTER.match(line, match.end()):
        letter = str(next(filter(None, match.groups())))
        if _is_offered(letter, options):
            return letter.upper()
    return _mentioned(line, options) or _worded(line, options)


def _worded(line: str, options: Sequence[str]) -> str:
    """The letter of the only option whose text stands in the line."""
    line = f" {plain(line)} "
    found = {index for index, option in enumerate(options) if f" {plain(option)} " in line}
    return chr(ord("A") + found.pop()) if len(found) == 1 else ""


def _named(line: str, options: Sequence[str]) -> str:
    """The letter of the option whose text the line repeats, with or without its letter."""
    plains = [plain(option) for option in options]
    offered = {  # options that differ in signs or case alone are told apart by their exact text
        words: chr(ord("A") + index)
        for index, words in enumerate(plains)
        if words and plains.count(words) == 1
    }
    if (words := plain(line)) in offered:
        return offered[words]
    match = re.match(r"[(\[]?([A-Za-z])[).:\]]+\s*(.+)", line)
    if match and offered.get(plain(match[2])) == match[1].upper():
        return match[1].upper()
    return ""


def _listed(line: str, options: Sequence[str]) -> str:
    """Several letters in a row: 'A,B' where they are listed, '?' where it is one or the other."""
    bare = "".join(line.strip("()[]{}.:* ").split(" "))
    if _RUN.fullmatch(bare) and sorted(set(bare)) == list(bare):
        offered = all(_is_offered(letter, options) for letter in bare)
        return ",".join(bare) if offered and (options or len(bare) <= 5) else ""
    match = _LIST.match(line)
    if match is None:
        return ""
    rest = line[match.end() :].strip(" .)*")
    letters = re.findall(r"(?<![A-Za-z])[A-Z](?![A-Za-z])", match[0])
    if not all(_is_offered(letter, options) for letter in letters):
        return ""
    if rest and re.match(r"[A-Za-z]", rest) and not re.match(r"(?:are|is|both|together)\b", rest):
        # "A, B is too small": the rest speaks of the last letter alone
        return ""
    if re.search(r"\bor\b|/", match[0]):
        return _UNDECIDED if len(set(letters)) > 1 else letters[0]
    return ",".join(sorted(set(letters)))


def _mentioned(line: str, options: Sequence[str], *, concluded: bool = False) -> str:
    """The letter that a sentence ends up with; `concluded`: only if it says so ("so it is C")."""
    affirmed: list[tuple[int, str, bool]] = []
    for match in _MENTION.finditer(line):
        letter = str(next(filter(None, match.groups()))).upper()
        if not _is_offered(letter, options):
            continue
        if _NEGATED_BEFORE.search(line[: match.start()]) or _NEGATED_AFTER.match(line, match.end()):
            continue
        affirmed.append((match.start(), letter, match[1] is not None))
    cued = [match.end() for match in _CUE.finditer(line)]
    if not affirmed:
        return ""
    with_cue = [
        letter for start, letter, _ in affirmed if any(start < end <= start + 5 for end in cued)
    ]
    if with_cue:
        chosen = with_cue[-1]
    elif concluded:
        return ""
    else:
        bracketed = [letter for _, letter, in_brackets in affirmed if in_brackets]
        chosen = (bracketed or [letter for _, letter, _ in affirmed])[-1]
    if re.search(rf"\b{chosen}\W{{1,3}}{_OR}[A-Z]\b|\b[A-Z]\W{{1,3}}{_OR}{chosen}\b", line):
        return _UNDECIDED
    return chosen


def _is_offered(letter: str, options: Sequence[str]) -> bool:
    return not options or ord(letter.upper()) - ord("A") < len(options)
