from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from agent_framework import (
    Content,
    Executor,
    FunctionInvocationContext,
    FunctionTool,
    Message,
    WorkflowBuilder,
    WorkflowContext,
    handler,
    tool,
)
from chatkit.types import (
    ClientToolCallItem,
    ClosedStatus,
    CustomTask,
    HiddenContextItem,
    LockedStatus,
    ThreadItemDoneEvent,
    ThreadMetadata,
    WidgetItem,
)
from chatkit.widgets import DynamicWidgetRoot

from agent_framework_chatkit import AgentChatKitServer, AgentResponseConverter, ThreadContext
from agent_framework_chatkit.http.app import create_app
from agent_framework_chatkit.server import turn_requests
from agent_framework_chatkit.stores import SQLStore

from .chat_client import EVENT, Browser, chat, encode, message, of_type
from .scripted_agent import agent, call, forever, look_up, said, text

# Turns


async def test_an_agent_answers_in_a_thread() -> None:
    async with chat(agent([text("Hi "), text("there")])) as browser:
        events = await browser.ask("Hello")
        assert [event.type for event in events] == [
            "thread.created",
            "thread.item.done",
            "stream_options",
            "thread.item.added",
            "thread.updated",
            "thread.item.updated",
            "thread.item.done",
        ]
        assert await browser.transcript() == [
            ("user_message", "Hello"),
            ("assistant_message", "Hi there"),
        ]


async def test_an_image_that_an_agent_gives_is_kept() -> None:
    image = Content.from_uri("https://files.test/a.png", media_type="image/png")
    drawn = Content.from_image_generation_tool_result(outputs=[image])
    async with chat(agent([image], [drawn])) as browser:
        await browser.ask("Show me")
        await browser.ask("Draw me")
        items = [item for item in await browser.items() if item["type"] == "generated_image"]
    assert [item["image"]["url"] for item in items] == ["https://files.test/a.png"] * 2
    assert len({item["image"]["id"] for item in items}) == 2


async def test_a_later_turn_knows_the_tools_of_an_earlier_one() -> None:
    answering = agent(
        [call("look_up", key="x")], [text("Found.")], [text("It was x.")], tools=[look_up]
    )
    async with chat(answering) as browser:
        await browser.ask("Look up x")
        await browser.ask("What was it?")
    assert said(answering) == [
        ("user", "Look up x"),
        ("assistant", ""),
        ("tool", ""),
        ("assistant", "Found."),
        ("user", "What was it?"),
    ]
    client: Any = answering.client
    results = [
        content for each in client.asked[-1] for content in each.contents if each.role == "tool"
    ]
    assert [content.result for content in results] == ["secret x"]


