"""Methods that an override may make sync or async, whichever suits it."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable
from typing import TypeAlias, TypeVar, overload

T = TypeVar("T")

MaybeAwaitable: TypeAlias = T | Awaitable[T]
"""What a method returns that may be overridden by a plain method or a coroutine."""


@overload
async def resolve(value: Awaitable[T]) -> T: ...
@overload
async def resolve(value: MaybeAwaitable[T]) -> T: ...
async def resolve(value: MaybeAwaitable[T]) -> T:
    """Return what a method returned, awaited if need be."""
    if inspect.isawaitable(value):
        return await value
    return value
