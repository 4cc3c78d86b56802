"""Makes text safe and readable for people."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Any

_WORD_BOUNDARY = re.compile(r"[\W_]+|(?<=[a-z0-9])(?=[A-Z])")
_FENCE = re.compile(r"`{3,}")

_HIDDEN = (
    r"\x00-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160"
    r"\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ud800-\udfff"
    r"\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U000110bd\U000110cd"
    r"\U00013430-\U0001343f\U00013441\U00013442\U00016fe4\U0001bca0-\U0001bca3\U0001d159"
    r"\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Control and format characters, lone surrogates, noncharacters, and blank letters and signs."""
_SPACES = r"\xa0\u1680\u2000-\u200a\u202f\u205f\u3000"
"""Spaces that look like an ordinary one, or like several."""
_PICTURES = (
    r"\xa9\xae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u25fe\u2600-\u27bf"
    r"\u2934\u2935\u2b05-\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
_PICTURE = rf"[{_PICTURES}][\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]?"
_FLAG = (
    r"\U0001f3f4\U000e0067\U000e0062(?:\U000e0065\U000e006e\U000e0067|"
    r"\U000e0073\U000e0063\U000e0074|\U000e0077\U000e006c\U000e0073)\U000e007f"
)
"""The flags of England, Scotland and Wales, which are written with tag characters."""
_EMOJI = rf"{_FLAG}|{_PICTURE}(?:\u200d{_PICTURE})*|(?<=[0-9#*])\ufe0f\u20e3"
_IDEOGRAPH = r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
_WIDE = (
    r"[\u3001-\u3163\u3165-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff01-\uff60"
    r"\U00020000-\U0003ffff]"
)
"""Characters between which an ideographic space is usual; they are as wide as it is."""
_USUAL_SPACE = (
    rf"(?<={_WIDE})\u3000|\u3000(?={_WIDE})"
    r"|(?<=[«\u2039])[\xa0\u202f]|[\xa0\u202f](?=[»\u203a])|(?<=[\w»\)])[\xa0\u202f](?=[;:!?](?!\S))"
    r"|(?<=\d)[\xa0\u202f](?=\d{3}(?!\d))"
)
"""Spaces in Chinese and Japanese, at French punctuation, and between thousands."""
_JOINING = (
    r"[\u0620-\u06dc\u06de-\u070e\u0710-\u074f\u0750-\u077f\u0860-\u088f\u0892-\u08e1\u08e3-\u0dff"
    r"\u1000-\u109f\u1780-\u17b3\u17b6-\u17d3\u1820-\u18aa]"
)
"""Letters and signs of scripts in which a joiner within a word changes its meaning."""
_USUAL_IN_NAMES = (
    rf"(?<={_JOINING})[\u200c\u200d](?={_JOINING})|(?<=[\u1820-\u18aa])[\u180b-\u180f\u202f]"
    rf"|(?<={_IDEOGRAPH})[\ufe00-\ufe02\U000e0100-\U000e01ef]"
)
_MAY_ESCAPE = rf"(?=[{_HIDDEN}{_SPACES}{_PICTURES}])"
"""Skips all other characters quickly."""
_TO_ESCAPE = re.compile(rf"{_MAY_ESCAPE}(?:{_EMOJI}|{_USUAL_SPACE}|([{_HIDDEN}{_SPACES}]))")
_TO_ESCAPE_IN_NAMES = re.compile(
    rf"{_MAY_ESCAPE}(?:{_EMOJI}|{_USUAL_SPACE}|{_USUAL_IN_NAMES}|([{_HIDDEN}{_SPACES}]))"
)
_MAX_MARKS = 5
"""The number of accents and signs on a letter, which no language exceeds often."""
_MAY_HAVE_MARKS = re.compile(rf"[^\w\s\x00-\x7f]{{{_MAX_MARKS + 1},}}")

_TAGS = "|".join(
    f"[{_HIDDEN}]{{0,20}}".join(name)
    for name in ("TAG", "ATTACHMENT", "HIDDEN_CONTEXT", "StructuredInput")
)
MARKUP_STARTS = "<\ufe64\uff1c"
"""Characters that look like the start of markup."""
MAX_MARKUP = 1024
"""The maximum length of text that looks like the start and the name of our own markup."""
_MARKUP = re.compile(
    rf"[{MARKUP_STARTS}](?=[\s/\uff0f{_HIDDEN}]{{0,500}}(?:{_TAGS})\b)", re.IGNORECASE
)
"""Matches the start of text that looks like our own markup for agents.

It has one repetition for spaces and slashes: two would take quadratic time for many spaces.
"""

_ENCODED = 64 * 1024
"""The number of characters of a text to encode at a time, only to see whether that is possible."""


def without_markup(text: str) -> str:
    """Escape a user's text so that agents cannot mistake it for our own markup."""
    return _MARKUP.sub("&lt;", text)


def mend_surrogates(text: str) -> str:
    """Join surrogate pairs, and replace lone surrogates, which UTF-8 cannot encode."""
    if text.isascii():
        return text
    try:
        for start in range(0, len(text), _ENCODED):
            text[start : start + _ENCODED].encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def mend_json(value: Any) -> Any:
    """Return a value as JSON data: texts are mended, and unknown objects become strings."""
    return json.loads(mend_surrogates(json.dumps(value, ensure_ascii=False, default=str)))


def shorten(text: str, limit: int) -> str:
    """Cut text to at most `limit` characters, with an ellipsis at the end."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def visible(text: str, *, keep: str = "", in_name: bool = False) -> str:
    r"""Replace characters that hide, reorder or imitate text with escapes such as `\u202e`.

    So are unusual spaces, and accents that pile up on a letter. Emoji keep their joiners, and
    Chinese, Japanese, French and long numbers keep their spaces.

    Args:
        text: The text.
        keep: Characters to keep.
        in_name: Whether it is a name on which nobody decides. Joiners and variation selectors
            within words of scripts that need them stay, and unusual spaces become ordinary ones.
    """
    if text.isascii() and text.isprintable():
        return text

    def escape(match: re.Match[str]) -> str:
        hidden = match[1]
        if hidden is None or hidden in keep:
            return match[0]
        return " " if in_name and _is_space(hidden) else _escaped(hidden)

    # `json.dumps` does not escape DEL.
    pattern = _TO_ESCAPE_IN_NAMES if in_name else _TO_ESCAPE
    shown = pattern.sub(escape, text).replace("\x7f", "\\u007f")
    return _without_piles(shown, _escaped)


def _without_piles(text: str, replace: Callable[[str], str]) -> str:
    """Replace marks that pile up on a letter: they would cover the lines around it."""

    def flatten(match: re.Match[str]) -> str:
        shown: list[str] = []
        count = 0
        for char in match[0]:
            count = count + 1 if _is_mark(char) else 0
            shown.append(replace(char) if count > _MAX_MARKS else char)
        return "".join(shown)

    return _MAY_HAVE_MARKS.sub(flatten, text)


def without_hidden(name: str) -> str:
    """Return a name without characters that hide, reorder or cover text, and with ordinary spaces.

    It keeps the same characters as `visible` does in names.
    """

    def replace(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0]
        return " " if _is_space(match[1]) else ""

    cleaned = _TO_ESCAPE_IN_NAMES.sub(replace, name)
    # A character that is gone now may have been the reason to keep the space beside it.
    cleaned = _TO_ESCAPE_IN_NAMES.sub(replace, cleaned)
    return _without_piles(cleaned, lambda mark: "")


@lru_cache(maxsize=4096)
def _is_mark(char: str) -> bool:
    return unicodedata.category(char) in ("Mn", "Me")


@lru_cache(maxsize=4096)
def _escaped(char: str) -> str:
    return json.dumps(char)[1:-1]


def _is_space(char: str) -> bool:
    return unicodedata.category(char) == "Zs"


def readable_name(name: str) -> str:
    """Make a name from code readable: `get_weather` and `getWeather` become `Get weather`.

    A name with characters that hide or reorder text keeps its form, with those characters escaped.
    """
    shown = visible(name[:200])
    if shown != name[:200]:
        return shown
    words = [word for word in _WORD_BOUNDARY.split(shown) if word]
    words = [word if word.isupper() and len(word) > 1 else word.lower() for word in words]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def code_block(code: str, language: str = "") -> str:
    """Put code in a Markdown fence that the code cannot close."""
    longest = max((len(fence) for fence in _FENCE.findall(code)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{code.rstrip()}\n{fence}"
