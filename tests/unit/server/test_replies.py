"""Limits on the size of responses, and on the items that a request may name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent_framework_chatkit import AgentChatKitServer, create_app
from agent_framework_chatkit.stores import SQLStore

from ...fakes.scripted_agent import agent, text
from ..chat_client import Browser
from ..sized_chat import MB, chat


@pytest.mark.parametrize("limit", [2**63, 10**30, 1_000, 101, -1, 0])
async def test_items_per_page_are_limited(limit: int, tmp_path: Path) -> None:
    async with chat(tmp_path) as browser:
        await browser.ask("Hello")
        for kind, params in (
            ("threads.list", {}),
            ("items.list", {"thread_id": browser.thread_id}),
        ):
            page = await browser.get(kind, limit=limit, **params)
            assert len(page["data"]) in (1, 2)


async def test_page_ends_at_limit(tmp_path: Path) -> None:
    async with SQLStore[Any]("sqlite://") as store:
        server = AgentChatKitServer(agent(*[[text("Hi")] for _ in range(102)]), store)
        browser = Browser(create_app(server))
        for _ in range(51):
            await browser.ask("Hello")
        page = await browser.get("items.list", thread_id=browser.thread_id, limit=2**63)
        assert len(page["data"]) == 100
        assert page["has_more"]
        await browser.http.aclose()


async def test_title_has_limited_length(tmp_path: Path) -> None:
    async with chat(tmp_path) as browser:
        await browser.ask("Hello")
        thread = {"thread_id": browser.thread_id}
        assert (
            await browser.post("threads.update", **thread, title="é" * 1_001)
        ).status_code == 413
        await browser.get("threads.update", **thread, title="é" * 1_000)
        (listed,) = (await browser.get("threads.list"))["data"]
        assert listed["title"] == "é" * 1_000


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_page_of_long_messages_is_shorter(order: str) -> None:
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


async def test_items_per_feedback_are_limited(tmp_path: Path) -> None:
    async with chat(tmp_path) as browser:
        await browser.ask("Hello")
        params = {"thread_id": browser.thread_id, "kind": "negative"}
        response = await browser.post("items.feedback", item_ids=["i"] * 15_000, **params)
        assert response.status_code == 413
        assert "100" in response.json()["error"]
        await browser.get("items.feedback", item_ids=["i"] * 100, **params)


async def test_items_of_unknown_thread_are_not_found(tmp_path: Path) -> None:
    async with chat(tmp_path) as browser:
        await browser.ask("Hello")
        other = Browser(browser.app)
        for thread_id in (browser.thread_id, "thr_none", ""):
            refused = await other.post("items.list", thread_id=thread_id)
            assert refused.status_code == 404
            assert refused.json() == {"error": "There is no such thread, item or attachment."}


class Listening(AgentChatKitServer[Any]):
    async def transcribe(self, audio_input: Any, context: Any) -> Any:
        raise AssertionError("The server transcribes an invalid recording.")


async def test_request_that_does_not_fit_says_what_is_wrong() -> None:
    async with SQLStore[Any]("sqlite://") as store:
        browser = Browser(create_app(Listening(agent([text("Hi")]), store)))
        await browser.ask("Hello")
        thread = {"thread_id": browser.thread_id}
        mine, answer = [{"item_id": item["id"]} for item in await browser.items()]
        for kind, params, words in [
            ("threads.retry_after_item", answer, "a user's message"),
            ("threads.add_client_tool_output", {"result": 1}, "no longer open"),
            ("threads.claim_tool", mine, "metadata.page_id"),
            ("threads.sync_custom_action", mine | {"action": {"type": "buy"}}, "a widget"),
            (
                "threads.sync_custom_action",
                {"action": {"type": "approval.answer"}},
                "threads.custom_action",
            ),
        ]:
            refused = await browser.post(kind, **thread, **params)
            assert refused.status_code == 400
            assert words in refused.json()["error"]
        empty = {**thread, "item_id": ""}
        for kind, params in (
            ("threads.add_structured_input", {"input": {"answers": {}}}),
            ("threads.custom_action", {"action": {"type": "buy"}}),
        ):
            assert (await browser.post(kind, **empty, **params)).status_code == 404
        refused = await browser.post("input.transcribe", audio_base64="a", mime_type="audio/webm")
        assert (refused.status_code, refused.json()) == (
            400,
            {"error": "Send the recording in Base64."},
        )
        await browser.http.aclose()
