"""Convert replies with one contestant and print the cost.

`streaming.py` runs this script in the environment of the package to measure, because both packages
have the same module name. `text` and `chat_completions` use only names that both packages have.

    python -I streaming_worker.py CASE

Each line on stdin is a request, `{time,size,memory} COUNT`, for a reply with COUNT updates. Each
line on stdout is the answer in JSON. The first line contains the versions of the packages.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from datetime import datetime
from importlib.metadata import version
from itertools import cycle, islice
from types import SimpleNamespace
from typing import Any, NamedTuple

from agent_framework import AgentResponseUpdate, Annotation, Content
from chatkit.store import default_generate_id
from chatkit.types import Page, ThreadItem, ThreadMetadata, ThreadStreamEvent
from openai.types.chat.chat_completion_chunk import Choice, ChoiceDelta

from agent_framework_chatkit import stream_agent_response

PREPARED = 1_000
"""The number of different updates when measuring time."""

MESSAGE_ID = f"msg_{0:048}"
"""The message ID of the model's service, as long as OpenAI's."""

THREAD = ThreadMetadata(id="thr_1", created_at=datetime(2026, 1, 1))

MIXED_TURN = 20
"""The number of updates after which a mixed reply repeats its pattern."""

Events = AsyncIterator[ThreadStreamEvent]


class Case(NamedTuple):
    """A reply and its converter."""

    update: Callable[[int], Any]
    """Creates the reply's update with this number."""
    convert: Callable[[AsyncIterator[Any], int], Events]
    """Converts the given number of updates to events."""


def word(number: int) -> str:
    """Return a token of six bytes."""
    return f" {number % 100_000:05}"


def agent_update(content: Content, message_id: str = MESSAGE_ID) -> AgentResponseUpdate:
    return AgentResponseUpdate(
        contents=[content], role="assistant", message_id=message_id, response_id="resp_1"
    )


def text(number: int) -> AgentResponseUpdate:
    return agent_update(Content.from_text(word(number)))


def chat_completions_text(number: int) -> AgentResponseUpdate:
    """Create text as Agent Framework's client for the Chat Completions API returns it."""
    choice = Choice(index=0, delta=ChoiceDelta(content=word(number), role="assistant"))
    return agent_update(
        Content.from_text(word(number), merge_mode="append", raw_representation=choice)
    )


def mixed(number: int) -> AgentResponseUpdate:
    """Create an update of a reply with reasoning, a tool call and an answer with a citation."""
    turn, step = divmod(number, MIXED_TURN)
    if step < 8:
        return agent_update(
            Content.from_text_reasoning(id=f"rs_{turn}", text=word(number)), f"msg_{turn}"
        )
    call_id = f"call_{turn}"
    if step < 12:
        arguments = ('{"city"', ': "Par', "is, Fr", 'ance"}')[step - 8]
        return agent_update(
            Content.from_function_call(call_id, "get_weather", arguments=arguments), f"msg_{turn}"
        )
    if step == 12:
        return AgentResponseUpdate(
            contents=[Content.from_function_result(call_id, result="Sunny, 21 °C")], role="tool"
        )
    citation = Annotation(type="citation", url="https://example.com/weather", title="Weather")
    annotations = [citation] if step == MIXED_TURN - 1 else None
    return agent_update(
        Content.from_text(word(number), annotations=annotations), f"msg_{turn}_answer"
    )


def response_delta(number: int) -> Any:
    """Create a text delta as the OpenAI Agents SDK returns it."""
    from agents import RawResponsesStreamEvent
    from openai.types.responses import ResponseTextDeltaEvent

    return RawResponsesStreamEvent(
        data=ResponseTextDeltaEvent(
            content_index=0,
            delta=word(number),
            item_id=MESSAGE_ID,
            logprobs=[],
            output_index=0,
            sequence_number=number,
            type="response.output_text.delta",
        )
    )


def convert(updates: AsyncIterator[AgentResponseUpdate], count: int) -> Events:
    return stream_agent_response(updates, THREAD.id)


def convert_with_context(updates: AsyncIterator[AgentResponseUpdate], count: int) -> Events:
    from agent_framework_chatkit import ThreadContext

    context: ThreadContext[None] = ThreadContext(
        thread=THREAD, store=empty_store(), request_context=None
    )
    return stream_agent_response(updates, THREAD.id, context=context)


