"""Requests from pages of other sites."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request

from agent_framework_chatkit import AgentChatKitServer, chat_routes, create_app
from agent_framework_chatkit.stores import AttachmentStore, SQLStore

from ...fakes.scripted_agent import agent, text
from ..chat_client import Browser, message

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
INTRANET = "https://intranet.test"

FROM_ELSEWHERE = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "something-new"},
    {"sec-fetch-site": "cross-site", "origin": "http://chat"},
    {"sec-fetch-site": "cross-site", "origin": "https://evil.test"},
    {"origin": "https://evil.test"},
    {"origin": "null"},
    {"origin": "http://chat:8080"},
    {"origin": "http://chat.evil.test"},
    {"origin": "http://sub.chat"},
    {"origin": "http://[chat"},
    {"origin": "capacitor://chat"},
    {"origin": "chrome-extension://chat"},
    {"origin": "http://evil.test@chat"},
    {"origin": "http://chat/evil.test"},
    {"origin": "http://chat."},
    {"origin": "chat"},
    {"origin": "//chat"},
    {"origin": ""},
    {"sec-fetch-site": "cross-site", "origin": "null", "authorization": "Bearer t0ken"},
]
FROM_HERE = [
    {},
    {"sec-fetch-site": "same-origin"},
    {"sec-fetch-site": "same-origin", "origin": "http://chat"},
    {"sec-fetch-site": "none"},
    {"origin": "http://chat"},
    {"origin": "HTTP://CHAT"},
    # A proxy ended TLS without telling the app.
    {"origin": "https://chat"},
]


@asynccontextmanager
async def chat(tmp_path: Path, **properties: Any) -> AsyncIterator[Browser]:
    async with SQLStore[Any]("sqlite://") as store:
        files = AttachmentStore[Any](tmp_path, metadata=store, secret="s")
        server = AgentChatKitServer(agent(*[[text("Hi")] for _ in range(9)]), store, files)
        browser = Browser(create_app(server, **properties))
        async with browser.http:
            yield browser


async def upload(browser: Browser, headers: dict[str, str]) -> httpx.Response:
    return await browser.http.post(
        "/attachments", files={"file": ("a.png", PNG, "image/png")}, headers=headers
    )


async def send(browser: Browser, headers: dict[str, str]) -> httpx.Response:
    request = {"type": "threads.create", "params": {"input": message("Hello")}}
    return await browser.http.post("/chatkit", json=request, headers=headers)


@pytest.mark.parametrize("headers", FROM_ELSEWHERE, ids=str)
async def test_page_of_another_site_changes_nothing(
    headers: dict[str, str], tmp_path: Path
) -> None:
    async with chat(tmp_path) as browser:
        await browser.ask("Hello")
        cookies = dict(browser.http.cookies)
        for response in (await upload(browser, headers), await send(browser, headers)):
            assert response.status_code == 403
            assert "allow_origins" in response.json()["error"]
            assert "set-cookie" not in response.headers
        assert dict(browser.http.cookies) == cookies
        assert len((await browser.get("threads.list"))["data"]) == 1


@pytest.mark.parametrize("name", ["origin", "sec-fetch-site"])
async def test_repeated_header_is_not_valid(name: str, tmp_path: Path) -> None:
    ours = {"origin": "http://chat", "sec-fetch-site": "same-origin"}[name]
    theirs = {"origin": "https://evil.test", "sec-fetch-site": "cross-site"}[name]
    async with chat(tmp_path) as browser:
        for values in ([ours, theirs], [theirs, ours]):
            headers = [(name, value) for value in values]
            request = {"type": "threads.list", "params": {}}
            response = await browser.http.post("/chatkit", json=request, headers=headers)
            assert response.status_code == 403
            assert "set-cookie" not in response.headers


async def test_form_of_another_site_keeps_visitor(tmp_path: Path) -> None:
    """The browser sends no cookie with it, but would accept a new one from the response."""
    async with chat(tmp_path) as browser:
        form = Browser(browser.app)
        response = await upload(form, {"origin": "https://evil.test"})
        assert response.status_code == 403
        assert "set-cookie" not in response.headers
        await form.http.aclose()


@pytest.mark.parametrize("headers", FROM_HERE, ids=str)
async def test_same_origin_and_other_programs_are_allowed(
    headers: dict[str, str], tmp_path: Path
) -> None:
    async with chat(tmp_path) as browser:
        assert (await send(browser, headers)).status_code == 200
        assert (await upload(browser, headers)).status_code == 200


async def test_http_page_is_not_https_page(tmp_path: Path) -> None:
    async with chat(tmp_path) as browser:
        secure = Browser(browser.app, base_url="https://chat")
        assert (await send(secure, {"origin": "http://chat"})).status_code == 403
        assert (await send(secure, {"origin": "https://chat"})).status_code == 200
        await secure.http.aclose()


def login(request: Request) -> str | None:
    has_token = request.headers.get("authorization") in ("Bearer t0ken", "Basic dDow")
    return "ann" if has_token or request.cookies.get("session") == "ann" else None


async def test_token_proves_permission(tmp_path: Path) -> None:
    elsewhere = {"sec-fetch-site": "cross-site", "origin": "https://evil.test"}
    async with chat(tmp_path, authenticate=login) as browser:
        with_token = {**elsewhere, "authorization": "Bearer t0ken"}
        assert (await send(browser, with_token)).status_code == 200
        assert (await upload(browser, with_token)).status_code == 200
        # Headers that browsers send automatically prove nothing.
        assert (
            await send(browser, {**elsewhere, "authorization": "Basic dDow"})
        ).status_code == 403
        assert (await send(browser, {"authorization": "Basic dDow"})).status_code == 200
        assert (await send(browser, {**elsewhere, "cookie": "session=ann"})).status_code == 403
        assert (await send(browser, {**elsewhere, "authorization": ""})).status_code == 403


async def test_upload_token_is_sufficient(tmp_path: Path) -> None:
    async with chat(tmp_path) as browser:
        await browser.ask("Hello")
        params = {"name": "a.png", "size": len(PNG), "mime_type": "image/png"}
        created = await browser.get("attachments.create", **params)
        url = created["upload_descriptor"]["url"]
        elsewhere = {"sec-fetch-site": "cross-site", "origin": "https://evil.test"}
        forged = await browser.http.put(url + "x", content=PNG, headers=elsewhere)
        assert forged.status_code == 403
        response = await browser.http.put(url, content=PNG, headers=elsewhere)
        assert response.status_code == 200


ALLOWED = [INTRANET, "capacitor://localhost", "https://Chat.Example.com:443/"]


@asynccontextmanager
async def own_app(tmp_path: Path, **properties: Any) -> AsyncIterator[Browser]:
    """Serve the routes within another app."""
    async with SQLStore[Any]("sqlite://") as store:
        files = AttachmentStore[Any](tmp_path, metadata=store, secret="s")
        server = AgentChatKitServer(agent(*[[text("Hi")] for _ in range(9)]), store, files)
        browser = Browser(Starlette(routes=chat_routes(server, **properties)))
        async with browser.http:
            yield browser


@pytest.mark.parametrize("serve", [chat, own_app])
@pytest.mark.parametrize(
    "origin", [INTRANET, "capacitor://localhost", "https://chat.example.com"], ids=str
)
async def test_allowed_origins_can_use_app(serve: Any, origin: str, tmp_path: Path) -> None:
    async with serve(tmp_path, allow_origins=ALLOWED, authenticate=lambda _: "ann") as browser:
        headers = {"origin": origin, "sec-fetch-site": "cross-site"}
        asks = {
            **headers,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,content-type",
        }
        for path in ("/chatkit", "/attachments", "/attachments/x", "/attachments/x/upload"):
            leave = await browser.http.options(path, headers=asks)
            assert leave.status_code == 200
            assert leave.headers["access-control-allow-origin"] == origin
            assert "authorization" in leave.headers["access-control-allow-headers"].lower()
        for response in (await send(browser, headers), await upload(browser, headers)):
            assert response.status_code == 200
            assert response.headers["access-control-allow-origin"] == origin
        missing = await browser.http.get("/attachments/none", headers=headers)
        assert missing.status_code == 404
        assert missing.headers["access-control-allow-origin"] == origin
        others = {**asks, "origin": "https://evil.test"}
        refused = await browser.http.options("/chatkit", headers=others)
        assert "access-control-allow-origin" not in refused.headers
        assert (await send(browser, {"origin": "https://evil.test"})).status_code == 403
        assert (await send(browser, {"origin": "null"})).status_code == 403
        assert (await browser.http.options("/chatkit")).status_code == 204


async def test_other_origins_are_denied_by_default(tmp_path: Path) -> None:
    asks = {"origin": INTRANET, "access-control-request-method": "POST"}
    async with chat(tmp_path) as browser:
        response = await browser.http.options("/chatkit", headers=asks)
        assert response.status_code == 405
        assert "access-control-allow-origin" not in response.headers


async def test_wildcard_origin_allows_only_tokens(tmp_path: Path) -> None:
    async with chat(tmp_path, allow_origins=["*"], authenticate=login) as browser:
        headers = {"origin": "https://any.test", "sec-fetch-site": "cross-site"}
        response = await send(browser, {**headers, "authorization": "Bearer t0ken"})
        assert response.status_code == 200
        assert response.headers["access-control-allow-origin"] == "*"
        assert (await send(browser, {**headers, "cookie": "session=ann"})).status_code == 403


@pytest.mark.parametrize(
    "origin",
    [
        "intranet.test",
        "null",
        "https://a.test/chat",
        "",
        "https://",
        "https://*.a.test",
        "https://ann@a.test",
        "https://a.test:x",
        "https://a b.test",
        "https://é.test",
        "https://a.test, https://b.test",
        "https://[::1",
    ],
)
def test_invalid_origin_is_rejected(origin: str) -> None:
    server = AgentChatKitServer(agent(), SQLStore[Any]("sqlite://"))
    with pytest.raises(ValueError, match="Not an origin"):
        create_app(server, allow_origins=[origin])
    with pytest.raises(ValueError, match="a list"):
        create_app(server, allow_origins="https://a.test")
