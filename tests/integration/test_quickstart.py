"""The quickstart as a person meets it: its server, its terminal client."""

from __future__ import annotations

import itertools
import json
import os
import socket
from collections.abc import Generator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from chatkit.store import NotFoundError
from chatkit.types import (
    AssistantMessageItem,
    FileAttachment,
    HiddenContextItem,
    Page,
    Thread,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemUpdatedEvent,
    ThreadMetadata,
    ThreadStreamEvent,
)
from samples.quickstart.chat import Answer
from samples.quickstart.store import MemoryStore

from tests.unit.thread_client import EVENT, ThreadClient

from .processes import PATIENCE, Service, run
from .scripted_endpoint import ScriptedEndpoint

# The wire


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
    """Check every event of an answer and return the thread's id and the answer's text."""
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


def test_an_answer_streams_and_the_thread_goes_on(quickstart: Service) -> None:
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


def test_a_client_that_leaves_does_no_harm(quickstart: Service) -> None:
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


def test_a_client_that_leaves_stops_the_model(tmp_path: Path, endpoint: ScriptedEndpoint) -> None:
    endpoint.replies = [({"content": "again "} for _ in itertools.count())]
    with Service(
        "quickstart.server", tmp_path / "log", OPENAI_BASE_URL=endpoint.base_url
    ) as service:
        with closing(stream(service.url, request("Say it again."))) as events:
            next(event for event in events if isinstance(event, ThreadItemUpdatedEvent))
        assert endpoint.reader_left.wait(PATIENCE)


def test_what_is_not_there_is_not_found(quickstart: Service) -> None:
    body = {"type": "threads.get_by_id", "params": {"thread_id": "thr_none"}}
    response = httpx.post(quickstart.url, json=body)
    assert response.status_code == 404
    assert "thr_none" in response.json()["detail"]


# The model that the environment names


def test_the_agent_calls_its_tool_and_reads_the_whole_thread(
    tmp_path: Path, endpoint: ScriptedEndpoint
) -> None:
    function = {"name": "get_time", "arguments": '{"utc_offset": 2}'}
    call = {"index": 0, "id": "call_1", "type": "function", "function": function}
    endpoint.replies = [
        [{"role": "assistant", "tool_calls": [call]}],
        # A line separator is no end of a line in the protocol.
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


def test_any_endpoint_will_do(tmp_path: Path, openai_base_url: str) -> None:
    with Service("quickstart.server", tmp_path / "log", OPENAI_BASE_URL=openai_base_url) as service:
        result = run("quickstart.chat", "--url", service.url, "Why is the sky blue?")
    assert result.stderr == ""
    assert result.stdout.strip()
    assert result.returncode == 0


def test_an_endpoint_that_fails_is_told_of(tmp_path: Path, endpoint: ScriptedEndpoint) -> None:
    with Service(
        "quickstart.server", tmp_path / "log", OPENAI_BASE_URL=endpoint.base_url
    ) as service:
        result = run("quickstart.chat", "--url", service.url, "Hello?")
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr == "The server failed; its log says why.\n"
    assert "400" in service.log


# The terminal client


def test_the_terminal_client_prints_the_answer(quickstart: Service) -> None:
    # It does not let a proxy come between it and this machine.
    result = run(
        "quickstart.chat",
        "--url",
        quickstart.url,
        "Why is",
        "the sky blue?",
        HTTP_PROXY="http://127.0.0.1:9",
        NO_PROXY="",
    )
    assert result.stderr == ""
    assert result.returncode == 0
    # The model always takes the likeliest word, so the same question has the same answer.
    assert "sky" in result.stdout
    assert result.stdout.endswith("\n")


def test_the_terminal_client_says_when_there_is_no_server() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/chatkit"
        result = run("quickstart.chat", "--url", url, "Hello?")
    assert result.returncode == 1
    assert result.stderr.startswith(f"No server answers at {url}")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("path", "complaint"),
    [("/docs", "is no ChatKit endpoint: HTTP 405"), ("/nowhere", "HTTP 404")],
)
def test_the_terminal_client_says_when_it_is_another_server(
    quickstart: Service, path: str, complaint: str
) -> None:
    url = quickstart.url.replace("/chatkit", path)
    result = run("quickstart.chat", "--url", url, "Hello?")
    assert result.returncode == 1
    assert complaint in result.stderr
    assert result.stderr.count("\n") == 1


