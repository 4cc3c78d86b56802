"""The files in an agent's history."""

from __future__ import annotations

import gc
import os
import sys
import tracemalloc
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from agent_framework import (
    AgentResponse,
    AgentResponseUpdate,
    AgentSession,
    Content,
    Message,
    ResponseStream,
)
from chatkit.types import UserMessageTagContent

from agent_framework_chatkit import AgentChatKitServer, ThreadItemConverter, create_app
from agent_framework_chatkit.stores import AttachmentStore, SQLStore
from agent_framework_chatkit.stores.attachments.file import AttachmentFile

from ...fakes.scripted_agent import agent, said, text
from ..chat_client import Browser, message
from ..live_client import ME, Gate, LiveClient, bury
from ..stores.files import stream

CSV = ("a.csv", b"a,b", "text/csv")
PDF = ("a.pdf", b"%PDF-1", "application/pdf")
PDF_URI = "data:application/pdf;base64,JVBERi0x"


class Files(AttachmentStore[Any]):
    def __init__(self, *args: Any, **properties: Any) -> None:
        super().__init__(*args, **properties)
        self.reads: list[str] = []
        self.is_broken = False

    async def open(self, attachment_id: str, **access: Any) -> AttachmentFile:
        if self.is_broken:
            raise OSError("The disk is gone.")
        self.reads.append(attachment_id)
        return await super().open(attachment_id, **access)


class Chat:
    """A chat on a worker that has read nothing yet, with an agent that answers anything."""

    def __init__(self, store: SQLStore[Any], files: Files, thread_id: str = "") -> None:
        self.files = files
        self.agent = agent(*[[text("Yes")] for _ in range(5)])
        self.server = AgentChatKitServer(self.agent, store, files)
        app = create_app(self.server, authenticate=lambda _: "me")
        self.browser = Browser(app)
        self.browser.thread_id = thread_id

    async def upload(self, *file: Any) -> str:
        response = await self.browser.http.post("/attachments", files={"file": file})
        return str(response.json()["id"])

    def read(self) -> list[str]:
        """Return the texts and data that the agent's model received last, without its answers."""
        asked = self.agent.client.asked[-1]  # type: ignore[attr-defined]
        contents = [each for said in asked if said.role == "user" for each in said.contents]
        return [each.text if each.type == "text" else each.uri for each in contents]


@asynccontextmanager
async def chat(folder: Path) -> AsyncIterator[tuple[SQLStore[Any], Chat]]:
    async with SQLStore[Any]("sqlite://") as store:
        yield store, Chat(store, Files(folder, metadata=store, secret="s"))


async def test_each_worker_reads_a_file_once_more(tmp_path: Path) -> None:
    async with chat(tmp_path) as (store, first):
        ids = [await first.upload(*CSV), await first.upload(*PDF)]
        await first.browser.ask("Look", attachments=ids)
        seen = first.read()
        csv, pdf = seen
        assert "a,b" in csv
        assert pdf == PDF_URI
        await first.browser.ask("More")
        assert first.read() == [*seen, "More"]
        await first.browser.ask("And more")
        assert first.files.reads == ids * 2
        second = Chat(store, first.files, first.browser.thread_id)
        await second.browser.ask("Again", attachments=ids)
        again = csv.replace("Look", "Again")
        assert second.read() == [*seen, "More", "And more", again, PDF_URI]
        assert first.files.reads == ids * 3


async def test_texts_that_no_model_can_read_become_data(tmp_path: Path) -> None:
    """More than 2 MiB in one message; a smaller file after them is text again."""
    csv = b"a,b\n" * 300_000
    async with chat(tmp_path) as (store, first):
        ids = [await first.upload(name, csv, "text/csv") for name in ("a.csv", "b.csv")]
        ids.append(await first.upload(*CSV))
        await first.browser.ask("Look", attachments=ids)
        seen = first.read()
        one, two, three = seen
        assert "a,b" in one
        assert two == f"data:text/csv;base64,{b64encode(csv).decode()}"
        assert "a,b" in three
        later = Chat(store, first.files, first.browser.thread_id)
        again = await later.upload("b.csv", csv, "text/csv")
        await later.browser.ask("More", attachments=[again])
        assert later.read() == [*seen, f"More\n\n<ATTACHMENT {two_as_text(csv)}"]


