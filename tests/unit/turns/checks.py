"""Checks of the clients, the stored thread and the log."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from agent_framework_chatkit.interrupts.pause import Pause
from agent_framework_chatkit.server.event_log import read_row
from agent_framework_chatkit.stores.sql.turn_rows import LogRow

from .event_reader import ITEM, Client
from .words import tokens_shown
from .world import ANN, TurnsWorld


def is_running(world: TurnsWorld) -> bool:
    row = world.turn_row()
    return (row is not None and row.worker is not None) or any(
        client.is_open and not client.is_following for client in world.clients
    )


def load(world: TurnsWorld) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the thread as a page loads it."""

    async def load() -> tuple[dict[str, Any], list[dict[str, Any]]]:
        worker = world.worker(0)
        params: dict[str, Any] = {"thread_id": world.thread_id}
        thread = await world.request(worker, "threads.get_by_id", params)
        items: list[dict[str, Any]] = []
        params |= {"order": "asc", "limit": 100}
        while True:
            page = await world.request(worker, "items.list", params)
            items += page["data"]
            if not page["has_more"]:
                return thread, items
            params["after"] = page["after"]

    return world.simulation.run(load())


def compare(world: TurnsWorld) -> None:
    """Compare every client with a fresh load, and its events with the log."""
    world.sync()
    thread, items = load(world)
    fresh = {item["id"]: item for item in items}
    for item_id, sent in world.unstored.items():
        assert item_id not in fresh, f"It was sent before it was stored: {sent}"
    for client in world.clients:
        if client.thread_id == world.thread_id and client.is_following and client.is_open:
            compare_view(world, client, thread, fresh)
    compare_log(world)
    compare_words(world, items)
    asking = {item["id"] for item in items if is_open_card(item) or is_open_call(item)}
    awaited = answerable(world)
    assert asking <= awaited, f"{asking - awaited} cannot be answered, of {items}"
    # A message withdraws requests before its turn begins, which a dead worker leaves at that.
    is_waiting = thread["turn"]["state"] == "waiting"
    assert asking == awaited or not is_waiting, f"{asking} ask for an answer, of {items}"
    assert asking or not is_waiting


def answerable(world: TurnsWorld) -> set[str]:
    """Return the items of the agent's open requests."""
    sessions = world.worker(0).store.sessions(world.thread_id, ANN)
    stored = world.simulation.run(sessions.latest())
    pause = None if stored is None else Pause.of(stored.session)
    if pause is None or pause.is_resumed:
        return set()
    return {each.item_id for each in pause.interrupts if each.is_open and each.item_id}


def compare_view(
    world: TurnsWorld, client: Client, thread: dict[str, Any], fresh: dict[str, Any]
) -> None:
    who, view = f"A follower at {client.worker}", client.view
    assert client.error is None, f"{who}: {client.error!r}"
    if not client.is_whole and not view.has_state:
        return
    difference = _difference(view.items, fresh)
    assert not difference, f"{who}: {difference}\nafter {client.log()}"
    shown, stored = _ordered(view.items), _ordered(fresh)
    assert shown == stored, f"{who} is shown {shown}, not {stored}, after {client.log()}"
    title, turn = view.thread.get("title"), view.turn or {}
    assert title == thread.get("title"), (
        f"{who} shows {title}, not {thread.get('title')}, after {client.log()}"
    )
    for name in ("id", "state"):
        assert turn.get(name) == thread["turn"][name], (
            f"{who} has {turn}, not {thread['turn']}, after {client.log()}"
        )


def compare_words(world: TurnsWorld, items: Sequence[dict[str, Any]]) -> None:
    """Check that the shown texts are those of the exchange."""
    exchange = world.threads[world.thread_id]
    shown = [token for item in items for token in tokens_shown(item)]
    for token, count in Counter(shown).items():
        assert count == 1, f"{token} is shown {count} times."
        word = exchange.find(token)
        assert word is not None, f"{token} is shown, and was not said."
        word.prove()
    for word in [word for word in exchange.words if word.token[0] in "UT"]:
        if word.token not in shown and not word.is_removed:
            assert not word.is_certain, f"{word.token} was said, and is not shown."
            # It must not be loaded either.
            exchange.words.remove(word)
    for word in exchange.words:
        if word.token[0] == "A" and word.settled_at is None:
            word.settled_at = world.count


def compare_log(world: TurnsWorld) -> None:
    """Check that clients received everything in the log exactly once."""
    logged: dict[str, dict[int, bool]] = {}
    of_turns: set[str] = set()
    for row in world.select(
        "SELECT run, first, last, data FROM chatkit_events ORDER BY thread, position"
    ):
        for entry in read_row(LogRow(row.first, row.last, row.data, None, row.run)):
            is_sent = not (entry.is_internal or entry.is_passing)
            logged.setdefault(entry.run, {})[entry.number] = is_sent
            if b'"turn.updated"' in entry.data:
                of_turns.add(entry.run)
    for client in world.clients:
        seen: dict[str, list[int]] = {}
        for event_id, event in [*client.past, *client.events]:
            if event["type"] == "thread.state":
                seen = {}
            elif event_id is not None:
                run, _, number = event_id.rpartition(".")
                seen.setdefault(run, []).append(int(number))
        for run, numbers in seen.items():
            who = f"{client.kind} at {client.worker}"
            if run not in of_turns:
                # A client that resumes may receive events outside turns again: they stand
                # at different places among a turn's events on each worker.
                numbers = sorted(set(numbers))
            assert numbers == sorted(set(numbers)), f"{who} was sent {numbers} of {run}"
            expected = {
                number
                for number, is_sent in logged.get(run, {}).items()
                if is_sent and numbers[0] <= number <= numbers[-1]
            }
            missing = expected - set(numbers)
            assert not missing, f"{who} misses {missing} of {run}"
        if client.is_repeat and client.is_detached and client.ids:
            assert client.ids[0].endswith(".1"), f"{client.kind} was not sent the first events"


def is_open_card(item: dict[str, Any]) -> bool:
    return bool(item["type"] == "widget" and "confirm" in item["widget"])


def is_open_call(item: dict[str, Any]) -> bool:
    return bool(item["type"] == "client_tool_call" and item["status"] == "pending")


def _ordered(items: dict[str, Any]) -> list[str]:
    """Return the IDs of items in order.

    Items that code adds during an answer are sent immediately. They may stand before the
    part of the answer that was being written.
    """
    return [item_id for item_id in items if not item_id.startswith("item_A")]


def _comparable(item: dict[str, Any] | None) -> Any:
    if item is None or item["type"] == "end_of_turn":
        return item
    return json.loads(ITEM.validate_python(item).model_dump_json(exclude_none=True))


def _difference(shown: dict[str, Any], stored: dict[str, Any]) -> str:
    return "\n".join(
        f"shown: {json.dumps(shown.get(each))}\nstored: {json.dumps(stored.get(each))}"
        for each in {**shown, **stored}
        if _comparable(shown.get(each)) != _comparable(stored.get(each))
    )
