"""The smaller samples, as a user runs them."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from samples.cluster.agent import helper
from samples.handoff import at_billing, at_repairs, at_the_front_desk, help_desk, help_desk_app
from samples.login import answer as answer_with_orders
from samples.login import orders_app
from samples.models import ChatModel
from samples.react.__main__ import answer as answer_from_page
from samples.react.__main__ import shop_app
from samples.scripted import Answer, ScriptedClient
from samples.sources import DOCUMENTS, Library, guide_agent, guide_app
from samples.sources import answer as answer_from_guide

from tests.unit.chat_client import Browser, of_type

from .processes import Service, run


def script(answer: Answer) -> ChatModel:
    return ChatModel("A script", ScriptedClient(answer, pace=0), is_script=True)


def said(events: list[Any]) -> str:
    done = [event.item for event in of_type(events, "thread.item.done")]
    messages = [item for item in done if item.type == "assistant_message"]
    return "\n".join(part.text for item in messages for part in item.content)


# The login


@asynccontextmanager
async def logged_in(app: Any, name: str, password: str) -> AsyncIterator[Browser]:
    browser = Browser(app, base_url="http://chat")
    response = await browser.http.post("/login", data={"name": name, "password": password})
    assert (response.status_code, response.headers["location"]) == (303, "/chat/")
    browser.http.base_url = httpx.URL("http://chat/chat")
    yield browser
    await browser.http.aclose()


async def test_user_sees_own_orders_and_chats_after_login() -> None:
    app = orders_app(script(answer_with_orders), "sqlite://")
    async with app.router.lifespan_context(app):
        async with logged_in(app, "ann", "spring") as ann:
            assert "two kilos of tea" in said(await ann.ask("What have I ordered?"))
        async with logged_in(app, "bob", "autumn") as bob:
            assert "a kettle" in said(await bob.ask("What has Ann ordered?"))
            assert len((await bob.get("threads.list"))["data"]) == 1
            bob.thread_id = ann.thread_id
            refused = await bob.post("threads.get_by_id", thread_id=ann.thread_id)
            assert refused.status_code == 404
            await bob.http.post("http://chat/logout")
            assert (await bob.post("threads.list")).status_code == 401


@pytest.mark.parametrize(("name", "password"), [("ann", "autumn"), ("eve", ""), ("eve", "x")])
async def test_anonymous_user_sees_nothing(name: str, password: str) -> None:
    app = orders_app(script(answer_with_orders), "sqlite://")
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://chat") as http:
            login = await http.post("/login", data={"name": name, "password": password})
            assert login.status_code in (401, 422)
            assert "Log in" in (await http.get("/")).text
            body = {"type": "threads.list", "params": {}}
            assert (await http.post("/chat/chatkit", json=body)).status_code == 401


# The help desk


@pytest.fixture
async def caller() -> AsyncIterator[Browser]:
    scripts = (at_the_front_desk, at_billing, at_repairs)
    app = help_desk_app(help_desk(*map(script, scripts)), "sqlite://")
    async with app.router.lifespan_context(app):
        browser = Browser(app)
        yield browser
        await browser.http.aclose()


async def test_front_desk_hands_off(caller: Browser) -> None:
    assert "an invoice or a broken item" in said(await caller.ask("Hello"))
    assert "off and on again" in said(await caller.ask("My kettle is broken"))
    steps = [
        item["workflow"]["summary"]["title"]
        for item in await caller.items()
        if item["type"] == "workflow"
    ]
    assert "Repairs" in steps[-1]


@pytest.mark.parametrize(
    ("button", "words"), [("confirm", "invoice is refunded"), ("cancel", "not refund it")]
)
async def test_refund_is_approved_or_declined(caller: Browser, button: str, words: str) -> None:
    assert "invoice number" in said(await caller.ask("My invoice is wrong"))
    await caller.ask("It is 4711")
    card = (await caller.items())[-1]
    assert card["type"] == "widget"
    answered = await caller.stream(
        "threads.custom_action",
        thread_id=caller.thread_id,
        item_id=card["id"],
        action=card["widget"][button]["action"],
    )
    assert words in said(answered)


# The sources


async def test_answers_cite_the_guide() -> None:
    agent = guide_agent(script(answer_from_guide), Library(DOCUMENTS))
    app = guide_app(agent, "sqlite://")
    async with app.router.lifespan_context(app):
        browser = Browser(app)
        events = await browser.ask("How do I have a tool approved?")
        await browser.http.aclose()
    [message] = [
        event.item
        for event in of_type(events, "thread.item.done")
        if event.item.type == "assistant_message"
    ]
    [part] = message.content
    assert "[1]" not in part.text
    assert len(part.annotations) == 3
    for annotation in part.annotations:
        assert annotation.source.type == "file"
        assert annotation.source.title.endswith(".md)")
        assert 0 < annotation.index <= len(part.text)
    files = [
        task.sources
        for event in of_type(events, "thread.item.done")
        if event.item.type == "workflow"
        for task in event.item.workflow.tasks
        if task.type == "file"
    ]
    assert len(files[0]) == 3


def test_library_search_without_match_finds_nothing() -> None:
    library = Library(DOCUMENTS)
    assert library.search('a "b" OR *') == []
    assert library.search("") == []
    assert {file for file, _, _ in library.search("PostgreSQL")} <= {
        path.name for path in Path(DOCUMENTS).glob("*.md")
    }


# The React app


async def test_page_tool_returns_orders() -> None:
    app = shop_app(script(answer_from_page), "sqlite://")
    async with app.router.lifespan_context(app):
        browser = Browser(app)
        await browser.ask("Where is order 18?")
        results: list[dict[str, Any]] = [
            {"orders": [{"id": "18", "what": "A kettle", "state": "paid"}]},
            {"marked": "18"},
        ]
        for name, result in zip(["list_orders", "mark_order"], results, strict=True):
            call = (await browser.items())[-1]
            assert (call["type"], call["name"]) == ("client_tool_call", name)
            events = await browser.stream(
                "threads.add_client_tool_output", thread_id=browser.thread_id, result=result
            )
        await browser.http.aclose()
    assert "Order 18, A kettle, is paid." in said(events)


# The workers


async def test_cluster_agent_remembers() -> None:
    session = helper.create_session()
    await helper.run("Hello", session=session)
    assert "You began with: Hello" in (await helper.run("And?", session=session)).text


# All of them


@pytest.mark.parametrize("sample", ["login", "handoff", "sources", "react"])
def test_each_sample_starts_with_one_command(sample: str, tmp_path: Path) -> None:
    with Service(sample, tmp_path / "log") as service:
        url = service.wait_for(r"http://127\.0\.0\.1:\d+/")
        page = httpx.get(url, timeout=60)
        assert page.status_code == 200
        assert "<title>" in page.text


@pytest.mark.parametrize("sample", ["quickstart.server", "weather"])
@pytest.mark.parametrize("port", ["taken", "70000"])
def test_unusable_port_is_named(sample: str, port: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1]) if port == "taken" else port
        result = run(sample, "--port", port)
    assert result.returncode == 1
    assert result.stderr.startswith(f"Port {port} cannot be used: ")
    assert result.stderr.count("\n") == 1
