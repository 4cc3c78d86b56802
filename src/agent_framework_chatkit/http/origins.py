"""Checks the origins of requests (protection from CSRF)."""

from __future__ import annotations

import re
from collections.abc import Collection

from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request

_ORIGIN = re.compile(
    r"([a-z][a-z0-9+.-]*)://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.ASCII
)

_SENT_BY_BROWSERS = {"basic", "digest", "negotiate", "ntlm"}
"""`Authorization` schemes that browsers add on their own, even to requests from other sites."""


class Origins:
    """Refuses requests from pages of other sites.

    Args:
        allowed: Origins whose pages may send requests, such as `https://intranet.example.com`.
            `*` allows all pages to send requests with an `Authorization` header.
        has_login: Whether the app checks `Authorization`, which other sites' pages cannot forge.
    """

    def __init__(self, allowed: Collection[str], *, has_login: bool) -> None:
        if isinstance(allowed, str):
            raise ValueError(f"Pass allow_origins as a list: [{allowed!r}].")
        self._allowed = {_normalized(origin) for origin in allowed}
        self._has_login = has_login

    @property
    def middleware(self) -> list[Middleware]:
        """The CORS middleware that lets pages of the allowed origins read responses."""
        if not self._allowed:
            return []
        return [
            Middleware(
                CORSMiddleware,
                allow_origins=sorted(self._allowed),
                allow_methods=["GET", "POST", "PUT"],
                allow_headers=["*"],
            )
        ]

    def check(self, request: Request) -> None:
        """Refuse a request from a page of another site.

        Raises:
            HTTPException: 403 if the page's origin is not allowed.
        """
        if is_same_origin(request) or self._has_authorization(request):
            return
        origin = _header(request, "origin") or ""
        if origin == "null" or origin not in self._allowed:
            raise HTTPException(
                403,
                f"Pages of {origin or 'other sites'} may not use this chat. If they should, add "
                "their origin to allow_origins.",
            )

    def _has_authorization(self, request: Request) -> bool:
        scheme = request.headers.get("authorization", "").partition(" ")[0].lower()
        return self._has_login and scheme != "" and scheme not in _SENT_BY_BROWSERS


def is_same_origin(request: Request) -> bool:
    """Return whether a request comes from the app's own page, the address bar or a program."""
    site = _header(request, "sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    # Browsers omit the header if the app is served over HTTP to other machines.
    origin = _header(request, "origin")
    if origin is None:
        return True
    host = request.headers.get("host", "").lower()
    # A proxy may not report that it terminates TLS, but an app with TLS has no page without TLS.
    schemes = ("https",) if request.url.scheme == "https" else ("http", "https")
    return host != "" and origin.lower() in [f"{scheme}://{host}" for scheme in schemes]


def _header(request: Request, name: str) -> str | None:
    """Return a header that a request has once. Several values together are not valid."""
    values = request.headers.getlist(name)
    return ", ".join(values) if values else None


def _normalized(origin: str) -> str:
    """Return an origin in the form that browsers send.

    Raises:
        ValueError: If the value is not an origin.
    """
    origin = origin.strip()
    if origin == "*":
        return origin
    match = _ORIGIN.fullmatch(origin.removesuffix("/").lower())
    if match is None:
        raise ValueError(f"Not an origin: {origin!r}. Write it as https://intranet.example.com.")
    default = {"http": ":80", "https": ":443"}.get(match[1])
    return match[0].removesuffix(default) if default else match[0]
