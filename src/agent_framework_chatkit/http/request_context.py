"""The context of a request."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address, ip_network

from starlette.requests import Request


@dataclass(frozen=True)
class RequestContext:
    """The context that the store, the agent's tools and the server's overrides receive.

    Attributes:
        user_id: The owner, whose threads and attachments the request may access.
        locale: The language that the browser prefers, such as `de` or `pt-BR`, if known.
        request: The HTTP request.
        is_visitor: Whether the owner is a browser without a login.
        is_new_visitor: Whether the request has no valid cookie, so that its owner is new.
    """

    user_id: str
    locale: str | None
    request: Request
    is_visitor: bool = False
    is_new_visitor: bool = False

    @property
    def address(self) -> str:
        """The client's address, or its /64 network for IPv6; empty if unknown."""
        host = self.request.client.host if self.request.client else ""
        try:
            address = ip_address(host)
        except ValueError:
            return host
        if isinstance(address, IPv4Address):
            return host
        # A client with one IPv6 address usually has a whole network of them.
        return str(address.ipv4_mapped or ip_network((int(address), 64), strict=False))

    @property
    def base_url(self) -> str:
        """The app's URL as seen by the browser. Signed URLs start with it."""
        return str(self.request.base_url).rstrip("/")


def preferred_locale(accept_language: str | None) -> str | None:
    """Return the browser's preferred language from the `Accept-Language` header."""
    preferences: list[tuple[float, str]] = []
    for preference in (accept_language or "").split(","):
        locale, _, parameters = preference.strip().partition(";")
        name, _, value = parameters.strip().partition("=")
        try:
            quality = float(value) if name.strip() == "q" else 1.0
        except ValueError:
            continue
        if quality > 0 and locale and locale != "*" and locale.replace("-", "").isalnum():
            preferences.append((quality, locale))
    return max(preferences, key=lambda each: each[0])[1] if preferences else None
