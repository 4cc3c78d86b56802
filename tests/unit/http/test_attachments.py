"""Files: from the browser's form to the agent, and back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent_framework_chatkit import AgentChatKitServer, create_app
from agent_framework_chatkit.http import app as app_module
from agent_framework_chatkit.stores import AttachmentStore, SQLStore

from ...fakes.scripted_agent import agent, said, text
from ..chat_client import Browser, message
from ..stores.files import let_age

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


@asynccontextmanager
async def chat(tmp_path: Path, answering: Any = None, **limits: Any) -> AsyncIterator[Browser]:
    async with SQLStore[Any]("sqlite://") as store:
        limits = {"max_size": 1_000, **limits}
        files = AttachmentStore[Any](tmp_path, metadata=store, secret="s", **limits)
        answering = answering or agent(*[[text("Hi")] for _ in range(9)])
        browser = Browser(create_app(AgentChatKitServer(answering, store, files)))
        async with browser.http:
            await browser.get("threads.list")
            yield browser


async def upload(browser: Browser, name: str, data: bytes, mime_type: str) -> httpx.Response:
    return await browser.http.post("/attachments", files={"file": (name, data, mime_type)})


async def test_file_is_uploaded_sent_and_read_by_the_agent(tmp_path: Path) -> None:
    answering = agent([text("Two rows.")])
    async with chat(tmp_path, answering) as browser:
        uploaded = (await upload(browser, "a.csv", b"a,b\n1,2", "text/csv")).json()
        assert (uploaded["type"], uploaded["name"]) == ("file", "a.csv")
        await browser.ask("Count", attachments=[uploaded["id"]])
        shown = (await browser.items())[0]["attachments"]
        assert [each["id"] for each in shown] == [uploaded["id"]]
    ((_, asked),) = said(answering)
    assert 'name="a.csv"' in asked
    assert "1,2" in asked


async def test_two_phase_upload(tmp_path: Path) -> None:
    async with chat(tmp_path) as browser:
        params = {"name": "a.png", "size": len(PNG), "mime_type": "image/png"}
        created = await browser.get("attachments.create", **params)
        descriptor = created["upload_descriptor"]
        early = await browser.stream_status("Look", attachments=[created["id"]])
        assert early == 409
        response = await browser.http.request(
            descriptor["method"],
            descriptor["url"],
            content=PNG,
            headers=descriptor.get("headers", {}),
        )
        assert response.status_code == 200
        assert "upload_descriptor" not in response.json()
        await browser.ask("Look", attachments=[created["id"]])
        preview = await browser.http.get(created["preview_url"])
        assert preview.content == PNG
        assert preview.headers["content-type"] == "image/png"
        assert preview.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in preview.headers["content-security-policy"]


async def test_file_is_for_owner_and_link_holders(tmp_path: Path) -> None:
    async with chat(tmp_path) as browser:
        uploaded = (await upload(browser, "a.png", PNG, "image/png")).json()
        path = f"/attachments/{uploaded['id']}"
        assert (await browser.http.get(path)).content == PNG
        stranger = Browser(browser.app)
        assert (await stranger.http.get(path)).status_code == 404
        assert (await stranger.http.get(f"{path}?token=forged")).status_code == 404
        assert (await stranger.http.get(uploaded["preview_url"])).content == PNG
        assert await stranger.stream_status("Mine", attachments=[uploaded["id"]]) == 404
        await stranger.http.aclose()


async def test_other_files_are_downloads(tmp_path: Path) -> None:
    async with chat(tmp_path) as browser:
        uploaded = (await upload(browser, "../../é.txt", b"hello", "text/plain")).json()
        assert "/" not in uploaded["name"]
        response = await browser.http.get(f"/attachments/{uploaded['id']}")
        assert response.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("data", "mime_type", "status"),
    [
        (b"x" * 1_001, "text/plain", 413),
        (b"x" * 100_000, "text/plain", 413),
        (b"MZ", "application/x-msdownload", 415),
        (b"not an image", "image/png", 415),
    ],
)
async def test_file_can_be_rejected(
    data: bytes, mime_type: str, status: int, tmp_path: Path
) -> None:
    async with chat(tmp_path) as browser:
        response = await upload(browser, "a", data, mime_type)
        assert response.status_code == status
        assert response.json()["error"]


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"", "multipart/form-data; boundary=x"),
        (b"--x\r\nnonsense", "multipart/form-data; boundary=x"),
        (b"", "multipart/form-data"),
        (b"file=1", "application/x-www-form-urlencoded"),
        (
            b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
        ),
    ],
)
async def test_request_without_file_is_rejected(
    content: bytes, media_type: str, tmp_path: Path
) -> None:
    async with chat(tmp_path) as browser:
        response = await browser.http.post(
            "/attachments", content=content, headers={"content-type": media_type}
        )
        assert response.status_code == 400


_FORM = (
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="abc-xyz"\r\n'
    b"Content-Type: text/plain\r\n\r\nx\r\n--x--\r\n"
)


@pytest.mark.parametrize(
    ("charset", "status"),
    [("utf-8", 200), ('"UTF8"', 200), ("punycode", 400), ('"punycode"', 400), ("utf-7", 400)],
)
async def test_form_is_utf8(charset: str, status: int, tmp_path: Path) -> None:
    """Python's decoder for Punycode takes minutes for a long field."""
    media_type = f"multipart/form-data; boundary=x; Charset={charset}"
    async with chat(tmp_path) as browser:
        response = await browser.http.post(
            "/attachments", content=_FORM, headers={"content-type": media_type}
        )
        assert response.status_code == status


