from __future__ import annotations

from typing import Any

import pytest
from agent_framework import AgentResponseUpdate, Content
from chatkit.types import (
    AssistantMessageItem,
)

from ..thread_client import text, update
from .shown import CALL, RESULT, events, items, text_of, texts


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


async def test_update_without_contents_is_harmless() -> None:
    empty: Any = update()
    empty.contents = None
    assert await texts(empty, text("Hi")) == ["Hi"]


async def test_unknown_content_is_harmless(caplog: pytest.LogCaptureFixture) -> None:
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
async def test_new_message_or_author_starts_item(first: Any, second: Any) -> None:
    updates = [text("A", **first), text("B", **first), text("C", **second)]
    assert await texts(*updates) == ["AB", "C"]


async def test_update_without_message_id_continues_last_message() -> None:
    updates = [text("A"), text("B", message_id="m1"), text("C"), text("D", message_id="m1")]
    assert await texts(*updates) == ["ABCD"]


async def test_tool_call_starts_new_item() -> None:
    shown = await items(
        text("Let me see.", message_id="m1"),
        update(CALL, message_id="m1"),
        update(RESULT, role="tool"),
        text("Sunny.", message_id="m1"),
    )
    assert [item.type for item in shown] == ["assistant_message", "workflow", "assistant_message"]


async def test_equal_replacement_sends_nothing() -> None:
    done = Content.from_text("Hello", merge_mode="replace")
    assert len(await events(text("Hel"), text("lo"), update(done))) == 4


@pytest.mark.parametrize("replacement", ["Hello there", "Goodbye"])
async def test_replacement_replaces_text(replacement: str) -> None:
    done = Content.from_text(replacement, merge_mode="replace")
    assert await texts(text("Hello"), update(done), text("!")) == [f"{replacement}!"]


async def test_replacement_keeps_citations_within_text() -> None:
    cited = Content.from_text("A long draft", annotations=[{"type": "citation", "title": "x"}])
    done = Content.from_text("Short", merge_mode="replace")
    (item,) = await items(update(cited), update(done))
    assert isinstance(item, AssistantMessageItem)
    assert [annotation.index for annotation in item.content[0].annotations] == [5]


async def test_replacement_leaves_refusal_unchanged() -> None:
    def refusal(value: str, **properties: Any) -> AgentResponseUpdate:
        properties["additional_properties"] = {"core": {"model_output_kind": "refusal"}}
        return update(Content.from_text(value, **properties))

    (item,) = await items(
        text("Hm."), refusal("I can't"), refusal("I can't.", merge_mode="replace")
    )
    assert isinstance(item, AssistantMessageItem)
    assert [part.text for part in item.content] == ["Hm.", "I can't."]


async def test_update_can_replace_message() -> None:
    updates = [text("Draft"), text("Final", merge_mode="replace"), text(" answer")]
    assert await texts(*updates) == ["Final answer"]


async def test_separate_parts_stay_separate() -> None:
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


async def test_half_surrogate_part_precedes_next_part() -> None:
    refusal = Content.from_text("No", additional_properties={"model_output_kind": "refusal"})
    (item,) = await items(text("\ud800"), update(refusal))
    assert isinstance(item, AssistantMessageItem)
    assert [part.text for part in item.content] == ["\N{REPLACEMENT CHARACTER}", "No"]


async def test_messages_with_different_raw_ids_are_two_items() -> None:
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
async def test_half_surrogate_waits_for_other_half(chunks: list[str], whole: str) -> None:
    assert await texts(*(text(chunk) for chunk in chunks)) == [whole]


async def test_ten_megabyte_chunk() -> None:
    chunk = "x" * 10_000_000
    assert await texts(text(chunk)) == [chunk]
