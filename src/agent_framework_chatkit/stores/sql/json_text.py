"""Converts values to JSON text and back, whatever strings they contain."""

from __future__ import annotations

import json
import logging
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter
from pydantic_core import PydanticSerializationError, to_jsonable_python

logger = logging.getLogger(__name__)

T = TypeVar("T")

# Escapes would take up to six bytes for each letter of other scripts than Latin.
_encode = json.JSONEncoder(default=str, ensure_ascii=False, skipkeys=True).encode
_encode_in_ascii = json.JSONEncoder(default=str, skipkeys=True).encode


def dump(value: BaseModel) -> str:
    """Return a value as JSON text.

    Raises:
        PydanticSerializationError: If the value contains something that JSON does not support.
    """
    try:
        return value.model_dump_json(by_alias=True)
    except PydanticSerializationError:
        # Half an emoji, from a stream that was cut, cannot be encoded as UTF-8, but can be escaped.
        return json.dumps(value.model_dump(by_alias=True), default=to_jsonable_python)


def dump_any(value: Any) -> str:
    """Return a value as JSON text.

    Values that JSON does not support become strings; those with such keys are left out.
    """
    text = _encode(value)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            # Half an emoji again.
            return _encode_in_ascii(value)
    return text


def load(adapter: TypeAdapter[T], text: str, what: str) -> T | None:
    """Return the value of JSON text, or log an error and return `None` if it is not valid.

    A newer version may have written the text. A row that this version cannot read must not make
    other rows unreadable.

    Args:
        adapter: The adapter for the value's type.
        text: The JSON text.
        what: The value's name for the log.
    """
    try:
        try:
            return adapter.validate_json(text)
        except ValueError:
            # pydantic's own parser does not accept half an emoji.
            return adapter.validate_python(json.loads(text))
    except ValueError:
        logger.exception("%s cannot be read and is left out.", what)
        return None
