"""Values to JSON text and back, whatever strings they hold."""

from __future__ import annotations

import json
import logging
from typing import TypeVar

from pydantic import BaseModel, TypeAdapter
from pydantic_core import PydanticSerializationError, to_jsonable_python

logger = logging.getLogger(__name__)

T = TypeVar("T")


def dump(value: BaseModel) -> str:
    """Return a value as JSON text.

    Raises:
        PydanticSerializationError: If it holds something that JSON cannot.
    """
    try:
        return value.model_dump_json(by_alias=True)
    except PydanticSerializationError:
        # Half an emoji, as when a stream is cut, cannot be written as UTF-8. Escaped, it can.
        return json.dumps(value.model_dump(by_alias=True), default=to_jsonable_python)


def load(adapter: TypeAdapter[T], text: str, what: str) -> T | None:
    """Return what JSON text holds, or nothing, and an error in the log, if it makes no sense.

    A newer version may have written it, and a row that this version cannot read must not make
    what is beside it unreadable.

    Args:
        adapter: Knows what the value should be.
        text: The JSON text.
        what: What to call it in the log.
    """
    try:
        try:
            return adapter.validate_json(text)
        except ValueError:
            # pydantic's own parser does not take half an emoji.
            return adapter.validate_python(json.loads(text))
    except ValueError:
        logger.exception("%s cannot be read, and is left out.", what)
        return None
