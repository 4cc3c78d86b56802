"""Answers an agent's requests: approvals, client tools and questions."""

from __future__ import annotations

from typing import Any

from agent_framework import (
    tool,
)

from .chat_client import Browser


class Bank:
    """A tool that requires approval, and its payments."""

    def __init__(self) -> None:
        self.paid: list[int] = []

        @tool(approval_mode="always_require")
        def pay(amount: int) -> str:
            """Pay an amount."""
            self.paid.append(amount)
            return f"paid {amount}"

        self.pay = pay


def asked(answering: Any, call: int = -1) -> list[tuple[str, str]]:
    """Return the roles, and the texts or results, in a request to an agent's model."""
    return [
        (message.role, content.text or str(content.result or content.type))
        for message in answering.client.asked[call]
        for content in message.contents
    ]


async def cards(browser: Browser) -> list[dict[str, Any]]:
    return [item for item in await browser.items() if item["type"] == "widget"]


def payload(card: dict[str, Any], button: str = "confirm") -> Any:
    return card["widget"][button]["action"]


async def click(browser: Browser, card: dict[str, Any], button: str = "confirm") -> list[Any]:
    return await act(browser, card["id"], payload(card, button))


async def act(browser: Browser, item_id: str | None, action: Any) -> list[Any]:
    return await browser.stream(
        "threads.custom_action", thread_id=browser.thread_id, item_id=item_id, action=action
    )


async def output(browser: Browser, result: Any) -> list[Any]:
    return await browser.stream(
        "threads.add_client_tool_output", thread_id=browser.thread_id, result=result
    )


async def reply(browser: Browser, form: dict[str, Any], submission: dict[str, Any]) -> list[Any]:
    return await browser.stream(
        "threads.add_structured_input",
        thread_id=browser.thread_id,
        item_id=form["id"],
        input=submission,
    )
