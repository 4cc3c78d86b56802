from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

import pytest
from agent_framework import Content, Message
from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageItem,
    ClientToolCallItem,
    CustomTask,
    EndOfTurnItem,
    GeneratedImage,
    GeneratedImageItem,
    HiddenContextItem,
    ImageTask,
    SDKHiddenContextItem,
    SearchTask,
    StructuredInputAnswer,
    StructuredInputFreeform,
    StructuredInputItem,
    StructuredInputMultipleChoice,
    TaskItem,
    ThreadItem,
    UserMessageTagContent,
    WidgetItem,
    Workflow,
    WorkflowItem,
)
from chatkit.widgets import DynamicWidgetRoot

from agent_framework_chatkit import ThreadItemConverter, simple_to_agent_input

from .example_items import BASE, convert, file, image, shown, tag, user


async def test_user_text() -> None:
    assert shown(await convert(user("Hello"))) == [("user", "Hello")]


async def test_single_item() -> None:
    assert shown(await simple_to_agent_input(user("Hello"))) == [("user", "Hello")]


async def test_conversation_keeps_order() -> None:
    answer = AssistantMessageItem(
        id="msg_2",
        content=[AssistantMessageContent(text="Hi "), AssistantMessageContent(text="there")],
        **BASE,
    )
    messages = await simple_to_agent_input([user("Hello"), answer, user("Bye", id="msg_3")])
    assert shown(messages) == [("user", "Hello"), ("assistant", "Hi there"), ("user", "Bye")]


async def test_empty_input_gives_no_messages() -> None:
    empty = AssistantMessageItem(id="msg_2", content=[], **BASE)
    assert await convert() == []
    assert await convert(user(), empty) == []


async def test_tag_stays_in_place() -> None:
    (message,) = await convert(user("Ask ", tag("@al", name="Alice"), " or ", tag("Bob"), "."))
    assert [content.type for content in message.contents] == ["text"]
    assert message.text == "Ask <TAG>Name:Alice</TAG> or <TAG>Name:Bob</TAG>."


async def test_tag_data_can_be_object() -> None:
    class Person:
        name = "Ada Lovelace"

    named: Any = UserMessageTagContent.model_construct(id="t", text="ada", data=Person())
    nameless: Any = UserMessageTagContent.model_construct(id="t", text="ada", data=None)
    converter = ThreadItemConverter()
    texts = [converter.tag_to_message_content(each) for each in (named, nameless)]
    assert [text and text.text for text in texts] == [
        "<TAG>Name:Ada Lovelace</TAG>",
        "<TAG>Name:ada</TAG>",
    ]


async def test_override_can_omit_tag() -> None:
    class NoTags(ThreadItemConverter):
        def tag_to_message_content(self, tag: UserMessageTagContent) -> None:
            return None

    messages = await NoTags().to_agent_input(user("Ask ", tag("al"), "me"))
    assert [message.text for message in messages] == ["Ask me"]


@pytest.mark.parametrize("content", [(), ("",), (" \n", "\t")])
async def test_empty_message_gives_no_message(content: tuple[str, ...]) -> None:
    assert await ThreadItemConverter().user_message_to_input(user(*content)) is None
    quoting = user(*content, quoted_text="Q")
    assert len(await convert(quoting)) == 1
    fetcher = ThreadItemConverter(attachment_data_fetcher=lambda _: b"x")
    (message,) = await fetcher.to_agent_input(user(*content, attachments=[image()]))
    assert [each.type for each in message.contents] == ["data"]


async def test_tag_can_become_any_content() -> None:
    class Converter(ThreadItemConverter):
        def tag_to_message_content(self, tag: UserMessageTagContent) -> Content:
            return Content.from_uri("https://files.test/al.png", media_type="image/png")

    (message,) = await convert(user("See ", tag("al"), "!"), converter=Converter())
    assert [content.type for content in message.contents] == ["text", "uri", "text"]


async def test_quoted_text_comes_first_and_only_for_the_last_item() -> None:
    quoting = user("Why?", quoted_text="the sky is blue")
    assert shown(await convert(quoting)) == [
        ("user", "The user is referring to this in particular:\nthe sky is blue"),
        ("user", "Why?"),
    ]
    assert shown(await convert(quoting, user("Hm"))) == [("user", "Why?"), ("user", "Hm")]


async def test_blank_answer_gives_no_message() -> None:
    blank = AssistantMessageItem(id="a", content=[AssistantMessageContent(text=" \n")], **BASE)
    assert await convert(blank) == []


async def test_hidden_context() -> None:
    messages = await convert(
        HiddenContextItem(id="h1", content={"plan": "gold"}, **BASE),
        SDKHiddenContextItem(id="h2", content="The user cancelled.", **BASE),
    )
    assert shown(messages) == [
        ("system", "<HIDDEN_CONTEXT>{'plan': 'gold'}</HIDDEN_CONTEXT>"),
        ("system", "<HIDDEN_CONTEXT>The user cancelled.</HIDDEN_CONTEXT>"),
    ]


