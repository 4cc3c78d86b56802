"""Limits the headers of requests."""

from __future__ import annotations

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

MAX_HEADERS = 64 * 1024
"""The maximum size of a request's headers in bytes. Not every server has a limit of its own."""

MAX_ESCAPES = 1_000
"""The maximum number of backslashes in a request's cookies.

Python versions without the fix of CVE-2024-7592 take quadratic time to read them.
"""


class HeaderLimits:
    """ASGI middleware that refuses requests with very long headers.

    Args:
        app: The app to protect.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on to the app, or refuse it."""
        app = self._app
        if scope["type"] == "http":
            headers = scope["headers"]
            size = sum(len(name) + len(value) for name, value in headers)
            escapes = sum(value.count(b"\\") for name, value in headers if name == b"cookie")
            if size > MAX_HEADERS or escapes > MAX_ESCAPES:
                app = JSONResponse({"error": "The headers or cookies are too long."}, 431)
        await app(scope, receive, send)
