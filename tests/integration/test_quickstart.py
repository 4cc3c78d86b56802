"""The quickstart sample as a user runs it: its server and its terminal client."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Generator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from chatkit.types import (
    AssistantMessageItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
)

from tests.unit.thread_client import EVENT, ThreadClient

from ..fakes.scripted_endpoint import ScriptedEndpoint
from .processes import PATIENCE, Service, run


def request(text: str, thread_id: str | None = None) -> dict[str, Any]:
    message = {
        "content": [{"type": "input_text", "text": text}],
        "attachments": [],
        "inference_options": {},
    }
    if thread_id is None:
        return {"type": "threads.create", "params": {"input": message}}
    params = {"thread_id": thread_id, "input": message}
    return {"type": "threads.add_user_message", "params": params}


def stream(url: str, body: dict[str, Any]) -> Generator[ThreadStreamEvent, None, None]:
    with httpx.stream("POST", url, json=body, timeout=PATIENCE) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        for line in response.iter_lines():
            if line:
                yield EVENT.validate_json(line.removeprefix("data: "))


def ask(url: str, text: str, thread_id: str | None = None) -> tuple[str, str]:
    """Check every event of an answer, and return the thread's ID and the answer's text."""
    client = ThreadClient()
    answers: list[AssistantMessageItem] = []
    deltas: list[str] = []
    kinds: list[str] = []
    for event in stream(url, request(text, thread_id)):
        client.apply(event)
        if event.type == "thread.created":
            thread_id = event.thread.id
        elif isinstance(event, ThreadItemAddedEvent):
            kinds.append("added")
        elif isinstance(event, ThreadItemUpdatedEvent):
            kinds.append("updated")
            assert event.update.type == "assistant_message.content_part.text_delta"
            deltas.append(event.update.delta)
        elif isinstance(event, ThreadItemDoneEvent):
            kinds.append(event.item.type)
            if isinstance(event.item, AssistantMessageItem):
                answers.append(event.item)
    client.assert_complete()
    assert [kind for kind, _ in itertools.groupby(kinds)] == [
        "user_message",
        "added",
        "updated",
        "assistant_message",
    ]
    [answer] = answers
    assert len(deltas) > 1, "the answer streams"
    assert "".join(deltas) == answer.content[0].text
    assert answer.content[0].text.strip()
    assert thread_id is not None
    assert answer.thread_id == thread_id
    return thread_id, answer.content[0].text


def items_of(url: str, thread_id: str) -> list[dict[str, Any]]:
    response = httpx.post(
        url, json={"type": "threads.get_by_id", "params": {"thread_id": thread_id}}
    )
    assert response.status_code == 200
    items = response.json()["items"]["data"]
    assert isinstance(items, list)
    return items


def test_answer_streams_and_thread_continues(quickstart: Service) -> None:
    thread_id, answer = ask(quickstart.url, "Why is the sky blue?")
    same_thread_id, second = ask(quickstart.url, "And at night?", thread_id)
    assert same_thread_id == thread_id
    items = items_of(quickstart.url, thread_id)
    assert [item["type"] for item in items] == ["user_message", "assistant_message"] * 2
    assert [item["content"][0]["text"] for item in items] == [
        "Why is the sky blue?",
        answer,
        "And at night?",
        second,
    ]


def test_disconnected_client_does_no_harm(quickstart: Service) -> None:
    thread_id = None
    with closing(stream(quickstart.url, request("Tell me a long story."))) as events:
        for event in events:
            if event.type == "thread.created":
                thread_id = event.thread.id
            if isinstance(event, ThreadItemUpdatedEvent):
                break
    assert thread_id is not None
    ask(quickstart.url, "Hello!", thread_id)
    ask(quickstart.url, "Hello!")


def test_disconnect_stops_model(tmp_path: Path, endpoint: ScriptedEndpoint) -> None:
    endpoint.replies = [({"content": "again "} for _ in itertools.count())]
    with Service(
        "quickstart.server", tmp_path / "log", OPENAI_BASE_URL=endpoint.base_url
    ) as service:
        with closing(stream(service.url, request("Say it again."))) as events:
            next(event for event in events if isinstance(event, ThreadItemUpdatedEvent))
        assert endpoint.reader_left.wait(PATIENCE)


def test_missing_thread_is_not_found(quickstart: Service) -> None:
    body = {"type": "threads.get_by_id", "params": {"thread_id": "thr_none"}}
    response = httpx.post(quickstart.url, json=body)
    assert response.status_code == 404
    assert "thr_none" in response.json()["detail"]


def test_agent_calls_tool_and_reads_whole_thread(
    tmp_path: Path, endpoint: ScriptedEndpoint
) -> None:
    function = {"name": "get_time", "arguments": '{"utc_offset": 2}'}
    call = {"index": 0, "id": "call_1", "type": "function", "function": function}
    endpoint.replies = [
        [{"role": "assistant", "tool_calls": [call]}],
        # A line separator does not end a line in the protocol.
        [{"content": "It is\u2028"}, {"content": "late \x1b[2Jthere."}],
        [{"content": "Good night."}],
    ]
    with Service(
        "quickstart.server",
        tmp_path / "log",
        OPENAI_API_KEY="key",
        OPENAI_BASE_URL=endpoint.base_url,
        OPENAI_MODEL="some-model",
    ) as service:
        result = run("quickstart.chat", "--url", service.url, stdin="How late is it?\n\nThanks!\n")
    assert result.stderr == ""
    assert result.stdout == (
        "· Get time\n· Looking at the clock\nIt is\u2028late [2Jthere.\nGood night.\n"
    )
    assert result.returncode == 0
    assert "some-model answers at" in service.log
    first, second, third = endpoint.requests
    assert first["model"] == "some-model"
    assert [tool["function"]["name"] for tool in first["tools"]] == ["get_time"]
    assert "UTC" in json.dumps(first["tools"])
    assert second["messages"][-1]["role"] == "tool"
    assert str(datetime.now().year) in json.dumps(second["messages"][-1])
    assert [message["role"] for message in third["messages"]][-3:] == ["user", "assistant", "user"]


def test_any_openai_compatible_endpoint_works(tmp_path: Path, openai_base_url: str) -> None:
    with Service("quickstart.server", tmp_path / "log", OPENAI_BASE_URL=openai_base_url) as service:
        result = run("quickstart.chat", "--url", service.url, "Why is the sky blue?")
    assert result.stderr == ""
    assert result.stdout.strip()
    assert result.returncode == 0


def test_failing_endpoint_is_reported(tmp_path: Path, endpoint: ScriptedEndpoint) -> None:
    with Service(
        "quickstart.server", tmp_path / "log", OPENAI_BASE_URL=endpoint.base_url
    ) as service:
        result = run("quickstart.chat", "--url", service.url, "Hello?")
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr == "The server failed; its log says why.\n"
    assert "400" in service.log


def delta(text: str) -> dict[str, Any]:
    return {
        "type": "thread.item.updated",
        "item_id": "msg_1",
        "update": {"type": "assistant_message.content_part.text_delta", "delta": text},
    }


def test_missing_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "xllamacpp.py").write_text("raise ImportError('No module named xllamacpp')")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    result = run("quickstart.server", "--port", "0", PYTHONPATH=path)
    assert result.returncode == 1
    assert result.stderr.startswith("The local model is not installed (No module named xllamacpp)")
    assert result.stderr.count("\n") == 1
