"""An OpenAI-compatible endpoint that gives the answers that a test lists."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class ScriptedEndpoint:
    """Answers each request with the next list of deltas, or with status 400 if none is left."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.replies: list[Iterable[dict[str, Any]]] = []
        self.requests: list[dict[str, Any]] = []
        self.reader_left = threading.Event()
        """Set when a client closes a stream before its end."""


@contextmanager
def scripted_endpoint() -> Iterator[ScriptedEndpoint]:
    """Serve an endpoint on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            endpoint.requests.append(json.loads(body))
            if not endpoint.replies:
                self.send_error(400)
                return
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
            try:
                for delta in endpoint.replies.pop(0):
                    self.send_chunk(delta)
                self.wfile.write(b"data: [DONE]\n\n")
            except ConnectionError:
                endpoint.reader_left.set()

        def send_chunk(self, delta: dict[str, Any]) -> None:
            chunk = {
                "id": f"reply_{len(endpoint.requests)}",
                "object": "chat.completion.chunk",
                "created": 0,
                "model": "scripted",
                "choices": [{"index": 0, "delta": delta, "finish_reason": None}],
            }
            self.wfile.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")

        def log_message(self, *arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        endpoint = ScriptedEndpoint(f"http://127.0.0.1:{server.server_address[1]}/v1")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield endpoint
        finally:
            server.shutdown()
            thread.join()
