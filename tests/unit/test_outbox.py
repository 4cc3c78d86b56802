from __future__ import annotations

import asyncio
from typing import Any

from chatkit.types import (
    AssistantMessageContentPartTextDelta,
    ProgressUpdateEvent,
    ThreadItemUpdatedEvent,
)
from hypothesis import given
from hypothesis import strategies as st

from agent_framework_chatkit.server.outbox import Outbox


def delta(value: str, item_id: str = "msg_1", index: int = 0) -> ThreadItemUpdatedEvent:
    update = AssistantMessageContentPartTextDelta(content_index=index, delta=value)
    return ThreadItemUpdatedEvent(item_id=item_id, update=update)


async def sent(outbox: Outbox) -> list[Any]:
    return [event async for event in outbox.events()]


def joined(events: list[Any]) -> list[Any]:
    """Return events with neighbouring deltas of one text joined: what a reader makes of them."""
    whole: list[Any] = []
    for event in events:
        if isinstance(event, ProgressUpdateEvent):
            whole.append(event.text)
            continue
        key = (event.item_id, event.update.content_index)
        if whole and isinstance(whole[-1], list) and whole[-1][0] == key:
            whole[-1][1] += event.update.delta
        else:
            whole.append([key, event.update.delta])
    return whole


events = st.builds(
    delta, st.text(min_size=1, max_size=3), st.sampled_from(["a", "b"]), st.integers(0, 1)
) | st.builds(ProgressUpdateEvent, text=st.text(max_size=3))


@given(st.lists(events | st.none(), max_size=20), st.sampled_from([0, 0.001, 60]))
def test_what_comes_out_is_what_went_in(script: list[Any], interval: float) -> None:
    """`None` stands for a moment in which the reader may read."""

    async def check() -> None:
        outbox = Outbox(interval)
        reading = asyncio.create_task(sent(outbox))
        for event in script:
            if event is None:
                await asyncio.sleep(0)
            else:
                outbox.put(event)
        outbox.close()
        put = [event for event in script if event is not None]
        got = await reading
        assert joined(got) == joined(put)
        if not interval:
            assert got == put

    asyncio.run(check())


async def test_the_first_delta_goes_out_at_once_and_others_wait_and_are_joined() -> None:
    outbox = Outbox(60)
    reader = outbox.events()
    outbox.put(delta("a"))
    assert await anext(reader) == delta("a")
    for value in "bcd":
        outbox.put(delta(value))
    waiting = asyncio.ensure_future(anext(reader))
    await asyncio.sleep(0)
    outbox.put(delta("e"))
    await asyncio.sleep(0)
    assert not waiting.done()
    # Nothing else waits for text.
    outbox.put(ProgressUpdateEvent(text="done"))
    assert await waiting == delta("bcde")
    assert await anext(reader) == ProgressUpdateEvent(text="done")


async def test_text_that_waits_goes_out_by_itself() -> None:
    outbox = Outbox(0.001)
    reader = outbox.events()
    outbox.put(delta("a"))
    await anext(reader)
    outbox.put(delta("b"))
    assert await anext(reader) == delta("b")


async def test_a_quiet_stream_beats() -> None:
    outbox = Outbox(0.03)
    reader = outbox.events()
    outbox.put(delta("a"))
    outbox.beat()
    assert await anext(reader) == delta("a")
    outbox.beat()
    assert await anext(reader) is None
    outbox.close()
    assert await sent(outbox) == []
