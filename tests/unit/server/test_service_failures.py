"""Messages when an agent's service is unreachable, rejects the key or is busy."""

from __future__ import annotations

import json
import logging
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from agent_framework import Agent
from agent_framework.openai import OpenAIChatClient, OpenAIChatCompletionClient
from openai import AsyncOpenAI

from agent_framework_chatkit import AgentChatKitServer
from agent_framework_chatkit.http.app import create_app
from agent_framework_chatkit.server.service_failures import service_failure
from agent_framework_chatkit.stores import SQLStore

from ..chat_client import Browser, of_type

SECRET = "sk-secret"  # noqa: S105


@contextmanager
def endpoint(status: int, code: str = "", **headers: str) -> Iterator[str]:
    """Serve an endpoint that rejects every request, and yield its host and port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            body = json.dumps({"error": {"message": f"Not for {SECRET}", "code": code}}).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


async def ask(base_url: str, kind: type[Any], **options: Any) -> list[Any]:
    """Ask an agent whose model is at an address, and return the events."""
    client = AsyncOpenAI(api_key=SECRET, base_url=base_url, max_retries=0, **options)
    agent = Agent(client=kind(model="tiny", async_client=client))
    async with client, SQLStore[Any]("sqlite://") as store:
        browser = Browser(create_app(AgentChatKitServer(agent, store), allowed_hosts=["chat"]))
        async with browser.http:
            return await browser.ask("Hello")


CLIENTS = [OpenAIChatClient, OpenAIChatCompletionClient]


def shown(events: list[Any]) -> str:
    (error,) = of_type(events, "error")
    assert error.allow_retry
    everything = "".join(event.model_dump_json() for event in events)
    assert SECRET not in everything
    assert "127.0.0.1" not in everything
    return str(error.message)


def logged(caplog: pytest.LogCaptureFixture) -> str:
    """Return the single line on the console, and check that it has no secret."""
    (record,) = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert record.exc_info is None
    line = record.getMessage()
    assert "\n" not in line
    assert SECRET not in line
    return line


@pytest.mark.parametrize("kind", CLIENTS)
@pytest.mark.parametrize(
    ("status", "code", "check", "says"),
    [
        (401, "invalid_api_key", "OPENAI_API_KEY", "Tell the people who run this chat"),
        (403, "", "OPENAI_API_KEY", "Tell the people who run this chat"),
        (404, "model_not_found", "OPENAI_MODEL", "Tell the people who run this chat"),
        (429, "rate_limit_exceeded", "rate limits", "is busy"),
        (429, "insufficient_quota", "billing", "Tell the people who run this chat"),
        (503, "", "status", "has a problem"),
    ],
)
async def test_rejection_says_what_to_check(
    kind: type[Any],
    status: int,
    code: str,
    check: str,
    says: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with endpoint(status, code) as address:
        events = await ask(f"http://me:{SECRET}@{address}/v1", kind)
    assert says in shown(events)
    line = logged(caplog)
    assert f"POST http://{address}/v1/" in line
    assert "'tiny'" in line
    assert str(status) in line
    assert check in line


@pytest.mark.parametrize("kind", CLIENTS)
async def test_dead_endpoint_is_named(kind: type[Any], caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        events = await ask(f"http://{address}/v1?key={SECRET}", kind)
    assert shown(events).endswith("cannot be reached. Try again in a moment.")
    line = logged(caplog)
    assert f"http://{address}/v1" in line
    assert "connection refused" in line
    assert "OPENAI_BASE_URL" in line


async def test_unknown_host_is_named(caplog: pytest.LogCaptureFixture) -> None:
    assert "cannot be reached" in shown(await ask("http://model.invalid/v1", OpenAIChatClient))
    assert "unknown host name" in logged(caplog)


async def test_unresponsive_endpoint_is_named(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        events = await ask(f"http://{address}/v1", OpenAIChatClient, timeout=0.05)
    assert "cannot be reached" in shown(events)
    assert "no answer in time" in logged(caplog)


async def test_rejected_request_keeps_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with endpoint(400) as address:
        events = await ask(f"http://{address}/v1", OpenAIChatClient)
    assert shown(events) == "Something went wrong. Try again."
    assert f"Not for {SECRET}" in caplog.text


REQUEST = httpx.Request("GET", "https://files.test/list")


@pytest.mark.parametrize(
    ("cause", "problem"),
    [
        (ssl.SSLCertVerificationError("expired"), "certificate"),
        (ConnectionResetError(), "connection lost"),
    ],
)
def test_broken_connection_is_named(cause: Exception, problem: str) -> None:
    error = RuntimeError("failed")
    error.__cause__ = httpx.ReadError("broken", request=REQUEST)
    error.__cause__.__cause__ = cause
    failure = service_failure(error)
    assert failure is not None
    assert failure.line.startswith("GET https://files.test/list: ")
    assert problem in failure.line


def test_other_errors_are_not_service_failures() -> None:
    assert service_failure(ValueError("a bug")) is None
    assert service_failure(httpx.ReadError("without a request")) is None
    assert service_failure(httpx.DecodingError("not gzip", request=REQUEST)) is None
    circle = ValueError("round")
    circle.__cause__ = KeyError("and round")
    circle.__cause__.__cause__ = circle
    assert service_failure(circle) is None
