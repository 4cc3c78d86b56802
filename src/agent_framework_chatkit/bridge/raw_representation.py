"""What the model's service itself has sent, which contents carry along."""

from __future__ import annotations

from typing import Any


def raw_field(raw: object, name: str, default: Any = None) -> Any:
    """Return a field of what the model's service sent.

    A pydantic model is not asked for what it does not have: it takes longer to say so than all
    else that is done with a text.
    """
    fields = getattr(type(raw), "__pydantic_fields__", None)
    if fields is not None and name not in fields:
        return default
    return getattr(raw, name, default)
