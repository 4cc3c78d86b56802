"""Whose data a request is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def value_of(context: Any, name: str) -> Any:
    """Return a context's value of this name, an attribute or a mapping's key; None without one."""
    if isinstance(context, Mapping):
        return context.get(name)
    return getattr(context, name, None)


def owner_of(context: Any) -> str:
    """Return the owner that a request's context names.

    Args:
        context: Has an attribute `user_id`, or is a mapping that holds it.

    Raises:
        TypeError: If there is no `user_id`, or it is not a string.
        ValueError: If it is empty: visitors must not share what they store.
    """
    owner = value_of(context, "user_id")
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


class OwnerContext(Mapping[str, str]):
    """The context of a request that shows a signed URL: it knows the owner and nothing else.

    Both an attribute and a mapping, because a metadata store may read either.
    """

    def __init__(self, user_id: str) -> None:
        self.user_id = user_id

    def __getitem__(self, name: str) -> str:
        if name != "user_id":
            raise KeyError(name)
        return self.user_id

    def __iter__(self) -> Iterator[str]:
        return iter(("user_id",))

    def __len__(self) -> int:
        return 1
