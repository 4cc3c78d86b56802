"""Makes text safe and readable for people."""

from __future__ import annotations

import json
import re
from typing import Any

_WORD_BOUNDARY = re.compile(r"[\W_]+|(?<=[a-z0-9])(?=[A-Z])")
_FENCE = re.compile(r"`{3,}")

_HIDDEN = (
    r"\x00-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160"
    r"\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ud800-\udfff"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Control and format characters, lone surrogates, and blank letters."""
_PICTURE = (
    r"[\xa9\xae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u25fe\u2600-\u27bf"
    r"\u2934\u2935\u2b05-\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)
_EMOJI = (
    rf"{_PICTURE}[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]?"
    rf"(?:\u200d{_PICTURE}[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]?)*"
)
_JOINING = (
    r"[\u0620-\u06dc\u06de-\u070e\u0710-\u074f\u0750-\u077f\u0860-\u088f\u0892-\u08e1\u08e3-\u0dff"
    r"\u1000-\u109f\u1780-\u17b3\u17b6-\u17d3\u1820-\u18aa]"
)
"""Letters and signs of scripts in which a joiner within a word changes its meaning."""
_TO_ESCAPE = re.compile(rf"{_EMOJI}|[0-9#*]\ufe0f\u20e3|([{_HIDDEN}])")
_TO_ESCAPE_IN_NAMES = re.compile(
    rf"{_EMOJI}|[0-9#*]\ufe0f\u20e3|(?<={_JOINING})[\u200c\u200d](?={_JOINING})|([{_HIDDEN}])"
)


_MARKUP = re.compile(
    r"<(?=\s*/?\s*(?:TAG|ATTACHMENT|HIDDEN_CONTEXT|StructuredInput)\b)", re.IGNORECASE
)
"""Matches the start of text that looks like our own markup for agents."""


def without_markup(text: str) -> str:
    """Escape a user's text so that agents cannot mistake it for our own markup."""
    return _MARKUP.sub("&lt;", text)


def mend_surrogates(text: str) -> str:
    """Join surrogate pairs, and replace lone surrogates, which UTF-8 cannot encode."""
    if text.isascii():
        return text
    try:
        text.encode()
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
    r"""Replace characters that hide or reorder text with escapes such as `\u202e`.

    Joiners within emoji are kept.

    Args:
        text: The text.
        keep: Characters to keep.
        in_name: Whether to also keep joiners within words of scripts that need them.
    """
    if text.isascii() and text.isprintable():
        return text

    def escape(match: re.Match[str]) -> str:
        hidden = match[1]
        return match[0] if hidden is None or hidden in keep else json.dumps(hidden)[1:-1]

    # `json.dumps` does not escape DEL.
    pattern = _TO_ESCAPE_IN_NAMES if in_name else _TO_ESCAPE
    return pattern.sub(escape, text).replace("\x7f", "\\u007f")


def without_hidden(name: str) -> str:
    """Return a name without characters that hide or reorder text.

    Joiners within emoji, and within words of scripts that need them, are kept.
    """
    return _TO_ESCAPE_IN_NAMES.sub(lambda match: "" if match[1] else match[0], name)


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
