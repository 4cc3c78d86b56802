"""What a store reads from a request's context: whose request it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def value_of(context: Any, name: str) -> Any:
    """Return a context's value of this name, an attribute or a mapping's key; None without one."""
    if isinstance(context, Mapping):
        return context.get(name)
    return getattr(context, name, None)


def owner_of(context: Any) -> str:
    """Return the owner for whom a request is made, `context.user_id`.

    Raises:
        ValueError: The context names none. Answering without an owner would mix people's data.
    """
    owner = value_of(context, "user_id")
    if not isinstance(owner, str) or not owner:
        raise ValueError(
            "The context must have a user_id, a string that is not empty, as an attribute or a "
            f"key; this one is a {type(context).__name__} with {owner!r}."
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
