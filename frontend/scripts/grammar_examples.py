"""Prints runs as ChatKit events, each with the items that the Python side makes of them.

One JSON document a line; the frontend's reducer must come to the same items.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from agent_framework import AgentResponseUpdate, Content, WorkflowEvent
from chatkit.types import ThreadItem, ThreadStreamEvent
from pydantic import TypeAdapter

from agent_framework_chatkit import AgentResponseConverter, stream_agent_response
from agent_framework_chatkit.item_updates import apply_update

EVENT: TypeAdapter[ThreadStreamEvent] = TypeAdapter(ThreadStreamEvent)
ITEM: TypeAdapter[ThreadItem] = TypeAdapter(ThreadItem)
PNG = "data:image/png;base64,iVBORw0KGgo="


def update(*contents: Content, message_id: str = "m1", **fields: Any) -> AgentResponseUpdate:
    return AgentResponseUpdate(
        contents=list(contents), role="assistant", message_id=message_id, **fields
    )


def text(value: str, **fields: Any) -> Content:
    return Content("text", text=value, **fields)


def image(index: int | None) -> Content:
    properties = {} if index is None else {"is_partial_image": True, "partial_image_index": index}
    output = Content.from_uri(PNG, media_type="image/png", additional_properties=properties)
    return Content("image_generation_tool_result", image_id="i1", outputs=[output])


def step(kind: Any, name: str) -> AgentResponseUpdate:
    event: Any = WorkflowEvent(kind, executor_id=name)
    return AgentResponseUpdate(contents=[], raw_representation=event)


CITATION: Any = {"type": "citation", "url": "https://a.test", "title": "A"}
CALL = Content.from_function_call("c1", "get_weather", arguments='{"city": "Oslo"}')
RESULT = Content.from_function_result("c1", result="cold")
REASONS = [Content("text_reasoning", id="r1", text=word) for word in ("Let ", "me ", "think")]
REQUEST = Content.from_function_approval_request("c1", CALL)
RUNS = {
    "text": [update(text("Hello ")), update(text("Wörld 🎉"))],
    "two messages": [update(text("One")), update(text("Two"), message_id="m2")],
    "two parts": [
        update(text("a", additional_properties={"model_output_kind": "refusal"})),
        update(text("b")),
    ],
    "replaced text": [update(text("Drfat")), update(text("Draft", merge_mode="replace"))],
    "citations": [update(text("As A says", annotations=[CITATION])), update(text(" today."))],
    "reasoning": [*(update(each) for each in REASONS), update(text("So."))],
    "a tool": [update(CALL), update(RESULT), update(text("Cold."), message_id="m2")],
    "a failed tool": [update(CALL), update(Content.from_function_result("c1", exception="boom"))],
    "an image": [
        update(Content("image_generation_tool_call", image_id="i1")),
        *(update(image(index)) for index in (0, 1, None)),
    ],
    "an approval": [update(CALL), update(REQUEST)],
    "a client tool": [update(Content.from_function_call("c1", "locate", arguments="{}"))],
    "questions": [update(Content.from_function_call("c1", "ask_user", arguments="{}"))],
    "steps": [
        step("executor_invoked", "ann"),
        update(text("I am Ann."), author_name="ann"),
        step("executor_completed", "ann"),
    ],
    "an error": [update(text("Well")), update(Content.from_error(message="no", error_code="x"))],
    "nothing": [],
}


async def run_of(updates: list[AgentResponseUpdate]) -> AsyncIterator[AgentResponseUpdate]:
    for each in updates:
        yield each


async def main() -> None:
    converter = AgentResponseConverter(client_tools=["locate"], partial_images=2)
    for name, updates in RUNS.items():
        items: dict[str, Any] = {}
        events: list[Any] = []
        stream = stream_agent_response(run_of(updates), "thr_1", converter=converter)
        async for event in stream:
            events.append(EVENT.dump_python(event, mode="json", exclude_none=True))
            if event.type in ("thread.item.added", "thread.item.done"):
                items[event.item.id] = event.item.model_copy(deep=True)
            elif event.type == "thread.item.updated":
                apply_update(items[event.item_id], event.update)
            elif event.type == "thread.item.removed":
                del items[event.item_id]
        made = [ITEM.dump_python(item, mode="json", exclude_none=True) for item in items.values()]
        print(json.dumps({"name": name, "events": events, "items": made}))


asyncio.run(main())
