"""A thread's metadata that changes while a turn runs."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from agent_framework import FunctionInvocationContext, tool

from agent_framework_chatkit import ThreadContext

from ...fakes.scripted_agent import agent, call, text
from ..live_client import ME, Gate, chat, settled


async def test_thread_changes_by_tool_and_user_are_stored_and_sent() -> None:
    gate = Gate()

    @tool(approval_mode="never_require")
    async def note(ctx: FunctionInvocationContext) -> str:
        """Note."""
        thread = ThreadContext.of(ctx).thread
        thread.metadata["noted"] = 1
        await gate()
        return f"noted in {thread.title}"

    answering = agent([call("note")], [text("Done.")], tools=[note])
    async with chat(answering) as client:
        asking = await client.ask("Note it")
        await gate.is_reached.wait()
        following = await client.follow()
        await following.until("thread.state")
        await client.send("threads.update", thread_id=client.thread_id, title="Mine")
        # The note may arrive first.
        while (await following.until("thread.updated"))["thread"]["title"] != "Mine":
            pass
        gate.may_go_on.set()
        await asking.rest()
        assert await settled(client) == "completed"
        scripted: Any = answering.client
        assert scripted.asked[-1][-1].contents[0].result == "noted in Mine"
        stored = await client.server.store.load_thread(client.thread_id, ME)
        assert stored.title == "Mine"
        assert stored.metadata["noted"] == 1


async def test_unserializable_metadata_leaves_thread_unchanged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    @tool(approval_mode="never_require")
    async def spoil(ctx: FunctionInvocationContext) -> str:
        """Spoil the metadata."""
        ThreadContext.of(ctx).thread.metadata["lock"] = asyncio.Lock()
        return "spoiled"

    answering = agent([call("spoil")], [text("Done.")], [text("Still here.")], tools=[spoil])
    async with chat(answering) as client:
        await (await client.ask("Spoil it")).text("Done.")
        assert await settled(client) == "completed"
        assert "cannot be stored; keeping the old metadata" in caplog.text
        await (await client.ask("Are you there?")).text("Still here.")
        assert await settled(client) == "completed"
        stored = await client.server.store.load_thread(client.thread_id, ME)
        assert "lock" not in stored.metadata
