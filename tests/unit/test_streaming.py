from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from agent_framework import AgentResponseUpdate, Content, ResponseStream
from chatkit.types import (
    AssistantMessageItem,
    ErrorEvent,
    GeneratedImageItem,
    ThreadItem,
    WorkflowItem,
)

from agent_framework_chatkit import AgentResponseConverter, stream_agent_response

from .thread_client import collect, items_of, stream_of, text, update

CALL = Content.from_function_call("c1", "get_weather", arguments="{}")
RESULT = Content.from_function_result("c1", result="sunny")


async def events(*updates: AgentResponseUpdate, **properties: Any) -> list[Any]:
    return await collect(stream_agent_response(stream_of(updates), "thr_1", **properties))


async def items(*updates: AgentResponseUpdate) -> list[ThreadItem]:
    return items_of(await events(*updates))


async def texts(*updates: AgentResponseUpdate) -> list[str]:
    return [text_of(item) for item in await items(*updates)]


def text_of(item: ThreadItem) -> str:
    assert isinstance(item, AssistantMessageItem)
    return "".join(part.text for part in item.content)


# Text


async def test_text_streams_into_one_message() -> None:
    sent = await events(text("Hel"), text("lo"))
    assert [event.type for event in sent] == [
        "thread.item.added",
        "thread.item.updated",
        "thread.item.updated",
        "thread.item.done",
    ]
    assert [event.update.delta for event in sent[1:3]] == ["Hel", "lo"]
    assert text_of(sent[-1].item) == "Hello"
    assert {sent[0].item.thread_id, sent[-1].item.thread_id} == {"thr_1"}


async def test_no_updates_give_no_events() -> None:
    assert await events() == []


@pytest.mark.parametrize(
    "quiet",
    [
        update(),
        text(""),
        update(Content.from_usage({"input_token_count": 1})),
        update(Content.from_text_reasoning(text="", protected_data="x")),
    ],
)
async def test_updates_that_show_nothing_give_one_empty_message(
    quiet: AgentResponseUpdate,
) -> None:
    sent = await events(quiet)
    assert [event.type for event in sent] == ["thread.item.added", "thread.item.done"]
    assert sent[-1].item.content == []


async def test_an_update_without_contents_is_harmless() -> None:
    empty: Any = update()
    empty.contents = None
    assert await texts(empty, text("Hi")) == ["Hi"]


async def test_what_is_not_content_is_harmless(caplog: pytest.LogCaptureFixture) -> None:
    odd: Any = update()
    odd.contents = [None, 5, Content("text", text=5)]  # type: ignore[arg-type]
    assert await texts(odd, text("Hi")) == ["Hi"]
    assert len(caplog.records) == 3


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"message_id": "m1"}, {"message_id": "m2"}),
        ({"author_name": "Writer"}, {"author_name": "Critic"}),
    ],
)
async def test_another_message_or_author_begins_an_item(first: Any, second: Any) -> None:
    updates = [text("A", **first), text("B", **first), text("C", **second)]
    assert await texts(*updates) == ["AB", "C"]


async def test_an_update_that_names_no_message_goes_on_with_the_last() -> None:
    updates = [text("A"), text("B", message_id="m1"), text("C"), text("D", message_id="m1")]
    assert await texts(*updates) == ["ABCD"]


async def test_a_tool_in_between_begins_an_item() -> None:
    shown = await items(
        text("Let me see.", message_id="m1"),
        update(CALL, message_id="m1"),
        update(RESULT, role="tool"),
        text("Sunny.", message_id="m1"),
    )
    assert [item.type for item in shown] == ["assistant_message", "workflow", "assistant_message"]


async def test_a_replacement_that_says_the_same_costs_nothing() -> None:
    done = Content.from_text("Hello", merge_mode="replace")
    assert len(await events(text("Hel"), text("lo"), update(done))) == 4


@pytest.mark.parametrize("replacement", ["Hello there", "Goodbye"])
async def test_a_replacement_replaces(replacement: str) -> None:
    done = Content.from_text(replacement, merge_mode="replace")
    assert await texts(text("Hello"), update(done), text("!")) == [f"{replacement}!"]


async def test_a_replacement_keeps_its_citations_within_the_text() -> None:
    cited = Content.from_text("A long draft", annotations=[{"type": "citation", "title": "x"}])
    done = Content.from_text("Short", merge_mode="replace")
    (item,) = await items(update(cited), update(done))
    assert isinstance(item, AssistantMessageItem)
    assert [annotation.index for annotation in item.content[0].annotations] == [5]


