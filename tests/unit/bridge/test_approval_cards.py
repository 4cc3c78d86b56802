"""The call on the card is exactly the call that runs."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from agent_framework import Agent, Content, FunctionTool, tool
from hypothesis import given
from hypothesis import strategies as st

from agent_framework_chatkit import AgentResponseConverter, Decision
from agent_framework_chatkit.interrupts.calls import describe_tool, seal_of, tool_of, with_tool

from ...fakes.scripted_agent import agent, call, text
from ..answering import Bank, cards, click
from ..chat_client import chat, of_type

HOSTILE = (
    'ab "\\\n\r\t:{[0\u202e\u2066\u200b\u200d\u00ad\ufeff\u3164\ufe0f\U000e0041\x7f\ud800é👍日'
    "\u00a0\u2003\u202f\u3000\u2800"
)
UNSEEN = "\u202e\u2066\u200b\u00ad\ufeff\u3164\U000e0041\x7f\r\u2003\u2800"
hostile_text = st.text(HOSTILE, max_size=12) | st.text(st.characters(codec=None), max_size=6)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | hostile_text,
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(hostile_text, children, max_size=3)
    ),
    max_leaves=6,
)


def read(shown: str, *, is_name: bool = False) -> Any:
    """Return an argument's value on a card."""
    try:
        return shown if is_name and shown[0] != '"' else json.loads(shown, strict=False)
    except ValueError:
        return shown


def widget(form: Any) -> Any:
    assert form is not None
    return json.loads(form.widget.model_dump_json(exclude_none=True))


def fields(card: Any) -> list[tuple[str, str, bool]]:
    """Return the arguments on a card: name, value, and whether the argument is marked."""
    found = []
    for column in (each for each in card["children"] if each["type"] == "Col"):
        name, value = column["children"]
        line = name["children"] if name["type"] == "Row" else [name]
        assert value["key"] == "verbatim"
        found.append((line[0]["value"], value["value"], len(line) > 1))
    return found


def requested(arguments: Any, name: str = "pay") -> Content:
    called = Content.from_function_call("c1", name, arguments=arguments)
    return Content.from_function_approval_request("r1", called)


def shown(arguments: Any, name: str = "pay") -> Any:
    return AgentResponseConverter().approval_request_to_form(requested(arguments, name))


@given(st.dictionaries(hostile_text, values, max_size=4))
def test_card_shows_exact_call(arguments: dict[str, Any]) -> None:
    form = shown(json.dumps(arguments))
    on_card = fields(widget(form))
    read_back = [(read(name, is_name=True), read(value)) for name, value, _ in on_card]
    assert json.dumps(read_back) == json.dumps([list(each) for each in arguments.items()])
    for name, value, _ in on_card:
        assert not set(name + value) & set(UNSEEN)
    begins = [line for line in form.text.split("\n") if not line.startswith("    ")]
    assert len(begins) == 1 + len(arguments)


@given(values, values)
def test_different_values_look_different(one: Any, other: Any) -> None:
    as_shown = [fields(widget(shown({"v": each})))[0][1] for each in (one, other)]
    assert (as_shown[0] == as_shown[1]) == (json.dumps(one) == json.dumps(other))


def test_names_that_differ_in_case_stay_distinct() -> None:
    form = shown('{"name": "/etc/passwd", "Name": "harmless.txt"}')
    names = [(name, value) for name, value, _ in fields(widget(form))]
    assert names == [("name", "/etc/passwd"), ("Name", "harmless.txt")]
    assert "name: /etc/passwd\nName: harmless.txt" in form.text


def test_values_are_not_truncated() -> None:
    long = "x" * 50_000 + "; rm -rf /"
    form = shown({"command": long})
    assert fields(widget(form)) == [("command", long, False)]
    assert long in form.text


@pytest.mark.parametrize("value", ["5", "true", "null", "", " a", '"a"', "[1]", "NaN", "{"])
def test_text_differs_from_other_values(value: str) -> None:
    assert fields(widget(shown({"v": value})))[0][1] == json.dumps(value)


def test_values_with_different_spaces_look_different() -> None:
    ordinary, *others = (
        fields(widget(shown({"path": f"/data/2024{space}old"})))[0][1] for space in " \u00a0\u200a"
    )
    assert [ordinary, *others] == [
        "/data/2024 old",
        '"/data/2024\\u00a0old"',
        '"/data/2024\\u200aold"',
    ]
    french = "Prix\u00a0: 10\u202f000\u2009!"
    assert fields(widget(shown({"v": french[:-2]})))[0][1] == french[:-2]


