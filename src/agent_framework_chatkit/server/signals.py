"""Detects stop signals before the ASGI server waits for its connections to close."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any


class StopSignals:
    """Calls a function when the process receives a stop signal, before the earlier handler.

    Servers such as uvicorn wait for their connections to close before they notify the app; streams
    that follow threads would keep them waiting.

    Args:
        on_stop: Called in the event loop.
    """

    def __init__(self, on_stop: Callable[[], None]) -> None:
        self._on_stop = on_stop
        self._handlers: dict[int, tuple[Any, Any]] = {}
        """Our handlers, and the earlier ones that they replaced."""

    def listen(self) -> None:
        """Install the handlers, if the server has its own and this is the main thread."""
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
        """Restore the earlier handlers."""
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
