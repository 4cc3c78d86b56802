"""Methods that an override may make sync or async, whichever suits it."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable
from typing import TypeAlias, TypeVar, overload

logger = logging.getLogger(__name__)

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


async def attempt(step: Awaitable[None], complaint: str) -> None:
    """Await a step that may call an override. If it fails, log that and go on.

    Args:
        step: The step.
        complaint: What the log says.
    """
    try:
        await step
    except Exception:
        logger.exception(complaint)
