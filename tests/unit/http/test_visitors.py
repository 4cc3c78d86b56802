"""Owners without a login, and their cookies."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from itsdangerous import URLSafeSerializer
from starlette.requests import Request

from agent_framework_chatkit import AgentChatKitServer, create_app
from agent_framework_chatkit.stores import AttachmentStore, SQLStore

from ...fakes.scripted_agent import agent, text
from ..chat_client import Browser, message

DAY = 24 * 60 * 60
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


@asynccontextmanager
async def chat(**properties: Any) -> AsyncIterator[Browser]:
    async with SQLStore[Any]("sqlite://") as store:
        server = AgentChatKitServer(agent(*[[text("Hi")] for _ in range(9)]), store)
        browser = Browser(create_app(server), **properties)
        async with browser.http:
            yield browser


def cookies_set(response: Any) -> SimpleCookie:
    """Return the cookies that a response sets or deletes."""
    jar = SimpleCookie()
    for header in response.headers.get_list("set-cookie"):
        jar.load(header)
    return jar


async def threads(browser: Browser) -> int:
    return len((await browser.get("threads.list"))["data"])


@asynccontextmanager
async def later(days: float, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    now = time.time
    with monkeypatch.context() as patched:
        patched.setattr(time, "time", lambda: now() + days * DAY)
        yield


async def test_each_browser_is_an_owner() -> None:
    async with chat() as mine:
        await mine.ask("Hello")
        theirs = Browser(mine.app)
        assert await threads(theirs) == 0
        assert (await theirs.post("threads.get_by_id", thread_id=mine.thread_id)).status_code == 404
        assert await threads(mine) == 1
        await theirs.http.aclose()


async def test_cookie_is_limited_to_app() -> None:
    async with chat() as browser:
        ((name, cookie),) = cookies_set(await browser.post("threads.list")).items()
        assert name.startswith("chatkit_visitor_")
        assert cookie["httponly"]
        assert cookie["samesite"] == "lax"
        assert not cookie["secure"]
        assert int(cookie["max-age"]) == 365 * DAY
        assert not cookies_set(await browser.post("threads.list"))


async def test_cookie_is_limited_to_host_over_https() -> None:
    async with chat(base_url="https://chat") as browser:
        ((name, cookie),) = cookies_set(await browser.post("threads.list")).items()
        assert name.startswith("__Host-chatkit_visitor_")
        # Browsers require these attributes for this prefix.
        assert cookie["secure"]
        assert cookie["path"] == "/"
        assert not cookie["domain"]


async def test_apps_on_one_host_keep_their_visitors() -> None:
    """A browser's cookies belong to a host, whatever the port and the path."""
    async with SQLStore[Any]("sqlite://") as one, SQLStore[Any]("sqlite://") as other:
        parent = FastAPI()
        for path, store in (("/one", one), ("/other", other)):
            parent.mount(path, create_app(AgentChatKitServer(agent([text("Hi")]), store)))
        browser = Browser(parent)
        for path in ("/one", "/other"):
            request = {"type": "threads.create", "params": {"input": message("Hello")}}
            assert (await browser.http.post(f"{path}/chatkit", json=request)).status_code == 200
        for path in ("/one", "/other"):
            request = {"type": "threads.list", "params": {}}
            answer = await browser.http.post(f"{path}/chatkit", json=request)
            assert len(answer.json()["data"]) == 1
            assert not cookies_set(answer)
        assert len(browser.http.cookies) == 2
        await browser.http.aclose()


async def test_forged_cookie_is_ignored() -> None:
    async with chat() as browser:
        await browser.ask("Hello")
        ((name, value),) = browser.http.cookies.items()
        owner, _, signature = value.partition(".")
        for forged in ("", "forged", "InZpc2l0b3IxIg.AAAA", f"{owner}.{signature[:-1]}", owner):
            for as_name in (name, f"__Host-{name}", "chatkit_visitor"):
                forger = Browser(browser.app, cookies={as_name: forged})
                assert await threads(forger) == 0
                await forger.http.aclose()


async def test_cookie_is_valid_only_under_its_name() -> None:
    """Another subdomain can set a cookie whose name lacks the `__Host-` prefix."""
    async with chat(base_url="https://chat") as browser:
        await browser.ask("Hello")
        ((name, value),) = browser.http.cookies.items()
        for other in (name.removeprefix("__Host-"), "chatkit_visitor"):
            tossed = Browser(browser.app, base_url="https://chat", cookies={other: value})
            assert await threads(tossed) == 0
            await tossed.http.aclose()


