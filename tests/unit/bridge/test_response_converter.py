"""Each kind of content becomes what the guide's table says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, get_args

import pytest
from agent_framework import Content
from agent_framework._types import ContentType
from chatkit.types import (
    Annotation,
    AssistantMessageItem,
    CustomTask,
    ErrorEvent,
    FileSource,
    FileTask,
    GeneratedImageItem,
    ImageTask,
    SearchTask,
    ThoughtTask,
    ThreadItem,
    WidgetItem,
    WorkflowItem,
)

from agent_framework_chatkit import AgentResponseConverter, WidgetForm

from ..thread_client import ThreadClient, items_of, text
from .shown import PNG, call, cite, errors, events, items, nothing_shown, result


def is_workflow_of(*types: type) -> Callable[[Sequence[ThreadItem]], bool]:
    def check(shown: Sequence[ThreadItem]) -> bool:
        (item,) = shown
        return isinstance(item, WorkflowItem) and [
            type(task) for task in item.workflow.tasks
        ] == list(types)

    return check


def is_one(type_: type) -> Callable[[Sequence[ThreadItem]], bool]:
    return lambda shown: [type(item) for item in shown] == [type_]


TABLE: dict[str, tuple[Content, Callable[[Sequence[ThreadItem]], bool]]] = {
    "text": (Content.from_text("Hi"), is_one(AssistantMessageItem)),
    "text_reasoning": (Content.from_text_reasoning(text="Hm"), is_workflow_of(ThoughtTask)),
    "data": (Content.from_data(b"x", "application/pdf"), is_workflow_of(FileTask)),
    "uri": (
        Content.from_uri("https://files.test/a.png", media_type="image/png"),
        is_one(GeneratedImageItem),
    ),
    "error": (Content.from_error(message="boom"), lambda shown: shown == []),
    "function_call": (call(hosted=True), is_workflow_of(CustomTask)),
    "function_result": (result(), is_workflow_of(CustomTask)),
    "usage": (Content.from_usage({"input_token_count": 1}), nothing_shown),
    "hosted_file": (Content.from_hosted_file("file_1"), is_workflow_of(FileTask)),
    "hosted_vector_store": (
        Content.from_hosted_vector_store("vs_1"),
        is_workflow_of(FileTask),
    ),
    "code_interpreter_tool_call": (
        Content.from_code_interpreter_tool_call(call_id="c", inputs=[Content.from_text("1+1")]),
        is_workflow_of(CustomTask),
    ),
    "code_interpreter_tool_result": (
        Content.from_code_interpreter_tool_result(call_id="c", outputs=[Content.from_text("2")]),
        is_workflow_of(CustomTask),
    ),
    "image_generation_tool_call": (
        Content.from_image_generation_tool_call(image_id="i"),
        lambda shown: shown == [],
    ),
    "image_generation_tool_result": (
        Content.from_image_generation_tool_result(image_id="i", outputs=Content.from_uri(PNG)),
        is_one(GeneratedImageItem),
    ),
    "mcp_server_tool_call": (
        Content.from_mcp_server_tool_call("c", "find_docs"),
        is_workflow_of(CustomTask),
    ),
    "mcp_server_tool_result": (
        Content.from_mcp_server_tool_result("c", output=[Content.from_text("x")]),
        is_workflow_of(CustomTask),
    ),
    "search_tool_call": (
        Content.from_search_tool_call("c", tool_name="web_search", arguments={"query": "q"}),
        is_workflow_of(SearchTask),
    ),
    "search_tool_result": (
        Content.from_search_tool_result("c", tool_name="web_search", result={}),
        is_workflow_of(SearchTask),
    ),
    "shell_tool_call": (
        Content.from_shell_tool_call(call_id="c", commands=["ls"]),
        is_workflow_of(CustomTask),
    ),
    "shell_tool_result": (
        Content.from_shell_tool_result(call_id="c", outputs=[]),
        is_workflow_of(CustomTask),
    ),
    "shell_command_output": (
        Content.from_shell_command_output(stdout="a.txt", exit_code=0),
        is_workflow_of(CustomTask),
    ),
    "computer_tool_call": (
        Content("computer_tool_call", id="1", call_id="c", actions=[{"type": "click"}]),
        is_workflow_of(CustomTask),
    ),
    "computer_tool_result": (
        Content("computer_tool_result", call_id="c", screenshot=Content.from_uri(PNG)),
        is_workflow_of(CustomTask, ImageTask),
    ),
    "function_approval_request": (
        Content.from_function_approval_request("r1", call(id="r1")),
        is_one(WidgetItem),
    ),
    "function_approval_response": (
        Content.from_function_approval_response(True, "r1", call(id="r1")),
        nothing_shown,
    ),
    "oauth_consent_request": (
        Content.from_oauth_consent_request("https://login.test/consent"),
        is_one(WidgetItem),
    ),
}


def test_table_names_every_kind_of_content() -> None:
    assert set(TABLE) == set(get_args(ContentType))


@pytest.mark.parametrize("kind", TABLE)
async def test_every_kind_of_content_matches_table(kind: str) -> None:
    content, is_right = TABLE[kind]
    assert content.type == kind
    shown = await items(content)
    assert is_right(shown), shown


async def test_unknown_kind_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    unknown: Any = Content.from_text("Hi")
    unknown.type = "hologram"
    assert nothing_shown(await items(unknown))
    assert "hologram" in caplog.text or "unknown kind" in caplog.text


@pytest.mark.parametrize(
    ("code", "allow_retry"),
    [("rate_limit_exceeded", True), ("content_filter", False), (None, True), ("429", True)],
)
async def test_error_message_is_safe(
    code: str | None, allow_retry: bool, caplog: pytest.LogCaptureFixture
) -> None:
    content = Content.from_error(message="org-123 key=sk-1", error_code=code, error_details="host")
    (error,) = await errors(content)
    assert error.allow_retry is allow_retry
    assert "sk-1" not in error.model_dump_json()
    assert "sk-1" in caplog.text


CITED = Content.from_text("Hi", annotations=[cite(url="https://a.test")])
IMAGE = Content.from_image_generation_tool_result(image_id="i", outputs=Content.from_uri(PNG))
ASKED = call("request_info", "r1", arguments={"request_id": "r1"})
TASK = CustomTask(title="Overridden")
OVERRIDES: dict[str, tuple[Content, Any]] = {
    "text_to_delta": (Content.from_text("Hi"), "Overridden"),
    "citation_to_annotation": (
        CITED,
        Annotation(source=FileSource(filename="Overridden", title="x")),
    ),
    "reasoning_to_delta": (Content.from_text_reasoning(text="Hm"), "Overridden"),
    "function_to_task": (result(), TASK),
    "mcp_tool_to_task": (TABLE["mcp_server_tool_call"][0], TASK),
    "search_tool_to_task": (TABLE["search_tool_call"][0], TASK),
    "code_interpreter_to_task": (TABLE["code_interpreter_tool_call"][0], TASK),
    "shell_tool_to_task": (TABLE["shell_tool_call"][0], TASK),
    "computer_tool_to_task": (TABLE["computer_tool_call"][0], TASK),
    "screenshot_to_task": (TABLE["computer_tool_result"][0], TASK),
    "image_to_url": (IMAGE, "https://files.test/Overridden"),
    "file_to_task": (TABLE["hosted_file"][0], TASK),
    "approval_request_to_form": (
        TABLE["function_approval_request"][0],
        WidgetForm({"type": "Card", "children": []}, "Overridden"),  # type: ignore[arg-type]
    ),
    "consent_request_to_form": (
        TABLE["oauth_consent_request"][0],
        WidgetForm({"type": "Card", "children": []}, "Overridden"),  # type: ignore[arg-type]
    ),
    "missing_tool_to_error": (call(), ErrorEvent(message="Overridden")),
    "error_to_event": (Content.from_error(message="x"), ErrorEvent(message="Overridden")),
}


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("method", OVERRIDES)
async def test_every_method_can_be_overridden(method: str, is_async: bool) -> None:
    content, value = OVERRIDES[method]

    async def coroutine(self: object, *args: object) -> Any:
        return value

    def plain(self: object, *args: object) -> Any:
        return value

    override = coroutine if is_async else plain
    converter: Any = type("Converter", (AgentResponseConverter,), {method: override})()
    sent = await events(content, converter=converter)
    assert any("Overridden" in event.model_dump_json() for event in sent)
    items_of(sent)


@pytest.mark.parametrize("method", OVERRIDES)
async def test_every_method_can_hide_what_it_converts(method: str) -> None:
    content, _ = OVERRIDES[method]
    converter: Any = type("Converter", (AgentResponseConverter,), {method: lambda *_: None})()
    sent = await events(content, converter=converter)
    client = ThreadClient()
    for event in sent:
        client.apply(event)
    client.assert_complete()


@pytest.mark.parametrize("method", [*OVERRIDES, "request_info_to_inputs"])
async def test_raising_override_loses_only_its_content(
    method: str, caplog: pytest.LogCaptureFixture
) -> None:
    content = ASKED if method == "request_info_to_inputs" else OVERRIDES[method][0]

    def fail(*args: object) -> None:
        raise RuntimeError("a bug in the app")

    converter: Any = type("Converter", (AgentResponseConverter,), {method: fail})()
    shown = await items(content, text("Bye") if method != "text_to_delta" else content)
    assert shown
    sent = await events(content, text("Bye"), converter=converter)
    items_of(sent)
    assert "a bug in the app" in caplog.text
    if method != "text_to_delta":
        assert any("Bye" in event.model_dump_json() for event in sent)


async def test_questions_can_be_overridden() -> None:
    class Converter(AgentResponseConverter):
        def request_info_to_inputs(self, content: Content) -> list[Any]:
            return []

    assert nothing_shown(await items(ASKED, converter=Converter()))


def test_progress_without_a_count_stays_at_the_start() -> None:
    assert AgentResponseConverter().partial_image_index_to_progress(3) == 0.0
    assert AgentResponseConverter(partial_images=2).partial_image_index_to_progress(9) == 1.0
