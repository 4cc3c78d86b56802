"""A run writes its events."""

from __future__ import annotations

import asyncio

import pytest

from ...fakes.scripted_agent import agent, text
from ..live_client import chat, hold_commits


@pytest.mark.parametrize("text_interval", [0, 0.03])
async def test_run_waits_for_unwritten_events(text_interval: float) -> None:
    said = 0
    long = "x" * 100_000

    async def note() -> None:
        nonlocal said
        said += 1

    steps = [step for _ in range(40) for step in (text(long), note)]
    async with chat(agent(steps), text_interval=text_interval) as client:
        may_write = asyncio.Event()
        hold_commits(client, may_write)
        asking = await client.ask("Hello")
        await asyncio.sleep(0.5)
        # Some events are being written, and at most a megabyte waits.
        assert said < 30
        may_write.set()
        await asking.rest()
        assert asking.answer == long * 40
