"""Reads the model service's own objects, the `raw_representation` of contents."""

from __future__ import annotations

from typing import Any


def raw_field(raw: object, name: str, default: Any = None) -> Any:
    """Return a field of an object from the model's service.

    This avoids looking up missing attributes of a pydantic model, which would take longer than
    all other processing of a text.
    """
    fields = getattr(type(raw), "__pydantic_fields__", None)
    if fields is not None and name not in fields:
        return default
    return getattr(raw, name, default)