def convert_agents_sdk(deltas: AsyncIterator[Any], count: int) -> Events:
    from agents import RawResponsesStreamEvent
    from chatkit.agents import AgentContext
    from chatkit.agents import stream_agent_response as stream_agents_sdk_response
    from openai.types.responses import (
        ResponseOutputItemAddedEvent,
        ResponseOutputItemDoneEvent,
        ResponseOutputMessage,
        ResponseOutputText,
    )

    async def stream_events() -> AsyncIterator[Any]:
        message = ResponseOutputMessage(
            id=MESSAGE_ID, content=[], role="assistant", status="in_progress", type="message"
        )
        yield RawResponsesStreamEvent(
            data=ResponseOutputItemAddedEvent(
                item=message, output_index=0, sequence_number=0, type="response.output_item.added"
            )
        )
        async for delta in deltas:
            yield delta
        yield RawResponsesStreamEvent(
            data=ResponseOutputItemDoneEvent(
                item=message.model_copy(update={"content": [whole], "status": "completed"}),
                output_index=0,
                sequence_number=count,
                type="response.output_item.done",
            )
        )

    # At the end, the model's service sends the whole text again.
    whole = ResponseOutputText(
        annotations=[], text="".join(map(word, range(count))), type="output_text"
    )
    context: AgentContext[None] = AgentContext(
        thread=THREAD, store=empty_store(), request_context=None
    )
    result: Any = SimpleNamespace(stream_events=stream_events)
    return stream_agents_sdk_response(context, result)


def empty_store() -> Any:
    """Return the parts of a ChatKit store that the contexts use."""

    async def load_thread_items(*args: object) -> Page[ThreadItem]:
        return Page()

    return SimpleNamespace(
        load_thread_items=load_thread_items,
        generate_item_id=lambda kind, thread, context: default_generate_id(kind),
    )


CASES = {
    "text": Case(text, convert),
    "chat_completions": Case(chat_completions_text, convert),
    "context": Case(text, convert_with_context),
    "agents_sdk": Case(response_delta, convert_agents_sdk),
    "mixed": Case(mixed, convert),
}


async def stream(updates: Iterable[Any]) -> AsyncIterator[Any]:
    for update in updates:
        yield update


def repeat(updates: list[Any], count: int) -> Iterable[Any]:
    """Repeat prepared updates, so that their cost and memory do not grow with the reply."""
    return islice(cycle(updates), count)


async def seconds(case: Case, updates: list[Any], count: int) -> float:
    """Return the processor time for converting a reply."""
    events = case.convert(stream(repeat(updates, count)), count)
    start = time.process_time()
    async for _ in events:
        pass
    return time.process_time() - start


async def size(case: Case, updates: list[Any], count: int) -> dict[str, int]:
    """Return the number of a reply's events, and their size as `ChatKitServer` sends them."""
    events = total = 0
    async for event in case.convert(stream(repeat(updates, count)), count):
        data = event.model_dump_json(by_alias=True, exclude_none=True).encode()
        events += 1
        total += len(b"data: " + data + b"\n\n")
    return {"events": events, "bytes": total}


async def memory(case: Case, count: int) -> dict[str, int]:
    """Return the peak number of bytes in use until the last update, and until the end.

    Each update is new, and neither it nor its events are kept.
    """
    most: dict[str, int] = {}

    def updates() -> Iterator[Any]:
        yield from map(case.update, range(count))
        most["streaming"] = tracemalloc.get_traced_memory()[1]

    events = case.convert(stream(updates()), count)
    tracemalloc.start()
    async for _ in events:
        pass
    most["total"] = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def main() -> None:
    packages = ("agent-framework-chatkit", "agent-framework-core", "openai-chatkit", "pydantic")
    print(json.dumps({package: version(package) for package in packages}), flush=True)
    case = CASES[sys.argv[1]]
    updates = [case.update(number) for number in range(PREPARED)]
    # Warm up: do everything that happens once per process, such as building pydantic's validators.
    asyncio.run(seconds(case, updates, PREPARED))
    for line in sys.stdin:
        question, count = line.split()
        answer: Any
        if question == "time":
            answer = asyncio.run(seconds(case, updates, int(count)))
        elif question == "size":
            answer = asyncio.run(size(case, updates, int(count)))
        else:
            answer = asyncio.run(memory(case, int(count)))
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