async def test_headers_of_form_are_short(tmp_path: Path) -> None:
    """Python takes quadratic time to read the parameters of a header."""
    filler = b";" * 60_000
    parts = [
        (b'multipart/form-data; boundary=x; a="' + filler, _FORM),
        (b"multipart/form-data; boundary=x", _FORM.replace(b"abc-xyz", filler)),
        (
            b"multipart/form-data; boundary=x",
            _FORM.replace(b"--x\r\n", b"--x\r\n" + b"A: b\r\n" * 9),
        ),
    ]
    async with chat(tmp_path) as browser:
        for media_type, form in parts:
            response = await browser.http.post(
                "/attachments", content=form, headers=[(b"content-type", media_type)]
            )
            assert response.status_code == 400


async def test_files_are_deleted_with_thread(tmp_path: Path) -> None:
    async with chat(tmp_path) as browser:
        uploaded = (await upload(browser, "a.png", PNG, "image/png")).json()
        await browser.ask("Look", attachments=[uploaded["id"]])
        assert any(path.is_file() and PNG in path.read_bytes() for path in tmp_path.rglob("*"))  # noqa: ASYNC240 the test's own folder
        await browser.get("threads.delete", thread_id=browser.thread_id)
        assert not any(path.is_file() and PNG in path.read_bytes() for path in tmp_path.rglob("*"))  # noqa: ASYNC240 the test's own folder
        assert (await browser.http.get(uploaded["preview_url"])).status_code == 404


async def test_file_can_be_withdrawn(tmp_path: Path) -> None:
    async with chat(tmp_path) as browser:
        uploaded = (await upload(browser, "a.png", PNG, "image/png")).json()
        await browser.get("attachments.delete", attachment_id=uploaded["id"])
        assert (await browser.http.get(f"/attachments/{uploaded['id']}")).status_code == 404
        response = await browser.post("attachments.delete", attachment_id=uploaded["id"])
        assert response.status_code == 404


async def test_chat_without_attachments() -> None:
    async with SQLStore[Any]("sqlite://") as store:
        browser = Browser(create_app(AgentChatKitServer(agent(), store)))
        await browser.get("threads.list")
        assert (await upload(browser, "a", b"", "text/plain")).status_code == 404
        params = {"name": "a.png", "size": 1, "mime_type": "image/png"}
        assert (await browser.post("attachments.create", **params)).status_code == 404
        await browser.http.aclose()


async def test_old_image_gets_valid_link(tmp_path: Path) -> None:
    async with chat(tmp_path, url_lifetime=timedelta(seconds=3)) as browser:
        uploaded = (await upload(browser, "a.png", PNG, "image/png")).json()
        await browser.ask("Look", attachments=[uploaded["id"]])
        stranger = Browser(browser.app)
        stale = uploaded["preview_url"]
        while (await stranger.http.get(stale)).status_code == 200:
            await asyncio.sleep(0.2)
        thread = await browser.get("threads.get_by_id", thread_id=browser.thread_id)
        for item in ((await browser.items())[0], thread["items"]["data"][0]):
            (shown,) = item["attachments"]
            assert shown["id"] == uploaded["id"]
            assert (await stranger.http.get(shown["preview_url"])).content == PNG


async def test_unsent_uploads_are_cleaned_up_while_app_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_module, "CLEAN_UP_EVERY", 0.05)
    async with chat(tmp_path) as browser:
        kept = (await upload(browser, "kept.csv", b"1", "text/csv")).json()
        left = (await upload(browser, "left.csv", b"1", "text/csv")).json()
        await browser.ask("Look", attachments=[kept["id"]])
        let_age(tmp_path)
        async with browser.app.router.lifespan_context(browser.app):
            while (await browser.http.get(f"/attachments/{left['id']}")).status_code == 200:
                await asyncio.sleep(0.05)
            assert (await browser.http.get(f"/attachments/{kept['id']}")).content == b"1"


async def test_file_added_by_edit_belongs_to_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_module, "CLEAN_UP_EVERY", 0.05)
    async with chat(tmp_path) as browser:
        await browser.ask("Look")
        asked = (await browser.items())[0]["id"]
        added = (await upload(browser, "added.csv", b"1", "text/csv")).json()
        left = (await upload(browser, "left.csv", b"1", "text/csv")).json()
        body = {
            "type": "threads.retry_after_item",
            "params": {"thread_id": browser.thread_id, "item_id": asked},
            "metadata": {"input": message("Look here", attachments=[added["id"]])},
        }
        assert (await browser.http.post("/chatkit", json=body)).status_code == 200
        let_age(tmp_path)
        async with browser.app.router.lifespan_context(browser.app):
            while (await browser.http.get(f"/attachments/{left['id']}")).status_code == 200:
                await asyncio.sleep(0.05)
            assert (await browser.http.get(f"/attachments/{added['id']}")).content == b"1"
            await browser.get("threads.delete", thread_id=browser.thread_id)
            assert (await browser.http.get(f"/attachments/{added['id']}")).status_code == 404