async def test_a_replacement_leaves_a_refusal_beside_it_alone() -> None:
    def refusal(value: str, **properties: Any) -> AgentResponseUpdate:
        properties["additional_properties"] = {"core": {"model_output_kind": "refusal"}}
        return update(Content.from_text(value, **properties))

    (item,) = await items(
        text("Hm."), refusal("I can't"), refusal("I can't.", merge_mode="replace")
    )
    assert isinstance(item, AssistantMessageItem)
    assert [part.text for part in item.content] == ["Hm.", "I can't."]


async def test_an_update_may_replace_the_message() -> None:
    updates = [text("Draft"), text("Final", merge_mode="replace"), text(" answer")]
    assert await texts(*updates) == ["Final answer"]


async def test_parts_that_the_provider_tells_apart_stay_apart() -> None:
    def part(value: str, index: int, **properties: Any) -> AgentResponseUpdate:
        raw = type("Event", (), {"item_id": "i1", "content_index": index})()
        return update(Content.from_text(value, raw_representation=raw, **properties))

    (item,) = await items(
        part("A", 0),
        part("A", 0, merge_mode="replace"),
        part("B", 1),
        part("B", 1, merge_mode="replace"),
    )
    assert isinstance(item, AssistantMessageItem)
    assert [part.text for part in item.content] == ["A", "B"]


async def test_a_part_of_half_a_surrogate_pair_comes_before_the_next_part() -> None:
    refusal = Content.from_text("No", additional_properties={"model_output_kind": "refusal"})
    (item,) = await items(text("\ud800"), update(refusal))
    assert isinstance(item, AssistantMessageItem)
    assert [part.text for part in item.content] == ["\N{REPLACEMENT CHARACTER}", "No"]


async def test_messages_that_only_the_provider_tells_apart_are_two_items() -> None:
    def message(value: str, item_id: str) -> AgentResponseUpdate:
        raw = type("Event", (), {"item_id": item_id, "content_index": 0})()
        return update(Content.from_text(value, raw_representation=raw))

    assert await texts(message("A", "i1"), message("B", "i2")) == ["A", "B"]


@pytest.mark.parametrize(
    ("chunks", "whole"),
    [
        (["\ud83d", "\ude00"], "😀"),
        (["a\ud83d", "", "\ude00b"], "a😀b"),
        (["\ud83d"], "\N{REPLACEMENT CHARACTER}"),
        (["\ude00", "x"], "\N{REPLACEMENT CHARACTER}x"),
        (["\ud83d", "x"], "\N{REPLACEMENT CHARACTER}x"),
        (["\ud83d\ude00"], "😀"),
    ],
)
async def test_half_a_surrogate_pair_waits_for_the_other(chunks: list[str], whole: str) -> None:
    assert await texts(*(text(chunk) for chunk in chunks)) == [whole]


async def test_a_chunk_of_ten_megabytes() -> None:
    chunk = "x" * 10_000_000
    assert await texts(text(chunk)) == [chunk]


# Ids


async def test_ids_are_named_by_what_they_are_for() -> None:
    asked: list[str] = []

    def generate_id(kind: str) -> str:
        asked.append(kind)
        return f"{kind}-{len(asked)}"

    await events(update(CALL), update(RESULT), text("Sunny."), generate_id=generate_id)
    assert asked == ["workflow", "msg"]


async def test_an_id_that_is_given_twice_is_not_used_twice() -> None:
    sent = await events(
        text("A", message_id="1"), text("B", message_id="2"), generate_id=lambda _: "msg_1"
    )
    assert [item.id for item in items_of(sent)] == ["msg_1", "msg_1_2"]


async def test_ids_by_default_do_not_repeat() -> None:
    shown = [item for _ in range(3) for item in await items(text("A"))]
    assert len({item.id for item in shown}) == 3


# Activity


