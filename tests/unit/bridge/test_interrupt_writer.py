"""Requests to the user."""

from __future__ import annotations

import json
from typing import Any

import pytest
from agent_framework import Content
from chatkit.types import (
    ClientToolCallItem,
    ErrorEvent,
    StructuredInputItem,
    WidgetItem,
)

from agent_framework_chatkit import APPROVAL_ACTION, AgentResponseConverter

from ..thread_client import items_of
from .shown import call, errors, events, items, nothing_shown, result, tasks


async def widget(content: Content) -> tuple[dict[str, Any], str]:
    (item,) = await items(content)
    assert isinstance(item, WidgetItem)
    return json.loads(item.widget.model_dump_json()), item.copy_text or ""


async def test_approval_shows_call_and_sends_only_answer() -> None:
    requested = call("send_mail", id="r1", arguments='{"to": "a@b.test", "copies": 2}')
    card, copied = await widget(Content.from_function_approval_request("r1", requested))
    assert copied == "Approval needed: Send mail (send_mail)\nto: a@b.test\ncopies: 2"
    assert "a@b.test" in json.dumps(card["children"])
    for button, approved in (("confirm", True), ("cancel", False)):
        action = card[button]["action"]
        assert action["type"] == APPROVAL_ACTION
        assert action["payload"] == {"request_id": "r1", "approved": approved}


async def test_call_awaiting_approval_is_not_an_error() -> None:
    requested = call(id="r1")
    sent = await events(requested, Content.from_function_approval_request("r1", requested))
    (card,) = items_of(sent)
    assert isinstance(card, WidgetItem)
    assert not any(isinstance(event, ErrorEvent) for event in sent)


async def test_consent_card_links_to_page() -> None:
    card, copied = await widget(Content.from_oauth_consent_request("https://login.test/c?a=(b)"))
    assert "(<https://login.test/c?a=(b)>)" in json.dumps(card)
    assert "https://login.test/c?a=(b)" in copied


@pytest.mark.parametrize(
    ("link", "address"),
    [
        ("https://login.test:8443/c", "login.test:8443"),
        ("https://LOGIN.test", "login.test"),
        ("https://\u0430\u0440\u0440\u04cf\u0435.com/", "xn--80ak6aa92e.com"),
    ],
)
async def test_consent_names_the_address_so_that_no_other_looks_like_it(
    link: str, address: str
) -> None:
    card, _ = await widget(Content.from_oauth_consent_request(link))
    assert f"Give it at {address}, then" in json.dumps(card)


@pytest.mark.parametrize(
    "link",
    [
        "http://login.test/",
        "javascript:alert(1)",
        "",
        "https:///x",
        "https://x.test/\n",
        "https://login.test@evil.test/",
        "https://evil.test\\@login.test/",
        "https://x.test:port/",
        "https://[x/",
        "https://\u2060/",
    ],
)
async def test_consent_link_without_https_is_not_shown(
    link: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert nothing_shown(await items(Content.from_oauth_consent_request(link)))
    assert "consent" in caplog.text


@pytest.mark.parametrize(
    ("data", "question"),
    [
        ("Which city?", "Which city?"),
        ({"prompt": "Which city?"}, "Which city?"),
        (type("Ask", (), {"question": "Which city?"})(), "Which city?"),
        (None, "The assistant needs your input to continue."),
    ],
)
async def test_workflow_asks_questions(data: Any, question: str) -> None:
    arguments = {"request_id": "r1", "request_event": {"type": "request_info", "data": data}}
    sent = await events(call("request_info", "r1", arguments=arguments))
    (item,) = items_of(sent)
    assert isinstance(item, StructuredInputItem)
    assert [(each.id, each.question) for each in item.inputs] == [("r1", question)]
    assert not any(isinstance(event, ErrorEvent) for event in sent)


async def test_client_tool_is_called_by_browser() -> None:
    converter = AgentResponseConverter(client_tools=["get_weather"])
    (item,) = await items(call(), converter=converter)
    assert isinstance(item, ClientToolCallItem)
    assert (item.call_id, item.name, item.arguments, item.status) == (
        "c1",
        "get_weather",
        {"city": "Paris"},
        "pending",
    )


async def test_one_client_tool_is_called_at_a_time(caplog: pytest.LogCaptureFixture) -> None:
    converter = AgentResponseConverter(client_tools=["locate", "theme"])
    shown = await items(call("locate", "c1"), call("theme", "c2"), converter=converter)
    assert [item.name for item in shown if isinstance(item, ClientToolCallItem)] == ["locate"]
    assert "theme" in caplog.text


async def test_answered_client_tool_is_shown_like_other_tools() -> None:
    converter = AgentResponseConverter(client_tools=["get_weather"])
    (task,) = await tasks(call(), result(), converter=converter)
    assert task.status_indicator == "complete"


async def test_tool_without_implementation_is_an_error(caplog: pytest.LogCaptureFixture) -> None:
    (error,) = await errors(call("launch_rocket"))
    assert error.message.endswith("Launch rocket.")
    assert not error.allow_retry
    assert "client_tools" in caplog.text


@pytest.mark.parametrize("flag", ["hosted", "informational_only"])
async def test_hosted_tool_needs_no_result(flag: Any) -> None:
    properties: dict[str, Any] = {flag: True}
    assert await errors(call(**properties)) == []
