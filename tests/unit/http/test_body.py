"""Limits on the size of requests, and on the time in which they arrive."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agent_framework_chatkit import AgentChatKitServer, create_app
from agent_framework_chatkit.http import body as body_module
from agent_framework_chatkit.stores import SQLStore

from ...fakes.scripted_agent import agent, text
from ..chat_client import Browser, message
from ..sized_chat import MB, chat, status


def long(kind: str, **params: Any) -> bytes:
    return json.dumps({"type": kind, "params": params}, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (long("threads.create", input=message("x" * 900_000)), 200),
        (long("threads.create", input=message("x" * MB)), 413),
        (long("threads.list") + b" " * MB, 413),
        (long("threads.list") + b" " * 40 * MB, 413),
        (long("input.transcribe", audio_base64="A" * 15 * MB, mime_type="audio/webm"), 200),
        (long("input.transcribe", audio_base64="A" * 16 * MB, mime_type="audio/webm"), 413),
        # A type that is named elsewhere in the request does not count.
        (long("threads.list", x="input.transcribe", y="A" * 2 * MB), 413),
        (b'{"input.transcribe":"' + b"A" * 2 * MB, 400),
        (b'["input.transcribe","' + b"A" * 2 * MB + b'"]', 413),
        (b'{"type":["input.transcribe"],"a":"' + b"A" * 2 * MB + b'"}', 413),
        (b'{"type":"input.transcribe","a":"' + b"A" * 2 * MB + b'","type":"threads.list"}', 413),
        # Values are counted before anything is parsed.
        (b'{"type":"input.transcribe","a":[' + b"[]," * 4 * MB + b"[]]}", 413),
        (b'{"type":"input.transcribe","a":' + b"[" * 4 * MB, 413),
        # One wide character makes Python store four bytes per character of a text.
        (long("input.transcribe", audio_base64="A" * 5 * MB + "😀", mime_type="a/b"), 413),
        (long("input.transcribe", audio_base64="A" * 5 * MB, mime_type="\\u"), 413),
        # Escaped characters take more bytes where an output is stored.
        (b'{"type":"threads.add_client_tool_output","a":"' + rb"\"" * 4 * MB + b'"}', 413),
        (b'{"type":"threads.add_client_tool_output","a":"' + rb"\\" * 4 * MB + b'"}', 413),
    ],
    ids=lambda value: f"{value[:30]!r} {len(value)}" if isinstance(value, bytes) else str(value),
)
async def test_request_size_limit(body: bytes, expected: int, tmp_path: Path) -> None:
    async with chat(tmp_path) as browser:
        assert await status(browser, body) == expected


async def test_client_tool_output_can_be_long(tmp_path: Path) -> None:
    async with chat(tmp_path) as browser:
        output = {"thread_id": "thr_none", "result": "a, b\n" * MB}
        assert await status(browser, long("threads.add_client_tool_output", **output)) == 404


async def test_app_can_allow_longer_requests() -> None:
    async with SQLStore[Any]("sqlite://") as store:
        server = AgentChatKitServer(agent([text("Hi")]), store)
        browser = Browser(create_app(server, max_request_size=3 * MB))
        assert await status(browser, long("threads.create", input=message("x" * 2 * MB))) == 200
        assert await status(browser, long("threads.create", input=message("x" * 3 * MB))) == 413
        await browser.http.aclose()


# Time


class Slow:
    """Yield the chunks of a body, the last one after a delay."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece
        await asyncio.sleep(60)


def stored(folder: Path, data: bytes) -> bool:
    return any(path.is_file() and data in path.read_bytes() for path in folder.rglob("*"))


async def test_missing_body_times_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with chat(tmp_path) as browser:
        params = {"name": "a.txt", "size": 100, "mime_type": "text/plain"}
        created = await browser.get("attachments.create", **params)
        monkeypatch.setattr(body_module, "GRACE", 0.05)
        url = created["upload_descriptor"]["url"]
        part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nabc'
        for method, path, kind, pieces in (
            ("POST", "/chatkit", "application/json", [b'{"type":', b'"threads.list"']),
            ("POST", "/attachments", "multipart/form-data; boundary=x", [part]),
            ("PUT", url, "text/plain", [b"abc"]),
        ):
            response = await browser.http.request(
                method, path, content=Slow(*pieces), headers={"content-type": kind}
            )
            assert response.status_code == 408
            assert response.json()["error"]
        assert not stored(tmp_path, b"abc")


async def test_slow_steady_body_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_module, "GRACE", 0.05)
    monkeypatch.setattr(body_module, "SLOWEST", 1)

    async def steadily() -> AsyncIterator[bytes]:
        for byte in long("threads.list"):
            yield bytes([byte])
            await asyncio.sleep(0.01)

    async with chat(tmp_path) as browser:
        headers = {"content-type": "application/json"}
        response = await browser.http.post("/chatkit", content=steadily(), headers=headers)
        assert response.status_code == 200


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"cookie": 'a="' + '\\"' * 500 + '"'}, 200),
        ({"cookie": 'a="' + '\\"' * 1_001 + '"'}, 431),
        ({"cookie": "a=" + "b" * 50_000}, 200),
        ({"cookie": "a=" + "b" * 70_000}, 431),
        ({"x-any": "b" * 70_000}, 431),
    ],
    ids=["few escapes", "many escapes", "cookie", "long cookie", "long header"],
)
async def test_headers_are_limited(headers: dict[str, str], expected: int, tmp_path: Path) -> None:
    async with chat(tmp_path) as browser:
        request = {"type": "threads.list", "params": {}}
        response = await browser.http.post("/chatkit", json=request, headers=headers)
        assert response.status_code == expected