async def test_reasoning_and_tools_share_a_workflow() -> None:
    sent = await events(
        update(Content.from_text_reasoning(id="r1", text="I need ")),
        update(Content.from_text_reasoning(id="r1", text="the weather.")),
        update(CALL),
        update(RESULT),
        update(Content.from_text_reasoning(id="r2", text="Sunny, then.")),
        text("It is sunny."),
    )
    workflow, message = items_of(sent)
    assert isinstance(workflow, WorkflowItem)
    assert workflow.workflow.type == "reasoning"
    assert [(task.type, task.status_indicator) for task in workflow.workflow.tasks] == [
        ("thought", "none"),
        ("custom", "complete"),
        ("thought", "none"),
    ]
    summary: Any = workflow.workflow.summary
    assert summary.duration >= 1
    assert text_of(message) == "It is sunny."


async def test_a_long_thought_streams_at_a_cost_that_grows_with_its_length() -> None:
    fragments = [update(Content.from_text_reasoning(text="word ")) for _ in range(5_000)]
    sent = await events(*fragments)
    (item,) = items_of(sent)
    assert isinstance(item, WorkflowItem)
    assert item.workflow.tasks[0].model_dump()["content"] == "word " * 5_000
    bytes_sent = sum(len(event.model_dump_json()) for event in sent)
    assert len(sent) > 100
    assert bytes_sent < 50 * 5 * 5_000


async def test_a_thought_may_be_replaced() -> None:
    (item,) = await items(
        update(Content.from_text_reasoning(id="r", text="Hm")),
        update(Content.from_text_reasoning(id="r", text="Aha", merge_mode="replace")),
    )
    assert isinstance(item, WorkflowItem)
    assert [task.model_dump()["content"] for task in item.workflow.tasks] == ["Aha"]


async def test_thoughts_that_the_provider_tells_apart_are_two_tasks() -> None:
    def summary(value: str, index: int) -> AgentResponseUpdate:
        raw = type("Event", (), {"item_id": "r", "summary_index": index})()
        return update(Content.from_text_reasoning(id="r", text=value, raw_representation=raw))

    (item,) = await items(summary("A", 0), summary("B", 1))
    assert isinstance(item, WorkflowItem)
    assert len(item.workflow.tasks) == 2


async def test_a_tool_is_shown_from_the_first_word_of_its_call() -> None:
    sent: list[Any] = []

    async def run() -> AsyncIterator[AgentResponseUpdate]:
        yield update(Content.from_function_call("c1", "get_weather", arguments='{"ci'))
        assert [event.type for event in sent] == ["thread.item.added"]
        assert sent[0].item.workflow.tasks[0].status_indicator == "loading"
        yield update(Content.from_function_call("c1", "", arguments='ty": "Paris"}'))
        yield update(Content.from_function_call("", "", arguments=" "))
        yield update(RESULT)

    async for event in stream_agent_response(run(), "thr_1"):
        sent.append(event)
    (item,) = items_of(sent)
    assert isinstance(item, WorkflowItem)
    assert [task.status_indicator for task in item.workflow.tasks] == ["complete"]


async def test_parallel_tools_are_told_apart() -> None:
    def call(call_id: str, name: str) -> Content:
        return Content.from_function_call(call_id, name, arguments="{}")

    (item,) = await items(
        update(call("c1", "get_weather"), call("c2", "get_time")),
        update(Content.from_function_result("c2", result="noon", exception="no clock")),
        update(RESULT),
    )
    assert isinstance(item, WorkflowItem)
    assert [
        (task.model_dump()["title"], task.status_indicator) for task in item.workflow.tasks
    ] == [("Get weather", "complete"), ("Get time", "none")]


async def test_a_call_id_may_be_used_again() -> None:
    (item,) = await items(update(CALL), update(RESULT), update(CALL), update(RESULT))
    assert isinstance(item, WorkflowItem)
    assert [task.status_indicator for task in item.workflow.tasks] == ["complete", "complete"]


async def test_two_tools_may_share_a_call_id() -> None:
    other = Content.from_function_call("c1", "get_time", arguments="{}")
    (item,) = await items(update(CALL), update(other), update(RESULT), update(RESULT))
    assert isinstance(item, WorkflowItem)
    assert [task.status_indicator for task in item.workflow.tasks] == ["complete", "complete"]


async def test_a_failure_after_its_workflow_has_closed_is_still_told() -> None:
    failed = Content.from_function_result("c1", result="", exception="boom")
    first, answer, second = await items(update(CALL), text("Meanwhile."), update(failed))
    assert isinstance(first, WorkflowItem)
    assert isinstance(second, WorkflowItem)
    assert first.workflow.tasks[0].status_indicator == "none"
    assert text_of(answer) == "Meanwhile."
    assert second.workflow.tasks[0].model_dump()["content"] == "Failed"


