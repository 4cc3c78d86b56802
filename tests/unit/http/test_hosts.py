"""The host names of an app."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette

from agent_framework_chatkit import AgentChatKitServer, chat_routes, create_app
from agent_framework_chatkit.stores import AttachmentStore, SQLStore

from ...fakes.scripted_agent import agent, text
from ..chat_client import Browser

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
ALLOWED = ["Chat.example.com", "*.example.org", "[::1]", "10.0.0.7:8443"]
PATHS = ("/", "/page.json", "/attachments/none", "/none")


LIST = {"type": "threads.list", "params": {}}


@asynccontextmanager
async def chat(
    tmp_path: Path, allowed: list[str] | None, *, routes_only: bool = False
) -> AsyncIterator[Browser]:
    async with SQLStore[Any]("sqlite://") as store:
        files = AttachmentStore[Any](tmp_path, metadata=store, secret="s" * 32)
        server = AgentChatKitServer(agent(*[[text("Hi")] for _ in range(9)]), store, files)
        app = (
            Starlette(routes=chat_routes(server, allowed_hosts=allowed))
            if routes_only
            else create_app(server, allowed_hosts=allowed)
        )
        browser = Browser(app)
        async with browser.http:
            yield browser


@pytest.mark.parametrize("routes_only", [False, True])
@pytest.mark.parametrize(
    ("host", "is_allowed"),
    [
        ("chat.example.com", True),
        ("CHAT.example.com:8000", True),
        ("chat.example.com.", True),
        ("a.example.org", True),
        ("a.b.example.org:1", True),
        ("[::1]:8000", True),
        ("10.0.0.7:8443", True),
        ("10.0.0.7:8000", False),
        ("10.0.0.7", False),
        ("example.org", False),
        ("evilexample.org", False),
        ("chat.example.com.evil.test", False),
        ("evil.test", False),
        ("localhost:8000", False),
        ("chat.example.com@evil.test", False),
        ("chat.example.com/evil.test", False),
        ("chat.example.com:8000:1", False),
        ("", False),
    ],
)
async def test_app_answers_only_allowed_hosts(
    host: str, is_allowed: bool, routes_only: bool, tmp_path: Path
) -> None:
    async with chat(tmp_path, ALLOWED, routes_only=routes_only) as browser:
        browser.http.headers["host"] = host
        response = await browser.post("threads.list")
        assert response.status_code == (200 if is_allowed else 403)
        if not is_allowed:
            assert "--allowed-hosts" in response.json()["error"]
            assert "set-cookie" not in response.headers
            if not routes_only:
                for path in PATHS:
                    assert (await browser.http.get(path)).status_code == 403
        assert (await browser.http.get("/healthz")).status_code == 200


async def test_request_has_one_host(tmp_path: Path) -> None:
    for hosts in (["localhost", "evil.test"], ["evil.test", "localhost"], ["localhost"] * 2):
        async with chat(tmp_path, ["localhost"]) as browser:
            headers = [("host", host) for host in hosts]
            response = await browser.http.post("/chatkit", json=LIST, headers=headers)
            assert response.status_code == 403


async def test_mounted_app_checks_hosts(tmp_path: Path) -> None:
    async with chat(tmp_path, ALLOWED) as browser:
        parent = FastAPI()
        parent.mount("/chat", browser.app)
        outside = Browser(parent, headers={"host": "evil.test"})
        assert (await outside.http.get("/chat/")).status_code == 403
        assert (await outside.http.get("/chat/healthz")).status_code == 200
        assert (await outside.http.get("/chat/chat/healthz")).status_code == 403
        await outside.http.aclose()


@pytest.mark.parametrize("routes_only", [False, True])
@pytest.mark.parametrize(
    ("allowed", "hosts", "warns"),
    [
        (None, ["localhost:8000", "127.0.0.1:8000", "[::1]", "a.localhost"], False),
        (None, ["localhost", "any.test", "any.test"], True),
        (["*"], ["any.test"], False),
    ],
)
async def test_app_without_allowed_hosts_answers_all_and_warns(
    allowed: list[str] | None,
    hosts: list[str],
    warns: bool,
    routes_only: bool,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with chat(tmp_path, allowed, routes_only=routes_only) as browser:
        for host in hosts:
            browser.http.headers["host"] = host
            assert (await browser.post("threads.list")).status_code == 200
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == warns
    assert all("allowed_hosts" in record.message for record in warnings)


async def test_links_use_checked_host(tmp_path: Path) -> None:
    async with chat(tmp_path, None) as browser:
        await browser.post("threads.list")
        form = {"file": ("a.png", PNG, "image/png")}
        browser.http.headers["host"] = "chat.example.com:8443"
        uploaded = await browser.http.post("/attachments", files=form)
        assert uploaded.json()["preview_url"].startswith("http://chat.example.com:8443/")
        # An invalid name never appears in a link, even if all names are allowed.
        browser.http.headers["host"] = "chat.example.com@evil.test"
        assert (await browser.http.post("/attachments", files=form)).status_code == 403


@pytest.mark.parametrize("name", ["https://a.test", "a.test/x", "", "a.*", "*a.test", "a:b", "é"])
def test_invalid_host_is_rejected(name: str) -> None:
    server = AgentChatKitServer(agent(), SQLStore[Any]("sqlite://"))
    with pytest.raises(ValueError, match="Not a host name"):
        create_app(server, allowed_hosts=[name])
    with pytest.raises(ValueError, match="a list"):
        create_app(server, allowed_hosts="a.test")
