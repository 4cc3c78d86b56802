"""Edited messages."""

from __future__ import annotations

from typing import Any

from ...fakes.scripted_agent import agent, said, text
from ..chat_client import EVENT, Browser, chat, message


async def edit(browser: Browser, item_id: str, new: Any) -> Any:
    """Replace a message with another, and return the response."""
    params = {"thread_id": browser.thread_id, "item_id": item_id}
    body = {"type": "threads.retry_after_item", "params": params, "metadata": {"input": new}}
    return await browser.http.post("/chatkit", json=body)


async def test_edited_message_replaces_later_items() -> None:
    answering = agent([text("One")], [text("Two")], [text("Three")], [text("Other")])
    async with chat(answering) as browser:
        for question in ("1", "2", "3"):
            await browser.ask(question)
        second = (await browser.items())[2]
        response = await edit(browser, second["id"], message("two"))
        first: Any = EVENT.validate_json(response.text.splitlines()[0].removeprefix("data: "))
        assert (first.type, first.item.id) == ("thread.item.replaced", second["id"])
        assert await browser.transcript() == [
            ("user_message", "1"),
            ("assistant_message", "One"),
            ("user_message", "two"),
            ("assistant_message", "Other"),
        ]
        assert (await browser.items())[2]["created_at"] == second["created_at"]
    assert said(answering) == [("user", "1"), ("assistant", "One"), ("user", "two")]


async def test_rejected_edit_changes_nothing() -> None:
    async with chat(agent([text("One")])) as browser:
        await browser.ask("1")
        asked, answered = await browser.items()
        for item_id, new, status in (
            (asked["id"], {"text": "no message"}, 400),
            (asked["id"], message("1", attachments=["atc_none"]), 404),
            (answered["id"], message("1"), 400),
            ("msg_none", message("1"), 404),
        ):
            response = await edit(browser, item_id, new)
            assert response.status_code == status, response.text
        other = Browser(browser.app)
        async with other.http:
            other.thread_id = browser.thread_id
            assert (await edit(other, asked["id"], message("1"))).status_code == 404
        assert await browser.items() == [asked, answered]
