"""The measurements of `turns.py` without HTTP, in a separate process.

    python turns_worker.py {framework,ours,microsoft} STORE

Each line on stdin is a question; each line on stdout is its answer in JSON:

    tokens STREAMS SECONDS    many concurrent runs of the agent
    turns COUNT               runs of one token, one after another
    history ITEMS COUNT       turns of one token in a thread with ITEMS items
    versions                  the versions of the packages in this environment
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from datetime import datetime
from importlib.metadata import distributions
from statistics import median
from typing import Any
from uuid import uuid4

import uvloop
from agent_framework import Message
from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageItem,
    InferenceOptions,
    ThreadItem,
    ThreadMetadata,
    UserMessageItem,
    UserMessageTextContent,
)

from turns_client import user_message
from turns_measures import RATE, STARTS, Figures, percentiles
from turns_model import agent, lateness, prompt
from turns_server import chatkit_server

CONTEXT = {"user_id": "ann"}
START = datetime(2026, 1, 1)
ONE_TOKEN = prompt(1, RATE)

SETTLE = 0.05
"""Seconds that a server needs to finish its work after a turn's last event."""


async def measure_tokens(streams: int, seconds: float) -> Figures:
    """Measure many concurrent runs of the agent."""
    late: list[float] = []

    async def run(number: int) -> None:
        await asyncio.sleep(number / STARTS)
        async for update in agent.run(prompt(int(seconds * RATE), RATE), stream=True):
            now = time.monotonic()
            late.extend(lateness(stamp, now) for stamp in update.text.split("@")[1:])

    used = time.process_time()
    running = asyncio.gather(*map(run, range(streams)))
    await asyncio.sleep(streams / STARTS)
    window, first = time.process_time(), len(late)
    await asyncio.sleep(seconds - streams / STARTS)
    in_window, last = time.process_time() - window, len(late)
    await running
    return {
        "per token": (time.process_time() - used) / len(late),
        "per token while all stream": in_window / (last - first),
        **percentiles("late", late[first:last]),
        **percentiles("late with starts", late),
    }


async def measure_turns(count: int) -> Figures:
    """Measure runs of one token, one after another."""
    message = [Message("user", [ONE_TOKEN])]
    return {"per turn": sum([await time_of_run(message) for _ in range(count)]) / count}


class Threads:
    """Measures turns in long threads, which are filled on first use.

    Args:
        server: A `ChatKitServer`.
    """

    def __init__(self, server: Any) -> None:
        self._server = server
        self._ids: dict[int, str] = {}

    async def measure(self, items: int, count: int) -> Figures:
        """Measure turns, and the agent's run with the same messages."""
        if items not in self._ids:
            self._ids[items] = await self._fill(items)
            # Only this first turn reads the whole thread.
            await self._time_of_turn(self._ids[items])
        pair = [Message("user", ["Hello"]), Message("assistant", ["Hello to you"])]
        messages = [*pair * (items // 2), Message("user", [ONE_TOKEN])]
        turns = [await self._time_of_turn(self._ids[items]) for _ in range(count)]
        runs = [await time_of_run(messages) for _ in range(count)]
        return {
            "turn": median(turns),
            "run": median(runs),
            "share": median(turns) - median(runs),
        }

    async def _fill(self, items: int) -> str:
        """Add a thread with a conversation."""
        store = self._server.store
        thread_id: str = store.generate_thread_id(CONTEXT)
        thread = ThreadMetadata(id=thread_id, created_at=START, title="A long one")
        await store.save_thread(thread, CONTEXT)
        for number in range(items):
            await store.add_thread_item(thread_id, _item(thread_id, number), CONTEXT)
        return thread_id

    async def _time_of_turn(self, thread_id: str) -> float:
        body = {
            "type": "threads.add_user_message",
            "params": {"thread_id": thread_id, "input": user_message(ONE_TOKEN)},
            "metadata": {"detached": True, "request_id": uuid4().hex},
        }
        used = time.process_time()
        async for _ in await self._server.process(json.dumps(body).encode(), CONTEXT):
            pass
        await asyncio.sleep(SETTLE)
        return time.process_time() - used


async def time_of_run(messages: list[Message]) -> float:
    """Return the processor time of an agent run."""
    used = time.process_time()
    async for _ in agent.run(messages, stream=True):
        pass
    return time.process_time() - used


def _item(thread_id: str, number: int) -> ThreadItem:
    base: Any = {"id": f"msg_{uuid4().hex}", "thread_id": thread_id, "created_at": START}
    if number % 2:
        content = AssistantMessageContent(text="Hello to you", annotations=[])
        return AssistantMessageItem(content=[content], **base)
    return UserMessageItem(
        content=[UserMessageTextContent(text="Hello")],
        attachments=[],
        inference_options=InferenceOptions(),
        **base,
    )


def versions() -> dict[str, str]:
    """Return the versions of the installed packages."""
    return {one.name: one.version for one in distributions()}


async def answer(question: str, words: list[str], threads: Threads | None) -> object:
    """Return the answer to a question."""
    if question == "tokens":
        return await measure_tokens(int(words[0]), float(words[1]))
    if question == "turns":
        return await measure_turns(int(words[0]))
    if question == "history" and threads is not None:
        return await threads.measure(int(words[0]), int(words[1]))
    return versions()


async def main(contestant: str, store: str) -> None:
    """Answer questions until there are no more."""
    threads = None
    if contestant != "framework":
        threads = Threads(chatkit_server(contestant, store))
    while line := await asyncio.to_thread(sys.stdin.readline):
        question, *words = line.split()
        print(json.dumps(await answer(question, words, threads)), flush=True)


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    uvloop.run(main(sys.argv[1], sys.argv[2]))