@pytest.mark.parametrize(
    ("task", "text"),
    [
        (CustomTask(title="Book", content="A table"), "Book: A table"),
        (CustomTask(title="Book"), "Book"),
        (CustomTask(content="A table"), "A table"),
        (CustomTask(), None),
        (SearchTask(title="Search"), None),
        (ImageTask(), None),
    ],
)
async def test_tasks(task: Any, text: str | None) -> None:
    messages = await convert(TaskItem(id="tsk_1", task=task, **BASE))
    if text is None:
        assert messages == []
    else:
        ((role, said),) = shown(messages)
        assert role == "user"
        assert "displayed to the user" in said
        assert f"<Task>\n{text}\n</Task>" in said


async def test_workflow_gives_one_message_per_task() -> None:
    workflow = Workflow(
        type="custom", tasks=[CustomTask(title="A"), SearchTask(), CustomTask(title="B")]
    )
    messages = await convert(WorkflowItem(id="wf_1", workflow=workflow, **BASE))
    assert [message.text.splitlines()[2] for message in messages] == ["A", "B"]


async def test_workflow_without_custom_tasks_gives_none() -> None:
    workflow = Workflow(type="custom", tasks=[SearchTask(), CustomTask()])
    item = WorkflowItem(id="wf_1", workflow=workflow, **BASE)
    assert ThreadItemConverter().workflow_to_input(item) is None


async def test_widget_that_is_not_json_gives_none(caplog: pytest.LogCaptureFixture) -> None:
    card: Any = {"type": "Card", "children": [], "of": object()}
    item = WidgetItem(id="wdg_9", widget=DynamicWidgetRoot.model_validate(card), **BASE)
    assert ThreadItemConverter().widget_to_input(item) is None
    assert [(record.levelname, "wdg_9" in record.message) for record in caplog.records] == [
        ("WARNING", True)
    ]


async def test_widget_json_omits_unset_fields() -> None:
    widget = DynamicWidgetRoot.model_validate(
        {"type": "Card", "children": [{"type": "Text", "value": "21 °C"}]}
    )
    ((role, text),) = shown(await convert(WidgetItem(id="msg_w", widget=widget, **BASE)))
    assert role == "user"
    assert "graphical UI widget (id: msg_w) was displayed to the user" in text
    assert '{"type":"Card","children":[{"type":"Text","value":"21 °C"' in text
    assert "null" not in text.replace('"children":null', "")


async def test_structured_input() -> None:
    choice = StructuredInputMultipleChoice(id="q1", question="Which?", options=[], multiple=True)
    choice.answer = StructuredInputAnswer(values=["red", "blue"])
    skipped = StructuredInputFreeform(id="q2", question="Why?")
    skipped.answer = StructuredInputAnswer(skipped=True)
    open_question = StructuredInputFreeform(id="q3", question="When?")
    item = StructuredInputItem(
        id="si_1", status="answered", inputs=[choice, skipped, open_question], **BASE
    )
    ((role, text),) = shown(await convert(item))
    assert role == "user"
    assert "answered" in text
    assert (
        "<StructuredInput>\n- Which?: red, blue\n- Why?: skipped\n- When?: unanswered\n"
        "</StructuredInput>"
    ) in text


@pytest.mark.parametrize(
    ("url", "media_type"),
    [("https://files.test/a", "image/png"), ("data:image/webp;base64,AAAA", "image/webp")],
)
async def test_generated_image_is_sent_by_its_uri(url: str, media_type: str) -> None:
    item = GeneratedImageItem(id="img", image=GeneratedImage(id="i", url=url), **BASE)
    (message,) = await convert(item)
    assert message.role == "user"
    assert message.contents[0].type == "text"
    assert (message.contents[1].uri, message.contents[1].media_type) == (url, media_type)
    for nothing in (None, GeneratedImage(id="i", url="")):
        assert await convert(GeneratedImageItem(id="img", image=nothing, **BASE)) == []


async def test_pending_client_tool_call_is_not_sent() -> None:
    item = ClientToolCallItem(id="tc", call_id="c1", name="locate", arguments={}, **BASE)
    assert await convert(item) == []


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ({"x": [1]}, '{"x": [1]}'),
        (None, ""),
        (0, "0"),
        ({"on": datetime(2026, 1, 2)}, '{"on": "2026-01-02 00:00:00"}'),
    ],
)
async def test_completed_client_tool_call_is_a_call_and_its_result(output: Any, text: str) -> None:
    item = ClientToolCallItem(
        id="tc",
        call_id="c1",
        name="locate",
        arguments={"fine": True},
        status="completed",
        output=output,
        **BASE,
    )
    call, result = await convert(item)
    assert (call.role, result.role) == ("assistant", "tool")
    assert (call.contents[0].call_id, call.contents[0].name) == ("c1", "locate")
    assert call.contents[0].arguments == '{"fine": true}'
    assert (result.contents[0].call_id, result.contents[0].result) == ("c1", text)