def workflow(kind: str, *tasks: dict[str, Any]) -> dict[str, Any]:
    item = {"type": "workflow", "id": "wf_1", "workflow": {"tasks": list(tasks)}}
    return {"type": f"thread.item.{kind}", "item": item}


def done(item_type: str, **fields: Any) -> dict[str, Any]:
    return {"type": "thread.item.done", "item": {"type": item_type, "id": "msg_1", **fields}}


def delta(text: str) -> dict[str, Any]:
    return {
        "type": "thread.item.updated",
        "item_id": "msg_1",
        "update": {"type": "assistant_message.content_part.text_delta", "delta": text},
    }


@pytest.mark.parametrize(
    ("events", "printed"),
    [
        pytest.param(
            [delta("a"), delta("b"), done("assistant_message", content=[{"text": "ab"}])],
            "ab\n",
            id="text",
        ),
        pytest.param(
            [done("assistant_message", content=[{"text": "ab"}])], "ab\n", id="text at once"
        ),
        pytest.param(
            [delta("a"), done("assistant_message", content=[{"text": "b"}])],
            "a\nb\n",
            id="text replaced",
        ),
        pytest.param(
            [
                workflow("added", {"type": "thought", "content": "Hm"}),
                workflow("done", {"type": "thought", "content": "Hm,\nwell"}),
            ],
            "· Thought: Hm, well\n",
            id="a thought, when it is whole",
        ),
        pytest.param(
            [
                workflow("added", {"type": "custom", "title": "Search"}),
                workflow("done", {"type": "custom", "title": "Search"}),
            ],
            "· Search\n",
            id="a tool, once",
        ),
        pytest.param(
            [
                workflow("added", {"type": "custom", "title": "Search"}),
                workflow("done", {"type": "custom", "title": "Search", "content": "Failed"}),
            ],
            "· Search\n· Search: Failed\n",
            id="a tool that failed",
        ),
        pytest.param(
            [delta("a"), {"type": "notice", "level": "info", "message": "Careful"}],
            "a\n· Careful\n",
            id="a notice",
        ),
        pytest.param([done("widget", copy_text="A card")], "· A card\n", id="a widget"),
        pytest.param(
            [done("generated_image")],
            "· (generated_image, which a terminal cannot show)\n",
            id="an image",
        ),
        pytest.param([done("user_message"), done("end_of_turn")], "", id="nothing to tell"),
    ],
)
def test_the_terminal_client_prints(
    events: list[dict[str, Any]], printed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = Answer()
    for event in events:
        answer.show(event)
    answer.end_line()
    assert capsys.readouterr().out == printed
    assert answer.error is None


# What can be wrong


@pytest.mark.parametrize("port", ["taken", "70000"])
def test_a_port_that_cannot_be_used_is_named(port: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1]) if port == "taken" else port
        result = run("quickstart.server", "--port", port)
    assert result.returncode == 1
    assert result.stderr.startswith(f"Port {port} cannot be used: ")
    assert result.stderr.count("\n") == 1


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "xllamacpp.py").write_text("raise ImportError('No module named xllamacpp')")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    result = run("quickstart.server", "--port", "0", PYTHONPATH=path)
    assert result.returncode == 1
    assert result.stderr.startswith("The local model is not installed (No module named xllamacpp)")
    assert result.stderr.count("\n") == 1


# The store

NOW = datetime(2026, 1, 1)


def thread(thread_id: str) -> ThreadMetadata:
    return ThreadMetadata(id=thread_id, created_at=NOW)


def item(item_id: str, content: str = "") -> HiddenContextItem:
    # All at one time: order does not come from the clock.
    return HiddenContextItem(id=item_id, thread_id="thr_1", created_at=NOW, content=content)


@pytest.fixture
async def store() -> MemoryStore:
    store = MemoryStore()
    await store.save_thread(thread("thr_1"), None)
    return store


def ids(page: Page[Any]) -> list[str]:
    return [record.id for record in page.data]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6, 100])
