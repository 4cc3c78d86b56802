"""Limits per owner."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from chatkit.types import AttachmentCreateParams, TranscriptionResult

from agent_framework_chatkit import (
    AgentChatKitServer,
    Quotas,
    ThreadContext,
    action,
    create_app,
)
from agent_framework_chatkit.stores import AttachmentError, AttachmentStore, SQLStore

from ...fakes.scripted_agent import agent, text
from ..chat_client import Browser, chat, message
from ..live_client import Gate


def answers(count: int) -> Any:
    return agent(*([text("Hi")] for _ in range(count)))


async def test_turns_per_minute_are_limited() -> None:
    async with chat(answers(4), quotas=Quotas(visitor_turns=2)) as browser:
        await browser.get("threads.list")
        await browser.ask("1")
        await browser.ask("2")
        params = {"thread_id": browser.thread_id, "input": message("3")}
        response = await browser.post("threads.add_user_message", **params)
        assert response.status_code == 429
        assert response.headers["retry-after"] == "60"
        assert "Wait a moment" in response.json()["error"]
        # Other requests do not count, and other owners are not affected.
        assert len(await browser.items()) == 4
        other = Browser(browser.app)
        assert len(await other.ask("1")) > 1


class Listening(AgentChatKitServer[Any]):
    """Takes dictation."""

    async def transcribe(self, audio_input: Any, context: Any) -> TranscriptionResult:
        return TranscriptionResult(text="Hello")


@pytest.mark.parametrize("kind", ["threads.sync_custom_action", "input.transcribe"])
async def test_actions_without_a_stream_and_dictation_count_as_turns(kind: str) -> None:
    @action("look", from_page=True)
    async def look(payload: None, context: ThreadContext[Any]) -> None:
        return

    quotas = Quotas(visitor_turns=2)
    async with chat(answers(1), server_class=Listening, quotas=quotas, actions=[look]) as browser:
        await browser.get("threads.list")
        await browser.ask("1")
        params: dict[str, dict[str, Any]] = {
            "threads.sync_custom_action": {
                "thread_id": browser.thread_id,
                "item_id": None,
                "action": {"type": "look", "payload": None},
            },
            "input.transcribe": {"audio_base64": "aaaa", "mime_type": "audio/webm"},
        }
        for status in (200, 429):
            assert (await browser.post(kind, **params[kind])).status_code == status


@pytest.mark.parametrize(("quotas", "status"), [(Quotas(turns=1), 429), (Quotas(), 200)])
async def test_authenticated_owners_have_separate_limits(quotas: Quotas, status: int) -> None:
    async with SQLStore[Any]("sqlite://") as store:
        server = AgentChatKitServer[Any](answers(2), store, quotas=quotas)
        browser = Browser(create_app(server, authenticate=lambda request: "ada"))
        assert await browser.stream_status("1") == 200
        assert await browser.stream_status("2") == status
        await server.close()


def held(gate: Gate) -> Any:
    """Return a function that creates an agent once the test opens a gate."""

    async def create(thread: Any, context: Any) -> Any:
        await gate()
        return answers(1)

    return create


async def test_open_streams_are_limited() -> None:
    gate = Gate()
    async with chat(held(gate), quotas=Quotas(visitor_streams=1)) as browser:
        # From now on the visitor is known.
        await browser.get("threads.list")
        first = asyncio.ensure_future(browser.ask("1"))
        await gate.is_reached.wait()
        response = await browser.post("threads.create", input=message("2"))
        assert response.status_code == 429
        assert "Close some tabs" in response.json()["error"]
        gate.may_go_on.set()
        await first
        await browser.ask("3")


def stranger(browser: Browser, address: str = "127.0.0.1") -> Browser:
    """A browser without cookies."""
    return Browser(browser.app, client=(address, 1))


async def test_clients_without_cookies_share_visitor_limits() -> None:
    async with chat(answers(6), quotas=Quotas(visitor_turns=2)) as browser:
        assert [await stranger(browser).stream_status("1") for _ in range(3)] == [200, 200, 429]
        # Other addresses, and visitors with a cookie, are not affected.
        assert await stranger(browser, "192.0.2.1").stream_status("1") == 200
        await browser.get("threads.list")
        await browser.ask("1")


async def test_streams_without_cookies_count_together() -> None:
    gate = Gate()
    async with chat(held(gate), quotas=Quotas(visitor_streams=1)) as browser:
        first = asyncio.ensure_future(stranger(browser).ask("1"))
        await gate.is_reached.wait()
        assert await stranger(browser).stream_status("2") == 429
        gate.may_go_on.set()
        await first


@pytest.mark.parametrize(
    ("same", "other"),
    [
        (["192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1"], "192.0.2.2"),
        (["2001:db8::1", "2001:db8::2", "2001:db8::ffff:1"], "2001:db8:0:1::1"),
        (["::ffff:192.0.2.1"] * 3, "::ffff:192.0.2.2"),
        (["/run/proxy.sock"] * 3, "192.0.2.1"),
    ],
)
async def test_new_visitors_per_address_are_limited(same: list[str], other: str) -> None:
    async with chat(answers(1), quotas=Quotas(new_visitors=2)) as browser:
        statuses = []
        known = stranger(browser, same[0])
        for each in (known, *(stranger(browser, address) for address in same[1:])):
            response = await each.post("threads.list")
            statuses.append(response.status_code)
        assert statuses == [200, 200, 429]
        assert "Allow cookies" in response.json()["error"]
        assert "set-cookie" not in response.headers
        for _ in range(3):
            await known.get("threads.list")
        await stranger(browser, other).get("threads.list")


async def test_images_in_pages_of_other_sites_use_up_no_limit(tmp_path: Path) -> None:
    """Browsers request them without the cookie."""
    async with SQLStore[Any]("sqlite://") as store:
        files = AttachmentStore[Any](tmp_path, metadata=store, secret="s" * 32)
        quotas = Quotas(new_visitors=1)
        server = AgentChatKitServer[Any](answers(1), store, files, quotas=quotas)
        browser = Browser(create_app(server))
        for token in ("", "?token=x"):
            for _ in range(3):
                response = await browser.http.get(f"/attachments/atc_1{token}")
                assert (response.status_code, response.headers.get("set-cookie")) == (404, None)
        await browser.get("threads.list")
        await server.close()


async def test_new_visitors_can_be_unlimited() -> None:
    async with chat(answers(1), quotas=Quotas(new_visitors=None)) as browser:
        for _ in range(400):
            assert (await stranger(browser).post("threads.list")).status_code == 200


async def known(browser: Browser, address: str = "127.0.0.1") -> Browser:
    """Return another browser with its own cookie."""
    other = stranger(browser, address)
    await other.get("threads.list")
    return other


async def test_collected_cookies_give_no_more_turns() -> None:
    async with chat(answers(9), quotas=Quotas(address_turns=2)) as browser:
        visitors = [await known(browser) for _ in range(3)]
        assert [await each.stream_status("1") for each in visitors] == [200, 200, 429]
        assert await stranger(browser).stream_status("1") == 429
        assert await (await known(browser, "192.0.2.1")).stream_status("1") == 200


async def test_collected_cookies_give_no_more_streams() -> None:
    gate = Gate()
    async with chat(held(gate), quotas=Quotas(address_streams=1)) as browser:
        first = asyncio.ensure_future((await known(browser)).ask("1"))
        await gate.is_reached.wait()
        other = await known(browser)
        response = await other.post("threads.create", input=message("2"))
        assert response.status_code == 429
        assert "in your network" in response.json()["error"]
        gate.may_go_on.set()
        await first
        await other.ask("3")


async def test_collected_cookies_give_no_more_uploads(tmp_path: Path) -> None:
    async with SQLStore[Any]("sqlite://") as store:
        files = AttachmentStore[Any](tmp_path, metadata=store, secret="s")
        server = AgentChatKitServer(answers(1), store, files, quotas=Quotas(address_uploads=12_000))
        browser = Browser(create_app(server))

        async def upload(visitor: Browser) -> int:
            form = {"file": ("a.txt", b"a" * 5_000, "text/plain")}
            return (await visitor.http.post("/attachments", files=form)).status_code

        async def announce(visitor: Browser, size: int = 3) -> int:
            params = {"name": "a.txt", "size": size, "mime_type": "text/plain"}
            return (await visitor.post("attachments.create", **params)).status_code

        assert await upload(await known(browser)) == 200
        assert await announce(await known(browser), 10**15) == 429
        assert await announce(await known(browser)) == 200
        assert await upload(await known(browser)) == 429
        assert await announce(await known(browser), 4_097) == 429
        assert await upload(await known(browser, "192.0.2.1")) == 200
        await server.close()


async def test_owners_with_login_have_no_limit_by_address() -> None:
    async with SQLStore[Any]("sqlite://") as store:
        quotas = Quotas(address_turns=0, address_streams=0)
        server = AgentChatKitServer[Any](answers(1), store, quotas=quotas)
        browser = Browser(create_app(server, authenticate=lambda request: "ada"))
        assert await browser.stream_status("1") == 200
        await server.close()


ADA = {"user_id": "ada"}
ROOM_FOR_TWO = pytest.mark.parametrize("limits", [{"max_files": 2}, {"max_stored": 5}])


def files_of(store: SQLStore[Any], folder: Path, **limits: Any) -> AttachmentStore[Any]:
    return AttachmentStore(
        folder, metadata=store, secret="s" * 32, base_url="http://chat", max_size=3, **limits
    )


async def part(data: bytes = b"ab") -> AsyncIterator[bytes]:
    yield data


async def cut_short() -> AsyncIterator[bytes]:
    yield b"a"
    raise ConnectionError


def announced(size: int = 2) -> AttachmentCreateParams:
    return AttachmentCreateParams(name="a.txt", size=size, mime_type="text/plain")


@ROOM_FOR_TWO
async def test_storage_per_owner_is_limited(tmp_path: Path, limits: dict[str, Any]) -> None:
    async with SQLStore[Any]("sqlite://") as store:
        files = files_of(store, tmp_path, **limits)
        first = await files.upload("a.txt", "text/plain", part(), ADA, 2)
        await files.create_attachment(announced(), ADA)
        for size in (2, None):
            with pytest.raises(AttachmentError, match="Delete chats"):
                await files.upload("c.txt", "text/plain", part(), ADA, size)
        with pytest.raises(AttachmentError, match="Delete chats"):
            await files.create_attachment(announced(), ADA)
        await files.upload("c.txt", "text/plain", part(), {"user_id": "bob"}, 2)
        # A rejected upload leaves nothing, and a deleted file frees its space.
        await files.delete_attachment(first.id, ADA)
        await store.delete_attachment(first.id, ADA)
        await files.upload("c.txt", "text/plain", part(), ADA, 2)


@ROOM_FOR_TWO
async def test_concurrent_uploads_count_together(tmp_path: Path, limits: dict[str, Any]) -> None:
    url = f"sqlite:///{tmp_path}/chat.db"
    async with SQLStore[Any](url) as one, SQLStore[Any](url) as two:
        workers = [files_of(store, tmp_path / "files", **limits) for store in (one, two)]
        outcomes = await asyncio.gather(
            *(
                worker.upload("a.txt", "text/plain", part(), ADA, 2)
                for worker in workers
                for _ in range(5)
            ),
            *(worker.create_attachment(announced(), ADA) for worker in workers for _ in range(5)),
            return_exceptions=True,
        )
        assert sum(isinstance(each, AttachmentError) for each in outcomes) == 18


@pytest.mark.parametrize("size", [2, None])
async def test_failed_upload_does_not_count(tmp_path: Path, size: int | None) -> None:
    async with SQLStore[Any]("sqlite://") as store:
        files = files_of(store, tmp_path, max_stored=3)
        for _ in range(2):
            with pytest.raises(ConnectionError):
                await files.upload("a.txt", "text/plain", cut_short(), ADA, size)
        # Until it arrives, an upload of unknown size counts as much as the largest possible file.
        entered, gate = asyncio.Event(), asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            entered.set()
            await gate.wait()
            yield b"a"

        uploading = asyncio.ensure_future(files.upload("b.txt", "text/plain", slow(), ADA))
        await entered.wait()
        with pytest.raises(AttachmentError, match="Delete chats"):
            await files.upload("a.txt", "text/plain", part(b"a"), ADA, 1)
        gate.set()
        await uploading
        await files.upload("a.txt", "text/plain", part(), ADA, 2)


async def test_cancelled_upload_does_not_count(tmp_path: Path) -> None:
    async with SQLStore[Any]("sqlite://") as store:
        files = files_of(store, tmp_path, max_files=1)
        entered = asyncio.Event()

        async def endless() -> AsyncIterator[bytes]:
            entered.set()
            await asyncio.Event().wait()
            yield b""

        uploading = asyncio.ensure_future(files.upload("b.txt", "text/plain", endless(), ADA))
        await entered.wait()
        uploading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await uploading
        await files.upload("a.txt", "text/plain", part(), ADA, 2)
