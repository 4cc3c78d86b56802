"""Clients can send only actions that a widget offers."""

from __future__ import annotations

from typing import Any

import pytest
from agent_framework import FunctionInvocationContext, tool
from chatkit.widgets import DynamicWidgetRoot

from agent_framework_chatkit import ThreadContext, action

from ...fakes.scripted_agent import agent, call, text
from ..chat_client import chat, of_type
from ..offering import use, use_at_once

BUY = {"type": "buy", "payload": {"price": 100, "item": {"id": "a"}}}


def button(offered: Any, **properties: Any) -> dict[str, Any]:
    return {"type": "Button", "label": "Buy", "onClickAction": offered, **properties}


def form(*fields: Any, offered: Any = BUY) -> dict[str, Any]:
    return {"type": "Form", "onSubmitAction": offered, "children": list(fields)}


NOTE = {"type": "Input", "name": "note"}
SIZE: dict[str, Any] = {
    "type": "Select",
    "name": "size",
    "options": [
        {"value": "s", "label": "S"},
        {"value": "m", "label": "M"},
        {"value": "l", "label": "L", "disabled": True},
    ],
}
OFF = {"type": "Input", "name": "note", "defaultValue": "x", "disabled": True}
TICKED = {"type": "Checkbox", "name": "gift", "defaultChecked": True, "disabled": True}
PRICE = {"type": "Input", "name": "price"}
GIFT = {"type": "Checkbox", "name": "gift"}
DAY = {"type": "DatePicker", "name": "day", "defaultValue": "2026-11-25T00:00:00"}
YEAR = {"type": "RadioGroup", "name": "year", "options": [{"value": 2026, "label": "2026"}]}
NO_OPTIONS = {"type": "RadioGroup", "name": "year"}
ROWS = {"type": "Chart", "series": [], "data": [{"onClickAction": {"type": "sell"}}]}
MANY = [{"type": "Input", "name": f"of.many.f{number}"} for number in range(30)]
FILLED = {"of": {"many": {f"f{number}": "x" for number in range(30)}}}
EXTRA = {f"extra {number}": [number] for number in range(5_000)}
DEEP = {"type": "Input", "name": "item.note"}
NEW = {"type": "Input", "name": "to.name"}
EDITABLE = {"type": "Text", "value": "x", "editable": {"name": "note"}}
OF_MENU = {"type": "pick", "payload": {"id": 1}}
MENU = {**SIZE, "onChangeAction": OF_MENU}
ITEM = {"id": "a"}
SAME = {"price": 100, "item": ITEM}