async def test_pages_hold_everything_once_in_order(
    store: MemoryStore, order: str, limit: int
) -> None:
    # Neither the ids' nor the clock's order.
    expected = ["e", "d", "a", "c", "b"]
    for name in expected:
        await store.add_thread_item("thr_1", item(name), None)
        await store.save_thread(thread(name), None)
    await store.delete_thread("thr_1x", None)
    if order == "desc":
        expected.reverse()

    found: list[str] = []
    after: str | None = None
    while True:
        page = await store.load_thread_items("thr_1", after, limit, order, None)
        found += ids(page)
        assert len(page.data) <= limit
        assert (page.after is not None) == page.has_more
        if not page.has_more:
            break
        after = page.after
    assert found == expected

    threads = await store.load_threads(100, None, order, None)
    assert [each for each in ids(threads) if each != "thr_1"] == expected
    first = await store.load_threads(2, None, order, None)
    rest = await store.load_threads(100, first.after, order, None)
    assert ids(first) + ids(rest) == ids(threads)


async def test_a_changed_record_stays_where_it_was(store: MemoryStore) -> None:
    for name in ("a", "b"):
        await store.add_thread_item("thr_1", item(name), None)
    await store.save_item("thr_1", item("a", "changed"), None)
    page = await store.load_thread_items("thr_1", None, 10, "asc", None)
    assert ids(page) == ["a", "b"]
    assert page.data[0] == item("a", "changed")

    await store.save_thread(thread("thr_2"), None)
    await store.save_thread(thread("thr_1").model_copy(update={"title": "Changed"}), None)
    threads = await store.load_threads(10, None, "asc", None)
    assert [(each.id, each.title) for each in threads.data] == [
        ("thr_1", "Changed"),
        ("thr_2", None),
    ]
    assert ids(await store.load_thread_items("thr_1", None, 10, "asc", None)) == ["a", "b"]


async def test_what_is_stored_changes_only_when_saved(store: MemoryStore) -> None:
    saved = item("a", "one")
    await store.add_thread_item("thr_1", saved, None)
    saved.content = "two"
    loaded = await store.load_item("thr_1", "a", None)
    assert loaded == item("a", "one")
    assert isinstance(loaded, HiddenContextItem)
    loaded.content = "three"
    (await store.load_thread("thr_1", None)).title = "Changed"
    assert await store.load_item("thr_1", "a", None) == item("a", "one")
    assert (await store.load_thread("thr_1", None)).title is None


async def test_a_thread_is_stored_without_a_page_of_its_items(store: MemoryStore) -> None:
    await store.save_thread(Thread(id="thr_2", created_at=NOW, items=Page()), None)
    assert type(await store.load_thread("thr_2", None)) is ThreadMetadata


async def test_what_is_deleted_is_gone(store: MemoryStore) -> None:
    for name in ("a", "b"):
        await store.add_thread_item("thr_1", item(name), None)
    await store.delete_thread_item("thr_1", "a", None)
    await store.delete_thread_item("thr_1", "never added", None)
    assert ids(await store.load_thread_items("thr_1", None, 10, "asc", None)) == ["b"]
    await store.delete_thread("thr_1", None)
    with pytest.raises(NotFoundError):
        await store.load_thread("thr_1", None)
    with pytest.raises(NotFoundError):
        await store.load_thread_items("thr_1", None, 10, "asc", None)
    # A thread that is made anew does not find the items of the one before it.
    await store.save_thread(thread("thr_1"), None)
    assert ids(await store.load_thread_items("thr_1", None, 10, "asc", None)) == []


async def test_the_store_says_what_is_not_found(store: MemoryStore) -> None:
    for missing in (
        store.load_thread("thr_none", None),
        store.load_thread_items("thr_none", None, 10, "asc", None),
        store.load_thread_items("thr_1", "none", 10, "asc", None),
        store.load_threads(10, "thr_none", "asc", None),
        store.load_item("thr_1", "none", None),
        store.load_item("thr_none", "none", None),
        store.add_thread_item("thr_none", item("a"), None),
        store.save_item("thr_none", item("a"), None),
        store.load_attachment("none", None),
    ):
        with pytest.raises(NotFoundError):
            await missing


async def test_attachments_are_kept(store: MemoryStore) -> None:
    attachment = FileAttachment(id="atc_1", name="a.txt", mime_type="text/plain")
    await store.save_attachment(attachment, None)
    assert await store.load_attachment("atc_1", None) == attachment
    await store.delete_attachment("atc_1", None)
    await store.delete_attachment("atc_1", None)
    with pytest.raises(NotFoundError):
        await store.load_attachment("atc_1", None)
