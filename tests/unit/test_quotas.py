"""How much an owner may ask for."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from agent_framework_chatkit import AgentChatKitServer, Quotas, create_app
from agent_framework_chatkit.stores import AttachmentStore, SQLStore

from .chat_client import Browser, chat, message
from .scripted_agent import agent, text


def answers(count: int) -> Any:
    return agent(*([text("Hi")] for _ in range(count)))


async def test_an_owner_has_so_many_turns_a_minute() -> None:
    async with chat(answers(4), quotas=Quotas(visitor_turns=2)) as browser:
        await browser.ask("1")
        await browser.ask("2")
        params = {"thread_id": browser.thread_id, "input": message("3")}
        response = await browser.post("threads.add_user_message", **params)
        assert response.status_code == 429
        assert response.headers["retry-after"] == "60"
        assert "Wait a moment" in response.json()["error"]
        # What is no turn is not counted, and others are not held up.
        assert len(await browser.items()) == 4
        other = Browser(browser.app)
        assert len(await other.ask("1")) > 1


@pytest.mark.parametrize(("quotas", "status"), [(Quotas(turns=1), 429), (Quotas(), 200)])
async def test_owners_with_a_login_have_limits_of_their_own(quotas: Quotas, status: int) -> None:
    async with SQLStore[Any]("sqlite://") as store:
        server = AgentChatKitServer[Any](answers(2), store, quotas=quotas)
        browser = Browser(create_app(server, authenticate=lambda request: "ada"))
        assert await browser.stream_status("1") == 200
        assert await browser.stream_status("2") == status
        await server.close()


async def test_an_owner_has_so_many_open_streams() -> None:
    entered, gate = asyncio.Event(), asyncio.Event()

    async def waits(thread: Any, context: Any) -> Any:
        entered.set()
        await gate.wait()
        return answers(1)

    async with chat(waits, quotas=Quotas(visitor_streams=1)) as browser:
        # From then on it is known.
        await browser.get("threads.list")
        first = asyncio.ensure_future(browser.ask("1"))
        await entered.wait()
        response = await browser.post("threads.create", input=message("2"))
        assert response.status_code == 429
        assert "Close some tabs" in response.json()["error"]
        gate.set()
        await first
        await browser.ask("3")


@pytest.mark.parametrize("limits", [{"max_files": 2}, {"max_stored": 5}])
async def test_an_owner_may_store_so_much(tmp_path: Path, limits: dict[str, Any]) -> None:
    async def part() -> Any:
        yield b"ab"

    async with SQLStore[Any]("sqlite://") as store:
        files: AttachmentStore[Any] = AttachmentStore(
            tmp_path, metadata=store, secret="s" * 32, base_url="http://chat", **limits
        )
        ada = {"user_id": "ada"}
        for name in ("a.txt", "b.txt"):
            await files.upload(name, "text/plain", part(), ada, 2)
        for size in (2, None):
            with pytest.raises(Exception, match="Delete chats"):
                await files.upload("c.txt", "text/plain", part(), ada, size)
        assert await store.attachment_usage(ada) == (2, 4)
        await files.upload("c.txt", "text/plain", part(), {"user_id": "bob"}, 2)
