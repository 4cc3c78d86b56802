"""Calls methods whose overrides may be plain or coroutines."""

from __future__ import annotations

import asyncio
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


async def contained(code: Awaitable[T]) -> T:
    """Await an app's code. If it were a task, an error like `SystemExit` would end the process.

    Raises:
        RuntimeError: Instead of an error that is not an `Exception`.
    """
    try:
        return await code
    except (Exception, asyncio.CancelledError, KeyboardInterrupt):
        raise
    except BaseException as error:
        kind = type(error).__qualname__
        raise RuntimeError(f"The app's code ended with an error of type {kind}.") from error


async def limited(code: Awaitable[T], seconds: float) -> T:
    """Await an app's code, which may hang, cancel itself or ignore a cancellation.

    Raises:
        RuntimeError: If it cancels itself or raises an error that is not an `Exception`.
        TimeoutError: If it does not finish in time. It is cancelled.
    """
    task = asyncio.ensure_future(contained(code))
    try:
        await asyncio.wait([task], timeout=seconds)
    finally:
        is_done = task.done()
        task.cancel()
    if not is_done:
        raise TimeoutError(f"The app's code did not finish in {seconds} seconds.")
    if task.cancelled():
        raise RuntimeError("The app's code was cancelled.")
    return task.result()


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
