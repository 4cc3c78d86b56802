"""Starts the samples: takes a free port and prints progress."""

from __future__ import annotations

import argparse
import contextlib
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

HOST = "127.0.0.1"


def listen(port: int) -> socket.socket:
    """Take a port before slow imports start; 0 takes any free port."""
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
    """Return the URL of the page on a port."""
    return f"http://{HOST}:{listener.getsockname()[1]}/"


def serve(app: Any) -> None:
    """Serve an app until it is stopped, on the port from the command line."""
    import uvicorn  # Imported late, so that samples can print their progress first.

    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8000, help="default: %(default)s")
    listener = listen(parser.parse_args().port)
    print(f"Open {url_of(listener)} in a browser. Ctrl-C stops it.", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])


@contextmanager
def step(text: str) -> Iterator[None]:
    """Print a step and how long it took."""
    print(f"{text} ... ", end="", flush=True)
    started = time.monotonic()
    try:
        yield
    except BaseException:
        print(flush=True)
        raise
    print(f"{time.monotonic() - started:.1f} s", flush=True)
