"""How much a request may hold, and how long it may take to arrive."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from agent_framework import Message
from chatkit.types import AudioInput, TranscriptionResult
from hypothesis import given
from hypothesis import strategies as st

from agent_framework_chatkit import AgentChatKitServer, ThreadItemConverter, create_app
from agent_framework_chatkit.http import body as body_module
from agent_framework_chatkit.server.requests import (
    MAX_DEPTH,
    MAX_ELEMENTS,
    RequestTooComplexError,
    check_complexity,
)
from agent_framework_chatkit.stores import AttachmentStore, SQLStore

from .chat_client import Browser, message
from .scripted_agent import agent, said, text

MB = 1024 * 1024


class Hearing(AgentChatKitServer[Any]):
    async def transcribe(self, audio_input: AudioInput, context: Any) -> TranscriptionResult:
        return TranscriptionResult(text=f"{len(audio_input.data)} bytes")


@asynccontextmanager
async def chat(tmp_path: Path, answering: Any = None, **limits: Any) -> AsyncIterator[Browser]:
    async with SQLStore[Any]("sqlite://") as store:
        files = AttachmentStore[Any](tmp_path, metadata=store, secret="s", **limits)
        answering = answering or agent(*[[text("Hi")] for _ in range(9)])
        browser = Browser(create_app(Hearing(answering, store, files)))
        async with browser.http:
            await browser.get("threads.list")
            yield browser


async def status(browser: Browser, body: bytes) -> int:
    headers = {"content-type": "application/json"}
    response = await browser.http.post("/chatkit", content=body, headers=headers)
    if response.status_code >= 400:
        assert len(response.json()["error"]) < 2_000
    return response.status_code


def listing(metadata: str) -> bytes:
    return b'{"type":"threads.list","params":{},"metadata":{"a":%b}}' % metadata.encode()


# Values


@pytest.mark.parametrize(
    "body",
    [
        listing("[" + ",".join(["[]"] * 300_000) + "]"),
        listing("[" + ",".join(["[]"] * 30_000) + "]"),
        listing("[" + ",".join(["0"] * 30_000) + "]"),
        listing("{" + ",".join(f'"{i}":0' for i in range(15_000)) + "}"),
        listing("[" + ",".join(['""'] * 30_000) + "]"),
        # What is not JSON either.
        listing('",' * 90_000),
        listing("[" * 101 + "]" * 101),
        listing("[" * 200_000),
        listing('{"a":' * 101 + "0" + "}" * 101),
        listing('["\\\\",' * 101 + "0" + "]" * 101),
    ],
    ids=lambda body: f"{body[40:60]!r} {len(body)}",
)
async def test_a_request_of_many_or_deep_values_is_refused(body: bytes, tmp_path: Path) -> None:
    async with chat(tmp_path) as browser:
        assert await status(browser, body) == 413
        await browser.ask("And now?")


@pytest.mark.parametrize(
    "words",
    [
        "," * 100_000,
        "[" * 100_000,
        '["a", {"b": 1}]' * 10_000,
        '"' * 100_000,
        "\\" * 100_000,
        '\\"[' * 100_000,
        "a,b\n" * 50_000,
    ],
    ids=lambda words: words[:8],
)
async def test_a_text_may_hold_what_it_likes(words: str, tmp_path: Path) -> None:
    async with chat(tmp_path) as browser:
        await browser.ask(words)
        assert (await browser.items())[0]["content"][0]["text"] == words


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=30,
)


def depth_of(value: Any) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0


def marks_of(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(2 + marks_of(each) for each in value.values())
    return 1 + sum(1 + marks_of(each) for each in value) if isinstance(value, list) else 0


@given(value=JSON, limit=st.integers(1, 40), deepest=st.integers(1, 5))
def test_values_are_counted_outside_of_texts(value: Any, limit: int, deepest: int) -> None:
    body = json.dumps(value)
    with pytest.MonkeyPatch.context() as patched:
        module = "agent_framework_chatkit.server.requests"
        patched.setattr(f"{module}.MAX_ELEMENTS", limit)
        patched.setattr(f"{module}.MAX_DEPTH", deepest)
        try:
            check_complexity(body)
        except RequestTooComplexError:
            assert marks_of(value) > limit or depth_of(value) > deepest
        else:
            assert depth_of(value) <= deepest
            # The last value of a list or object has no comma after it.
            assert marks_of(value) <= 2 * limit + 1


def test_as_much_as_is_allowed_is_allowed() -> None:
    check_complexity("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    check_complexity(b"[" + b"0," * (MAX_ELEMENTS - 1) + b"0]")
    with pytest.raises(RequestTooComplexError, match="many"):
        check_complexity(bytearray(b"[" + b"0," * MAX_ELEMENTS + b"0]"))
    with pytest.raises(RequestTooComplexError, match="deep"):
        check_complexity("[" * (MAX_DEPTH + 1))


# Bytes


def long(kind: str, **params: Any) -> bytes:
    return json.dumps({"type": kind, "params": params}, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (long("threads.create", input=message("x" * 900_000)), 200),
        (long("threads.create", input=message("x" * MB)), 413),
        (long("threads.list") + b" " * MB, 413),
        (long("threads.list") + b" " * 40 * MB, 413),
        (long("input.transcribe", audio_base64="A" * 15 * MB, mime_type="audio/webm"), 200),
        (long("input.transcribe", audio_base64="A" * 16 * MB, mime_type="audio/webm"), 413),
        # What names a type elsewhere is not of that type.
        (long("threads.list", x="input.transcribe", y="A" * 2 * MB), 413),
        (b'{"input.transcribe":"' + b"A" * 2 * MB, 400),
        (b'["input.transcribe","' + b"A" * 2 * MB + b'"]', 413),
        # One wide character makes each character of a text take four bytes.
        (long("input.transcribe", audio_base64="A" * 5 * MB + "😀", mime_type="a/b"), 413),
        (long("input.transcribe", audio_base64="A" * 5 * MB, mime_type="\\u"), 413),
    ],
    ids=lambda value: f"{value[:30]!r} {len(value)}" if isinstance(value, bytes) else str(value),
)
async def test_a_request_may_have_so_many_bytes(body: bytes, expected: int, tmp_path: Path) -> None:
    async with chat(tmp_path) as browser:
        assert await status(browser, body) == expected


async def test_the_output_of_a_client_tool_may_be_long(tmp_path: Path) -> None:
    async with chat(tmp_path) as browser:
        output = {"thread_id": "thr_none", "result": "a, b\n" * MB}
        assert await status(browser, long("threads.add_client_tool_output", **output)) == 404


async def test_an_app_may_allow_longer_requests() -> None:
    async with SQLStore[Any]("sqlite://") as store:
        server = AgentChatKitServer(agent([text("Hi")]), store)
        browser = Browser(create_app(server, max_request_size=3 * MB))
        assert await status(browser, long("threads.create", input=message("x" * 2 * MB))) == 200
        assert await status(browser, long("threads.create", input=message("x" * 3 * MB))) == 413
        await browser.http.aclose()


# Time


class Slow:
    """A body that comes in pieces, and whose last one is long in coming."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece
        await asyncio.sleep(60)


