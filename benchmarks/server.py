"""Compares the server with `ChatKitServer` and the simplest correct store: `make bench`."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from agent_framework import (
    Agent,
    BaseChatClient,
    ChatResponse,
    ChatResponseUpdate,
    Content,
    Message,
    ResponseStream,
)
from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageItem,
    InferenceOptions,
    ThreadMetadata,
    UserMessageItem,
    UserMessageTextContent,
)

from agent_framework_chatkit import AgentChatKitServer
from agent_framework_chatkit.stores import SQLStore
from reference_server import ITEM, ReferenceServer, ReferenceStore

CONTEXT = {"user_id": "ann"}
SAID = "token "


class TokenClient(BaseChatClient[Any]):
    """A model that streams a given number of tokens at a given rate."""

    tokens = 1
    pause = 0.0

    def _inner_get_response(self, **kwargs: Any) -> Any:
        async def updates() -> AsyncIterator[ChatResponseUpdate]:
            contents = [Content.from_text(SAID)]
            started_at = time.perf_counter()
            for number in range(self.tokens):
                yield ChatResponseUpdate(contents=contents, role="assistant", message_id="m")
                if self.pause:
                    due = started_at + (number + 1) * self.pause
                    await asyncio.sleep(max(0.0, due - time.perf_counter()))

        return ResponseStream(
            updates(), finalizer=lambda updates: ChatResponse.from_updates(updates)
        )


@dataclass
class Contestant:
    """A server, and the function that fills its thread."""

    name: str
    server: Any
    path: str


@dataclass
class Turn:
    """The measurements of one turn."""

    first_event: float
    seconds: float
    processor: float
    size: int


def request(kind: str, **params: Any) -> bytes:
    return json.dumps({"type": kind, "params": params}).encode()


async def turn(server: Any, thread_id: str) -> Turn:
    content = [{"type": "input_text", "text": "Go on"}]
    message = {"content": content, "attachments": [], "inference_options": {}}
    body = request("threads.add_user_message", thread_id=thread_id, input=message)
    processor, started_at = time.process_time(), time.perf_counter()
    result = await server.process(body, CONTEXT)
    first = 0.0
    size = 0
    async for chunk in result:
        first = first or time.perf_counter() - started_at
        size += len(chunk)
    return Turn(first, time.perf_counter() - started_at, time.process_time() - processor, size)


async def new_thread(server: Any, items: int = 0) -> str:
    """Add a thread with a conversation."""
    store = server.store
    thread_id = store.generate_thread_id(CONTEXT)
    now = datetime(2026, 1, 1)
    await store.save_thread(ThreadMetadata(id=thread_id, created_at=now, title="T"), CONTEXT)
    for number in range(items // 2):
        asked, answered = conversation(thread_id, number, now)
        await store.add_thread_item(thread_id, asked, CONTEXT)
        await store.add_thread_item(thread_id, answered, CONTEXT)
        if isinstance(store, SQLStore):
            messages = [Message("user", ["Hello"]), Message("assistant", ["Hello to you"])]
            await store.add_messages(thread_id, asked.id, messages, CONTEXT)
    if items and isinstance(store, SQLStore):
        session = server.agent.create_session(session_id=thread_id)
        await store.sessions(thread_id, CONTEXT).set(asked.id, session)
    return str(thread_id)


def conversation(
    thread_id: str, number: int, now: datetime
) -> tuple[UserMessageItem, AssistantMessageItem]:
    base: Any = {"thread_id": thread_id, "created_at": now}
    return (
        UserMessageItem(
            id=f"u{number}-{thread_id}",
            content=[UserMessageTextContent(text="Hello")],
            attachments=[],
            inference_options=InferenceOptions(),
            **base,
        ),
        AssistantMessageItem(
            id=f"a{number}-{thread_id}",
            content=[AssistantMessageContent(text="Hello to you", annotations=[])],
            **base,
        ),
    )


def row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


def spread(values: list[float], unit: float = 1.0) -> str:
    low, middle, high = min(values), median(values), max(values)
    return f"{middle * unit:.2f} ({low * unit:.2f} to {high * unit:.2f})"


async def tokens(contestants: list[Contestant], model: TokenClient, rounds: int) -> None:
    print("\n### Processor time of a token\n")
    row("", "tokens", "µs per token", "times 1,000 tokens", "bytes per token")
    row("---", "---:", "---:", "---:", "---:")
    taken: dict[tuple[str, int], list[float]] = {}
    sizes: dict[tuple[str, int], float] = {}
    lengths = (1_000, 10_000, 100_000)
    for _ in range(rounds):
        for length in lengths:
            model.tokens = length
            for contestant in contestants:
                thread_id = await new_thread(contestant.server)
                measured = await turn(contestant.server, thread_id)
                key = (contestant.name, length)
                taken.setdefault(key, []).append(measured.processor / length)
                sizes[key] = measured.size / length
    for contestant in contestants:
        shortest = taken[contestant.name, lengths[0]]
        for length in lengths:
            times = taken[contestant.name, length]
            growth = median(a / b for a, b in zip(times, shortest, strict=True))
            cells = (f"{length:,}", spread(times, 1e6), f"{growth:.2f}")
            row(contestant.name, *cells, f"{sizes[contestant.name, length]:.1f}")


async def turns(contestants: list[Contestant], model: TokenClient, rounds: int) -> None:
    print("\n### A turn of one token in a long thread\n")
    row("", "items", "ms to the first event", "ms in all", "ms of them for reading the history")
    row("---", "---:", "---:", "---:", "---:")
    model.tokens = 1
    for items in (10, 1_000, 10_000):
        for contestant in contestants:
            server = contestant.server
            thread_id = await new_thread(server, items)
            measured = []
            reading: list[float] = []
            for _ in range(rounds):
                if isinstance(server.store, SQLStore):
                    started_at = time.perf_counter()
                    await server.store.load_messages(thread_id, CONTEXT)
                    reading.append(time.perf_counter() - started_at)
                measured.append(await turn(server, thread_id))
            first = spread([each.first_event for each in measured], 1e3)
            whole = spread([each.seconds for each in measured], 1e3)
            history = spread(reading, 1e3) if reading else "the whole thread"
            row(contestant.name, f"{items:,}", first, whole, history)


async def pages(contestants: list[Contestant], rounds: int) -> None:
    print("\n### A page of 20 items out of 1,000,000\n")
    row("", "ms, newest", "ms, from the middle")
    row("---", "---:", "---:")
    for contestant in contestants:
        server = contestant.server
        thread_id = await new_thread(server, 2)
        _fill(contestant, thread_id, 1_000_000)
        cells = []
        for after in (None, f"bulk{500_000}"):
            body = request("items.list", thread_id=thread_id, after=after, order="desc")
            taken = []
            for _ in range(rounds * 5):
                started_at = time.perf_counter()
                answer = await server.process(body, CONTEXT)
                taken.append(time.perf_counter() - started_at)
                if len(json.loads(answer.json)["data"]) != 20:
                    raise RuntimeError(f"{contestant.name} returned another page.")
            cells.append(spread(taken, 1e3))
        row(contestant.name, *cells)


def _fill(contestant: Contestant, thread_id: str, count: int) -> None:
    """Add items directly to the database: a million would take many minutes through the store."""
    item, _ = conversation(thread_id, 0, datetime(2026, 1, 1))
    names = [f"bulk{number}" for number in range(count)]
    rows = (
        (number, name, ITEM.dump_json(item.model_copy(update={"id": name})).decode())
        for number, name in enumerate(names, 10)
    )
    database = sqlite3.connect(contestant.path)
    if contestant.name.startswith("ours"):
        (key,) = database.execute(
            "SELECT key FROM chatkit_threads WHERE id = ?", (thread_id,)
        ).fetchone()
        database.executemany(
            "INSERT INTO chatkit_items (thread, position, id, data) VALUES (?, ?, ?, ?)",
            ((key, position, name, data) for position, name, data in rows),
        )
    else:
        database.executemany(
            "INSERT INTO items (thread, id, data) VALUES (?, ?, ?)",
            ((thread_id, name, data) for _, name, data in rows),
        )
    database.commit()
    database.close()


async def wire(contestants: list[Contestant], model: TokenClient) -> None:
    print("\n### Bytes of a token of six, as fast as it comes\n")
    row("", "tokens a second", "bytes per token")
    row("---", "---:", "---:")
    for rate in (50, 500):
        model.tokens, model.pause = rate * 3, 1 / rate
        for contestant in contestants:
            thread_id = await new_thread(contestant.server)
            measured = await turn(contestant.server, thread_id)
            row(contestant.name, str(rate), f"{measured.size / model.tokens:.1f}")
    model.pause = 0.0


async def main(rounds: int) -> None:
    logging.disable(logging.WARNING)
    model = TokenClient()
    agent = Agent(client=model)
    with tempfile.TemporaryDirectory() as folder:
        names = ("ours", "apart", "reference")
        ours, apart, reference = (str(Path(folder, name)) for name in names)
        joined = AgentChatKitServer(agent, SQLStore[Any](f"sqlite:///{ours}"))
        each = AgentChatKitServer(agent, SQLStore[Any](f"sqlite:///{apart}"), text_interval=0)
        plain = ReferenceServer(agent, ReferenceStore(reference))
        contestants = [
            Contestant("ours", joined, ours),
            Contestant("ours, nothing joined", each, apart),
            Contestant("reference", plain, reference),
        ]
        pair = [contestants[0], contestants[2]]
        await tokens(contestants, model, rounds)
        await turns(pair, model, rounds)
        await wire(contestants, model)
        await pages(pair, rounds)
        await joined.close()
        await each.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    asyncio.run(main(parser.parse_args().rounds))
