"""The names under which an app may be reached."""

from __future__ import annotations

import ipaddress
import logging
import re
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

logger = logging.getLogger(__name__)

_HOST = re.compile(r"([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?")
_PATTERN = re.compile(r"(?:\*|(?:\*\.)?[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
_DEFAULT_PORTS = {"80", "443"}

_OPEN = (
    "This app is served under any host name, so a page elsewhere whose name leads here may use it. "
    "Name yours: create_app(allowed_hosts=[...]), or --allowed-hosts."
)


class HostCheck:
    """ASGI middleware that refuses requests under other names than the app's.

    Without it a page can have its own name lead to an app that only this machine reaches, and is
    then, to the browser, a page of the app.

    Args:
        app: What is reached.
        hosts: The app's names.
    """

    def __init__(self, app: ASGIApp, hosts: Hosts) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        app = self._app
        if scope["type"] == "http" and scope["path"] != f"{scope.get('root_path', '')}/healthz":
            host = Headers(scope=scope).get("host", "")
            if not self._hosts.allow(host.lower()):
                error = (
                    f"This chat is not served under the name {host[:255]!r}. If it should be, "
                    "allow the name: --allowed-hosts, or create_app(allowed_hosts=[...])."
                )
                app = JSONResponse({"error": error}, 403)
        await app(scope, receive, send)


class Hosts:
    """The names under which an app may be reached.

    Args:
        allowed: Names, `*.example.com` for those below a name, `*` for all. A name may have a
            port; without one it holds for every port. `None` allows all, with a warning.

    Raises:
        ValueError: If one is not a name.
    """

    def __init__(self, allowed: Collection[str] | None) -> None:
        if isinstance(allowed, str):
            raise ValueError(f"Give allowed_hosts a list: [{allowed!r}].")
        self._allowed = None if allowed is None else [_parsed(each) for each in allowed]
        self._has_warned = False

    def allow(self, host: str) -> bool:
        """Return whether a request may be sent to a host, which may have a port."""
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
"""The names of this machine that lead nowhere else."""


def local_hosts(address: str, port: int) -> list[str]:
    """Return the names that are allowed by default where only this machine reaches the app.

    A proxy on this machine passes on the names of its own. Browsers leave the port out of a name
    only at a default port, so such a request has come through a proxy if the app listens
    elsewhere: no page's name leads past it.

    Args:
        address: Where the app listens.
        port: The port at which it listens.
    """
    through_a_proxy = [] if str(port) in _DEFAULT_PORTS else ["*:80"]
    return [*LOOPBACK, f"[{address}]" if ":" in address else address, *through_a_proxy]


def is_loopback(address: str) -> bool:
    """Return whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _parsed(pattern: str) -> tuple[str, str | None]:
    """Return a name and a port.

    Raises:
        ValueError: If it is neither a name nor a pattern.
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
