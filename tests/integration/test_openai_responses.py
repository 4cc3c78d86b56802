"""The events of OpenAI's Responses API, through the framework's client."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from agent_framework import Agent
from agent_framework_openai import OpenAIChatClient
from chatkit.types import (
    AssistantMessageItem,
    CustomTask,
    GeneratedImageItem,
    SearchTask,
    ThoughtTask,
    URLSource,
    WorkflowItem,
)

from agent_framework_chatkit import stream_agent_response

from ..unit.thread_client import collect, items_of

RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "model": "m",
    "status": "in_progress",
    "output": [],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
}
CITATION = {
    "type": "url_citation",
    "url": "https://weather.test/paris",
    "title": "Paris",
    "start_index": 0,
    "end_index": 5,
}
USAGE = {
    "input_tokens": 1,
    "output_tokens": 2,
    "total_tokens": 3,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens_details": {"reasoning_tokens": 0},
}
PNG = "iVBORw0KGgo="


def added(index: int, **item: Any) -> dict[str, Any]:
    return {"type": "response.output_item.added", "output_index": index, "item": item}


def done(index: int, **item: Any) -> dict[str, Any]:
    return {"type": "response.output_item.done", "output_index": index, "item": item}


def thought(part: int, kind: str, **fields: Any) -> dict[str, Any]:
    return {
        "type": f"response.reasoning_summary_text.{kind}",
        "item_id": "rs_1",
        "output_index": 0,
        "summary_index": part,
        **fields,
    }


def said(item_id: str, kind: str, part: int = 0, **fields: Any) -> dict[str, Any]:
    return {
        "type": f"response.output_text.{kind}",
        "item_id": item_id,
        "output_index": 6,
        "content_index": part,
        **fields,
    }


def message(item_id: str, *texts: str) -> dict[str, Any]:
    content = [
        {"type": "output_text", "text": text, "annotations": [CITATION], "logprobs": []}
        for text in texts
    ]
    return {"type": "message", "id": item_id, "role": "assistant", "content": content}


def search(status: str, **action: Any) -> dict[str, Any]:
    action = {"type": "search", "query": "weather paris", **action}
    return {"type": "web_search_call", "id": "ws_1", "status": status, "action": action}


def mcp(**fields: Any) -> dict[str, Any]:
    return {
        "type": "mcp_call",
        "id": "mcp_1",
        "name": "find_docs",
        "server_label": "docs",
        "arguments": "{}",
        **fields,
    }


def code(kind: str, **fields: Any) -> dict[str, Any]:
    return {
        "type": f"response.code_interpreter_call_code.{kind}",
        "output_index": 2,
        "item_id": "ci_1",
        **fields,
    }


EVENTS: list[dict[str, Any]] = [
    {"type": "response.created", "response": RESPONSE},
    added(0, type="reasoning", id="rs_1", summary=[]),
    thought(0, "delta", delta="Look "),
    thought(0, "delta", delta="it up"),
    thought(0, "done", text="Look it up"),
    thought(1, "delta", delta="Then answer"),
    thought(1, "done", text="Then answer"),
    done(0, type="reasoning", id="rs_1", summary=[]),
    added(1, **search("in_progress")),
    done(1, **search("completed", sources=[{"type": "url", "url": "https://weather.test/p"}])),
    added(2, type="code_interpreter_call", id="ci_1", status="in_progress", container_id="c"),
    code("delta", delta="print("),
    code("delta", delta="1)"),
    code("done", code="print(1)"),
    added(3, type="image_generation_call", id="ig_1", status="in_progress"),
    {
        "type": "response.image_generation_call.partial_image",
        "output_index": 3,
        "item_id": "ig_1",
        "partial_image_index": 0,
        "partial_image_b64": PNG,
    },
    done(3, type="image_generation_call", id="ig_1", status="completed", result=PNG),
    added(4, **mcp()),
    done(4, **mcp(output="ok")),
    added(5, **message("msg_1")),
    said("msg_1", "delta", delta="Sunny"),
    said("msg_1", "delta", delta=" today"),
    said("msg_1", "annotation.added", annotation_index=0, annotation=CITATION),
    said("msg_1", "done", text="Sunny today"),
    said("msg_1", "delta", 1, delta="(Paris)"),
    said("msg_1", "done", 1, text="(Paris)"),
    done(5, **message("msg_1", "Sunny today")),
    added(6, **message("msg_2")),
    said("msg_2", "delta", delta="Bye"),
    said("msg_2", "done", text="Bye"),
    {
        "type": "response.completed",
        "response": {**RESPONSE, "status": "completed", "usage": USAGE},
    },
]


@pytest.fixture(scope="module")
def responses_api() -> Iterator[str]:
    """A server that sends the same events for every request."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
            for number, event in enumerate(EVENTS):
                data = json.dumps({**event, "sequence_number": number})
                self.wfile.write(f"event: {event['type']}\ndata: {data}\n\n".encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()


async def test_everything_from_responses_api_is_shown(responses_api: str) -> None:
    client = OpenAIChatClient(model="m", api_key="none", base_url=responses_api)
    agent = Agent(client=client)
    sent = await collect(stream_agent_response(agent.run("Hi", stream=True), "thr_1"))
    await client.client.close()

    reasoning, image, activity, answer, farewell = items_of(sent)

    assert isinstance(reasoning, WorkflowItem)
    first, second, searched, ran = reasoning.workflow.tasks
    assert (first, second) == (
        ThoughtTask(content="Look it up"),
        ThoughtTask(content="Then answer"),
    )
    assert searched == SearchTask(
        title="Web search",
        queries=["weather paris"],
        sources=[URLSource(url="https://weather.test/p", title="weather.test")],
        status_indicator="complete",
    )
    assert isinstance(ran, CustomTask)
    assert ran.content == "```python\nprint(1)\n```"

    assert isinstance(image, GeneratedImageItem)
    assert image.image is not None
    assert image.image.url == f"data:image/png;base64,{PNG}"

    assert isinstance(activity, WorkflowItem)
    assert activity.workflow.tasks == [CustomTask(title="Find docs", status_indicator="complete")]

    assert isinstance(answer, AssistantMessageItem)
    assert [part.text for part in answer.content] == ["Sunny today", "(Paris)"]
    (annotation,) = answer.content[0].annotations
    assert (annotation.source.title, annotation.index) == ("Paris", 5)

    assert isinstance(farewell, AssistantMessageItem)
    assert [part.text for part in farewell.content] == ["Bye"]