async def test_end_of_turn_gives_no_message() -> None:
    assert await convert(EndOfTurnItem(id="eot", **BASE)) == []


async def test_unknown_item_is_skipped(caplog: pytest.LogCaptureFixture) -> None:
    class Hologram:
        id, type = "holo", "hologram"

    caplog.set_level(logging.DEBUG)
    unknown: Any = Hologram()
    assert shown(await convert(user("A"), unknown, user("B"))) == [("user", "A"), ("user", "B")]
    assert any(record.levelno == logging.DEBUG for record in caplog.records)


async def test_malformed_item_does_not_lose_the_others(caplog: pytest.LogCaptureFixture) -> None:
    malformed = user("x").model_construct(id="msg_bad", type="user_message", content=None)
    assert shown(await convert(user("A"), malformed, user("B"))) == [("user", "A"), ("user", "B")]
    assert "msg_bad" in caplog.text


EVERY_ITEM: list[ThreadItem] = [
    user("hello", tag("al"), attachments=[file()]),
    AssistantMessageItem(id="a", content=[AssistantMessageContent(text="hi")], **BASE),
    ClientToolCallItem(
        id="c", call_id="c", name="n", arguments={}, status="completed", output=1, **BASE
    ),
    WidgetItem(
        id="w", widget=DynamicWidgetRoot.model_validate({"type": "Card", "children": []}), **BASE
    ),
    GeneratedImageItem(id="g", image=GeneratedImage(id="i", url="https://files.test/i"), **BASE),
    StructuredInputItem(id="s", inputs=[], **BASE),
    WorkflowItem(id="f", workflow=Workflow(type="custom", tasks=[CustomTask(title="t")]), **BASE),
    TaskItem(id="t", task=CustomTask(title="t"), **BASE),
    HiddenContextItem(id="h", content="h", **BASE),
    SDKHiddenContextItem(id="x", content="x", **BASE),
    EndOfTurnItem(id="e", **BASE),
]
ITEM_METHODS = [
    "user_message_to_input",
    "assistant_message_to_input",
    "client_tool_call_to_input",
    "widget_to_input",
    "generated_image_to_input",
    "structured_input_to_input",
    "workflow_to_input",
    "task_to_input",
    "hidden_context_to_input",
    "sdk_hidden_context_to_input",
    "end_of_turn_to_input",
]


def overridden(method: str, override: Any) -> ThreadItemConverter:
    converter = type("Converter", (ThreadItemConverter,), {method: override})()
    assert isinstance(converter, ThreadItemConverter)
    return converter


def test_every_item_type_has_a_method() -> None:
    from typing import get_args

    members = get_args(get_args(ThreadItem)[0])
    assert {type(item) for item in EVERY_ITEM} == set(members)
    assert len(ITEM_METHODS) == len(members)


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("returns", ["message", "list", "none"])
@pytest.mark.parametrize("method", ITEM_METHODS)
async def test_every_method_can_be_overridden(method: str, returns: str, is_async: bool) -> None:
    message = Message("user", ["overridden"])
    result = {"message": message, "list": [message, message], "none": None}[returns]

    async def coroutine(self: object, item: object, is_last_message: bool = True) -> Any:
        return result

    def plain(self: object, item: object, is_last_message: bool = True) -> Any:
        return result

    converter = type(
        "Converter", (ThreadItemConverter,), {method: coroutine if is_async else plain}
    )()
    item = EVERY_ITEM[ITEM_METHODS.index(method)]
    expected = {"message": 1, "list": 2, "none": 0}[returns]
    assert shown(await converter.to_agent_input(item)) == [("user", "overridden")] * expected


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("method", ["attachment_to_message_content", "tag_to_message_content"])
async def test_message_contents_can_be_overridden(method: str, is_async: bool) -> None:
    async def coroutine(self: object, part: object) -> Content:
        return Content.from_text("overridden")

    def plain(self: object, part: object) -> Content:
        return Content.from_text("overridden")

    converter = type(
        "Converter", (ThreadItemConverter,), {method: coroutine if is_async else plain}
    )()
    item = user("x ", tag("al"), attachments=[image()])
    (message,) = await converter.to_agent_input(item)
    assert "overridden" in message.text


def test_plain_and_coroutine_methods() -> None:
    import inspect

    plain = {
        "tag_to_message_content",
        "hidden_context_to_input",
        "task_to_input",
        "workflow_to_input",
        "widget_to_input",
    }
    for name in [*ITEM_METHODS, "attachment_to_message_content", "tag_to_message_content"]:
        method = getattr(ThreadItemConverter, name)
        assert inspect.iscoroutinefunction(method) is (name not in plain), name


def test_framework_namespace_finds_this_package() -> None:
    from agent_framework import chatkit

    import agent_framework_chatkit

    for name in ("ThreadItemConverter", "simple_to_agent_input", "stream_agent_response"):
        assert getattr(chatkit, name) is getattr(agent_framework_chatkit, name)
