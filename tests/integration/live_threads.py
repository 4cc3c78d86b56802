"""Clients that follow threads on servers."""

from __future__ import annotations

import asyncio
import json
import secrets
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx

from ..unit.chat_client import message
from .live_workers import LiveWorker
from .processes import PATIENCE
from .thread_view import Frame, View, brief, parse_frame, text_of

_SSL = ssl.create_default_context()
"""Unused, but otherwise each client would create its own."""


class RefusedError(Exception):
    """The response to a request has an error status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.is_passing = status == 503
        """Whether the request may be tried again."""


class StreamEndedError(Exception):
    """A stream ended before the awaited event."""


class Stream:
    """Reads server-sent events, and applies them to a view of the thread."""

    def __init__(self, person: Person, url: str, body: dict[str, Any], view: View) -> None:
        self._person = person
        self.view = view
        self.frames: list[Frame] = []
        self.status: int | None = None
        self.text = ""
        """The whole response, if it is not a stream."""
        self.failure: BaseException | None = None
        self.was_closed = False
        """Whether the client closed the connection."""
        self._changed = asyncio.Event()
        self._reading = asyncio.create_task(self._read(url, body))

    @property
    def has_ended(self) -> bool:
        return self._reading.done()

    @property
    def was_cut(self) -> bool:
        """Whether the connection was lost."""
        return isinstance(self.failure, httpx.TransportError)

    async def until(self, happened: Callable[[View], Any]) -> None:
        """Wait until the view meets a condition."""
        await self._wait(lambda: happened(self.view))

    async def opened(self) -> Stream:
        """Wait for the first event."""
        await self._wait(lambda: self.frames)
        return self

    async def begun(self) -> None:
        """Wait until the server has accepted the request."""
        await self._wait(lambda: self.status is not None)
        if self.status != 200:
            await self.end()

    async def changed(self, seconds: float) -> None:
        """Wait until something arrives, for a maximum number of seconds."""
        self._changed.clear()
        if not self.has_ended:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._changed.wait(), seconds)

    async def end(self) -> Stream:
        """Wait for the end of the stream."""
        await asyncio.wait_for(asyncio.wait([self._reading]), PATIENCE)
        self._raise()
        return self

    async def close(self) -> None:
        """Close the connection."""
        self.was_closed = True
        self._reading.cancel()
        await asyncio.wait([self._reading])
        self._raise()

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [frame.data for frame in self.frames if frame.data and frame.type == kind]

    def _raise(self) -> None:
        if self.failure is not None and not self.was_cut:
            raise self.failure

    async def _wait(self, happened: Callable[[], Any]) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE
        while not happened():
            self._raise()
            if self.has_ended:
                raise StreamEndedError(self.frames[-3:], self.failure)
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), deadline - loop.time())
            except asyncio.TimeoutError:
                raise AssertionError(f"It did not happen: {self.frames[-3:]}") from None

    async def _read(self, url: str, body: dict[str, Any]) -> None:
        try:
            async with (
                self._person.http() as http,
                http.stream("POST", url, json=body) as response,
            ):
                self.status = response.status_code
                self._changed.set()
                self._person.cookies.update(http.cookies)
                if not response.is_success:
                    self.text = (await response.aread()).decode()
                    raise RefusedError(response.status_code, self.text)
                rest = bytearray()
                async for chunk in response.aiter_bytes():
                    searched = max(0, len(rest) - 1)
                    rest += chunk
                    while (end := rest.find(b"\n\n", searched)) >= 0:
                        frame = parse_frame(rest[:end].decode())
                        del rest[: end + 2]
                        searched = 0
                        self.frames.append(frame)
                        self.view.apply(frame)
                    self._changed.set()
                assert not rest, "an event is sent whole"
        except Exception as error:
            self.failure = error
        finally:
            self._changed.set()


class Person:
    """A user with a browser, who may use any of the servers."""

    def __init__(self, cookies: dict[str, str] | None = None) -> None:
        self.cookies: dict[str, str] = cookies or {}

    def http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            trust_env=False, cookies=self.cookies, timeout=PATIENCE, verify=_SSL
        )

    async def post(
        self, worker: LiveWorker, kind: str, /, *, metadata: Any = None, **params: Any
    ) -> httpx.Response:
        body = {"type": kind, "params": params, "metadata": metadata or {}}
        async with self.http() as http:
            response = await http.post(worker.url, json=body)
            self.cookies.update(http.cookies)
        return response

    async def get(self, worker: LiveWorker, kind: str, /, **params: Any) -> Any:
        response = await self.post(worker, kind, **params)
        if not response.is_success:
            raise RefusedError(response.status_code, response.text)
        return response.json()

    async def upload(self, worker: LiveWorker, name: str, data: bytes) -> str:
        """Upload a text file, and return its ID."""
        url = f"{worker.address}/attachments"
        async with self.http() as http:
            response = await http.post(url, files={"file": (name, data, "text/plain")})
        return str(response.raise_for_status().json()["id"])

    def ask(
        self,
        worker: LiveWorker,
        text: str,
        thread_id: str = "",
        *,
        view: View | None = None,
        **metadata: Any,
    ) -> Stream:
        """Ask in a new or existing thread. The answer continues without the client."""
        params: dict[str, Any] = {"input": message(text)}
        kind = "threads.create"
        if thread_id:
            kind = "threads.add_user_message"
            params["thread_id"] = thread_id
        metadata = {"detached": True, "request_id": secrets.token_hex(8), **metadata}
        body = {"type": kind, "params": params, "metadata": metadata}
        return Stream(self, worker.url, body, view or View())

    def approve(
        self, worker: LiveWorker, card: dict[str, Any], *, view: View, **metadata: Any
    ) -> Stream:
        """Approve a card's call. The answer continues without the client."""
        params = {
            "thread_id": card["thread_id"],
            "item_id": card["id"],
            "action": card["widget"]["confirm"]["action"],
        }
        metadata = {"detached": True, "request_id": secrets.token_hex(8), **metadata}
        body = {"type": "threads.custom_action", "params": params, "metadata": metadata}
        return Stream(self, worker.url, body, view)

    def follow(
        self,
        worker: LiveWorker,
        thread_id: str,
        *,
        after: str | None = None,
        view: View | None = None,
        **params: Any,
    ) -> Stream:
        params = {"thread_id": thread_id, "after": after, **params}
        body = {"type": "threads.follow", "params": params, "metadata": {}}
        return Stream(self, worker.url, body, view or View())

    async def items(self, worker: LiveWorker, thread_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        after = None
        while True:
            page = await self.get(
                worker,
                "items.list",
                thread_id=thread_id,
                order="asc",
                limit=100,
                after=after,
                metadata={"turn_ends": True},
            )
            found += page["data"]
            if not page["has_more"]:
                return found
            after = page["after"]

    async def state(self, worker: LiveWorker, thread_id: str) -> str | None:
        """Return the state of a thread's turn in the list of threads."""
        listed = await self.get(worker, "threads.list", limit=100)
        (turn,) = (each["turn"] for each in listed["data"] if each["id"] == thread_id)
        return None if turn is None else str(turn["state"])

    async def stop(self, worker: LiveWorker, thread_id: str, **params: Any) -> str:
        answer = await self.get(worker, "threads.stop", thread_id=thread_id, **params)
        return str(answer["status"])

    async def recall(self, worker: LiveWorker, thread_id: str) -> list[Any]:
        """Return the model's input in a thread: roles, texts, calls and results."""
        stream = await self.ask(worker, "recall", thread_id).end()
        answers = [text_of(each["item"]) for each in stream.of_type("thread.item.done")]
        remembered: list[Any] = json.loads(answers[-1])
        return remembered


async def check_equal_to_fresh_load(
    person: Person, worker: LiveWorker, thread_id: str, view: View
) -> None:
    """Compare a client's view with the stored thread and with a new client's view."""
    stored = await person.items(worker, thread_id)
    held = list(view.items.values())
    assert held == stored[-len(held) :], f"held: {brief(held)}, stored: {brief(stored)}"
    fresh = await person.follow(worker, thread_id, limit=100).opened()
    await fresh.close()
    assert list(fresh.view.items.values()) == stored[-100:]
    assert fresh.view.turn is not None
    assert view.turn is not None
    for name in ("id", "state"):
        assert view.turn[name] == fresh.view.turn[name]
    assert view.thread == fresh.view.thread, (view.thread, fresh.view.thread)
    assert {k: v.model_dump() for k, v in view.open.items()} == {
        k: v.model_dump() for k, v in fresh.view.open.items()
    }
