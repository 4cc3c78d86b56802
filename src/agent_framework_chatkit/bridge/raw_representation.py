"""Fields of the model service's own objects, which contents keep as `raw_representation`."""

from __future__ import annotations

from typing import Any


def raw_field(raw: object, name: str, default: Any = None) -> Any:
    """Return a field of an object of the model's service.

    Looking up a missing attribute of a pydantic model takes longer than everything else that is
    done with a text, so it is avoided.
    """
    fields = getattr(type(raw), "__pydantic_fields__", None)
    if fields is not None and name not in fields:
        return default
    return getattr(raw, name, default)