async def test_a_turn_is_known_after_a_restart(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/chat.db"
    async with chat(agent([text("One")]), url) as browser:
        await browser.ask("1")
        thread_id, cookies = browser.thread_id, browser.http.cookies
    answering = agent([text("Two")])
    async with chat(answering, url) as browser:
        browser.thread_id, browser.http.cookies = thread_id, cookies
        await browser.ask("2")
    assert said(answering) == [("user", "1"), ("assistant", "One"), ("user", "2")]


async def test_a_retry_starts_from_the_turn_before() -> None:
    answering = agent([text("One")], [text("Two")], [text("Three")], [text("Two again")])
    async with chat(answering) as browser:
        for question in ("1", "2", "3"):
            await browser.ask(question)
        second = (await browser.items())[2]
        await browser.stream(
            "threads.retry_after_item", thread_id=browser.thread_id, item_id=second["id"]
        )
        assert await browser.transcript() == [
            ("user_message", "1"),
            ("assistant_message", "One"),
            ("user_message", "2"),
            ("assistant_message", "Two again"),
        ]
    assert said(answering) == [("user", "1"), ("assistant", "One"), ("user", "2")]


async def edit(browser: Browser, item_id: str, new: Any) -> Any:
    """Send another message in the place of one, and return the response."""
    params = {"thread_id": browser.thread_id, "item_id": item_id}
    body = {"type": "threads.retry_after_item", "params": params, "metadata": {"input": new}}
    return await browser.http.post("/chatkit", json=body)


async def test_an_edited_message_is_answered_in_place_of_what_came_after_it() -> None:
    answering = agent([text("One")], [text("Two")], [text("Three")], [text("Other")])
    async with chat(answering) as browser:
        for question in ("1", "2", "3"):
            await browser.ask(question)
        second = (await browser.items())[2]
        response = await edit(browser, second["id"], message("two"))
        first: Any = EVENT.validate_json(response.text.splitlines()[0].removeprefix("data: "))
        assert (first.type, first.item.id) == ("thread.item.replaced", second["id"])
        assert await browser.transcript() == [
            ("user_message", "1"),
            ("assistant_message", "One"),
            ("user_message", "two"),
            ("assistant_message", "Other"),
        ]
        assert (await browser.items())[2]["created_at"] == second["created_at"]
    assert said(answering) == [("user", "1"), ("assistant", "One"), ("user", "two")]


def _times(value: Any) -> list[str]:
    if isinstance(value, list):
        return [each for one in value for each in _times(one)]
    if not isinstance(value, dict):
        return []
    own = [value["created_at"]] if "created_at" in value else []
    return own + _times(list(value.values()))


@pytest.fixture
def auckland(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server whose local time is not UTC."""
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("auckland")
async def test_threads_and_items_say_in_which_zone_their_times_are() -> None:
    before = datetime.now(timezone.utc)
    answering = agent([call("look_up", key="a")], [text("Hi")], tools=[look_up])
    async with chat(answering) as browser:
        events = await browser.ask("Hello")
        thread_id = browser.thread_id
        answers = [
            *(event.model_dump(mode="json") for event in events),
            await browser.get("threads.list"),
            await browser.get("threads.get_by_id", thread_id=thread_id),
            await browser.get("threads.update", thread_id=thread_id, title="New"),
            await browser.get("items.list", thread_id=thread_id),
        ]
        assert len(_times(answers)) > 10
        for at in _times(answers):
            assert at.endswith("Z")
            assert (
                before <= datetime.fromisoformat(at[:-1] + "+00:00") <= datetime.now(timezone.utc)
            )


async def test_an_edit_that_cannot_be_made_changes_nothing() -> None:
    async with chat(agent([text("One")])) as browser:
        await browser.ask("1")
        asked, answered = await browser.items()
        for item_id, new, status in (
            (asked["id"], {"text": "no message"}, 400),
            (asked["id"], message("1", attachments=["atc_none"]), 404),
            (answered["id"], message("1"), 400),
            ("msg_none", message("1"), 404),
        ):
            response = await edit(browser, item_id, new)
            assert response.status_code == status, response.text
        other = Browser(browser.app)
        async with other.http:
            other.thread_id = browser.thread_id
            assert (await edit(other, asked["id"], message("1"))).status_code == 404
        assert await browser.items() == [asked, answered]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (LockedStatus(reason="A colleague takes over."), "A colleague takes over."),
        (ClosedStatus(), "This chat is closed."),
    ],
)
async def test_a_thread_that_is_locked_or_closed_takes_no_message(status: Any, words: str) -> None:
    @tool
    def end(ctx: FunctionInvocationContext) -> None:
        ThreadContext.of(ctx).thread.status = status

    answering = agent([call("end")], [text("One")], [text("Two")], tools=[end])
    async with chat(answering) as browser:
        await browser.ask("1")
        before = await browser.transcript()
        (notice,) = await browser.ask("2")
        assert (notice.type, notice.message) == ("notice", words)
        (notice,) = await browser.stream(
            "threads.retry_after_item",
            thread_id=browser.thread_id,
            item_id=(await browser.items())[0]["id"],
        )
        assert (notice.type, notice.message) == ("notice", words)
        assert await browser.transcript() == before


async def test_hidden_context_reaches_the_agent_once() -> None:
    class Server(AgentChatKitServer[Any]):
        async def respond(self, thread: Any, input_user_message: Any, context: Any) -> Any:
            if input_user_message.content[0].text == "2":
                item = HiddenContextItem(
                    id="hidden_1", thread_id=thread.id, created_at=thread.created_at, content="x"
                )
                # As an action of a widget might, between two turns.
                await self.store.delete_thread_item(thread.id, input_user_message.id, context)
                await self.store.add_thread_item(thread.id, item, context)
                await self.store.add_thread_item(thread.id, input_user_message, context)
            async for event in super().respond(thread, input_user_message, context):
                yield event

    answering = agent([text("One")], [text("Two")], [text("Three")])
    async with chat(answering, server_class=Server) as browser:
        for question in ("1", "2", "3"):
            await browser.ask(question)
    assert said(answering)[2:] == [
        # Strict services take system messages only at the start.
        ("user", "<HIDDEN_CONTEXT>x</HIDDEN_CONTEXT>\n\n2"),
        ("assistant", "Two"),
        ("user", "3"),
    ]


async def test_a_thread_without_sessions_is_rebuilt_from_its_items(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/chat.db"
    answering = agent([text("One")], [text("Two")], [text("Three")])
    async with chat(answering, url) as browser:
        await browser.ask("1")
        import sqlite3

        with sqlite3.connect(tmp_path / "chat.db") as database:
            database.execute("DELETE FROM chatkit_sessions")
            database.execute("DELETE FROM chatkit_messages")
        database.close()
        await browser.ask("2")
        await browser.ask("3")
    assert said(answering, 1) == [("user", "1"), ("assistant", "One"), ("user", "2")]
    assert said(answering, 2)[-3:] == [("user", "2"), ("assistant", "Two"), ("user", "3")]


async def test_a_session_that_a_service_keeps_goes_on() -> None:
    answering = agent([text("One")], [text("Two")])
    sessions: list[Any] = []

    class Server(AgentChatKitServer[Any]):
        async def agent_of(self, thread: Any, context: Any) -> Any:
            running: Any = await super().agent_of(thread, context)
            create = running.create_session

            def create_session(*, session_id: str | None = None) -> Any:
                session = create(session_id=session_id)
                session.service_session_id = "conversation_1"
                sessions.append(session)
                return session

            running.create_session = create_session
            return running

    async with chat(answering, server_class=Server) as browser:
        await browser.ask("1")
        await browser.ask("2")
    # The service has the first turn, so the second sends only what is new.
    assert said(answering) == [("user", "2")]
    assert len(sessions) == 1
    client: Any = answering.client
    assert client.options[-1]["conversation_id"] == "conversation_1"


@pytest.mark.parametrize("ticks", range(6))
async def test_a_server_closes_as_soon_as_it_has_begun(ticks: int) -> None:
    async with SQLStore[Any]("sqlite://") as store:
        server = AgentChatKitServer(agent(), store)
        starting = asyncio.create_task(server.worker.start())
        while not starting.done():
            await asyncio.sleep(0)
        for _ in range(ticks):
            await asyncio.sleep(0)
        closing = asyncio.create_task(server.close())
        await asyncio.wait([closing], timeout=30)
        assert closing.done()


# Who answers


async def test_a_factory_is_asked_for_each_turn() -> None:
    asked: list[tuple[str, str]] = []

    async def choose(thread: ThreadMetadata, context: Any) -> Any:
        asked.append((thread.id, context.user_id))
        return agent([text("Hi")])

    async with chat(choose) as browser:
        await browser.ask("1")
        await browser.ask("2")
        assert [thread_id for thread_id, _ in asked] == [browser.thread_id] * 2
        assert asked[0][1].startswith("visitor_")


class Shout(Executor):
    @handler
    async def shout(self, messages: list[Message], ctx: WorkflowContext[str, str]) -> None:
        await ctx.yield_output(messages[-1].text.upper())


@pytest.mark.parametrize("is_built", [False, True], ids=["builder", "workflow"])
async def test_a_workflow_answers(is_built: bool) -> None:
    builder = WorkflowBuilder(start_executor=Shout(id="shout"))
    async with chat(builder.build() if is_built else builder) as browser:
        await browser.ask("hello")
        await browser.ask("again")
        assert await browser.transcript() == [
            ("user_message", "hello"),
            ("workflow", ""),
            ("assistant_message", "HELLO"),
            ("user_message", "again"),
            ("workflow", ""),
            ("assistant_message", "AGAIN"),
        ]


async def test_an_agent_in_two_threads_at_once_keeps_them_apart() -> None:
    answering = agent(*[[text("ok")] for _ in range(4)])
    async with chat(answering) as browser:
        other = Browser(browser.app)
        await asyncio.gather(browser.ask("mine"), other.ask("theirs"))
        await asyncio.gather(browser.ask("mine too"), other.ask("theirs too"))
        await other.http.aclose()
    conversations = [tuple(text for _, text in said(answering, index)) for index in (2, 3)]
    assert set(conversations) == {("mine", "ok", "mine too"), ("theirs", "ok", "theirs too")}
    assert answering.context_providers == []


# What a person chooses


async def test_a_model_and_a_tool_may_be_chosen() -> None:
    answering = agent([text("Hi")], tools=[look_up])
    async with chat(answering, models=["big"], tools=["look_up"]) as browser:
        chosen = {"model": "big", "tool_choice": {"id": "look_up"}}
        await browser.ask("Hello", inference_options=chosen)
    client: Any = answering.client
    assert client.options[0]["model"] == "big"
    assert client.options[0]["tool_choice"] == {
        "mode": "required",
        "required_function_name": "look_up",
    }


@pytest.mark.parametrize("chosen", [{"model": "huge"}, {"tool_choice": {"id": "rm"}}])
async def test_what_the_app_does_not_offer_is_refused(chosen: Any) -> None:
    answering = agent([text("Hi")])
    async with chat(answering) as browser:
        (error,) = of_type(await browser.ask("Hello", inference_options=chosen), "error")
        assert "not available" in error.message
    client: Any = answering.client
    assert client.asked == []


# Titles


@pytest.mark.parametrize(
    ("asked", "title"), [("  Hello\n you ", "Hello you"), ("x" * 99, "x" * 59 + "…")]
)
async def test_a_title_is_the_first_message(asked: str, title: str) -> None:
    async with chat(agent([text("Hi")], [text("Hi")])) as browser:
        await browser.ask(asked)
        await browser.ask("More")
        thread = await browser.get("threads.get_by_id", thread_id=browser.thread_id)
        assert thread["title"] == title


async def test_a_title_that_takes_its_time_does_not_delay_the_answer() -> None:
    may_go_on = asyncio.Event()

    class Server(AgentChatKitServer[Any]):
        async def title(self, thread: Any, message: Any, context: Any) -> str:
            await may_go_on.wait()
            return "A title"

    async with SQLStore[Any]("sqlite://") as store:
        server = Server(agent([text("Hi")]), store)
        browser = Browser(create_app(server))
        await browser.ask("Hello")
        may_go_on.set()
        await server.settle()
        thread = await browser.get("threads.get_by_id", thread_id=browser.thread_id)
        assert thread["title"] == "A title"
        await browser.http.aclose()


async def test_a_title_that_fails_costs_nothing_but_the_title(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Server(AgentChatKitServer[Any]):
        async def title(self, thread: Any, message: Any, context: Any) -> str:
            raise RuntimeError("no idea")

    async with chat(agent([text("Hi")]), server_class=Server) as browser:
        await browser.ask("Hello")
        assert ("assistant_message", "Hi") in await browser.transcript()
    assert "no idea" in caplog.text


# When things go wrong


async def test_a_model_that_fails_is_told_safely_and_may_be_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    failure = RuntimeError("password=1")
    answering = agent([text("Half an ans"), failure], [text("A whole answer")], [text("Bye")])
    async with chat(answering) as browser:
        events = await browser.ask("Hello")
        (error,) = of_type(events, "error")
        assert error.allow_retry
        assert "password" not in error.model_dump_json()
        assert "password=1" in caplog.text
        assert await browser.transcript() == [
            ("user_message", "Hello"),
            ("assistant_message", "Half an ans"),
        ]
        question = (await browser.items())[0]
        await browser.stream(
            "threads.retry_after_item", thread_id=browser.thread_id, item_id=question["id"]
        )
        assert await browser.transcript() == [
            ("user_message", "Hello"),
            ("assistant_message", "A whole answer"),
        ]
        await browser.ask("And?")
    assert said(answering) == [
        ("user", "Hello"),
        ("assistant", "A whole answer"),
        ("user", "And?"),
    ]


async def test_after_a_failure_a_thread_goes_on() -> None:
    answering = agent([text("Half an ans"), RuntimeError("gone")], [text("Sorry.")])
    async with chat(answering) as browser:
        await browser.ask("Hello")
        await browser.ask("Are you there?")
    assert said(answering) == [
        ("user", "Hello"),
        ("assistant", "Half an ans"),
        (
            "user",
            "<HIDDEN_CONTEXT>The previous answer failed before it was complete.</HIDDEN_CONTEXT>"
            "\n\nAre you there?",
        ),
    ]


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
async def test_a_person_stops_an_answer(how: str) -> None:
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
async def test_a_reader_may_go_away_at_every_point(how: str) -> None:
    """After it, the thread holds what the reader saw finished, and goes on at once."""
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


async def test_what_tools_have_shown_is_kept_when_a_person_stops() -> None:
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


async def test_a_widget_is_kept_as_far_as_it_came_when_a_person_stops() -> None:
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


class Pause:
    """A step of an agent's answer that lasts until it is over."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.over = asyncio.Event()

    async def step(self) -> None:
        self.begun.set()
        await self.over.wait()


@pytest.fixture
def _short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent during an answer waits only a moment for its end."""
    monkeypatch.setattr(turn_requests, "STOPPING", 0.05)


@pytest.mark.usefixtures("_short_wait")
async def test_one_turn_runs_in_a_thread_at_a_time() -> None:
    pause = Pause()
    async with chat(agent([text("One")], [pause.step, text("Two")], [text("Three")])) as browser:
        await browser.ask("1")
        running = asyncio.create_task(browser.ask("2"))
        await pause.begun.wait()
        (notice,) = await browser.ask("too early")
        assert notice.type == "notice"
        pause.over.set()
        await running
        await browser.ask("3")
        assert [said for kind, said in await browser.transcript() if kind == "user_message"] == [
            "1",
            "2",
            "3",
        ]


async def test_what_is_sent_while_an_answer_comes_to_its_end_waits_for_it() -> None:
    pause = Pause()
    async with chat(agent([text("One")], [pause.step, text("Two")], [text("Three")])) as browser:
        await browser.ask("1")
        running = asyncio.create_task(browser.ask("2"))
        await pause.begun.wait()
        waiting = asyncio.create_task(browser.ask("3"))
        await asyncio.sleep(0.2)
        pause.over.set()
        await asyncio.gather(running, waiting)
        said = [words for kind, words in await browser.transcript() if kind == "assistant_message"]
        assert said == ["One", "Two", "Three"]


@pytest.mark.usefixtures("_short_wait")
async def test_the_first_turn_of_a_thread_is_one_at_a_time_too() -> None:
    pause = Pause()
    async with chat(agent([pause.step, text("One")])) as browser:
        await browser.get("threads.list")  # The browser has its cookie now.
        running = asyncio.create_task(browser.ask("1"))
        await pause.begun.wait()
        (thread,) = (await browser.get("threads.list"))["data"]
        params = {"thread_id": thread["id"], "input": message("too early")}
        (notice,) = await browser.stream("threads.add_user_message", **params)
        assert notice.type == "notice"
        pause.over.set()
        await running


# Client tools

LOCATE = FunctionTool(name="locate", description="Where the person is.", func=None)


async def test_the_answer_of_a_client_tool_goes_on_with_the_run() -> None:
    answering = agent([call("locate", call_id="c7")], [text("Paris, then.")], tools=[LOCATE])
    converter = AgentResponseConverter(client_tools=["locate"])
    async with chat(answering, response_converter=converter) as browser:
        asked = of_type(await browser.ask("Where am I?"), "thread.item.done")[-1]
        assert isinstance(asked, ThreadItemDoneEvent)
        assert isinstance(asked.item, ClientToolCallItem)
        await browser.stream(
            "threads.add_client_tool_output", thread_id=browser.thread_id, result={"city": "Paris"}
        )
        assert (await browser.transcript())[-1] == ("assistant_message", "Paris, then.")
    client: Any = answering.client
    last = client.asked[-1]
    assert [each.role for each in last] == ["user", "assistant", "tool"]
    result: Content = last[-1].contents[0]
    assert (result.call_id, result.result) == ("c7", '{"city": "Paris"}')


# The rest of the protocol


async def test_feedback_is_kept() -> None:
    async with SQLStore[Any]("sqlite://") as store:
        app = create_app(
            AgentChatKitServer(agent([text("Hi")]), store), authenticate=lambda _: "me"
        )
        browser = Browser(app)
        await browser.ask("Hello")
        answer = (await browser.items())[-1]
        params = {"thread_id": browser.thread_id, "item_ids": [answer["id"]]}
        await browser.get("items.feedback", **params, kind="positive")
        kept = await store.load_feedback(browser.thread_id, {"user_id": "me"})
        assert kept == {answer["id"]: "positive"}
        await browser.http.aclose()


async def test_a_long_answer_is_joined_on_the_wire_and_whole() -> None:
    words = [text(f"{number} ") for number in range(5_000)]
    async with chat(agent(words)) as browser:
        events = await browser.ask("Count")
        deltas = of_type(events, "thread.item.updated")
        assert len(deltas) < 2_500
        whole = "".join(f"{number} " for number in range(5_000))
        assert "".join(event.update.delta for event in deltas) == whole
        assert (await browser.transcript())[-1] == ("assistant_message", whole)


async def test_joining_can_be_turned_off() -> None:
    async with chat(agent([text("x")] * 100), text_interval=0) as browser:
        events = await browser.ask("Count")
        assert len(of_type(events, "thread.item.updated")) == 100