def two_as_text(csv: bytes) -> str:
    return f'name="b.csv" type="text/csv">\n{csv.decode()}\n</ATTACHMENT>'


class Wrapping(ThreadItemConverter):
    """A converter of an app that uses another one."""

    async def to_agent_input(self, thread_items: Any) -> list[Message]:
        return await ThreadItemConverter().to_agent_input(thread_items)


class Short(ThreadItemConverter):
    """A converter of an app that changes something else."""

    def tag_to_message_content(self, tag: UserMessageTagContent) -> Content:
        return Content.from_text(f"@{tag.text}")


@pytest.mark.parametrize("converter", [Short(), Wrapping()], ids=["derived", "wrapping"])
async def test_converter_of_app_reads_files(tmp_path: Path, converter: ThreadItemConverter) -> None:
    async with chat(tmp_path) as (store, first):
        first.server.item_converter = converter
        ids = [await first.upload(*CSV), await first.upload(*PDF)]
        await first.browser.ask("Look", attachments=ids)
        csv, pdf = first.read()
        assert "a,b" in csv
        assert pdf == PDF_URI
        asked, _ = await store.load_messages(first.browser.thread_id, ME)
        assert not any("a,b" in (content.text or "") for content in asked.contents)


async def test_fetcher_of_app_is_used(tmp_path: Path) -> None:
    async with chat(tmp_path) as (_, first):
        first.server.item_converter = ThreadItemConverter(lambda _: b"c,d")
        await first.browser.ask("Look", attachments=[await first.upload(*CSV)])
        (csv,) = first.read()
        assert "c,d" in csv


async def test_history_does_not_contain_the_file(tmp_path: Path) -> None:
    async with chat(tmp_path) as (store, first):
        ids = [await first.upload(*CSV), await first.upload(*PDF)]
        await first.browser.ask("Look", attachments=ids)
        asked, _ = await store.load_messages(first.browser.thread_id, ME)
        assert [content.text for content in asked.contents] == [
            "Look",
            '<ATTACHMENT name="a.csv" type="text/csv"></ATTACHMENT>',
            '<ATTACHMENT name="a.pdf" type="application/pdf"></ATTACHMENT>',
        ]


async def test_agent_reads_that_a_file_was_deleted(tmp_path: Path) -> None:
    async with chat(tmp_path) as (store, first):
        ids = [await first.upload(*CSV), await first.upload(*PDF)]
        await first.browser.ask("Look", attachments=ids)
        for attachment_id in ids:
            await first.browser.get("attachments.delete", attachment_id=attachment_id)
        second = Chat(store, first.files, first.browser.thread_id)
        for _ in range(2):
            await second.browser.ask("More")
            looked = second.read()[0]
            assert "a,b" not in looked
            assert looked.count("This file was deleted.") == 2


async def test_file_that_cannot_be_read_is_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with chat(tmp_path) as (store, first):
        ids = [await first.upload(*CSV)]
        await first.browser.ask("Look", attachments=ids)
        second = Chat(store, first.files, first.browser.thread_id)
        second.files.is_broken = True
        await second.browser.ask("More")
        assert "cannot be read at the moment" in second.read()[0]
        assert ids[0] in caplog.text
        second.files.is_broken = False
        await second.browser.ask("More")
        assert "a,b" in second.read()[0]


async def test_file_without_a_store_of_files(tmp_path: Path) -> None:
    async with chat(tmp_path) as (store, first):
        await first.browser.ask("Look", attachments=[await first.upload(*CSV)])
        second = Chat(store, None, first.browser.thread_id)  # type: ignore[arg-type]
        await second.browser.ask("More")
        assert "cannot be read at the moment" in second.read()[0]


