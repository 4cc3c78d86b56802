"""The guide lists every part of the protocol and the web UI, with its test."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import pytest
from chatkit import types

from agent_framework_chatkit import AgentResponseConverter, ThreadItemConverter
from agent_framework_chatkit.server import requests

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/compatibility.md").read_text()
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S))
BESIDE = {
    "frontend/tests/e2e/react.test.ts": ["frontend/tests/e2e/react-app/main.tsx"],
    "frontend/tests/e2e/ownApp.test.ts": [
        "frontend/tests/e2e/own_app.html",
        "frontend/tests/e2e/own_app.py",
    ],
    "frontend/tests/chat/live.test.ts": ["frontend/tests/chat/liveServer.ts"],
    "tests/integration/test_live_workers.py": ["tests/integration/live_threads.py"],
    "tests/unit/bridge/test_context.py": ["tests/unit/thread_client.py"],
    "tests/unit/server/test_agent_turn.py": ["tests/unit/chat_client.py"],
    "tests/unit/server/test_client_answers.py": ["tests/unit/answering.py"],
    "tests/unit/server/test_custom_actions.py": ["tests/unit/offering.py"],
    "tests/unit/server/test_detached.py": ["tests/unit/live_client.py"],
    "tests/unit/server/test_follower.py": ["tests/unit/live_client.py"],
    "tests/unit/server/test_server.py": ["tests/unit/chat_client.py"],
    "tests/unit/server/test_stops.py": ["tests/unit/chat_client.py", "tests/unit/live_client.py"],
    "tests/unit/server/test_sync_actions.py": ["tests/unit/offering.py"],
    "tests/unit/server/test_turn_requests.py": [
        "tests/unit/chat_client.py",
        "tests/unit/live_client.py",
    ],
    "tests/unit/stores/items_contract.py": ["tests/unit/stores/stored.py"],
    "tests/unit/http/test_app.py": ["tests/unit/full_server.py"],
}
"""Further files of a test."""


def members(union: Any) -> dict[str, str]:
    """Return the names of a union's classes, by their `type` in the protocol."""
    if get_origin(union) is Annotated:
        union = get_args(union)[0]
    return {
        get_args(member.model_fields["type"].annotation)[0]: member.__name__
        for member in get_args(union)
    }


def listed(section: str) -> set[str]:
    return set(re.findall(r"^\| `([^`]+?)(?:\(\))?`", SECTIONS[section], re.M))


WIRE = {
    "Requests": members(types.StreamingReq) | members(types.NonStreamingReq),
    "Items": members(types.ThreadItem),
    "Events of a stream": members(types.ThreadStreamEvent),
    "Updates of an item": members(types.ThreadItemUpdate),
}


@pytest.mark.parametrize("section", WIRE)
def test_every_type_of_the_protocol_is_listed(section: str) -> None:
    assert listed(section) == set(WIRE[section])


def test_every_own_request_is_listed() -> None:
    ours = {
        get_args(each.model_fields["type"].annotation)[0]
        for each in vars(requests).values()
        if isinstance(each, type)
        and issubclass(each, types.BaseReq)
        and each.__module__ == requests.__name__
    }
    assert listed("Our own requests †") == ours


def test_every_own_event_is_listed() -> None:
    server = ROOT / "src/agent_framework_chatkit/server"
    code = "".join(path.read_text() for path in server.glob("*.py"))
    written = set(re.findall(r'"type": ?"((?:threads?|turn)\.\w+)"', code))
    assert listed("Our own events of a stream †") == written - set(WIRE["Events of a stream"])


@pytest.mark.parametrize("converter", [ThreadItemConverter, AgentResponseConverter])
def test_every_method_of_a_converter_is_listed(converter: type) -> None:
    methods = {name for name, value in vars(converter).items() if callable(value)}
    public = {name for name in methods if not name.startswith("_")}
    assert listed(f"Methods of {converter.__name__}") == public


def test_every_option_method_and_event_of_the_web_ui_is_listed() -> None:
    options = (ROOT / "docs/options.md").read_text()
    rows = re.findall(r"^\| (`.+?) \|", options, re.M)
    names = {re.sub(r"\(.*", "", name) for row in rows for name in re.findall(r"`([^`]+)`", row)}
    assert len(names) > 70
    assert listed("Options") | listed("Methods") | listed("Events") == names


def checks() -> list[Any]:
    return [
        pytest.param(section, name, test, how, id=f"{name}-{test}")
        for section, rows in SECTIONS.items()
        for name, cell in re.findall(r"^\| `([^`]+)`[^|]* \| (.+) \|$", rows, re.M)
        for test, how in re.findall(r"`([^`]+)`( \()?", cell)
    ]


@pytest.mark.parametrize(("section", "name", "test", "how"), checks())
def test_each_listed_test_exists_and_names_its_subject(
    section: str, name: str, test: str, how: str
) -> None:
    text = "".join((ROOT / path).read_text() for path in (test, *BESIDE.get(test, ())))
    last = name.removesuffix("()").removeprefix("chatkit.")
    # Also accept an option's last word, an event's name in React, or a class.
    words = {name, last} if section in WIRE else {name, last, last.rpartition(".")[2]}
    words |= {"on" + last.title().replace(".", ""), WIRE.get(section, {}).get(name, name)}
    assert how or any(word in text for word in words)
