"""The files of a user's message."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from agent_framework import Message

from agent_framework_chatkit import AgentChatKitServer, ThreadItemConverter, create_app
from agent_framework_chatkit.stores import AttachmentStore, SQLStore
from agent_framework_chatkit.stores.attachments.file import AttachmentFile
from agent_framework_chatkit.stores.sql.turns import Turns

from ...fakes.scripted_agent import agent, said, text
from ..chat_client import Browser, message
from ..sized_chat import MB, chat


async def upload(browser: Browser, data: bytes) -> str:
    form = {"file": ("a.csv", data, "text/csv")}
    return str((await browser.http.post("/attachments", files=form)).json()["id"])


class Counting(AttachmentStore[Any]):
    reads: list[str]

    async def open(self, attachment_id: str, **access: Any) -> AttachmentFile:
        self.reads.append(attachment_id)
        return await super().open(attachment_id, **access)


async def test_repeated_file_counts_once(tmp_path: Path) -> None:
    answering = agent([text("One")], [text("Two")])
    async with SQLStore[Any]("sqlite://") as store:
        files = Counting(tmp_path, metadata=store, secret="s")
        files.reads = []
        browser = Browser(create_app(AgentChatKitServer(answering, store, files)))
        await browser.get("threads.list")
        attachment = await upload(browser, b"a,b")
        await browser.ask("Look", attachments=[attachment] * 40)
        assert [each["id"] for each in (await browser.items())[0]["attachments"]] == [attachment]
        assert files.reads == [attachment]
        edited = message("Look again", attachments=[attachment] * 40)
        request = {
            "type": "threads.retry_after_item",
            "params": {
                "thread_id": browser.thread_id,
                "item_id": (await browser.items())[0]["id"],
            },
            "metadata": {"input": edited},
        }
        assert (await browser.http.post("/chatkit", json=request)).status_code == 200
        assert len((await browser.items())[0]["attachments"]) == 1
        assert files.reads == [attachment] * 2
        await browser.http.aclose()
    for each in said(answering):
        assert sum("a,b" in part for part in each) == 1


async def test_files_per_message_are_limited(tmp_path: Path) -> None:
    async with chat(tmp_path, max_per_message=2) as browser:
        ids = [await upload(browser, b"a") for _ in range(3)]
        response = await browser.post("threads.create", input=message("x", attachments=ids))
        assert response.status_code == 413
        assert "2 files" in response.json()["error"]
        await browser.ask("Look", attachments=ids[:2])
        unknown = [f"atc_{i}" for i in range(1_000)]
        assert await browser.stream_status("x", attachments=unknown) == 413
        edit = {
            "type": "threads.retry_after_item",
            "params": {
                "thread_id": browser.thread_id,
                "item_id": (await browser.items())[0]["id"],
            },
            "metadata": {"input": message("x", attachments=ids)},
        }
        assert (await browser.http.post("/chatkit", json=edit)).status_code == 413


async def test_bytes_of_files_per_message_are_limited(tmp_path: Path) -> None:
    async with chat(tmp_path, max_message_size=5_000) as browser:
        ids = [await upload(browser, b"a" * 2_000) for _ in range(3)]
        response = await browser.post("threads.create", input=message("x", attachments=ids))
        assert response.status_code == 413
        assert "4 KiB" in response.json()["error"]
        await browser.ask("Look", attachments=ids[:2])
        # Announced, but not uploaded yet.
        params = {"name": "a.csv", "size": 4_000, "mime_type": "text/csv"}
        announced = (await browser.get("attachments.create", **params))["id"]
        assert await browser.stream_status("x", attachments=[ids[2], announced]) == 413


async def test_message_limit_is_at_least_file_limit(tmp_path: Path) -> None:
    async with SQLStore[Any]("sqlite://") as store:
        large = AttachmentStore[Any](tmp_path, metadata=store, secret="s", max_size=100 * MB)
        assert large.max_message_size == 100 * MB


async def test_repeated_file_of_older_message_is_sent_once() -> None:
    from chatkit.types import FileAttachment, UserMessageItem

    async def fetch(attachment_id: str) -> bytes:
        reads.append(attachment_id)
        return b"a,b"

    reads: list[str] = []
    file = FileAttachment(id="f", name="a.csv", mime_type="text/csv")
    item = UserMessageItem.model_validate(
        {
            "id": "m",
            "thread_id": "t",
            "created_at": "2026-01-01T00:00:00",
            "content": [{"type": "input_text", "text": "Look"}],
            "attachments": [file.model_dump()] * 40,
            "inference_options": {},
        }
    )
    (converted,) = await ThreadItemConverter(fetch).to_agent_input(item)
    assert isinstance(converted, Message)
    assert len(converted.contents) == 2
    assert reads == ["f"]


async def test_file_of_another_chat_is_refused(tmp_path: Path) -> None:
    """Deleting one of the chats would delete the other's file."""
    async with chat(tmp_path) as browser:
        attachment = await upload(browser, b"a,b")
        await browser.ask("Look", attachments=[attachment])
        first, browser.thread_id = browser.thread_id, ""
        response = await browser.post(
            "threads.create", input=message("x", attachments=[attachment])
        )
        assert response.status_code == 409
        assert "another chat" in response.json()["error"]
        await browser.ask("Hello")
        sent = {
            "thread_id": browser.thread_id,
            "input": message("x", attachments=[attachment]),
        }
        assert (await browser.post("threads.add_user_message", **sent)).status_code == 409
        await browser.get("threads.delete", thread_id=browser.thread_id)
        browser.thread_id = first
        await browser.ask("Look again", attachments=[attachment])
        assert (await browser.http.get(f"/attachments/{attachment}")).content == b"a,b"


async def test_two_chats_send_a_file_at_once(tmp_path: Path) -> None:
    async with chat(tmp_path) as browser:
        attachment = await upload(browser, b"a,b")
        asked = message("Look", attachments=[attachment])
        posted = [browser.post("threads.create", input=asked) for _ in range(2)]
        responses = await asyncio.gather(*posted)
        assert sorted(response.status_code for response in responses)[0] == 200
        assert len((await browser.get("threads.list"))["data"]) == 1


@pytest.mark.parametrize(("place", "step"), [(AttachmentStore, "confirm"), (Turns, "begin")])
async def test_repeated_request_with_file_is_answered_once(
    place: type[Any], step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with chat(tmp_path) as browser:
        request = {
            "type": "threads.create",
            "params": {"input": message("Look", attachments=[await upload(browser, b"a,b")])},
            "metadata": {"detached": True, "request_id": "a-request-of-this-page"},
        }
        responses: list[httpx.Response] = []
        taken = getattr(place, step)

        async def take_late(*given: Any) -> Any:
            monkeypatch.setattr(place, step, taken)
            # Another worker handles the same request meanwhile.
            responses.append(await browser.http.post("/chatkit", json=request))
            return await taken(*given)

        monkeypatch.setattr(place, step, take_late)
        responses.append(await browser.http.post("/chatkit", json=request))
        assert [response.status_code for response in responses] == [200, 200]
        assert len((await browser.get("threads.list"))["data"]) == 1
