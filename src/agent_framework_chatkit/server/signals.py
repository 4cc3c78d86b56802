"""Hears that the process is asked to stop, before its server has waited for all connections."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any


class StopSignals:
    """Calls a function when the process is asked to stop, and then whatever else was to be called.

    A server such as uvicorn waits for its connections to end before it tells the app; streams that
    follow threads would keep it waiting.

    Args:
        on_stop: Called in the event loop.
    """

    def __init__(self, on_stop: Callable[[], None]) -> None:
        self._on_stop = on_stop
        self._handlers: dict[int, tuple[Any, Any]] = {}
        """Our handlers, and those that were there before."""

    def listen(self) -> None:
        """Listen from now on, if the server has handlers of its own and this is its thread."""
        if self._handlers or threading.current_thread() is not threading.main_thread():
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            earlier = signal.getsignal(number)
            if callable(earlier) and earlier is not signal.default_int_handler:
                handler = self._handler(loop, earlier)
                signal.signal(number, handler)
                self._handlers[number] = (handler, earlier)

    def close(self) -> None:
        """Put back the handlers that were there before."""
        for number, (handler, earlier) in self._handlers.items():
            if signal.getsignal(number) is handler:
                signal.signal(number, earlier)
        self._handlers = {}

    def _handler(
        self, loop: asyncio.AbstractEventLoop, earlier: Callable[[int, FrameType | None], Any]
    ) -> Callable[[int, FrameType | None], None]:
        def handle(number: int, frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(self._on_stop)
            earlier(number, frame)

        return handle
