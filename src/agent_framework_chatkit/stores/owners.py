"""Whose data a request is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def owner_of(context: Any) -> str:
    """Return the owner that a request's context names.

    Args:
        context: Has an attribute `user_id`, or is a mapping that holds it.

    Raises:
        TypeError: If there is no `user_id`, or it is not a string.
        ValueError: If it is empty: visitors must not share what they store.
    """
    if isinstance(context, Mapping):
        owner = context.get("user_id")
    else:
        owner = getattr(context, "user_id", None)
    if not isinstance(owner, str):
        raise TypeError(
            "The store must know whose data a request is about. Give ChatKitServer.process a "
            "context with a string `user_id`, as an attribute or as a mapping's key; this one, "
            f"of type {type(context).__name__}, has {owner!r}."
        )
    if not owner:
        raise ValueError(
            "The context's `user_id` is empty. A visitor without a login is an owner too: "
            "give each one an id, for example in a signed cookie."
        )
    return owner
