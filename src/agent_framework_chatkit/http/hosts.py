"""Checks the host names of requests."""

from __future__ import annotations

import ipaddress
import logging
import re
import socket
from collections.abc import Collection
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from .refusals import record_refusal

if TYPE_CHECKING:
    from ..server.server import AgentChatKitServer

logger = logging.getLogger(__name__)

_HOST = re.compile(r"([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?")
_PATTERN = re.compile(r"(?:\*|(?:\*\.)?[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
_DEFAULT_PORTS = {"80", "443"}

_OPEN = (
    "This app accepts any host name, so any page whose own name resolves to this machine may use "
    "it. Name the app's hosts: create_app(allowed_hosts=[...]), or --allowed-hosts."
)


class HostCheck:
    """ASGI middleware that refuses requests with other host names than the app's.

    Without it, a page can make its own name resolve to an app that only this machine can reach; to
    the browser, it is then a page of the app (DNS rebinding).

    Args:
        app: The app to protect.
        hosts: The app's host names.
        server: Records refusals in its audit trail.
    """

    def __init__(self, app: ASGIApp, hosts: Hosts, server: AgentChatKitServer[Any]) -> None:
        self._app = app
        self._hosts = hosts
        self._server = server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on to the app, or refuse it."""
        app = self._app
        if scope["type"] == "http" and scope["path"] != f"{scope.get('root_path', '')}/healthz":
            # Programs behind this one might read another of several names.
            host = ",".join(Headers(scope=scope).getlist("host"))
            if not self._hosts.allow(host.lower()):
                error = (
                    f"This chat is not served under the name {host[:255]!r}. If it should be, "
                    "allow the name: --allowed-hosts, or create_app(allowed_hosts=[...])."
                )
                await record_refusal(self._server, scope, 403)
                app = JSONResponse({"error": error}, 403)
        await app(scope, receive, send)


class Hosts:
    """The allowed host names of an app.

    Args:
        allowed: Host names, `*.example.com` for subdomains, or `*` for all. A name with a port
            matches only that port; without one, every port. `None` allows all, with a warning.

    Raises:
        ValueError: If a name is not valid.
    """

    def __init__(self, allowed: Collection[str] | None) -> None:
        if isinstance(allowed, str):
            raise ValueError(f"Pass allowed_hosts as a list: [{allowed!r}].")
        self._allowed = None if allowed is None else [_parsed(each) for each in allowed]
        self._has_warned = False

    def allow(self, host: str) -> bool:
        """Return whether a request may have this host name, with or without a port."""
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name, port = match[1].removesuffix("."), match[2]
        if self._allowed is None:
            self._warn(name)
            return True
        ports = {port} if port else _DEFAULT_PORTS
        return any(
            _is_below(name, pattern) and (wanted is None or wanted in ports)
            for pattern, wanted in self._allowed
        )

    def _warn(self, name: str) -> None:
        if not self._has_warned and not any(_is_below(name, each) for each in LOOPBACK):
            self._has_warned = True
            logger.warning(_OPEN)


LOOPBACK = ("localhost", "*.localhost", "127.0.0.1", "[::1]")
"""The names of the loopback addresses."""


def local_hosts(address: str, port: int) -> list[str]:
    """Return the host names to allow by default if only this machine can reach the app.

    A proxy on this machine passes its own host names on. Browsers omit only a default port, so a
    request without a port came through a proxy if the app listens on another port. A page whose
    name resolves to this machine cannot send such a request.

    Args:
        address: The address that the app listens on.
        port: The port that it listens on.
    """
    through_a_proxy = [] if str(port) in _DEFAULT_PORTS else ["*:80"]
    return [*LOOPBACK, f"[{address}]" if ":" in address else address, *through_a_proxy]


def is_loopback(address: str) -> bool:
    """Return whether only this machine can reach an address."""
    with suppress(ValueError):
        return ipaddress.ip_address(address).is_loopback
    with suppress(OSError):
        # Short forms, such as 127.1.
        return ipaddress.ip_address(socket.inet_aton(address)).is_loopback
    return address.lower().removesuffix(".") == "localhost"


def _parsed(pattern: str) -> tuple[str, str | None]:
    """Return the name and the port of a pattern.

    Raises:
        ValueError: If it is neither a host name nor a pattern.
    """
    if not _PATTERN.fullmatch(pattern.lower()):
        raise ValueError(f"Not a host name: {pattern!r}. Write it as chat.example.com.")
    name, colon, port = pattern.lower().rpartition(":")
    if not colon or not port.isdigit():
        return pattern.lower().removesuffix("."), None
    return name.removesuffix("."), port


def _is_below(name: str, pattern: str) -> bool:
    if pattern.startswith("*."):
        return name.endswith(pattern[1:])
    return pattern in ("*", name)
