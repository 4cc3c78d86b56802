"""Reads the owner from a request's context."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def value_of(context: Any, name: str) -> Any:
    """Return an attribute of a context, or a value of a mapping; `None` if it has none."""
    if isinstance(context, Mapping):
        return context.get(name)
    return getattr(context, name, None)


def owner_of(context: Any) -> str:
    """Return the owner that a request's context names.

    Args:
        context: An object with the attribute `user_id`, or a mapping with this key.

    Raises:
        TypeError: If there is no `user_id`, or it is not a string.
        ValueError: If `user_id` is empty: visitors must not share their data.
    """
    owner = value_of(context, "user_id")
    if not isinstance(owner, str):
        raise TypeError(
            "The store must know the owner of a request's data. Pass ChatKitServer.process a "
            "context with a string `user_id`, as an attribute or as a mapping's key; this one, "
            f"of type {type(context).__name__}, has {owner!r}."
        )
    if not owner:
        raise ValueError(
            "The context's `user_id` is empty. A visitor without a login is an owner too: "
            "give each visitor an ID, for example in a signed cookie."
        )
    return owner


class OwnerContext(Mapping[str, str]):
    """The context of a request with a signed URL, which names only the owner.

    The owner is both an attribute and a mapping's value, because a metadata store may read either.
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
