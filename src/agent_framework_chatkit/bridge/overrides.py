"""Calls methods whose overrides may be plain or coroutines."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable
from typing import TypeAlias, TypeVar, overload

from ..error_log import log_error

logger = logging.getLogger(__name__)

T = TypeVar("T")

MaybeAwaitable: TypeAlias = T | Awaitable[T]
"""The result of a method whose override may be a plain method or a coroutine."""


@overload
async def resolve(value: Awaitable[T]) -> T: ...
@overload
async def resolve(value: MaybeAwaitable[T]) -> T: ...
async def resolve(value: MaybeAwaitable[T]) -> T:
    """Return a method's result, and await it first if necessary."""
    if inspect.isawaitable(value):
        return await value
    return value


async def attempt(step: Awaitable[None], problem: str) -> bool:
    """Await a step that may call an override. If it fails, log the error, and return `False`.

    Args:
        step: The step.
        problem: The message for the log.
    """
    try:
        await step
    except Exception:
        log_error(logger, problem)
        return False
    return True
