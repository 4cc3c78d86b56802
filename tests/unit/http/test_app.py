from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from chatkit.types import (
    StructuredInputFreeform,
    StructuredInputItem,
    WidgetItem,
)
from chatkit.widgets import DynamicWidgetRoot
from fastapi import FastAPI
from sqlalchemy.exc import OperationalError
from starlette.requests import Request

from agent_framework_chatkit import AgentChatKitServer
from agent_framework_chatkit.http.app import create_app
from agent_framework_chatkit.http.request_context import preferred_locale
from agent_framework_chatkit.server import follower
from agent_framework_chatkit.stores import SQLStore
from agent_framework_chatkit.stores.sql.thread_writer import ThreadWriter

from ...fakes.scripted_agent import agent, text
from ..chat_client import Browser, message, of_type
from ..full_server import FullServer


@asynccontextmanager
async def chat(server_class: Any = AgentChatKitServer, **properties: Any) -> AsyncIterator[Browser]:
    """Yield a browser that is connected to an app whose agent says Hi."""
    answering = agent(*[[text("Hi")] for _ in range(9)])
    async with SQLStore[Any]("sqlite://") as store:
        browser = Browser(create_app(server_class(answering, store), **properties))
        async with browser.http:
            yield browser


# Users


async def test_each_browser_is_an_owner() -> None:
    async with chat() as mine:
        await mine.ask("Hello")
        theirs = Browser(mine.app)
        assert (await theirs.get("threads.list"))["data"] == []
        assert (await theirs.post("threads.get_by_id", thread_id=mine.thread_id)).status_code == 404
        assert len((await mine.get("threads.list"))["data"]) == 1
        await theirs.http.aclose()


@pytest.mark.parametrize("is_async", [False, True])
async def test_app_can_authenticate(is_async: bool) -> None:
    def plain(request: Request) -> str | None:
        return request.headers.get("x-user")

    async def coroutine(request: Request) -> str | None:
        return plain(request)

    async with chat(authenticate=coroutine if is_async else plain) as browser:
        response = await browser.post("threads.list")
        assert response.status_code == 401
        assert response.json() == {"error": "Log in first."}
        browser.http.headers["x-user"] = "al"
        response = await browser.post("threads.list")
        assert response.status_code == 200
        assert "set-cookie" not in response.headers


@pytest.mark.parametrize(
    ("host", "warns"), [("127.0.0.1", False), ("::1", False), ("10.0.0.7", True)]
)
async def test_app_without_login_warns_on_public_address(
    host: str, warns: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with chat() as browser:
        client = Browser(browser.app, client=(host, 1))
        await client.get("threads.list")
        await client.get("threads.list")
        await client.http.aclose()
    warnings = [record for record in caplog.records if "login" in record.message]
    assert len(warnings) == warns


@pytest.mark.parametrize(
    ("header", "locale"),
    [
        ("de", "de"),
        ("en;q=0.5, pt-BR, *;q=0.1", "pt-BR"),
        ("*", None),
        ("", None),
        (None, None),
        ("de;q=0, fr;q=x", None),
        ("<script>", None),
    ],
)
def test_locale_is_browsers_preference(header: str | None, locale: str | None) -> None:
    assert preferred_locale(header) == locale


async def test_context_describes_request() -> None:
    contexts: list[Any] = []

    class Server(AgentChatKitServer[Any]):
        def title(self, thread: Any, message: Any, context: Any) -> None:
            contexts.append(context)

    async with chat(Server) as browser:
        browser.http.headers["accept-language"] = "de"
        await browser.ask("Hallo")
    (context,) = contexts
    assert context.locale == "de"
    assert context.request.url.path == "/chatkit"


# Bad input


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"type": "threads.explode"}', "application/json", 400),
        (b'{"type": "threads.get_by_id", "params": {}}', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"{}", "text/plain", 415),
        (b"{}", "application/x-www-form-urlencoded", 415),
        (b"{}", "text/plain; application/json", 415),
        (b"{}", "Application/JSON ; charset=utf-8", 400),
        (b" " * 2_000, "application/json", 413),
    ],
)
async def test_invalid_request_is_rejected(body: bytes, media_type: str, status: int) -> None:
    async with chat(max_request_size=1_000) as browser:
        headers = {"content-type": media_type}
        response = await browser.http.post("/chatkit", content=body, headers=headers)
        assert response.status_code == status
        assert response.json()["error"]
        await browser.ask("And now?")