def test_accents_of_an_argument_cover_no_other() -> None:
    pile = "n" + "\u0300\u0324" * 100
    form = shown(json.dumps({"path": "/etc/passwd", pile: pile, "list": [pile]}))
    path, *others = fields(widget(form))
    assert path == ("path", "/etc/passwd", False)
    assert "\u0300\u0324" * 3 not in f"{form.text}{others}"
    assert [read(value) for _, value, _ in others] == [pile, [pile]]


def test_multiline_text_stays_readable() -> None:
    assert fields(widget(shown({"v": "a\n\tb"})))[0][1] == "a\n\tb"
    assert fields(widget(shown({"v": "a\nb\u202e"})))[0][1] == '"a\nb\\u202e"'
    assert "v: a\n    w: b" in shown({"v": "a\nw: b"}).text


def test_tools_with_same_readable_name_stay_distinct() -> None:
    assert shown({}, "delete_file").text == "Approval needed: Delete file (delete_file)"
    assert shown({}, "deleteFile").text == "Approval needed: Delete file (deleteFile)"
    title, name = widget(shown({}, "pay\u202e"))["children"][:2]
    assert (title["value"], name["value"]) == ("pay\\u202e", '"pay\\u202e"')
    assert widget(shown({}, "__"))["children"][0]["value"] == "__"


def test_decision_has_time_that_page_formats() -> None:
    at = datetime(2026, 11, 25, 9, 5, tzinfo=timezone.utc)
    converter = AgentResponseConverter()
    form = converter.approval_decision_to_form(requested({}), Decision(True, "a\u202eb", at))
    (row,) = (each for each in widget(form)["children"] if each["type"] == "Row")
    assert row["children"][1] == {
        "type": "Caption",
        "value": "Approved by a\\u202eb, 25 November 2026, 09:05 UTC",
        "key": "time:2026-11-25T09:05:00+00:00",
    }


@tool(approval_mode="always_require")
def pay(amount: int) -> str:
    """Pay an amount.

    At once.
    """
    return f"paid {amount}"


async def test_card_describes_tool_and_marks_unexpected_arguments() -> None:
    answering = agent([call("pay", amount=5, Amount=1)], [text("Done.")], tools=[pay])
    async with chat(answering) as browser:
        await browser.ask("Pay 5")
        (card,) = await cards(browser)
        assert card["copy_text"] == (
            "Approval needed: Pay (pay)\n> Pay an amount.\n> \n> At once.\namount: 5\n"
            "Amount (not a parameter of this tool): 1"
        )
        assert fields(card["widget"]) == [("amount", "5", False), ("Amount", "1", True)]
        await click(browser, card)
        (decided,) = await cards(browser)
        assert fields(decided["widget"]) == [("amount", "5", False), ("Amount", "1", True)]


def test_tool_is_found_among_tools_and_mcp_servers() -> None:
    fetch = FunctionTool(name="fetch", description="Fetch.", input_model={})
    one = agent([], tools=[pay])
    assert isinstance(one, Agent)
    one.mcp_tools = [SimpleNamespace(functions=[fetch])]  # type: ignore[list-item]
    known = describe_tool(one, "pay")
    assert known is not None
    assert known.parameters == ("amount",)
    found = describe_tool(one, "fetch")
    assert found is not None
    assert (found.description, found.parameters) == ("Fetch.", ())
    assert describe_tool(one, "other") is None
    assert describe_tool(object(), "pay") is None
    request = requested({})
    assert tool_of(with_tool(request, known)) == known
    assert tool_of(request) is None


