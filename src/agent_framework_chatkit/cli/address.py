"""Checks the address of a server, and the host names under which it may be used."""

from __future__ import annotations

import errno
import socket

import typer

from ..http.hosts import Hosts, is_loopback, local_hosts


def check_address(host: str, port: int, root_path: str) -> None:
    """Check that the server can listen on an address, and that its root path is a path."""
    if root_path and not root_path.startswith("/"):
        raise typer.BadParameter(f"Start the root path with a slash: /{root_path}")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            is_port = error.errno in (errno.EADDRINUSE, errno.EACCES)
            raise typer.BadParameter(
                f"Cannot listen on {host}:{port} ({error.strerror}). "
                f"Choose another {'--port' if is_port else '--host'}."
            ) from None


def host_names(given: str, host: str, port: int) -> list[str] | None:
    """Return the allowed host names, given the option's value; `None` for all.

    Raises:
        ValueError: If the value contains an invalid host name.
    """
    names = given.replace(",", " ").split()
    hosts = names or (local_hosts(host, port) if is_loopback(host) else None)
    Hosts(hosts)
    return hosts
