"""The quickstart sample's terminal client."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from samples.quickstart.chat import Answer

from .processes import Service, run


def test_terminal_client_prints_answer(quickstart: Service) -> None:
    # The client ignores proxies for this machine.
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
    # The model always chooses the likeliest word, so the same question has the same answer.
    assert "sky" in result.stdout
    assert result.stdout.endswith("\n")


def test_terminal_client_reports_missing_server() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/chatkit"
        result = run("quickstart.chat", "--url", url, "Hello?")
    assert result.returncode == 1
    assert result.stderr.startswith(f"Cannot connect to {url}")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("path", "problem"),
    [("/docs", "is not a ChatKit endpoint: HTTP 405"), ("/nowhere", "HTTP 404")],
)
def test_terminal_client_reports_wrong_server(quickstart: Service, path: str, problem: str) -> None:
    url = quickstart.url.replace("/chatkit", path)
    result = run("quickstart.chat", "--url", url, "Hello?")
    assert result.returncode == 1
    assert problem in result.stderr
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
def test_terminal_client_prints(
    events: list[dict[str, Any]], printed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = Answer()
    for event in events:
        answer.show(event)
    answer.end_line()
    assert capsys.readouterr().out == printed
    assert answer.error is None