CASES: list[tuple[Any, str, Any, bool]] = [
    (button(BUY), "buy", SAME, True),
    (button(BUY), "buy", {"price": 100.0, "item": ITEM}, True),
    (button(BUY), "buy", {**SAME, "price": 1}, False),
    (button(BUY), "buy", {**SAME, "price": True}, False),
    (button(BUY), "buy", {**SAME, "more": 1}, False),
    (button(BUY), "buy", {"price": 100}, False),
    (button(BUY), "buy", {"price": 100, "item": {"id": "b"}}, False),
    (button(BUY), "buy", {"price": 100, "item": {"id": "a", "note": ""}}, False),
    (button(BUY), "buy", None, False),
    (button(BUY), "buy", [SAME], False),
    (button(BUY), "sell", SAME, False),
    (button(BUY, disabled=True), "buy", SAME, False),
    (button({"type": "buy"}), "buy", None, True),
    (button({"type": "buy"}), "buy", {"price": 1}, False),
    (button({"type": "buy", "payload": [1, {"a": "b"}]}), "buy", [1, {"a": "b"}], True),
    (button({"type": "buy", "payload": [1, 2]}), "buy", [1], False),
    (button({"type": "buy", "payload": 1}), "buy", 1, True),
    (button({"type": "buy", "payload": {"offer": {"type": "sell"}}}), "sell", None, False),
    (form(NOTE), "buy", {**SAME, "note": "x"}, True),
    (form(NOTE), "buy", SAME, True),
    (form(NOTE), "buy", {**SAME, "note": None}, True),
    (form(NOTE), "buy", {**SAME, "note": {"price": 1}}, False),
    (form(NOTE), "buy", {**SAME, "note": ["x"]}, False),
    (form(NOTE), "buy", {**SAME, "price": 1, "note": "x"}, False),
    (form(NOTE, button(BUY)), "buy", {**SAME, "note": "x"}, True),
    (form({"type": "Col", "children": [NOTE]}), "buy", {**SAME, "note": "x"}, True),
    (form(EDITABLE), "buy", {**SAME, "note": "x"}, True),
    (form({"type": "Icon", "name": "star"}), "buy", {**SAME, "star": "x"}, False),
    (form({"type": "Input", "name": ""}), "buy", {**SAME, "": "x"}, False),
    (form(PRICE), "buy", SAME, True),
    (form(PRICE), "buy", {**SAME, "price": 1}, False),
    (form(SIZE), "buy", {**SAME, "size": "m"}, True),
    (form(SIZE), "buy", {**SAME, "size": None}, True),
    (form(SIZE), "buy", {**SAME, "size": ["s", "m"]}, False),
    (form(SIZE), "buy", {**SAME, "size": ["s"]}, False),
    (form(SIZE), "buy", {**SAME, "size": "xl"}, False),
    (form(SIZE), "buy", {**SAME, "size": "l"}, False),
    (form({**SIZE, "defaultValue": "l"}), "buy", {**SAME, "size": "l"}, True),
    (form({**SIZE, "options": SIZE["options"][::-1] * 2}), "buy", {**SAME, "size": "l"}, False),
    (form({**SIZE, "options": []}), "buy", {**SAME, "size": "s"}, False),
    (form(YEAR), "buy", {**SAME, "year": "2026"}, True),
    (form(YEAR), "buy", {**SAME, "year": "2027"}, False),
    (form(NO_OPTIONS), "buy", {**SAME, "year": None}, True),
    (form(NO_OPTIONS), "buy", {**SAME, "year": "2026"}, False),
    (form(NOTE), "buy", {**SAME, "note": True}, False),
    (form(NOTE), "buy", {**SAME, "note": 1.5}, True),
    (form(EDITABLE), "buy", {**SAME, "note": True}, False),
    (form(GIFT), "buy", {**SAME, "gift": True}, True),
    (form(GIFT), "buy", {**SAME, "gift": False}, True),
    (form(GIFT), "buy", {**SAME, "gift": "true"}, False),
    (form(GIFT), "buy", {**SAME, "gift": 1}, False),
    (form(GIFT), "buy", {**SAME, "gift": None}, False),
    ({**GIFT, "onChangeAction": OF_MENU}, "pick", {"id": 1, "gift": True}, True),
    ({**GIFT, "onChangeAction": OF_MENU}, "pick", {"id": 1, "gift": "x"}, False),
    (form(DAY), "buy", {**SAME, "day": "2026-11-25T00:00:00"}, True),
    (form(DAY), "buy", {**SAME, "day": "2026-11-26T00:00:00.000+05:30"}, True),
    (form(DAY), "buy", {**SAME, "day": "2026-11-26"}, True),
    (form(DAY), "buy", {**SAME, "day": None}, True),
    (form(DAY), "buy", {**SAME, "day": "soon"}, False),
    (form(DAY), "buy", {**SAME, "day": "2026-02-30"}, False),
    (form(DAY), "buy", {**SAME, "day": "20261126"}, False),
    (form(DAY), "buy", {**SAME, "day": 0}, False),
    (ROWS, "sell", None, False),
    # Without a check of its size, the last payload takes many seconds.
    (form(*MANY), "buy", {**SAME, **FILLED}, True),
    (form(*MANY, *[button(BUY)] * 500), "buy", {**SAME, **FILLED, "price": 1}, False),
    (form(*MANY, *[button(BUY)] * 500), "buy", {**SAME, **FILLED, **EXTRA}, False),
    (form(OFF), "buy", SAME, True),
    (form(OFF), "buy", {**SAME, "note": "x"}, True),
    (form(OFF), "buy", {**SAME, "note": "y"}, False),
    (form(OFF), "buy", {**SAME, "note": None}, False),
    (form(OFF, NOTE), "buy", {**SAME, "note": "y"}, True),
    (form({**OFF, "defaultValue": None}), "buy", {**SAME, "note": ""}, True),
    (form({**SIZE, "disabled": True}), "buy", {**SAME, "size": "m"}, False),
    (form({**SIZE, "disabled": True, "defaultValue": "m"}), "buy", {**SAME, "size": "m"}, True),
    (form(TICKED), "buy", {**SAME, "gift": True}, True),
    (form(TICKED), "buy", {**SAME, "gift": False}, False),
    (form(DEEP), "buy", {"price": 100, "item": {"id": "a", "note": "x"}}, True),
    (form(DEEP), "buy", {"price": 100, "item": {"id": "b", "note": "x"}}, False),
    (form(NEW), "buy", {**SAME, "to": {"name": "x"}}, True),
    (form(NEW), "buy", {**SAME, "to": {"name": "x", "price": 1}}, False),
    (form(NEW), "buy", {**SAME, "to": "x"}, False),
    (form(NOTE, offered={"type": "buy"}), "buy", {"note": "x"}, True),
    (MENU, "pick", {"id": 1, "size": "m"}, True),
    (MENU, "pick", {"id": 1, "size": "xl"}, False),
    (MENU, "pick", {"id": 2, "size": "m"}, False),
    ({"type": "Col", "children": [NOTE, button(BUY)]}, "buy", {**SAME, "note": "x"}, False),
    ({"type": "Col", "children": [form(NOTE), button(BUY)]}, "buy", {**SAME, "note": "x"}, True),
    ({"type": "Text", "value": "x"}, "buy", SAME, False),
]


@pytest.mark.parametrize(("part", "kind", "payload", "is_taken"), CASES)
async def test_action_must_match_widgets_offer(
    part: Any, kind: str, payload: Any, is_taken: bool
) -> None:
    taken: list[Any] = []

    def handler(type: str) -> Any:
        @action(type)
        async def take(payload: Any, context: ThreadContext[Any]) -> None:
            taken.append(payload)

        return take

    @tool(approval_mode="never_require")
    async def show(ctx: FunctionInvocationContext) -> str:
        """Show it."""
        root = DynamicWidgetRoot.model_validate({"type": "Card", "children": [part]})
        await ThreadContext.of(ctx).stream_widget(root)
        return "shown"

    answering = agent([call("show")], [text("Here.")], tools=[show])
    handlers = [handler(each) for each in ("buy", "sell", "pick")]
    async with chat(answering, actions=handlers) as browser:
        await browser.ask("Show it")
        events = await use(browser, kind, payload)
        at_once = await use_at_once(browser, kind, payload)
        alone = await browser.stream(
            "threads.custom_action",
            thread_id=browser.thread_id,
            action={"type": kind, "payload": payload},
        )
    assert taken == ([payload, payload] if is_taken else [])
    assert len(of_type(events, "notice")) == (0 if is_taken else 1)
    assert at_once.status_code == (200 if is_taken else 400)
    assert len(of_type(alone, "notice")) == 1
