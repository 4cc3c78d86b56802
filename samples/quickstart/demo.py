"""Start the quickstart, ask it a first question over HTTP, and keep serving.

`make demo` runs it. It is all one process, so that nothing can be left behind when it stops.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

QUESTION = "Why is the sky blue?"


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve the quickstart and ask it something.")
    parser.add_argument("--port", type=int, default=8000)
    port = parser.parse_args().port
    # What stops a service does the same as Ctrl-C, which a shell has its background jobs ignore.
    for kind in (signal.SIGINT, signal.SIGTERM):
        signal.signal(kind, signal.default_int_handler)
    try:
        demo(port)
    except KeyboardInterrupt:
        print("\nStopped.")


def demo(port: int) -> None:
    """Serve until the process is interrupted."""
    with step("Loading libraries"):
        # Not at the top of the file: they take a second or two, in which nothing would be said.
        import uvicorn

        from .chat import Chat, ChatError
        from .model import load_model
        from .server import HOST, create_app, listen
    listener = listen(port)
    with step("Starting the model"):
        model = load_model()
    server = uvicorn.Server(
        uvicorn.Config(create_app(model), log_level="warning", timeout_graceful_shutdown=1)
    )
    serving = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    try:
        with step("Starting the server"):
            serving.start()
            while serving.is_alive() and not server.started:
                time.sleep(0.05)
        url = f"http://{HOST}:{listener.getsockname()[1]}/chatkit"
        print(f"\n{model.name} is asked: {QUESTION}\n", flush=True)
        try:
            Chat(url).ask(QUESTION)
        except ChatError as error:
            raise SystemExit(str(error)) from error
        print(
            f"\nOpen {url.removesuffix('chatkit')} in a browser, and go on.\n"
            "Or go on in another terminal, from this folder:\n\n"
            f"    {os.path.relpath(sys.executable)} -m samples.quickstart.chat --url {url}\n\n"
            "Ctrl-C stops the server.",
            flush=True,
        )
        serving.join()
    finally:
        server.should_exit = True
        serving.join()


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


if __name__ == "__main__":
    main()