async def test_file_of_dead_worker(tmp_path: Path) -> None:
    gate = Gate()
    url = f"sqlite:///{tmp_path}/chat.db"
    async with SQLStore[Any](url) as one, SQLStore[Any](url) as two:
        answering = agent([text("Part"), gate], [text("Yes.")])
        files = Files(tmp_path / "files", metadata=one, secret="s", base_url="http://chat")
        name, data, mime_type = CSV
        attachment = await files.upload(name, mime_type, stream(data), ME)
        dying = AgentChatKitServer(answering, one, files)
        client = LiveClient(dying)
        asked = message("Look", attachments=[attachment.id])
        answer = await client.send("threads.create", {"detached": True}, input=asked)
        created = await answer.next()
        client.thread_id = created["thread"]["id"]
        await answer.until("thread.item.added")
        await gate.is_reached.wait()
        client.server = AgentChatKitServer(answering, two, files)
        await bury(one, two)
        await (await client.ask("And?")).rest()
        (role, read) = said(answering)[0]
        assert role == "user"
        assert 'Look\n\n<ATTACHMENT name="a.csv" type="text/csv">\na,b\n</ATTACHMENT>' in read
        gate.may_go_on.set()
        await dying.close(grace=0)
        await client.server.close(grace=0)


class Idle:
    """An agent that does nothing with its input."""

    id = "idle"
    name: str | None = None
    description: str | None = None

    def create_session(self, *, session_id: str | None = None, **_: Any) -> AgentSession:
        return AgentSession(session_id=session_id)

    def get_session(self, service_session_id: Any, **_: Any) -> AgentSession:
        return AgentSession(service_session_id=service_session_id)

    def run(self, messages: Any = None, **_: Any) -> Any:
        async def answer() -> AsyncIterator[AgentResponseUpdate]:
            yield AgentResponseUpdate(contents=[text("Yes")], role="assistant", message_id="m1")

        return ResponseStream(answer(), finalizer=AgentResponse.from_updates)


@pytest.mark.parametrize(
    ("mime_type", "data", "size_for_agent"),
    [
        ("application/pdf", os.urandom(3_000_000), 4_000_000),
        ("text/plain", b"some text\n" * 300_000, 4_000_000),
        ("text/plain", "😀".encode() + b"a" * 3_000_000, 4_000_000),
        ("text/plain", b"some text\n" * 69_000, 2 * 690_000),
        ("text/plain", "немного слов\n".encode() * 28_000, 2 * 730_000),
        ("text/plain", b"\xff" * 690_000, 2 * 1_380_000),
        ("text/plain", "😀".encode() + b"a" * 690_000, 2 * 2_760_000),
        ("text/plain", b"\x01" * 690_000, 2 * 690_000),
    ],
)
async def test_files_take_little_memory(
    tmp_path: Path, mime_type: str, data: bytes, size_for_agent: int
) -> None:
    """The agent's content, once more if texts are joined, and a part of one file at a time."""
    async with SQLStore[Any]("sqlite://") as store:
        files = AttachmentStore[Any](tmp_path, metadata=store, secret="s")
        browser = Browser(create_app(AgentChatKitServer(Idle(), store, files)))
        await browser.get("threads.list")
        await browser.ask("Hello")
        form = {"file": ("a.txt", data, mime_type)}
        posted = [await browser.http.post("/attachments", files=form) for _ in range(3)]
        asked = message("Look", attachments=[each.json()["id"] for each in posted])
        params = {"thread_id": browser.thread_id, "input": asked}
        gc.collect()
        tracemalloc.start()
        try:
            await browser.stream("threads.add_user_message", **params)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
            await browser.http.aclose()
        # A string that grows is copied while coverage is measured.
        growing = 0 if sys.gettrace() is None else size_for_agent
        assert most < 3 * size_for_agent + growing + len(data) + 1_000_000