def stored(folder: Path, data: bytes) -> bool:
    return any(path.is_file() and data in path.read_bytes() for path in folder.rglob("*"))


async def test_a_body_that_does_not_come_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_module, "GRACE", 0.05)
    async with chat(tmp_path) as browser:
        params = {"name": "a.txt", "size": 100, "mime_type": "text/plain"}
        created = await browser.get("attachments.create", **params)
        url = created["upload_descriptor"]["url"]
        part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nabc'
        for method, path, kind, pieces in (
            ("POST", "/chatkit", "application/json", [b'{"type":', b'"threads.list"']),
            ("POST", "/attachments", "multipart/form-data; boundary=x", [part]),
            ("PUT", url, "text/plain", [b"abc"]),
        ):
            response = await browser.http.request(
                method, path, content=Slow(*pieces), headers={"content-type": kind}
            )
            assert response.status_code == 408
            assert response.json()["error"]
        assert not stored(tmp_path, b"abc")


async def test_a_body_that_comes_steadily_may_take_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_module, "GRACE", 0.05)
    monkeypatch.setattr(body_module, "SLOWEST", 1)

    async def steadily() -> AsyncIterator[bytes]:
        for byte in long("threads.list"):
            yield bytes([byte])
            await asyncio.sleep(0.01)

    async with chat(tmp_path) as browser:
        headers = {"content-type": "application/json"}
        response = await browser.http.post("/chatkit", content=steadily(), headers=headers)
        assert response.status_code == 200


# Pages and ids


@pytest.mark.parametrize("limit", [2**63, 10**30, 1_000, 101, -1, 0])
async def test_a_page_has_so_many_items_at_most(limit: int, tmp_path: Path) -> None:
    async with chat(tmp_path) as browser:
        await browser.ask("Hello")
        for kind, params in (
            ("threads.list", {}),
            ("items.list", {"thread_id": browser.thread_id}),
        ):
            page = await browser.get(kind, limit=limit, **params)
            assert len(page["data"]) in (1, 2)


