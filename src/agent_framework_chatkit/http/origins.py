"""Requests from elsewhere: which pages may change something."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request

_SENT_BY_BROWSERS = {"basic", "digest", "negotiate", "ntlm"}
"""Schemes of `Authorization` that browsers add by themselves, also to other sites' requests."""


class Origins:
    """Refuses requests of other sites' pages.

    Args:
        allowed: Origins whose pages may send requests, such as `https://intranet.example.com`.
            `*` allows every page to send those that carry an `Authorization` header.
        has_login: Whether the app looks at `Authorization`. No page can send another site's.
    """

    def __init__(self, allowed: Collection[str], *, has_login: bool) -> None:
        if isinstance(allowed, str):
            raise ValueError(f"Give allow_origins a list: [{allowed!r}].")
        self._allowed = {_normalized(origin) for origin in allowed}
        self._has_login = has_login

    @property
    def middleware(self) -> list[Middleware]:
        """What tells browsers that pages of the allowed origins may read responses."""
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
        """Refuse a request that changes something and that another site's page has sent.

        Raises:
            HTTPException: 403.
        """
        if is_same_origin(request) or self._has_authorization(request):
            return
        origin = request.headers.get("origin", "")
        if origin == "null" or origin not in self._allowed:
            raise HTTPException(
                403,
                f"Pages of {origin or 'other sites'} may not use this chat. If they should, name "
                "their origin in allow_origins.",
            )

    def _has_authorization(self, request: Request) -> bool:
        scheme = request.headers.get("authorization", "").partition(" ")[0].lower()
        return self._has_login and scheme != "" and scheme not in _SENT_BY_BROWSERS


def is_same_origin(request: Request) -> bool:
    """Return whether a page of the app itself, a person or another program sends a request."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    # Browsers leave it out where the app is served by HTTP beyond this machine.
    origin = request.headers.get("origin")
    if origin is None:
        return True
    try:
        scheme, host = urlsplit(origin)[:2]
    except ValueError:
        return False
    # A proxy that ends TLS may not say so, but a page without TLS is never the app's own with TLS.
    is_downgraded = scheme == "http" and request.url.scheme == "https"
    return host.lower() == request.headers.get("host", "").lower() != "" and not is_downgraded


def _normalized(origin: str) -> str:
    """Return an origin as browsers send it.

    Raises:
        ValueError: If it is not an origin.
    """
    origin = origin.strip()
    if origin == "*":
        return origin
    parts = urlsplit(origin.rstrip("/").lower())
    if not parts.scheme or not parts.netloc or parts.path or parts.query or parts.fragment:
        raise ValueError(f"Not an origin: {origin!r}. Write it as https://intranet.example.com.")
    port = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
    netloc = parts.netloc.removesuffix(port) if port else parts.netloc
    return f"{parts.scheme}://{netloc}"