async def test_missing_field_is_named() -> None:
    async with chat() as browser:
        response = await browser.post("threads.get_by_id")
        assert "thread_id" in response.json()["error"]


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("threads.get_by_id", {}),
        ("threads.add_user_message", {"input": message("x")}),
        ("threads.add_client_tool_output", {"result": 1}),
        ("threads.add_structured_input", {"item_id": "i", "input": {}}),
        ("threads.retry_after_item", {"item_id": "i"}),
        ("threads.custom_action", {"action": {"type": "a", "payload": None}}),
        ("threads.sync_custom_action", {"action": {"type": "a", "payload": None}}),
        ("threads.update", {"title": "x"}),
        ("threads.delete", {}),
    ],
)
async def test_missing_thread_is_not_found(kind: str, params: Any) -> None:
    async with chat() as browser:
        response = await browser.post(kind, thread_id="thr_none", **params)
        assert response.status_code == 404


async def test_unrequested_answer_is_rejected() -> None:
    async with chat() as browser:
        await browser.ask("Hello")
        response = await browser.post(
            "threads.add_client_tool_output", thread_id=browser.thread_id, result=1
        )
        assert response.status_code == 400


async def test_unsupported_request_is_explained() -> None:
    async with chat() as browser:
        response = await browser.post("input.transcribe", audio_base64="", mime_type="audio/webm")
        assert response.status_code == 501


async def test_database_outage_is_reported_and_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with chat() as browser:
        await browser.get("threads.list")
        assert (await browser.http.get("/healthz")).status_code == 200

        async def gone(*args: Any, **kwargs: Any) -> Any:
            raise OperationalError("SELECT secret", {}, Exception("host=10.0.0.7"))

        with monkeypatch.context() as patched:
            patched.setattr(SQLStore, "load_threads", gone)
            patched.setattr(SQLStore, "check", gone)
            response = await browser.post("threads.list")
            assert response.status_code == 503
            assert "10.0.0.7" not in response.text
            assert (await browser.http.get("/healthz")).status_code == 503
        await browser.get("threads.list")


async def test_turn_waits_during_database_outage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    commit = ThreadWriter.commit
    fails = 2

    def gone(*args: Any) -> None:
        nonlocal fails
        if fails:
            fails -= 1
            raise OperationalError("INSERT secret", {}, Exception("host=10.0.0.7"))
        commit(*args)

    monkeypatch.setattr(ThreadWriter, "commit", gone)
    async with chat() as browser:
        events = await browser.ask("Hello")
        assert not of_type(events, "error")
        assert len(await browser.items()) == 2
        await browser.ask("And now?")
        assert len(await browser.items()) == 4
    assert fails == 0


async def test_internal_error_is_not_shown_to_client(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("password=1")

    async with chat() as browser:
        monkeypatch.setattr(SQLStore, "load_threads", fail)
        response = await browser.post("threads.list")
        assert response.status_code == 500
        assert "password" not in response.text


# The protocol


async def test_every_non_streaming_request() -> None:
    async with chat(FullServer) as browser:
        await browser.ask("Hello")
        thread = {"thread_id": browser.thread_id}
        await browser.get("threads.update", **thread, title="A title")
        assert (await browser.get("threads.get_by_id", **thread))["title"] == "A title"
        assert [each["title"] for each in (await browser.get("threads.list"))["data"]] == [
            "A title"
        ]
        assert len((await browser.get("items.list", **thread))["data"]) == 2
        await browser.get("items.feedback", **thread, item_ids=["nothing"], kind="negative")
        transcribed = await browser.get(
            "input.transcribe", audio_base64="AAAA", mime_type="audio/webm"
        )
        assert transcribed == {"text": "3 bytes"}
        await browser.get("threads.delete", **thread)
        assert (await browser.post("threads.get_by_id", **thread)).status_code == 404


async def test_actions_and_questions() -> None:
    async with SQLStore[Any]("sqlite://") as store:
        server = FullServer(agent([text("One")], [text("Noted.")]), store)
        browser = Browser(create_app(server, authenticate=lambda _: "me"))
        await browser.ask("Hello")
        base: Any = {
            "thread_id": browser.thread_id,
            "created_at": "2026-01-01T00:00:00",
        }
        widget = DynamicWidgetRoot.model_validate({"type": "Card", "children": []})
        context = {"user_id": "me"}
        await store.add_thread_item(
            browser.thread_id, WidgetItem(id="w", widget=widget, **base), context
        )
        questions: list[Any] = [StructuredInputFreeform(id="q", question="Why?")]
        await store.add_thread_item(
            browser.thread_id, StructuredInputItem(id="s", inputs=questions, **base), context
        )
        thread = {"thread_id": browser.thread_id}
        clicked = {**thread, "item_id": "w", "action": {"type": "click", "payload": None}}
        (notice,) = of_type(await browser.stream("threads.custom_action", **clicked), "notice")
        assert notice.message == "click w"
        answer = await browser.get("threads.sync_custom_action", **clicked)
        assert answer["updated_item"]["id"] == "w"
        answered = {"answers": {"q": {"values": ["Because"]}}}
        events = await browser.stream(
            "threads.add_structured_input", **thread, item_id="s", input=answered
        )
        assert of_type(events, "thread.item.replaced")[0].item.status == "answered"
        await browser.http.aclose()


async def test_quiet_stream_stays_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "HEARTBEAT", 0.01)
    async with SQLStore[Any]("sqlite://") as store:

        async def think() -> None:
            await asyncio.sleep(0.1)

        browser = Browser(create_app(AgentChatKitServer(agent([think, text("Hi")]), store)))
        response = await browser.post("threads.create", input=message("Hello"))
        assert "\n\n:\n\n" in response.text
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-accel-buffering"] == "no"
        await browser.http.aclose()


