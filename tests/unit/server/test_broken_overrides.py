"""Methods of apps that raise, ignore a cancellation, or return something else."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from agent_framework import Content, HistoryProvider, Message
from chatkit.store import StoreItemType
from chatkit.types import ThreadMetadata

from agent_framework_chatkit import AgentChatKitServer, AgentResponseConverter
from agent_framework_chatkit.bridge import usage
from agent_framework_chatkit.server import history_providers, run_end
from agent_framework_chatkit.stores import SQLStore

from ...fakes.scripted_agent import agent, forever, text
from ..live_client import ME, Gate, LiveClient, bury, chat, settled


class Cancelled(AgentChatKitServer[Any]):
    async def handle_stream_cancelled(self, *given: Any) -> None:
        raise asyncio.CancelledError


class Leaving(AgentChatKitServer[Any]):
    async def handle_stream_cancelled(self, *given: Any) -> None:
        raise SystemExit


class LeavingAtOnce(AgentChatKitServer[Any]):
    def handle_stream_cancelled(self, *given: Any) -> Any:
        raise SystemExit


class Stuck(AgentChatKitServer[Any]):
    """A server whose cleanup ignores that it is cancelled."""

    async def handle_stream_cancelled(self, *given: Any) -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()


@pytest.mark.parametrize("server_class", [Cancelled, Leaving, LeavingAtOnce, Stuck])
async def test_stop_ends_turn_whatever_the_cleanup_does(
    server_class: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_end, "CANCELLED_WITHIN", 0.01)
    gate = Gate()
    answering = agent([text("Half "), gate], [text("Yes.")])
    async with chat(answering, server_class=server_class) as client:
        asking = await client.ask("Hello")
        await asking.text("Half")
        assert await client.stop() == "stopped"
        assert ("assistant_message", "Half ") in await client.transcript()
        await (await client.ask("Again")).rest()
        assert await settled(client) == "completed"


@pytest.mark.parametrize("options", [None, 42, RuntimeError("no")])
async def test_answer_comes_without_the_app_options(options: Any) -> None:
    class Broken(AgentChatKitServer[Any]):
        def get_stream_options(self, *given: Any) -> Any:
            if isinstance(options, Exception):
                raise options
            return options

    async with chat(agent([text("Yes.")]), server_class=Broken) as client:
        asking = await client.ask("Hello")
        sent = await asking.until("stream_options")
        assert sent["stream_options"] == {"allow_cancel": True}
        await asking.rest()
        assert await settled(client) == "completed"


@pytest.mark.parametrize("context", [None, {"user_id": "somebody else"}])
async def test_turn_does_not_start_for_another_owner(context: Any) -> None:
    class Broken(AgentChatKitServer[Any]):
        def detached_context(self, given: Any) -> Any:
            return context

    answering = agent([text("Yes.")])
    async with chat(answering, server_class=Broken) as client:
        with pytest.raises(TypeError, match="detached_context"):
            await client.ask("Hello")
        page = await client.send("threads.list")
        assert page["data"] == []


class OwnIds(SQLStore[Any]):
    """A store whose item IDs name the owner, as far as there is one."""

    left = 100

    def generate_item_id(
        self, item_type: StoreItemType, thread: ThreadMetadata, context: Any
    ) -> str:
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("No more IDs.")
        return f"{context['user_id']}_{self.left}"


async def test_turn_ends_without_an_id_of_the_app() -> None:
    async with OwnIds("sqlite://") as store:
        store.left = 1
        server = AgentChatKitServer(agent([text("Half")], [text("Yes.")]), store)
        client = LiveClient(server)
        await (await client.ask("Hello")).rest()
        assert await settled(client) == "failed"
        store.left = 100
        await (await client.ask("Again")).rest()
        assert await settled(client) == "completed"
        await server.close(grace=0)


async def test_turn_of_dead_worker_ends_without_a_context(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/chat.db"
    async with OwnIds(url) as one, OwnIds(url) as two:
        gate = Gate()
        dead = AgentChatKitServer(agent([text("Half "), gate]), one)
        client = LiveClient(dead, ME)
        await (await client.ask("Hello")).text("Half")
        await bury(one, two)
        living = AgentChatKitServer(agent([text("Yes.")]), two)
        client.server = living
        await (await client.ask("Again")).rest()
        assert await settled(client) == "completed"
        await dead.close(grace=0)
        await living.close(grace=0)


class HangingUsage(AgentResponseConverter):
    async def on_usage(self, usage: Any) -> None:
        await forever()


async def test_turn_ends_although_the_report_of_its_usage_hangs(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(usage, "REPORTED_WITHIN", 0.01)
    answering = agent([text("Yes."), Content.from_usage({"input_token_count": 1})])
    async with chat(answering, response_converter=HangingUsage()) as client:
        await (await client.ask("Hello")).rest()
        assert await settled(client) == "completed"
    assert "The usage of a turn could not be reported." in caplog.text


class HangingHistory(HistoryProvider):
    """A history that cannot save a turn that was cut short."""

    def __init__(self, error: BaseException | None = None) -> None:
        super().__init__("hanging")
        self.error = error

    async def get_messages(self, *_: Any, **given: Any) -> list[Message]:
        return []

    async def save_messages(self, *_: Any, **given: Any) -> None:
        if self.error is not None:
            raise self.error
        await forever()


@pytest.mark.parametrize("error", [None, SystemExit(), asyncio.CancelledError()])
async def test_stop_ends_turn_whatever_the_own_history_does(
    error: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(history_providers, "SAVED_WITHIN", 0.01)
    gate = Gate()
    answering = agent([text("Half "), gate], context_providers=[HangingHistory(error)])
    async with chat(answering) as client:
        await (await client.ask("Hello")).text("Half")
        assert await client.stop() == "stopped"
        assert await settled(client) == "stopped"
    assert "could not save a turn that was cut short" in caplog.text
