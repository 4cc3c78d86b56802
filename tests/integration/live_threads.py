"""Servers that share a database, and clients that follow threads on them."""

from __future__ import annotations

import asyncio
import copy
import json
import os
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from inspect import isawaitable
from pathlib import Path
from typing import Any

import httpx
from chatkit.types import ThreadItem, ThreadItemUpdatedEvent
from pydantic import TypeAdapter

from agent_framework_chatkit.bridge.item_updates import apply_update

from ..unit.chat_client import message
from .processes import ROOT, environment, free_port

_SSL = ssl.create_default_context()
"""Not used, but each client would make one of its own."""

PATIENCE = 60
"""How many seconds to wait for what should take a few: less than what ends the whole run."""

ITEM: TypeAdapter[ThreadItem] = TypeAdapter(ThreadItem)


class LiveWorker:
    """A server process with an address of its own."""

    def __init__(
        self,
        folder: Path,
        store: str,
        *,
        name: str = "a",
        command: tuple[str, ...] = (),
        agent: str = "scripted_answers",
        **variables: str,
    ) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.url = f"{self.address}/chatkit"
        self.folder = folder
        self._log = folder / f"log-{name}"
        programs = Path(sys.executable).parent
        serve = ("af-chatkit", "serve", f"tests.integration.{agent}:helper", "--store", store)
        self._command = [*(command or serve), "--port", str(self.port)]
        self._command[0] = str(programs / self._command[0])
        self._variables = {
            "CHATKIT_LEASE": "1",
            "CHATKIT_STORE": store,
            "CHATKIT_AGENT": f"tests.integration.{agent}:helper",
            "GATES": str(folder),
            **variables,
        }
        self.start()

    def start(self) -> None:
        with self._log.open("a") as output:
            self.process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env=environment(**self._variables),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def is_ready(self) -> bool:
        """Whether it takes connections."""
        assert self.process.poll() is None, self.log
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def open(self, gate: str) -> None:
        """Let the answers go on that wait for a gate."""
        (self.folder / gate).touch()

    @property
    def log(self) -> str:
        return self._log.read_text()

    def signal(self, number: signal.Signals) -> None:
        os.killpg(self.process.pid, number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.process.wait(PATIENCE)

    async def end(self) -> int:
        """Wait for the end of the process, and return its exit code."""
        return await asyncio.to_thread(self.process.wait, PATIENCE)

    async def memory(self) -> int:
        """Return how many bytes the process holds in memory, but for garbage."""
        self.process.send_signal(signal.SIGUSR1)
        await asyncio.sleep(1)
        status = Path(f"/proc/{self.process.pid}/statm")
        return int((await asyncio.to_thread(status.read_text)).split()[1]) * PAGE

    async def most_memory(self) -> int:
        """Return how many bytes the process has held in memory at most."""
        status = Path(f"/proc/{self.process.pid}/status")
        lines = (await asyncio.to_thread(status.read_text)).splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


PAGE = os.sysconf("SC_PAGESIZE")

PLAIN = ("uvicorn", "--factory", "tests.integration.scripted_answers:make_app")
"""Serves without `af-chatkit`, and one visitor as often as a test wants."""


@contextmanager
def workers(
    folder: Path, store: str, count: int = 2, **properties: Any
) -> Iterator[list[LiveWorker]]:
    """Run servers that share a database."""
    started = [LiveWorker(folder, store, name=str(number), **properties) for number in range(count)]
    try:
        deadline = time.monotonic() + PATIENCE
        while not all(each.is_ready for each in started):
            assert time.monotonic() < deadline, [each.log for each in started]
            time.sleep(0.1)
        yield started
    finally:
        for each in started:
            if each.process.poll() is None:
                each.kill()


async def until(happened: Callable[[], Any | Awaitable[Any]], what: object = None) -> Any:
    """Wait until something has happened, and return what `happened` returned."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE
    while True:
        found = happened()
        if isawaitable(found):
            found = await found
        if found:
            return found
        assert loop.time() < deadline, getattr(what, "log", what)
        await asyncio.sleep(0.05)


@dataclass(frozen=True)
class Frame:
    """A server-sent event.

    Attributes:
        id: What may be resumed after.
        data: What has happened; `None` for what only concerns the connection.
        retry: When to come back.
    """

    id: str | None
    data: dict[str, Any] | None
    retry: str | None = None

    @property
    def type(self) -> str:
        return "" if self.data is None else str(self.data["type"])


def parse_frame(text: str) -> Frame:
    fields: dict[str, str] = {}
    for line in text.split("\n"):
        name, _, value = line.partition(":")
        fields[name] = value.strip()
    data = json.loads(fields["data"]) if "data" in fields else None
    return Frame(fields.get("id"), data, fields.get("retry"))


@dataclass
class View:
    """What a client has of a thread, made of events, each of which must fit what came before."""

    thread: dict[str, Any] = field(default_factory=dict)
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    open: dict[str, ThreadItem] = field(default_factory=dict)
    turn: dict[str, Any] | None = None
    is_deleted: bool = False
    seen: list[str] = field(default_factory=list)
    """The ids of the events."""
    after: str | None = None
    """The id of the newest event."""

    def apply(self, frame: Frame) -> None:
        if frame.id is not None:
            if frame.type != "thread.state":
                assert frame.id not in self.seen, f"{frame.id} is told twice"
                self.seen.append(frame.id)
            self.after = frame.id
        if frame.data is not None:
            self._apply(frame.data)

    def _apply(self, event: dict[str, Any]) -> None:
        kind = event["type"]
        if kind == "thread.state":
            assert event["can_follow"] is True
            self.thread = event["thread"]
            self.items = {item["id"]: item for item in event["items"]["data"][::-1]}
            self.open = {item["id"]: ITEM.validate_python(item) for item in event["open_items"]}
            assert not self.items.keys() & self.open.keys()
            self.turn = event["turn"]
        elif kind in ("thread.created", "thread.updated"):
            self.thread = event["thread"]
        elif kind == "thread.item.added":
            item = ITEM.validate_python(event["item"])
            assert item.id not in self.open, "an item is added once"
            assert item.id not in self.items, "an item that is done is not added"
            self.open[item.id] = item
        elif kind == "thread.item.updated":
            assert event["item_id"] in self.open, "what is updated was added, and is not done"
            update = ThreadItemUpdatedEvent.model_validate(event).update
            apply_update(self.open[event["item_id"]], update)
        elif kind == "thread.item.done":
            item = event["item"]
            assert item["id"] not in self.items, "an item is done once"
            self.open.pop(item["id"], None)
            self.items[item["id"]] = item
        elif kind == "thread.item.replaced":
            assert event["item"]["id"] in self.items, "what is replaced is there"
            self.items[event["item"]["id"]] = event["item"]
        elif kind == "thread.item.removed":
            was = self.open.pop(event["item_id"], None), self.items.pop(event["item_id"], None)
            assert any(was), "what is removed was there"
        elif kind == "turn.updated":
            self.turn = event["turn"]
            assert self.turn is not None
            if self.turn["state"] != "running":
                assert not self.open, "when a turn ends, nothing is open"
        elif kind == "thread.deleted":
            self.is_deleted = True
        else:
            assert kind in ("stream_options", "progress_update", "notice", "error"), event

    @property
    def state(self) -> str | None:
        return None if self.turn is None else str(self.turn["state"])

    @property
    def turn_id(self) -> str | None:
        return None if self.turn is None else str(self.turn["id"])

    @property
    def texts(self) -> list[str]:
        """The texts of the messages that are done."""
        return [text_of(item) for item in self.items.values() if "content" in item]

    @property
    def open_text(self) -> str:
        """The text that is being written."""
        return "".join(
            text_of(item.model_dump()) for item in self.open.values() if hasattr(item, "content")
        )

    def copy(self) -> View:
        """Return the same view, for another stream to go on with."""
        return copy.deepcopy(self)

    @property
    def newest_question(self) -> str:
        asked = [item for item in self.items.values() if item["type"] == "user_message"]
        return text_of(asked[-1]) if asked else ""

    @property
    def newest_answer(self) -> str:
        """What was answered to the newest question, as far as it is done."""
        answer = ""
        for item in self.items.values():
            if item["type"] == "user_message":
                answer = ""
            elif item["type"] == "assistant_message":
                answer += text_of(item)
        return answer

    @property
    def newest_text(self) -> str:
        return self.open_text or (self.texts[-1] if self.texts else "")


def text_of(item: dict[str, Any]) -> str:
    return "".join(part["text"] for part in item.get("content", ()))


def brief(items: list[dict[str, Any]]) -> list[str]:
    """Return items in short, to show what differs."""
    return [f"{item['created_at']} {item['id']}: {text_of(item)[:80]!r}" for item in items]


class RefusedError(Exception):
    """A request was answered with an error's status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.is_passing = status == 503
        """Whether it may be tried again."""


class StreamEndedError(Exception):
    """A stream has ended before what was waited for has happened."""


class Stream:
    """Reads server-sent events, and keeps a view of the thread up to date with them."""

    def __init__(self, person: Person, url: str, body: dict[str, Any], view: View) -> None:
        self._person = person
        self.view = view
        self.frames: list[Frame] = []
        self.status: int | None = None
        self.text = ""
        """The whole reply, if it was no stream."""
        self.failure: BaseException | None = None
        self.was_closed = False
        """Whether we have gone away ourselves."""
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
        """Wait until the view is as wanted."""
        await self._wait(lambda: happened(self.view))

    async def opened(self) -> Stream:
        """Wait for the first event."""
        await self._wait(lambda: self.frames)
        return self

    async def begun(self) -> None:
        """Wait until it is known that the server has taken the request."""
        await self._wait(lambda: self.status is not None)
        if self.status != 200:
            await self.end()

    async def changed(self, seconds: float) -> None:
        """Wait until something has come, but not for longer than so many seconds."""
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
        """Go away."""
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
                raise AssertionError(f"It does not happen: {self.frames[-3:]}") from None

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
                rest = b""
                async for chunk in response.aiter_bytes():
                    *frames, rest = (rest + chunk).split(b"\n\n")
                    for each in frames:
                        frame = parse_frame(each.decode())
                        self.frames.append(frame)
                        self.view.apply(frame)
                    self._changed.set()
                assert rest == b"", "an event is sent whole"
        except Exception as error:
            self.failure = error
        finally:
            self._changed.set()


class Person:
    """Somebody with a browser, who uses any of the servers."""

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

    def ask(
        self,
        worker: LiveWorker,
        text: str,
        thread_id: str = "",
        *,
        view: View | None = None,
        **metadata: Any,
    ) -> Stream:
        """Ask in a new thread, or in one that is there; the answer goes on without us."""
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
        """Approve what a card asks for; the answer goes on without us."""
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
        """Return the state of a thread's turn, as the list of threads has it."""
        listed = await self.get(worker, "threads.list", limit=100)
        (turn,) = (each["turn"] for each in listed["data"] if each["id"] == thread_id)
        return None if turn is None else str(turn["state"])

    async def stop(self, worker: LiveWorker, thread_id: str, **params: Any) -> str:
        answer = await self.get(worker, "threads.stop", thread_id=thread_id, **params)
        return str(answer["status"])

    async def recall(self, worker: LiveWorker, thread_id: str) -> list[Any]:
        """Return what the model is told of a thread: roles, texts, calls and results."""
        stream = await self.ask(worker, "recall", thread_id).end()
        answers = [text_of(each["item"]) for each in stream.of_type("thread.item.done")]
        told: list[Any] = json.loads(answers[-1])
        return told


async def check_equal_to_fresh_load(
    person: Person, worker: LiveWorker, thread_id: str, view: View
) -> None:
    """Check that a client has what is stored, and what another has that begins now."""
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
