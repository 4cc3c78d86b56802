"""How the samples start: on a port that is free, saying what they do."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

HOST = "127.0.0.1"


def listen(port: int) -> socket.socket:
    """Take a port, before anything slow begins; 0 takes any free one."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or error
        raise SystemExit(f"Port {port} cannot be used: {reason}. Choose another one.") from None
    return listener


def url_of(listener: socket.socket) -> str:
    """Return where a page is that is served on a port."""
    return f"http://{HOST}:{listener.getsockname()[1]}/"


@contextmanager
def step(text: str) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    print(f"{text} ... ", end="", flush=True)
    started = time.monotonic()
    try:
        yield
    except BaseException:
        print(flush=True)
        raise
    print(f"{time.monotonic() - started:.1f} s", flush=True)
