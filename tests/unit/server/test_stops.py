"""Turns that are stopped by users, clients and limits."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime
from typing import Any

import pytest
from agent_framework import (
    Content,
    FunctionInvocationContext,
    tool,
)
from chatkit.types import (
    CustomTask,
    NoticeEvent,
    ThreadMetadata,
    WidgetItem,
)
from chatkit.widgets import DynamicWidgetRoot

from agent_framework_chatkit import (
    AgentChatKitServer,
    ThreadContext,
)
from agent_framework_chatkit.server import worker
from agent_framework_chatkit.stores import SQLStore

from ...fakes.scripted_agent import agent, call, forever, look_up, said, text
from ..chat_client import EVENT, encode, message, of_type
from ..live_client import Gate
from ..live_client import chat as live_chat


async def test_stop_reaches_turn_and_returns_status() -> None:
    gate = Gate()
    async with live_chat(agent([text("Half an "), gate], [text("Yes.")])) as client:
        asking = await client.ask("Hello")
        await asking.text("Half an ")
        turn = await client.turn()
        assert await client.stop(turn_id="another") == "idle"
        assert await client.stop(turn_id=turn["id"]) == "stopped"
        assert await client.stop() == "idle"
        rest = await asking.rest()
        assert [event["type"] for event in rest] == [
            "thread.item.done",
            "thread.item.done",
            "turn.updated",
        ]
        end = rest[1]["item"]
        assert (end["type"], end["state"], end["turn_id"]) == (
            "end_of_turn",
            "stopped",
            turn["id"],
        )
        assert rest[2]["turn"]["state"] == "stopped"
        await (await client.ask("And now?")).rest()
        assert (await client.turn())["state"] == "completed"


async def test_plain_clients_do_not_see_how_turns_ended() -> None:
    gate = Gate()
    async with live_chat(agent([text("Half an "), gate])) as client:
        asking = await client.ask("Hello", detached=False)
        await asking.text("Half an ")
        await client.stop()
        assert "turn.updated" not in asking.kinds + [e["type"] for e in await asking.rest()]
        page = await client.send("items.list", thread_id=client.thread_id)
        assert [item["type"] for item in page["data"]] == ["assistant_message", "user_message"]
        thread = await client.send("threads.get_by_id", thread_id=client.thread_id)
        assert len(thread["items"]["data"]) == 2


async def test_stop_of_unresponsive_tool_returns_stopping(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reached, may_end = asyncio.Event(), asyncio.Event()

    @tool(approval_mode="never_require")
    async def stubborn() -> str:
        """Do not stop."""
        reached.set()
        with suppress(asyncio.CancelledError):
            await may_end.wait()
        await may_end.wait()
        return "done"

    monkeypatch.setattr(worker, "STOPPED_WITHIN", 0.05)
    async with live_chat(agent([call("stubborn")], [text("x")], tools=[stubborn])) as client:
        asking = await client.ask("Go")
        await reached.wait()
        assert await client.stop() == "stopping"
        may_end.set()
        await asking.rest()
        assert (await client.turn())["state"] in ("stopped", "completed")


async def test_turn_has_a_time_limit() -> None:
    async with live_chat(agent([text("Well"), Gate()]), time_limit=0.05) as client:
        await (await client.ask("Hello")).rest()
        assert (await client.turn())["state"] == "timed_out"
        assert (await client.items())[-1]["state"] == "timed_out"


@tool(approval_mode="never_require")
async def never_ends(ctx: FunctionInvocationContext) -> str:
    """Show something and never end."""
    chat = ThreadContext.of(ctx)
    await chat.add_workflow_task(CustomTask(title="Wait", status_indicator="loading"))

    async def states() -> Any:
        yield DynamicWidgetRoot.model_validate({"type": "Card", "children": []})
        await forever()

    await chat.stream_widget(states())
    return ""


@pytest.mark.parametrize("how", ["close", "cancel"])
async def test_user_stops_answer(how: str) -> None:
    answering = agent([text("Half an ans"), forever], [text("Yes.")])
    async with SQLStore[Any]("sqlite://") as store:
        server = AgentChatKitServer(answering, store)
        context = {"user_id": "me"}
        result: Any = await server.process(
            encode("threads.create", input=message("Hello")), context
        )
        events = result.json_events
        seen = b""
        while b"Half" not in seen:
            seen += await anext(events)
        if how == "close":
            await events.aclose()
        else:
            reading = asyncio.ensure_future(anext(events))
            await asyncio.sleep(0)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
        (thread,) = (await store.load_threads(9, None, "desc", context)).data
        page = await store.load_thread_items(thread.id, None, 9, "asc", context)
        assert [item.type for item in page.data] == [
            "user_message",
            "assistant_message",
            "end_of_turn",
        ]
        request = encode("threads.add_user_message", thread_id=thread.id, input=message("Go on"))
        result = await server.process(request, context)
        async for _ in result:
            pass
    assert said(answering) == [
        ("user", "Hello"),
        ("assistant", "Half an ans"),
        (
            "user",
            "<HIDDEN_CONTEXT>The user cancelled the stream. Stop responding to the prior request."
            "</HIDDEN_CONTEXT>\n\nGo on",
        ),
    ]


@pytest.mark.parametrize("how", ["close", "cancel"])
async def test_reader_can_disconnect_at_every_point(how: str) -> None:
    """The thread then contains the finished items that the reader saw, and can continue at once."""
    point = 0
    has_gone = True
    while has_gone:
        answering = agent(
            [Content.from_text_reasoning(text="Let me see."), call("look_up", key="a")],
            [text("It is "), text("a secret.")],
            [text("Yes.")],
            [text("Yes.")],
            tools=[look_up],
        )
        async with SQLStore[Any]("sqlite://") as store:
            server: Any = AgentChatKitServer(answering, store, text_interval=0)
            context = {"user_id": "me"}
            thread_id = store.generate_thread_id(context)
            thread = ThreadMetadata(id=thread_id, created_at=datetime(2026, 1, 1))
            await store.save_thread(thread, context)
            request = encode(
                "threads.add_user_message", thread_id=thread_id, input=message("Hello")
            )
            events = (await server.process(request, context)).json_events
            seen: list[Any] = []
            has_gone = False
            while (chunk := await anext(events, None)) is not None:
                seen.append(EVENT.validate_json(chunk.removeprefix(b"data: ")))
                if len(seen) > point:
                    has_gone = True
                    break
            if how == "cancel":
                reading = asyncio.ensure_future(anext(events, None))
                await asyncio.sleep(0)
                reading.cancel()
                await asyncio.wait([reading])
            await events.aclose()
            page = await store.load_thread_items(thread_id, None, 99, "asc", context)
            kept = {item.id: item.model_dump(exclude={"created_at"}) for item in page.data}
            for event in of_type(seen, "thread.item.done"):
                assert kept[event.item.id] == event.item.model_dump(exclude={"created_at"})
            for item in page.data:
                for task in item.workflow.tasks if item.type == "workflow" else ():
                    assert task.status_indicator != "loading"
            client: Any = answering.client
            client.messages[:-1] = []
            request = encode(
                "threads.add_user_message", thread_id=thread_id, input=message("Go on")
            )
            result = await server.process(request, context)
            assert b"Yes." in b"".join([chunk async for chunk in result])
            asked = [text for role, text in said(answering) if role == "user"]
            assert asked[0].startswith("Hello")
            assert asked[-1].endswith("Go on")
        point += 1
    assert point > 10


async def test_stop_keeps_tool_output() -> None:
    answering = agent([text("Look:"), call("never_ends")], tools=[never_ends])
    async with SQLStore[Any]("sqlite://") as store:
        server = AgentChatKitServer(answering, store)
        context = {"user_id": "me"}
        result: Any = await server.process(
            encode("threads.create", input=message("Hello")), context
        )
        seen = b""
        while b'"widget"' not in seen:
            seen += await anext(result.json_events)
        await result.json_events.aclose()
        (thread,) = (await store.load_threads(9, None, "desc", context)).data
        page = await store.load_thread_items(thread.id, None, 9, "asc", context)
    shown: Any = page.data
    assert [item.type for item in shown] == [
        "user_message",
        "assistant_message",
        "workflow",
        "widget",
        "end_of_turn",
    ]
    assert {task.status_indicator for task in shown[2].workflow.tasks} == {"none"}


async def test_stop_keeps_partial_widget() -> None:
    is_closed = False

    @tool(approval_mode="never_require")
    async def write(ctx: FunctionInvocationContext) -> str:
        """Write into a widget."""

        async def states() -> Any:
            nonlocal is_closed
            try:
                for value in ("Half", "Half a wid"):
                    words = {"type": "Text", "id": "t", "value": value}
                    yield DynamicWidgetRoot.model_validate({"type": "Card", "children": [words]})
                await forever()
            finally:
                is_closed = True

        await ThreadContext.of(ctx).stream_widget(states())
        return ""

    async with SQLStore[Any]("sqlite://") as store:
        server = AgentChatKitServer(agent([call("write")], tools=[write]), store)
        context = {"user_id": "me"}
        result: Any = await server.process(
            encode("threads.create", input=message("Hello")), context
        )
        seen = b""
        while b'" a wid"' not in seen:
            seen += await anext(result.json_events)
        await result.json_events.aclose()
        (thread,) = (await store.load_threads(9, None, "desc", context)).data
        page = await store.load_thread_items(thread.id, None, 9, "asc", context)
    (kept,) = [item for item in page.data if isinstance(item, WidgetItem)]
    assert "Half a wid" in kept.widget.model_dump_json()
    assert is_closed


@pytest.mark.parametrize("how", ["ignored", "failing", "late", "respond"])
async def test_stop_that_agent_ignores(how: str) -> None:
    is_running = asyncio.Event()

    async def wait() -> None:
        is_running.set()
        try:
            await forever()
        except asyncio.CancelledError:
            if how == "failing":
                raise ValueError("The connection was closed.") from None

    class Server(AgentChatKitServer[Any]):
        async def respond(self, thread: Any, *given: Any) -> Any:
            if how != "respond":
                async for event in super().respond(thread, *given):
                    yield event
                return
            await wait()
            yield NoticeEvent(level="info", message="More.")
            await forever()

    steps = [text("Some"), wait, *([] if how == "late" else [text(" more."), forever])]
    answering = agent(steps, [text("Yes.")])
    server = AgentChatKitServer if how != "respond" else Server
    async with live_chat(answering, server_class=server) as client:
        stream = await client.ask("Go")
        await is_running.wait()
        await client.send("threads.stop", thread_id=client.thread_id)
        kinds = [event["type"] for event in await stream.rest()]
        assert "error" not in kinds
        assert (await client.turn())["state"] == "stopped"
        texts = [text for kind, text in await client.transcript() if kind == "assistant_message"]
        assert texts == ([] if how == "respond" else ["Some"])


async def test_failed_cleanup_keeps_shown_content() -> None:
    class Server(AgentChatKitServer[Any]):
        async def handle_stream_cancelled(self, *given: Any) -> None:
            raise ValueError("The metrics cannot be reached.")

    async with live_chat(agent([text("Half"), forever]), server_class=Server) as client:
        stream = await client.ask("Go")
        await stream.text("Half")
        await client.send("threads.stop", thread_id=client.thread_id)
        await stream.rest()
        assert ("assistant_message", "Half") in await client.transcript()
        assert (await client.turn())["state"] == "stopped"
