"""The measurements of `turns.py` over HTTP.

Each function returns its figures by name. Processor time covers all threads of the server, in
seconds, minus its idle usage.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Sequence
from statistics import quantiles
from typing import Any

from turns_client import Arrivals, Connection, Protocol, follow
from turns_model import prompt
from turns_process import Server, owner_of_connection

Figures = dict[str, float]

RATE = 50
"""Tokens per second of a stream."""

STARTS = 50
"""The number of streams that start per second."""

OPENING = 0.01
"""Seconds that a follower needs to start on an idle machine."""

SETTLE = 0.5
"""Seconds that a server needs to finish its work after its responses."""

CALM = 0.05
"""The share of the core below which a server counts as idle."""


class Meter:
    """Measures a server's processor time, minus its idle usage."""

    def __init__(self, server: Server, idle: float) -> None:
        self._server = server
        self._idle = idle
        self._time = time.monotonic()
        self._used = server.processor_time()

    @classmethod
    async def of(cls, server: Server) -> Meter:
        """Wait until the server is idle, measure that, then start the measurement."""
        share = 1.0
        while share > CALM:
            idle = cls(server, 0.0)
            await asyncio.sleep(SETTLE)
            share = idle.busy()
        return cls(server, share)

    def again(self) -> Meter:
        """Return a meter that starts now."""
        return Meter(self._server, self._idle)

    def elapsed(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self._time

    def busy(self) -> float:
        """Return the share of the core used since the start."""
        return (self._server.processor_time() - self._used) / self.elapsed()

    def seconds(self) -> float:
        """Return the processor time since the start, in seconds."""
        return (self.busy() - self._idle) * self.elapsed()


async def measure_tokens(
    server: Server, protocol: Protocol, streams: int, seconds: float
) -> Figures:
    """Measure many concurrent answers: the time of a token, and its lateness."""
    arrivals = Arrivals()
    tokens = int(seconds * RATE)
    meter = await Meter.of(server)
    connections = await _begin(server, protocol, arrivals, streams, prompt(tokens, RATE))
    window, first = meter.again(), len(arrivals.late)
    await asyncio.sleep(max(0.5, seconds - meter.elapsed()))
    last, used, busy = len(arrivals.late), window.seconds(), window.busy()
    await asyncio.gather(*(connection.answered for connection in connections))
    await asyncio.sleep(SETTLE)
    for connection in connections:
        connection.close()
    if len(arrivals.late) != streams * tokens:
        raise RuntimeError(f"Only {len(arrivals.late)} of {streams * tokens} tokens arrived.")
    return {
        "per token": meter.seconds() / (streams * tokens),
        "per token while all stream": used / (last - first),
        "busy": busy,
        **percentiles("late", arrivals.late[first:last]),
        **percentiles("late with starts", arrivals.late),
    }


async def measure_turns(server: Server, protocol: Protocol, count: int) -> Figures:
    """Measure turns of one token, one after another, each in a new thread."""
    meter = await Meter.of(server)
    await take_turns(server, protocol, count)
    elapsed = meter.elapsed()
    await asyncio.sleep(SETTLE)
    return {"per turn": meter.seconds() / count, "elapsed per turn": elapsed / count}


async def take_turns(server: Server, protocol: Protocol, count: int) -> None:
    """Start new threads from one client, one after another; also used to warm up a server."""
    connection = await Connection.open(server.port, protocol, Arrivals())
    for _ in range(count):
        connection.ask(prompt(1, RATE))
        await connection.answered
    connection.close()


async def take_turns_everywhere(server: Server, protocol: Protocol, workers: int) -> None:
    """Start threads until each of a server's workers has run a turn."""
    seen: set[int] = set()
    while len(seen) < workers:
        connection = await Connection.open(server.port, protocol, Arrivals())
        seen.add(await _worker_of(server, connection))
        connection.ask(prompt(1, RATE))
        await connection.answered
        connection.close()


async def measure_starts(
    server: Server, protocol: Protocol, rate: float, seconds: float, seed: int
) -> Figures:
    """Measure the time to the first event when turns start at random times.

    Args:
        server: The server.
        protocol: The protocol of its requests.
        rate: Starts per second, on average.
        seconds: The duration during which turns start.
        seed: Makes the times the same for each contestant.
    """
    await Meter.of(server)  # Wait until the server is idle.
    random_times = random.Random(seed)  # noqa: S311 not for secrets
    offsets = sorted(random_times.uniform(0, seconds) for _ in range(int(rate * seconds)))
    begun = time.monotonic() + 0.1
    waits = await asyncio.gather(*(_start(server, protocol, begun + each) for each in offsets))
    await asyncio.sleep(SETTLE)
    return percentiles("first event", waits)


async def measure_followers(
    server: Server, protocol: Protocol, streams: int, each: int, rate: float, seconds: float
) -> Figures:
    """Measure turns that many clients follow, while nobody else reads them.

    Args:
        server: A server that supports `threads.follow`.
        protocol: The protocol of its requests.
        streams: Concurrent turns.
        each: Followers of each turn.
        rate: Tokens per second of a turn.
        seconds: The duration of the measurement.
    """
    ignored, arrivals = Arrivals(), Arrivals()
    meter = await Meter.of(server)
    ramp = streams / STARTS
    # The answers continue while all followers start.
    tokens = int((3 * ramp + streams * each * OPENING + seconds) * rate)
    ends_at = time.monotonic() + ramp + tokens / rate + SETTLE
    starters = await _begin(server, protocol, ignored, streams, prompt(tokens, rate))
    followers = await asyncio.gather(
        *(_follow(server, protocol, arrivals, one) for one in starters for _ in range(each))
    )
    for starter in starters:
        starter.close()
    window, first, events = meter.again(), len(arrivals.late), arrivals.events
    await asyncio.sleep(seconds)
    figures = {
        "per event": window.seconds() / (arrivals.events - events),
        "busy": window.busy(),
        "events a second": (arrivals.events - events) / window.elapsed(),
        **percentiles("late", arrivals.late[first:]),
    }
    for follower in followers:
        follower.close()
    await asyncio.sleep(max(0.0, ends_at - time.monotonic()))
    return figures


async def measure_workers(
    server: Server, protocol: Protocol, streams: int, seconds: float
) -> Figures:
    """Measure turns that are followed through another worker than the one that runs them."""
    arrivals = Arrivals()
    meter = Meter(server, 0.0)
    tokens = int((3 * streams / STARTS + seconds) * RATE)
    starters = await _begin(server, protocol, Arrivals(), streams, prompt(tokens, RATE))
    followers = [await _follow_elsewhere(server, protocol, arrivals, one) for one in starters]
    window, first = meter.again(), len(arrivals.late)
    await asyncio.sleep(seconds)
    late, busy = arrivals.late[first:], window.busy()
    await asyncio.gather(*(starter.answered for starter in starters))
    for connection in (*starters, *followers):
        connection.close()
    return {"busy": busy, **percentiles("late", late)}


async def can_follow(server: Server, protocol: Protocol) -> bool:
    """Return whether the first event of a detached request says that threads can be followed."""
    connection = await Connection.open(server.port, protocol, Arrivals())
    connection.ask(prompt(1, RATE))
    await connection.answered
    connection.close()
    return bool(_json(await connection.first_event).get("can_follow"))


def percentiles(name: str, milliseconds: Sequence[float]) -> Figures:
    """Return the percentiles that the tables show, in seconds."""
    cut = quantiles(milliseconds, n=100)
    return {f"{name} p{n}": cut[n - 1] / 1000 for n in (50, 95, 99)}


async def _begin(
    server: Server, protocol: Protocol, arrivals: Arrivals, streams: int, text: str
) -> list[Connection]:
    """Start turns, and return once each has produced its first token."""

    async def begin(number: int) -> Connection:
        await asyncio.sleep(number / STARTS)
        connection = await Connection.open(server.port, protocol, arrivals)
        connection.ask(text)
        await connection.first_token
        return connection

    return await asyncio.gather(*map(begin, range(streams)))


async def _start(server: Server, protocol: Protocol, due: float) -> float:
    """Start a turn when it is due, and return the milliseconds until its first event."""
    await asyncio.sleep(max(0.0, due - time.monotonic()))
    connection = await Connection.open(server.port, protocol, Arrivals())
    connection.ask(prompt(1, RATE))
    await connection.first_event
    wait = time.monotonic() - due
    await connection.answered
    connection.close()
    return wait * 1000


async def _follow(
    server: Server, protocol: Protocol, arrivals: Arrivals, starter: Connection
) -> Connection:
    """Follow the thread that a connection started, as the same owner."""
    connection = await Connection.open(server.port, protocol, arrivals, starter.cookie)
    await _send_follow(connection, starter)
    return connection


async def _follow_elsewhere(
    server: Server, protocol: Protocol, arrivals: Arrivals, starter: Connection
) -> Connection:
    """Follow a thread through another worker."""
    runs_it = await _worker_of(server, starter)
    for _ in range(100):
        connection = await Connection.open(server.port, protocol, arrivals, starter.cookie)
        if await _worker_of(server, connection) != runs_it:
            await _send_follow(connection, starter)
            return connection
        connection.close()
    raise RuntimeError("Only one worker accepts connections.")


async def _send_follow(connection: Connection, starter: Connection) -> None:
    thread_id = _json(await starter.first_event)["thread"]["id"]
    connection.send(follow(thread_id))
    await connection.first_event


async def _worker_of(server: Server, connection: Connection) -> int:
    """Return the process that accepted a connection."""
    while True:
        pid = owner_of_connection(server.pids(), server.port, connection.local_port)
        if pid is not None:
            return pid
        await asyncio.sleep(0.01)


def _json(event: bytes) -> dict[str, Any]:
    """Return the data of an event."""
    content: dict[str, Any] = json.loads(event.removeprefix(b"data: "))
    return content
