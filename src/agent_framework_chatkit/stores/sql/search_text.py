"""Splits texts into words for the search, and finds matches in texts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from chatkit.types import AssistantMessageItem, ThreadItem, UserMessageItem

MAX_TEXT = 100_000
"""The number of characters of a text to index. PostgreSQL allows a megabyte of words at most."""

MAX_WORD = 64
"""The maximum number of characters of a word; the rest is ignored."""

MAX_QUERY = 2_000
"""The maximum number of characters of a query; the rest is ignored."""

MAX_WORDS = 16
"""The maximum number of words of a query; the rest is ignored."""

BEFORE = 40
AFTER = 160
"""The number of characters of a message to show before and after the first match."""

_WORD = re.compile(r"[^\W_]+")

# Scripts without spaces between words: Thai to Khmer, kana and Chinese characters.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]+"
)

_MARKUP = re.compile(r"[*`#|~]+|\s+")


def text_of(item: ThreadItem) -> str:
    """Return the text of a message, or an empty string for any other item."""
    if isinstance(item, (UserMessageItem, AssistantMessageItem)):
        return "\n".join(part.text for part in item.content)
    return ""


def words_of(text: str) -> list[str]:
    """Return the distinct words of a text, without case and accents.

    In scripts without spaces between words, every two adjacent characters count as a word, and so
    does the last character.
    """
    found: dict[str, None] = {}
    for word in _WORD.findall(_folded(text[:MAX_TEXT])[:MAX_TEXT]):
        for part, is_unspaced in _runs(word):
            if is_unspaced:
                found.update(dict.fromkeys(part[at : at + 2] for at in range(len(part))))
            else:
                found[part[:MAX_WORD]] = None
    return list(found)


def beginnings_in(query: str) -> list[str]:
    """Return the prefixes that a query searches for."""
    found: dict[str, None] = {}
    for word in _WORD.findall(_folded(query[:MAX_QUERY])):
        for part, is_unspaced in _runs(word):
            if not is_unspaced or len(part) == 1:
                found[part[:MAX_WORD]] = None
            else:
                found.update(dict.fromkeys(part[at : at + 2] for at in range(len(part) - 1)))
    return list(found)[:MAX_WORDS]


def marked(text: str, query: str) -> list[tuple[str, bool]]:
    """Return an excerpt of a text in pieces, each with whether it matches a query.

    Args:
        text: The text.
        query: The query.
    """
    text = _MARKUP.sub(_space, text[:MAX_TEXT]).strip()
    folded, places = _fold(text)
    spans = sorted(_spans(folded, beginnings_in(query)))
    first = places[spans[0][0]] if spans else 0
    start = max(0, first - BEFORE)
    if start > 0:
        # Do not cut words.
        start = text.find(" ", start, first) + 1 or start
    end = first + AFTER
    pieces: list[tuple[str, bool]] = []
    at = start
    for begin, stop in spans:
        begin, stop = max(at, places[begin]), min(end, places[stop - 1] + 1)
        if begin >= stop:
            continue
        pieces += [(text[at:begin], False), (text[begin:stop], True)]
        at = stop
    pieces.append((text[at:end], False))
    if start > 0:
        pieces.insert(0, ("…", False))
    if end < len(text):
        pieces.append(("…", False))
    return _joined(pieces)


def _runs(word: str) -> Iterable[tuple[str, bool]]:
    """Yield the parts of a word, and whether each is in a script without spaces."""
    at = 0
    for run in _UNSPACED.finditer(word):
        if run.start() > at:
            yield word[at : run.start()], False
        yield run.group(), True
        at = run.end()
    if at < len(word):
        yield word[at:], False


class _NoMarks(dict[int, "int | None"]):
    """Removes accents and other marks in `str.translate`."""

    def __missing__(self, code: int) -> int | None:
        self[code] = None if unicodedata.category(chr(code)).startswith("M") else code
        return self[code]


_NO_MARKS = _NoMarks()


def _folded(text: str) -> str:
    """Return a text without case and accents."""
    return unicodedata.normalize("NFKD", text).casefold().translate(_NO_MARKS)


def _fold(text: str) -> tuple[str, list[int]]:
    """Return a text without case and accents, and the original index of each of its characters.

    This takes 20 times as long as `_folded`.
    """
    folded: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        plain = character.lower() if character.isascii() else _folded(character)
        folded.append(plain)
        places += [place] * len(plain)
    return "".join(folded), places


def _spans(folded: str, beginnings: list[str]) -> Iterable[tuple[int, int]]:
    """Yield the spans of words that start with one of the prefixes."""
    for beginning in beginnings:
        is_unspaced = _UNSPACED.fullmatch(beginning) is not None
        boundary = "" if is_unspaced else r"(?<![^\W_])"
        for found in re.finditer(boundary + re.escape(beginning), folded):
            yield found.span()


def _joined(pieces: list[tuple[str, bool]]) -> list[tuple[str, bool]]:
    """Drop empty pieces, and join adjacent pieces of the same kind."""
    joined: list[tuple[str, bool]] = []
    for text, is_marked in pieces:
        if not text:
            continue
        if joined and joined[-1][1] == is_marked:
            joined[-1] = (joined[-1][0] + text, is_marked)
        else:
            joined.append((text, is_marked))
    return joined


def _space(found: re.Match[str]) -> str:
    return " " if found.group().isspace() else ""