async def test_cookie_lasts_a_year_and_is_renewed_monthly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with chat() as browser:
        await browser.ask("Hello")
        old = dict(browser.http.cookies)
        async with later(29, monkeypatch):
            assert not cookies_set(await browser.post("threads.list"))
        async with later(31, monkeypatch):
            assert cookies_set(await browser.post("threads.list"))
        async with later(31 + 364, monkeypatch):
            assert await threads(browser) == 1
            stale = Browser(browser.app, cookies=old)
            assert await threads(stale) == 0
            await stale.http.aclose()


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_cookie_of_older_version_is_renamed(scheme: str) -> None:
    async with SQLStore[Any]("sqlite://") as store:
        app = create_app(AgentChatKitServer(agent([text("Hi")]), store))
        signer = URLSafeSerializer(await store.secret(), salt="chatkit_visitor")
        cookie = {"chatkit_visitor": str(signer.dumps("visitor_old"))}
        browser = Browser(app, base_url=f"{scheme}://chat", cookies=cookie)
        seen = await browser.ask("Hello")
        thread = await store.load_thread(seen[0].thread.id, {"user_id": "visitor_old"})
        assert thread.id == browser.thread_id
        browser.http.cookies.delete("chatkit_visitor")  # The cookie was set without a domain.
        assert await threads(browser) == 1
        (name,) = browser.http.cookies
        assert name.startswith("__Host-" if scheme == "https" else "chatkit_visitor_")
        await browser.http.aclose()


async def test_renamed_cookie_is_ignored() -> None:
    async with SQLStore[Any]("sqlite://") as store:
        signer = URLSafeSerializer(await store.secret(), salt="chatkit_visitor")
        app = create_app(AgentChatKitServer(agent(), store))
        cookie = {"chatkit_visitor": str(signer.dumps("visitor_old"))}
        browser = Browser(app, cookies=cookie)
        jar = cookies_set(await browser.post("threads.list"))
        assert int(jar["chatkit_visitor"]["max-age"]) == 0
        assert len(jar) == 2
        await browser.http.aclose()


async def test_switching_to_tls_keeps_visitors() -> None:
    async with chat() as browser:
        await browser.ask("Hello")
        secure = Browser(browser.app, base_url="https://chat", cookies=dict(browser.http.cookies))
        jar = cookies_set(await secure.post("threads.list"))
        assert len(jar) == 2
        assert any(name.startswith("__Host-") for name in jar)
        assert await threads(secure) == 1
        await secure.http.aclose()


async def test_page_of_another_origin_gets_no_cookie() -> None:
    async with SQLStore[Any]("sqlite://") as store:
        server = AgentChatKitServer(agent(), store)
        browser = Browser(create_app(server, allow_origins=["https://intranet.test"]))
        browser.http.headers["origin"] = "https://intranet.test"
        response = await browser.post("threads.list")
        assert response.status_code == 200
        assert not cookies_set(response)
        await browser.http.aclose()


async def test_uploading_needs_a_cookie(tmp_path: Path) -> None:
    async with SQLStore[Any]("sqlite://") as store:
        files = AttachmentStore[Any](tmp_path, metadata=store, secret="s")
        browser = Browser(create_app(AgentChatKitServer(agent(), store, files)))
        form = {"file": ("a.png", PNG, "image/png")}
        announced = {"name": "a.png", "size": len(PNG), "mime_type": "image/png"}
        for refused in (
            await browser.http.post("/attachments", files=form),
            await browser.post("attachments.create", **announced),
        ):
            assert refused.status_code == 403
            assert "cookies" in refused.json()["error"]
            assert not cookies_set(refused)
        assert not any(path.is_file() for path in tmp_path.rglob("*"))  # noqa: ASYNC240 the test's own folder
        await browser.get("threads.list")
        assert (await browser.http.post("/attachments", files=form)).status_code == 200
        assert (await browser.post("attachments.create", **announced)).status_code == 200
        await browser.http.aclose()


async def test_authenticated_user_needs_no_cookie(tmp_path: Path) -> None:
    def login(request: Request) -> str:
        return "ann"

    async with SQLStore[Any]("sqlite://") as store:
        files = AttachmentStore[Any](tmp_path, metadata=store, secret="s")
        server = AgentChatKitServer(agent(), store, files)
        browser = Browser(create_app(server, authenticate=login))
        form = {"file": ("a.png", PNG, "image/png")}
        response = await browser.http.post("/attachments", files=form)
        assert response.status_code == 200
        assert not cookies_set(response)
        await browser.http.aclose()