async def test_arguments_that_arrive_word_by_word_are_shown_whole() -> None:
    fragments = [
        update(Content.from_function_call("c1", "note", arguments=part))
        for part in ['{"text": "', None, "", *(["word "] * 1_000), '"}']
    ]
    sent = await events(
        *fragments, update(RESULT), converter=AgentResponseConverter(show_tool_details=True)
    )
    (item,) = items_of(sent)
    assert isinstance(item, WorkflowItem)
    assert '"text": "word word' in item.workflow.tasks[0].model_dump()["content"]
    assert len(sent) < 400


# How a run ends


async def test_a_run_that_fails_leaves_nothing_open() -> None:
    image = Content.from_image_generation_tool_call(image_id="i")

    async def run() -> AsyncIterator[AgentResponseUpdate]:
        yield update(image, CALL)
        yield text("Half an ans")
        raise RuntimeError("the model is gone")

    sent: list[Any] = []
    with pytest.raises(RuntimeError, match="the model is gone"):
        async for event in stream_agent_response(run(), "thr_1"):
            sent.append(event)
    workflow, message = items_of(sent)
    assert workflow.type == "workflow"
    assert text_of(message) == "Half an ans"


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 cannot tell whose it is")
async def test_a_run_that_is_cancelled_leaves_nothing_open() -> None:
    async def run() -> AsyncIterator[AgentResponseUpdate]:
        yield text("Half an ans")
        raise asyncio.CancelledError

    sent: list[Any] = []
    with pytest.raises(asyncio.CancelledError):
        async for event in stream_agent_response(run(), "thr_1"):
            sent.append(event)
    assert [text_of(item) for item in items_of(sent)] == ["Half an ans"]


class Run:
    """A run that never ends by itself, and knows whether it was closed."""

    def __init__(self) -> None:
        self.is_closed = False

    async def updates(self) -> AsyncIterator[AgentResponseUpdate]:
        try:
            yield text("Half an ans")
            await asyncio.Event().wait()
        finally:
            self.is_closed = True


async def test_a_reader_that_leaves_closes_the_run() -> None:
    run = Run()
    events = stream_agent_response(run.updates(), "thr_1")
    await anext(events)
    await events.aclose()
    assert run.is_closed


async def test_a_reader_that_is_cancelled_closes_the_run_and_gets_no_more() -> None:
    run = Run()
    sent: list[Any] = []

    async def read() -> None:
        async for event in stream_agent_response(run.updates(), "thr_1"):
            sent.append(event)

    reader = asyncio.create_task(read())
    while len(sent) < 2:
        await asyncio.sleep(0)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert run.is_closed
    assert [event.type for event in sent] == ["thread.item.added", "thread.item.updated"]


async def test_a_stream_of_the_framework_is_closed_too() -> None:
    run = Run()
    events = stream_agent_response(ResponseStream(run.updates()), "thr_1")
    await anext(events)
    await events.aclose()
    assert run.is_closed


async def test_a_stream_that_cannot_be_closed_has_its_say(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Stubborn:
        def __aiter__(self) -> AsyncIterator[AgentResponseUpdate]:
            return stream_of([text("Hi")]).__aiter__()

        async def close(self) -> None:
            raise RuntimeError("stuck")

    sent = await collect(stream_agent_response(Stubborn(), "thr_1"))
    assert [text_of(item) for item in items_of(sent)] == ["Hi"]
    assert "stuck" in caplog.text


async def test_a_stream_need_not_be_closable() -> None:
    class Plain:
        def __aiter__(self) -> AsyncIterator[AgentResponseUpdate]:
            return stream_of([text("Hi")]).__aiter__()

    assert len(await collect(stream_agent_response(Plain(), "thr_1"))) == 3


async def test_an_error_content_does_not_end_the_stream() -> None:
    sent = await events(text("A"), update(Content.from_error(message="x")), text("B"))
    assert any(isinstance(event, ErrorEvent) for event in sent)
    assert [text_of(item) for item in items_of(sent)] == ["AB"]


async def test_an_image_follows_the_text_before_it() -> None:
    image = Content.from_uri("https://files.test/a.png", media_type="image/png")
    shown = await items(text("Look:"), update(image), text("Nice?"))
    assert [type(item) for item in shown] == [
        AssistantMessageItem,
        GeneratedImageItem,
        AssistantMessageItem,
    ]