@pytest.mark.parametrize(
    ("schema", "marked"),
    [
        ({"type": "object"}, ["a", "b"]),
        ({"properties": {"a": {}}}, ["b"]),
        ({"properties": {"a": {}}, "additionalProperties": True}, ["b"]),
        ({"additionalProperties": {"type": "string"}}, []),
        ({"properties": {"a": {}}, "patternProperties": {"^b": {}}}, []),
        ({"$ref": "#/$defs/One", "$defs": {"One": {"properties": {"a": {}}}}}, ["b"]),
        ({"$ref": "#/$defs/Two", "$defs": {"One": {}}}, ["a", "b"]),
        ({"$ref": "#"}, ["a", "b"]),
        ({"anyOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}]}, []),
        ({"oneOf": [{"properties": {"a": {}}}], "properties": {"c": {}}}, ["b"]),
        ({"allOf": [{"properties": {"a": {}}}, {"additionalProperties": {}}]}, []),
    ],
)
async def test_card_marks_arguments_that_are_not_in_schema(
    schema: dict[str, Any], marked: list[str]
) -> None:
    run = FunctionTool(
        name="run",
        description="",
        func=lambda **given: "ran",
        input_model=schema,
        approval_mode="always_require",
    )
    async with chat(agent([call("run", a=1, b=2)], [text("Done.")], tools=[run])) as browser:
        await browser.ask("Run")
        (card,) = await cards(browser)
        await click(browser, card)
        (decided,) = await cards(browser)
    for each in (card, decided):
        assert [name for name, _, is_marked in fields(each["widget"]) if is_marked] == marked


@given(st.dictionaries(hostile_text, values, max_size=3))
def test_seal_depends_on_call_and_key(arguments: dict[str, Any]) -> None:
    key = "k"
    called = requested(json.dumps(arguments)).function_call
    same = requested(dict(reversed(arguments.items()))).function_call
    other = requested({**arguments, "more": 1, "v": [arguments]}).function_call
    assert called is not None
    assert same is not None
    assert other is not None
    assert seal_of(called, key) == seal_of(same, key)
    assert seal_of(called, key) != seal_of(other, key)
    assert seal_of(called, key) != seal_of(called, f"{key}x")


def change_record(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the stored request behind a card."""
    with closing(sqlite3.connect(path)) as database, database:
        (data,) = database.execute("SELECT data FROM chatkit_sessions").fetchone()
        session = json.loads(data)
        (interrupt,) = session["state"]["agent_framework_chatkit_pause"]["interrupts"]
        change(interrupt)
        database.execute("UPDATE chatkit_sessions SET data = ?", [json.dumps(session)])


def change_request(interrupt: dict[str, Any]) -> None:
    interrupt["request"]["function_call"]["arguments"] = '{"amount": 500}'


def change_answer(interrupt: dict[str, Any]) -> None:
    interrupt["answer"]["function_call"]["arguments"] = '{"amount": 500}'


def forget_seal(interrupt: dict[str, Any]) -> None:
    del interrupt["seal"], interrupt["tool"]


async def test_changed_call_cannot_be_approved(tmp_path: Path) -> None:
    bank = Bank()
    answering = agent([call("pay", amount=5)], [text("Done.")], tools=[bank.pay])
    async with chat(answering, f"sqlite:///{tmp_path}/chat.db") as browser:
        await browser.ask("Pay 5")
        change_record(tmp_path / "chat.db", change_request)
        (card,) = await cards(browser)
        (notice,) = of_type(await click(browser, card), "notice")
        assert "differs from the one that was shown" in notice.message
        assert bank.paid == []


async def test_run_does_not_resume_with_changed_call(tmp_path: Path) -> None:
    bank = Bank()
    answering = agent(
        [call("pay", "c1", amount=5), call("pay", "c2", amount=6)],
        [text("Done.")],
        tools=[bank.pay],
    )
    async with chat(answering, f"sqlite:///{tmp_path}/chat.db") as browser:
        await browser.ask("Pay")
        first, second = await cards(browser)
        await click(browser, first)
        with closing(sqlite3.connect(tmp_path / "chat.db")) as database, database:
            (data,) = database.execute("SELECT data FROM chatkit_sessions").fetchone()
            session = json.loads(data)
            change_answer(session["state"]["agent_framework_chatkit_pause"]["interrupts"][0])
            database.execute("UPDATE chatkit_sessions SET data = ?", [json.dumps(session)])
        (error,) = of_type(await click(browser, second), "error")
        assert "differs from the one that was shown" in error.message
        assert bank.paid == []


async def test_approval_from_older_version_is_answered(tmp_path: Path) -> None:
    bank = Bank()
    answering = agent([call("pay", amount=5)], [text("Done.")], tools=[bank.pay])
    async with chat(answering, f"sqlite:///{tmp_path}/chat.db") as browser:
        await browser.ask("Pay 5")
        change_record(tmp_path / "chat.db", forget_seal)
        (card,) = await cards(browser)
        await click(browser, card)
        assert bank.paid == [5]
