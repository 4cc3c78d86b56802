"""What becomes of each kind of content: the table of the guide, row by row."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, get_args

import pytest
from agent_framework import AgentResponseUpdate, Content
from agent_framework._types import ContentType
from chatkit.types import (
    Annotation,
    AssistantMessageItem,
    ClientToolCallItem,
    CustomTask,
    ErrorEvent,
    FileSource,
    FileTask,
    GeneratedImageItem,
    ImageTask,
    SearchTask,
    StructuredInputItem,
    Task,
    ThoughtTask,
    ThreadItem,
    URLSource,
    WidgetItem,
    WorkflowItem,
)

from agent_framework_chatkit import (
    APPROVAL_ACTION,
    AgentResponseConverter,
    WidgetForm,
    stream_agent_response,
)

from .thread_client import ThreadClient, collect, items_of, stream_of, text, update

PNG = "data:image/png;base64,iVBORw0KGgo="


async def items(
    *contents: Content | AgentResponseUpdate, converter: AgentResponseConverter | None = None
) -> list[ThreadItem]:
    """Return what a store holds after a run that sends these."""
    return items_of(await events(*contents, converter=converter))


async def events(
    *contents: Content | AgentResponseUpdate, converter: AgentResponseConverter | None = None
) -> list[Any]:
    updates = [each if isinstance(each, AgentResponseUpdate) else update(each) for each in contents]
    stream = stream_agent_response(stream_of(updates), "thr_1", converter=converter)
    return await collect(stream)


async def tasks(*contents: Content, converter: AgentResponseConverter | None = None) -> list[Task]:
    """Return the tasks of the one workflow that these contents give."""
    (item,) = await items(*contents, converter=converter)
    assert isinstance(item, WorkflowItem)
    return item.workflow.tasks


async def errors(*contents: Content, converter: AgentResponseConverter | None = None) -> Any:
    return [
        event
        for event in await events(*contents, converter=converter)
        if isinstance(event, ErrorEvent)
    ]


async def texts(*contents: Content) -> list[str]:
    return ["".join(part.text for part in message(item).content) for item in await items(*contents)]


def message(item: ThreadItem) -> AssistantMessageItem:
    assert isinstance(item, AssistantMessageItem)
    return item


def call(name: str = "get_weather", call_id: str = "c1", **properties: Any) -> Content:
    arguments = properties.pop("arguments", '{"city": "Paris"}')
    return Content.from_function_call(call_id, name, arguments=arguments, **properties)


def result(value: Any = "sunny", call_id: str = "c1", **properties: Any) -> Content:
    return Content.from_function_result(call_id, result=value, **properties)


def cite(**citation: Any) -> Any:
    return {"type": "citation", **citation}


def nothing_shown(shown: Sequence[ThreadItem]) -> bool:
    return [message(item).content for item in shown] == [[]]


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


def test_the_table_names_every_kind_of_content() -> None:
    assert set(TABLE) == set(get_args(ContentType))


@pytest.mark.parametrize("kind", TABLE)
async def test_every_kind_of_content_becomes_what_the_table_says(kind: str) -> None:
    content, is_right = TABLE[kind]
    assert content.type == kind
    shown = await items(content)
    assert is_right(shown), shown


async def test_a_kind_that_is_not_known_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    unknown: Any = Content.from_text("Hi")
    unknown.type = "hologram"
    assert nothing_shown(await items(unknown))
    assert "hologram" in caplog.text or "unknown kind" in caplog.text


# Citations


async def annotations_of(*citations: Any, said: str = "Paris is sunny.") -> list[Annotation]:
    (item,) = await items(Content.from_text(said, annotations=list(citations)))
    return message(item).content[0].annotations


async def test_a_web_citation() -> None:
    citation = cite(
        url="https://weather.test/paris",
        title="Paris",
        snippet="Sunny",
        annotated_regions=[{"type": "text_span", "start_index": 0, "end_index": 5}],
    )
    (annotation,) = await annotations_of(citation)
    assert annotation.index == 5
    assert annotation.source == URLSource(
        url="https://weather.test/paris", title="Paris", description="Sunny"
    )


async def test_a_web_citation_without_a_title_is_named_by_its_host() -> None:
    (annotation,) = await annotations_of(cite(url="https://weather.test/paris"))
    assert annotation.source.title == "weather.test"


@pytest.mark.parametrize(
    ("citation", "filename", "title"),
    [
        ({"file_id": "file_1", "url": "report.pdf"}, "report.pdf", "report.pdf"),
        ({"file_id": "file_1", "title": "The report"}, "The report", "The report"),
        ({"file_id": "file_1"}, "file_1", "file_1"),
        ({"url": "javascript:alert(1)", "title": "x"}, "javascript:alert(1)", "x"),
    ],
)
async def test_a_file_citation(citation: Any, filename: str, title: str) -> None:
    (annotation,) = await annotations_of({"type": "citation", **citation})
    assert annotation.source == FileSource(filename=filename, title=title)


@pytest.mark.parametrize(
    ("citation", "index"),
    [
        ({}, 15),
        ({"additional_properties": {"index": 3}}, 3),
        ({"annotated_regions": [{"type": "text_span", "start_index": 0, "end_index": 999}]}, 15),
        ({"annotated_regions": [{"type": "text_span", "start_index": 0, "end_index": -4}]}, 15),
        ({"annotated_regions": [{"end_index": 2}, {"end_index": 7}]}, 7),
    ],
    ids=["no span", "file index", "past the end", "before the start", "the last of many"],
)
async def test_where_a_citation_stands(citation: Any, index: int) -> None:
    (annotation,) = await annotations_of(cite(url="https://weather.test", **citation))
    assert annotation.index == index


async def test_a_citation_that_names_nothing_is_left_out() -> None:
    assert await annotations_of(cite()) == []


async def test_a_citation_may_follow_its_text_and_is_shown_once() -> None:
    citation = cite(url="https://weather.test")
    late = Content.from_text("", annotations=[citation])
    (item,) = await items(Content.from_text("Sunny."), late, late)
    assert len(message(item).content[0].annotations) == 1


async def test_a_citation_without_a_text_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    citation = cite(url="https://weather.test")
    assert nothing_shown(await items(Content.from_text("", annotations=[citation])))
    assert "weather.test" in caplog.text


# Tools


async def test_a_tool_is_shown_by_its_readable_name_and_nothing_else() -> None:
    (task,) = await tasks(call(), result("secret"))
    assert task == CustomTask(title="Get weather", status_indicator="complete")


async def test_details_are_shown_if_asked_for() -> None:
    converter = AgentResponseConverter(show_tool_details=True)
    (task,) = await tasks(call(), result("sunny ```"), converter=converter)
    assert isinstance(task, CustomTask)
    assert task.content == '```json\n{\n  "city": "Paris"\n}\n```\n\n````\nsunny ```\n````'


async def test_long_details_are_cut() -> None:
    converter = AgentResponseConverter(show_tool_details=True)
    (task,) = await tasks(call(), result("x" * 1_000_000), converter=converter)
    assert isinstance(task, CustomTask)
    assert len(task.content or "") < 3_000
    assert "…" in (task.content or "")


async def test_a_tool_that_fails_says_so_and_not_why() -> None:
    (task,) = await tasks(call(), result("Error: password=1", exception="Traceback password=1"))
    assert isinstance(task, CustomTask)
    assert (task.title, task.content, task.status_indicator) == ("Get weather", "Failed", "none")
    assert "password" not in task.model_dump_json()


async def test_a_result_without_its_call_is_shown(caplog: pytest.LogCaptureFixture) -> None:
    (task,) = await tasks(result())
    assert task == CustomTask(title="Tool", status_indicator="complete")
    assert "c1" in caplog.text


async def test_an_mcp_tool() -> None:
    converter = AgentResponseConverter(show_tool_details=True)
    (task,) = await tasks(
        Content.from_mcp_server_tool_call("c", "findDocs", arguments={"q": "x"}),
        Content.from_mcp_server_tool_result("c", output=[Content.from_text("three docs")]),
        converter=converter,
    )
    assert isinstance(task, CustomTask)
    assert (task.title, task.status_indicator) == ("Find docs", "complete")
    assert '"q": "x"' in (task.content or "")
    assert "three docs" in (task.content or "")


async def test_a_search() -> None:
    (task,) = await tasks(
        Content.from_search_tool_call(
            "c", tool_name="web_search", arguments={"type": "search", "query": "weather paris"}
        ),
        Content.from_search_tool_result(
            "c",
            tool_name="web_search",
            result={
                "action": {
                    "query": "weather paris",
                    "queries": ["weather paris", "paris forecast"],
                    "sources": [
                        {"type": "url", "url": "https://weather.test/paris", "title": "Paris"},
                        {"type": "url", "url": "javascript:alert(1)"},
                        {"type": "url", "url": "https://weather.test/paris"},
                    ],
                }
            },
        ),
    )
    assert isinstance(task, SearchTask)
    assert [source.url for source in task.sources] == ["https://weather.test/paris"]
    assert task.queries == ["weather paris", "paris forecast"]


async def test_a_search_result_as_contents() -> None:
    found = Content.from_uri("https://docs.test/a", media_type="text/html", name="A")
    (task,) = await tasks(
        Content.from_search_tool_result("c", tool_name="file_search", items=[found])
    )
    assert isinstance(task, SearchTask)
    assert task.sources == [URLSource(url="https://docs.test/a", title="A")]
    assert task.title == "File search"


async def test_code_and_its_outcome() -> None:
    def code(value: str, mode: Any) -> Content:
        return Content.from_code_interpreter_tool_call(
            call_id="c", inputs=[Content.from_text(value)], merge_mode=mode
        )

    shown = await items(
        code("print(", "append"),
        code("1)", "append"),
        Content.from_code_interpreter_tool_result(call_id="c", outputs=[], status="in_progress"),
        code("print(1)", "replace"),
        Content.from_code_interpreter_tool_result(
            call_id="c",
            outputs=[Content.from_text("1"), Content.from_uri(PNG)],
            status="completed",
        ),
    )
    workflow, image = shown
    assert isinstance(workflow, WorkflowItem)
    assert isinstance(image, GeneratedImageItem)
    (task,) = workflow.workflow.tasks
    assert isinstance(task, CustomTask)
    assert task.content == "```python\nprint(1)\n```\n\n```\n1\n```"
    assert task.status_indicator == "complete"


async def test_code_whose_outputs_arrive_one_by_one() -> None:
    def output(value: str, status: str) -> Content:
        return Content.from_code_interpreter_tool_result(
            call_id="c", outputs=[Content.from_text(value)], status=status
        )

    (task,) = await tasks(output("1\n", "in_progress"), output("2\n", "completed"))
    assert isinstance(task, CustomTask)
    assert task.content == "```\n1\n2\n```"


async def test_a_command_and_its_outcome() -> None:
    (task,) = await tasks(
        Content.from_shell_tool_call(call_id="c", commands=["ls", "cat x"]),
        Content.from_shell_tool_result(
            call_id="c",
            outputs=[
                Content.from_shell_command_output(stdout="a.txt\n", exit_code=0),
                Content.from_shell_command_output(stderr="no x\n", exit_code=1),
                Content.from_shell_command_output(timed_out=True),
            ],
        ),
    )
    assert isinstance(task, CustomTask)
    assert task.content == (
        "```sh\nls\ncat x\n```\n\n```\na.txt\n```\n\n```\nno x\n(exit code 1)\n```\n\n"
        "```\n(timed out)\n```"
    )


async def test_the_output_of_a_command_belongs_to_the_command_before_it() -> None:
    (task,) = await tasks(
        Content.from_shell_tool_call(commands=["ls"]),
        Content.from_shell_command_output(stdout="a.txt", exit_code=0),
    )
    assert isinstance(task, CustomTask)
    assert task.content == "```sh\nls\n```\n\n```\na.txt\n```"


async def test_the_computer() -> None:
    first, second = await tasks(
        *(TABLE[kind][0] for kind in ("computer_tool_call", "computer_tool_result"))
    )
    assert first == CustomTask(
        title="Use the computer", icon="desktop", content="Click", status_indicator="complete"
    )
    assert isinstance(second, ImageTask)


# Images and files


@pytest.mark.parametrize(
    "content",
    [
        Content.from_uri("https://files.test/a.png", media_type="image/png"),
        Content.from_data(b"\x89PNG", "image/png"),
        Content("uri", uri="https://files.test/a.png"),
    ],
)
async def test_an_image(content: Content) -> None:
    (item,) = await items(content)
    assert isinstance(item, GeneratedImageItem)
    assert item.image is not None
    assert item.image.url == content.uri


@pytest.mark.parametrize("uri", ["javascript:alert(1)", "file:///etc/passwd", "", "not a url"])
async def test_what_is_not_an_image_is_shown_as_a_file(
    uri: str, caplog: pytest.LogCaptureFixture
) -> None:
    (task,) = await tasks(Content("uri", uri=uri, media_type="image/png"))
    assert isinstance(task, FileTask)
    assert "not one" in caplog.text


async def test_an_image_grows() -> None:
    def partial(index: int) -> Content:
        image = Content.from_uri(
            PNG, additional_properties={"is_partial_image": True, "partial_image_index": index}
        )
        return Content.from_image_generation_tool_result(image_id="i", outputs=image)

    final = Content.from_image_generation_tool_result(image_id="i", outputs=[Content.from_uri(PNG)])
    sent = await events(
        Content.from_image_generation_tool_call(image_id="i"),
        partial(0),
        partial(1),
        final,
        converter=AgentResponseConverter(partial_images=2),
    )
    assert [event.type for event in sent] == [
        "thread.item.added",
        "thread.item.updated",
        "thread.item.updated",
        "thread.item.done",
    ]
    assert [event.update.progress for event in sent[1:3]] == [0.0, 0.5]
    items_of(sent)


async def test_an_image_that_never_comes_is_removed() -> None:
    sent = await events(Content.from_image_generation_tool_call(image_id="i"))
    assert [event.type for event in sent] == ["thread.item.added", "thread.item.removed"]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (Content.from_data(b"x", "application/pdf", name="a.pdf"), "a.pdf"),
        (Content.from_data(b"x", "application/pdf"), "file.pdf"),
        (Content.from_uri("https://x.test/d/my%20a.pdf?x", media_type="a/pdf"), "my a.pdf"),
        (Content.from_hosted_file("file_1", name="b.txt"), "b.txt"),
        (Content.from_hosted_file("file_1"), "file_1"),
        (Content.from_hosted_vector_store("vs_1"), "vs_1"),
    ],
)
async def test_a_file(content: Content, name: str) -> None:
    (task,) = await tasks(content)
    assert isinstance(task, FileTask)
    assert task.title == name
    assert task.sources == [FileSource(filename=name, title=name)]


# Forms


async def widget(content: Content) -> tuple[dict[str, Any], str]:
    (item,) = await items(content)
    assert isinstance(item, WidgetItem)
    return json.loads(item.widget.model_dump_json()), item.copy_text or ""


async def test_an_approval_shows_what_will_be_done_and_sends_only_the_answer() -> None:
    requested = call("send_mail", id="r1", arguments='{"to": "a@b.test", "copies": 2}')
    card, copied = await widget(Content.from_function_approval_request("r1", requested))
    assert copied == "Approval needed: Send mail (send_mail)\nto: a@b.test\ncopies: 2"
    assert "a@b.test" in json.dumps(card["children"])
    for button, approved in (("confirm", True), ("cancel", False)):
        action = card[button]["action"]
        assert action["type"] == APPROVAL_ACTION
        assert action["payload"] == {"request_id": "r1", "approved": approved}


async def test_a_call_that_waits_for_approval_is_no_error() -> None:
    requested = call(id="r1")
    sent = await events(requested, Content.from_function_approval_request("r1", requested))
    (card,) = items_of(sent)
    assert isinstance(card, WidgetItem)
    assert not any(isinstance(event, ErrorEvent) for event in sent)


async def test_consent_leads_to_the_page() -> None:
    card, copied = await widget(Content.from_oauth_consent_request("https://login.test/c?a=(b)"))
    assert "(<https://login.test/c?a=(b)>)" in json.dumps(card)
    assert "https://login.test/c?a=(b)" in copied


@pytest.mark.parametrize(
    "link", ["http://login.test/", "javascript:alert(1)", "", "https:///x", "https://x.test/\n"]
)
async def test_a_consent_link_that_is_not_https_is_not_shown(
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
async def test_a_workflow_asks(data: Any, question: str) -> None:
    arguments = {"request_id": "r1", "request_event": {"type": "request_info", "data": data}}
    sent = await events(call("request_info", "r1", arguments=arguments))
    (item,) = items_of(sent)
    assert isinstance(item, StructuredInputItem)
    assert [(each.id, each.question) for each in item.inputs] == [("r1", question)]
    assert not any(isinstance(event, ErrorEvent) for event in sent)


async def test_a_client_tool_is_called_by_the_browser() -> None:
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


async def test_a_client_tool_that_was_answered_is_a_tool_like_any_other() -> None:
    converter = AgentResponseConverter(client_tools=["get_weather"])
    (task,) = await tasks(call(), result(), converter=converter)
    assert task.status_indicator == "complete"


async def test_a_tool_that_nothing_can_run_is_an_error(caplog: pytest.LogCaptureFixture) -> None:
    (error,) = await errors(call("launch_rocket"))
    assert error.message.endswith("Launch rocket.")
    assert not error.allow_retry
    assert "client_tools" in caplog.text


@pytest.mark.parametrize("flag", ["hosted", "informational_only"])
async def test_a_tool_that_a_service_runs_needs_no_result(flag: Any) -> None:
    properties: dict[str, Any] = {flag: True}
    assert await errors(call(**properties)) == []


# Errors and usage


@pytest.mark.parametrize(
    ("code", "allow_retry"),
    [("rate_limit_exceeded", True), ("content_filter", False), (None, True), ("429", True)],
)
async def test_an_error_is_told_safely(
    code: str | None, allow_retry: bool, caplog: pytest.LogCaptureFixture
) -> None:
    content = Content.from_error(message="org-123 key=sk-1", error_code=code, error_details="host")
    (error,) = await errors(content)
    assert error.allow_retry is allow_retry
    assert "sk-1" not in error.model_dump_json()
    assert "sk-1" in caplog.text


async def test_usage_is_reported_once_for_the_turn() -> None:
    reported = []

    class Converter(AgentResponseConverter):
        def on_usage(self, usage: Any) -> None:
            reported.append(dict(usage))

    def used(count: int, **properties: Any) -> Content:
        return Content.from_usage({"input_token_count": count}, **properties)

    await items(
        update(used(1), response_id="r1"),
        update(used(5, merge_mode="replace"), response_id="r1"),
        update(used(2), response_id="r2"),
        update(used(3), response_id="r2"),
        converter=Converter(),
    )
    assert reported == [{"input_token_count": 10}]


# Overrides

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
async def test_an_override_that_raises_loses_only_its_content(
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