async def test_app_mounts_into_fastapi() -> None:
    async with SQLStore[Any]("sqlite://") as store:
        parent = FastAPI()
        parent.mount("/chat", create_app(AgentChatKitServer(agent([text("Hi")]), store)))
        transport = httpx.ASGITransport(parent)
        async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
            request = {"type": "threads.create", "params": {"input": message("Hello")}}
            response = await client.post("/chat/chatkit", json=request)
            assert "Hi" in response.text
            assert (await client.get("/chat/healthz")).json() == {"status": "ok"}


async def test_lifespan_closes_the_store() -> None:
    is_closed = False

    class Store(SQLStore[Any]):
        async def close(self) -> None:
            nonlocal is_closed
            is_closed = True
            await super().close()

    app = create_app(AgentChatKitServer(agent(), Store("sqlite://")))
    async with app.router.lifespan_context(app):
        assert not is_closed
    assert is_closed


async def test_app_does_not_start_with_newer_database(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    async with SQLStore[Any](f"sqlite:///{path}") as store:
        await store.migrate()
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE chatkit_version SET version_num = 'v99'")
        database.commit()
    app = create_app(AgentChatKitServer(agent(), SQLStore(f"sqlite:///{path}")))
    with pytest.raises(RuntimeError, match="newer version"):
        async with app.router.lifespan_context(app):
            pass


async def test_app_starts_before_its_database(tmp_path: Path) -> None:
    store = SQLStore[Any](f"sqlite:///{tmp_path / 'later' / 'chat.db'}")
    app = create_app(AgentChatKitServer(agent(), store))
    async with app.router.lifespan_context(app):
        browser = Browser(app)
        async with browser.http:
            assert (await browser.http.get("/healthz")).status_code == 503
            (tmp_path / "later").mkdir()
            assert (await browser.http.get("/healthz")).status_code == 200


async def test_threads_are_found_by_words() -> None:
    async with chat() as browser:
        await browser.ask("It rains in Oslo.")
        thread_id = browser.thread_id
        assert (await browser.get("threads.list"))["can_search"] is True
        page = await browser.get("threads.search", query="oslo rain")
        (found,) = page["data"]
        assert (found["thread"]["id"], page["has_more"]) == (thread_id, False)
        assert found["thread"]["turn"]["state"] == "completed"
        assert found["snippet"] == [
            {"text": "It ", "is_match": False},
            {"text": "rain", "is_match": True},
            {"text": "s in ", "is_match": False},
            {"text": "Oslo", "is_match": True},
            {"text": ".", "is_match": False},
        ]
        items = await browser.items()
        assert found["item_id"] in [item["id"] for item in items]
        await browser.get("threads.update", thread_id=thread_id, title="Umbrellas")
        (named,) = (await browser.get("threads.search", query="umbrella"))["data"]
        assert (named["item_id"], named["snippet"]) == (None, [])
        other = Browser(browser.app)
        async with other.http:
            assert (await other.get("threads.search", query="oslo"))["data"] == []
        refused = await browser.post("threads.search", query="oslo", limit=0)
        assert refused.status_code == 400
