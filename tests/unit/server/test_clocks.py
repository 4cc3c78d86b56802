"""Behavior when the clock is set back or forward by an hour."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent_framework_chatkit import AgentChatKitServer, create_app
from agent_framework_chatkit.stores import AttachmentStore, SQLStore

from ...fakes.scripted_agent import agent, text
from ..chat_client import Browser, chat
from ..live_client import ME, Gate, LiveClient, bury, settled

HOUR = 3600.0


@pytest.fixture(params=[-HOUR, HOUR], ids=["back", "forward"])
def set_clock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    now = time.time

    def set_clock() -> None:
        monkeypatch.setattr(time, "time", lambda: now() + request.param)

    return set_clock


async def test_visitor_survives_clock_change(set_clock: Any) -> None:
    async with chat(agent([text("Hi")], [text("Ho")])) as browser:
        await browser.ask("Hello")
        set_clock()
        await browser.ask("And?")
        assert len((await browser.get("threads.list"))["data"]) == 1


async def test_new_link_is_valid_despite_clock_change(set_clock: Any, tmp_path: Path) -> None:
    async with SQLStore[Any]("sqlite://") as store:
        files = AttachmentStore[Any](
            tmp_path,
            metadata=store,
            secret="s" * 32,
            base_url="http://chat",
            url_lifetime=timedelta(hours=2),
        )
        server = AgentChatKitServer(agent(), store, attachment_store=files)
        browser = Browser(create_app(server))
        await browser.get("threads.list")
        upload = {"file": ("a.txt", b"Hello", "text/plain")}
        added = (await browser.http.post("/attachments", files=upload)).json()
        link = files.link_to(added["id"], {"user_id": "ada"})
        set_clock()
        stranger = Browser(browser.app)
        assert (await stranger.http.get(link)).content == b"Hello"
        for each in (browser, stranger):
            await each.http.aclose()
        await server.close()


async def test_turn_ends_later_than_the_one_before_despite_clock_change(
    set_clock: Any, tmp_path: Path
) -> None:
    """Pages compare these times to find new answers, and another worker's clock may differ."""
    ends: list[datetime] = []

    async def note_end() -> None:
        page = await client.send("threads.list")
        ends.append(datetime.fromisoformat(page["data"][0]["turn"]["ended_at"]))

    url = f"sqlite:///{tmp_path}/chat.db"
    async with SQLStore[Any](url) as one, SQLStore[Any](url) as two:
        dead = AgentChatKitServer(agent([text("One")], [text("Half "), Gate()]), one)
        client = LiveClient(dead, ME)
        await (await client.ask("Hello")).rest()
        await note_end()
        asking = await client.ask("And?")
        await asking.text("Half")
        page = await client.send("threads.list")
        assert page["data"][0]["turn"]["ended_at"] is None
        set_clock()
        await bury(one, two)
        living = AgentChatKitServer(agent([text("Two")]), two)
        client.server = living
        await settled(client)
        await note_end()
        await (await client.ask("Now?")).rest()
        await note_end()
        assert ends == sorted(set(ends))
        await dead.close(grace=0)
        await living.close(grace=0)