async def test_a_page_is_cut_at_its_limit(tmp_path: Path) -> None:
    async with SQLStore[Any]("sqlite://") as store:
        server = AgentChatKitServer(agent(*[[text("Hi")] for _ in range(102)]), store)
        browser = Browser(create_app(server))
        for _ in range(51):
            await browser.ask("Hello")
        page = await browser.get("items.list", thread_id=browser.thread_id, limit=2**63)
        assert len(page["data"]) == 100
        assert page["has_more"]
        await browser.http.aclose()


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_a_page_of_long_messages_is_shorter(order: str) -> None:
    async with SQLStore[Any]("sqlite://") as store:
        server = AgentChatKitServer(agent(*[[text("Hi")] for _ in range(12)]), store)
        browser = Browser(create_app(server))
        for number in range(12):
            await browser.ask(f"{number} {'x' * 900_000}")
        seen: list[str] = []
        after: str | None = None
        pages = 0
        while pages == 0 or after is not None:
            page = await browser.get(
                "items.list", thread_id=browser.thread_id, order=order, limit=100, after=after
            )
            assert len(json.dumps(page)) < 6 * MB
            pages += 1
            after = page["after"] if page["has_more"] else None
            seen += [item["content"][0]["text"].split()[0] for item in page["data"]]
        expected = [words for number in range(12) for words in (str(number), "Hi")]
        assert seen == (expected if order == "asc" else expected[::-1])
        assert pages == 3
        thread = await browser.get("threads.get_by_id", thread_id=browser.thread_id)
        assert thread["items"]["has_more"]
        await browser.http.aclose()


async def test_feedback_names_so_many_items_at_most(tmp_path: Path) -> None:
    async with chat(tmp_path) as browser:
        await browser.ask("Hello")
        params = {"thread_id": browser.thread_id, "kind": "negative"}
        response = await browser.post("items.feedback", item_ids=["i"] * 15_000, **params)
        assert response.status_code == 413
        assert "100" in response.json()["error"]
        await browser.get("items.feedback", item_ids=["i"] * 100, **params)


@pytest.mark.parametrize("name", ["x" * 300, "x" * 5_000, ".env", "a%00b", "a\\b", "%2e%2e"])
async def test_a_name_that_no_file_has_is_not_found(name: str, tmp_path: Path) -> None:
    async with chat(tmp_path) as browser:
        assert (await browser.http.get(f"/ui/{name}")).status_code == 404


# Files of a message


async def upload(browser: Browser, data: bytes) -> str:
    form = {"file": ("a.csv", data, "text/csv")}
    return str((await browser.http.post("/attachments", files=form)).json()["id"])


class Counting(AttachmentStore[Any]):
    reads: list[str]

    async def read_bytes(self, attachment_id: str, context: Any) -> bytes:
        self.reads.append(attachment_id)
        return await super().read_bytes(attachment_id, context)


async def test_a_file_named_many_times_is_one_file(tmp_path: Path) -> None:
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
    for told in said(answering):
        assert sum("a,b" in each for each in told) == 1


async def test_a_file_is_read_once_a_turn(tmp_path: Path) -> None:
    async with SQLStore[Any]("sqlite://") as store:
        files = Counting(tmp_path, metadata=store, secret="s")
        files.reads = []
        server = AgentChatKitServer(agent(), store, files)
        browser = Browser(create_app(server, authenticate=lambda _: "me"))
        attachment = await upload(browser, b"a,b")
        fetch = server.runner.converter({"user_id": "me"}).attachment_data_fetcher
        assert fetch is not None
        for _ in range(3):
            assert await fetch(attachment) == b"a,b"  # type: ignore[misc]
        assert files.reads == [attachment]
        await browser.http.aclose()


async def test_a_message_takes_so_many_files(tmp_path: Path) -> None:
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


async def test_the_files_of_a_message_have_so_many_bytes(tmp_path: Path) -> None:
    async with chat(tmp_path, max_message_size=5_000) as browser:
        ids = [await upload(browser, b"a" * 2_000) for _ in range(3)]
        response = await browser.post("threads.create", input=message("x", attachments=ids))
        assert response.status_code == 413
        assert "4 KiB" in response.json()["error"]
        await browser.ask("Look", attachments=ids[:2])
        # Announced and not yet there.
        params = {"name": "a.csv", "size": 4_000, "mime_type": "text/csv"}
        announced = (await browser.get("attachments.create", **params))["id"]
        assert await browser.stream_status("x", attachments=[ids[2], announced]) == 413


async def test_the_limit_of_a_message_is_never_below_that_of_a_file(tmp_path: Path) -> None:
    async with SQLStore[Any]("sqlite://") as store:
        large = AttachmentStore[Any](tmp_path, metadata=store, secret="s", max_size=100 * MB)
        assert large.max_message_size == 100 * MB


async def test_an_older_message_with_a_file_many_times_is_told_once() -> None:
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
    (told,) = await ThreadItemConverter(fetch).to_agent_input(item)
    assert isinstance(told, Message)
    assert len(told.contents) == 2
    assert reads == ["f"]
