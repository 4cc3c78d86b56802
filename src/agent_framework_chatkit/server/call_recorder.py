"""Records a run's tool calls before and after they are executed."""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
from collections.abc import Awaitable, Callable
from typing import Any

from agent_framework import Content, FunctionInvocationContext, FunctionMiddleware, FunctionTool
from pydantic import BaseModel

from ..bridge.context import AGENT_CONTEXT, ThreadContext
from ..error_log import is_displayable
from ..text import mend_surrogates
from .exchange import Exchange

_GUARDED = "_agent_framework_chatkit_guarded"
"""The attribute of a function that raises no errors with a meaning for coroutines."""


class _Middleware(FunctionMiddleware):
    """Records each call before its tool runs, and its result when the tool returns."""

    async def process(
        self, context: FunctionInvocationContext, call_next: Callable[[], Awaitable[None]]
    ) -> None:
        _guard(context.function)
        agent_context = context.kwargs.get(AGENT_CONTEXT)
        call_id = context.metadata.get("call_id")
        recorder = agent_context.recorder if isinstance(agent_context, ThreadContext) else None
        if recorder is None or not isinstance(call_id, str):
            await call_next()
            return
        call = Content.from_function_call(
            call_id, context.function.name, arguments=_as_json(context.arguments)
        )
        await recorder.start_call(call)
        try:
            await call_next()
        except (asyncio.CancelledError, KeyboardInterrupt):
            raise
        except BaseException as error:
            if isinstance(error, Exception) and is_displayable(error):
                raise
            # Otherwise the turn would fail or, with `SystemExit`, the process would end.
            kind = type(error).__qualname__
            raise RuntimeError(f"The tool ended with an error of type {kind}.") from None
        context.result = _valid(context.result)
        recorder.end_call(call_id, context.result)


def _guard(tool: FunctionTool) -> None:
    """Let a synchronous tool raise errors that have a meaning for coroutines.

    The framework runs it in a thread. Before Python 3.12, a call that raises `StopIteration`, as
    `next` does, would never end.
    """
    function = tool.func
    if isinstance(function, FunctionTool):
        _guard(function)
        return
    if function is None or inspect.iscoroutinefunction(function) or hasattr(function, _GUARDED):
        return

    @functools.wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except (StopIteration, GeneratorExit, asyncio.CancelledError) as error:
            raise RuntimeError(f"The tool raised {type(error).__name__}.") from error

    setattr(guarded, _GUARDED, True)
    tool.func = guarded


def _valid(result: Any) -> Any:
    """Return a tool's result without lone surrogates, which clients refuse to send."""
    if isinstance(result, str):
        return mend_surrogates(result)
    if isinstance(result, list):
        for each in result:
            if isinstance(each, Content) and each.type == "text":
                each.text = mend_surrogates(each.text or "")
    return result


def _as_json(arguments: Any) -> str:
    values = arguments.model_dump() if isinstance(arguments, BaseModel) else dict(arguments)
    return json.dumps(values, default=str)


RECORDER = _Middleware()
"""Notifies each run's recorder; all agents share this middleware."""


class CallRecorder:
    """Records the start and the result of a run's tool calls.

    Args:
        exchange: The exchange to record them in.
        checkpoint: Waits until the exchange is stored.
    """

    def __init__(
        self, exchange: Exchange, checkpoint: Callable[[], Awaitable[None]] | None
    ) -> None:
        self._exchange = exchange
        self._checkpoint = checkpoint

    async def start_call(self, call: Content) -> None:
        """Store that a tool is about to run."""
        self._exchange.start_call(call)
        if self._checkpoint is not None:
            await self._checkpoint()

    def end_call(self, call_id: str, result: Any) -> None:
        """Record a tool's result."""
        self._exchange.end_call(call_id, result)
