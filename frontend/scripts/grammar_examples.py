"""Prints runs as ChatKit events, each with the items that Python gets from them.

Each line is a JSON document. The frontend's reducer must get the same items.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from datetime import datetime
from itertools import count
from typing import Any

from agent_framework import AgentResponseUpdate, Content, WorkflowEvent
from apply_updates import example_of
from chatkit.types import CustomSummary, CustomTask, ThreadMetadata, Workflow
from chatkit.widgets import DynamicWidgetRoot

from agent_framework_chatkit import AgentResponseConverter, ThreadContext, stream_agent_response

Step = AgentResponseUpdate | Callable[[ThreadContext[Any]], Awaitable[Any]]
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


def card(value: str, **fields: Any) -> DynamicWidgetRoot:
    text = {"type": "Text", "id": "t", "value": value, **fields}
    column = {"type": "Col", "children": [text]}
    return DynamicWidgetRoot.model_validate({"type": "Card", "children": [column]})


async def growing() -> AsyncGenerator[Any, None]:
    for value in ("2", "21", "21 °C"):
        yield card(value, streaming=True)
    yield card("21 °C, dry", streaming=False)


async def changing() -> AsyncGenerator[Any, None]:
    yield card("2", color="success")
    yield card("2", color="danger")


async def work(context: ThreadContext[Any]) -> None:
    await context.start_workflow(Workflow(type="custom", tasks=[]))
    await context.add_workflow_task(CustomTask(title="Look", status_indicator="loading"))
    await context.stream_progress("Looking")
    await context.update_workflow_task(CustomTask(title="Seen"), 0)
    await context.end_workflow(CustomSummary(title="Looked"), expanded=True)


CITATION: Any = {"type": "citation", "url": "https://a.test", "title": "A"}
CALL = Content.from_function_call("c1", "get_weather", arguments='{"city": "Oslo"}')
RESULT = Content.from_function_result("c1", result="cold")
REASONS = [Content("text_reasoning", id="r1", text=word) for word in ("Let ", "me ", "think")]
REQUEST = Content.from_function_approval_request("c1", CALL)
RUNS: dict[str, list[Step]] = {
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
    "a widget": [lambda context: context.stream_widget(card("21"), "21"), update(text("Mild."))],
    "a widget whose text grows": [lambda context: context.stream_widget(growing())],
    "a widget that is replaced": [lambda context: context.stream_widget(changing())],
    "a tool's workflow": [update(CALL), work, update(RESULT), update(text("Seen."))],
    "nothing": [],
}


class Store:
    """Generates IDs, which is all that a run needs from its store."""

    def __init__(self) -> None:
        self.numbers = count()

    def generate_item_id(self, kind: str, *_: Any) -> str:
        return f"{kind}_{next(self.numbers)}"


async def run_of(
    steps: list[Step], context: ThreadContext[Any]
) -> AsyncIterator[AgentResponseUpdate]:
    for step in steps:
        if isinstance(step, AgentResponseUpdate):
            yield step
        else:
            await step(context)


async def main() -> None:
    converter = AgentResponseConverter(client_tools=["locate"], partial_images=2)
    for name, steps in RUNS.items():
        store: Any = Store()
        thread = ThreadMetadata(id="thr_1", created_at=datetime(2026, 1, 1))
        context = ThreadContext(thread=thread, store=store, request_context=None)
        # A run without a context takes a different path through the bridge.
        has_tools = any(callable(step) for step in steps)
        events = stream_agent_response(
            run_of(steps, context),
            thread.id,
            context=context if has_tools else None,
            converter=converter,
        )
        example = example_of([event async for event in events])
        print(json.dumps({"name": name, **example}))


asyncio.run(main())
