"""What the app knows of a request."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address, ip_network

from starlette.requests import Request


@dataclass(frozen=True)
class RequestContext:
    """The context that the store, the agent's tools and overrides of the server are given.

    Attributes:
        user_id: The owner: whose threads and attachments the request is about.
        locale: The language that the browser prefers, such as `de` or `pt-BR`, if it says.
        request: The HTTP request itself.
        is_visitor: Whether the owner is a browser that nobody has logged in with.
        is_new_visitor: Whether the owner is made up for this request, which has no valid cookie.
    """

    user_id: str
    locale: str | None
    request: Request
    is_visitor: bool = False
    is_new_visitor: bool = False

    @property
    def address(self) -> str:
        """The address that the request comes from, as far as is known; of IPv6 the network."""
        host = self.request.client.host if self.request.client else ""
        try:
            address = ip_address(host)
        except ValueError:
            return host
        if isinstance(address, IPv4Address):
            return host
        # Whoever has one address of IPv6 has a network of them.
        return str(address.ipv4_mapped or ip_network((int(address), 64), strict=False))

    @property
    def base_url(self) -> str:
        """Where the app is served, as the browser knows it; signed URLs begin with it."""
        return str(self.request.base_url).rstrip("/")


def preferred_locale(accept_language: str | None) -> str | None:
    """Return the language that a browser prefers, from its `Accept-Language`."""
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
