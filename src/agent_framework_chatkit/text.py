"""What text needs before a person may see it."""

from __future__ import annotations

import json
import re
from typing import Any

_WORD_BOUNDARY = re.compile(r"[\W_]+|(?<=[a-z0-9])(?=[A-Z])")
_FENCE = re.compile(r"`{3,}")


def mend_surrogates(text: str) -> str:
    """Join surrogate pairs and replace halves without a partner, which UTF-8 cannot carry."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def mend_json(value: Any) -> Any:
    """Return a value as JSON can carry it: text mended, and what is not JSON as its text."""
    return json.loads(mend_surrogates(json.dumps(value, ensure_ascii=False, default=str)))


def shorten(text: str, limit: int) -> str:
    """Cut text after `limit` characters, and say so with an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def readable_name(name: str) -> str:
    """Make a name from code readable: `get_weather` and `getWeather` become `Get weather`."""
    words = [word for word in _WORD_BOUNDARY.split(mend_surrogates(name[:200])) if word]
    words = [word if word.isupper() and len(word) > 1 else word.lower() for word in words]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def code_block(code: str, language: str = "") -> str:
    """Put code in a Markdown fence that nothing in the code can close."""
    longest = max((len(fence) for fence in _FENCE.findall(code)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{code.rstrip()}\n{fence}"
