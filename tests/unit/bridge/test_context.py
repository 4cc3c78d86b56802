"""Changes that tools make to a thread while they run."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from agent_framework import (
    Agent,
    Content,
    FunctionInvocationContext,
    Message,
    WorkflowBuilder,
    tool,
)
from chatkit.types import (
    AssistantMessageItem,
    ClientEffectEvent,
    ClientToolCallItem,
    CustomSummary,
    CustomTask,
    ProgressUpdateEvent,
    ThreadItemAddedEvent,
    ThreadItemRemovedEvent,
    WidgetItem,
    WidgetStreamingTextValueDelta,
    Workflow,
    WorkflowItem,
)
from chatkit.widgets import DynamicWidgetRoot

from agent_framework_chatkit import ClientToolCall, ThreadContext, stream_agent_response

from ...fakes.scripted_agent import agent, call
from ..thread_client import (
    collect,
    events_of,
    items_of,
    make_context,
    stream_of,
    text,
)
from .shown import CALLED, RETURNED


def card(value: str, **properties: Any) -> DynamicWidgetRoot:
    component = {"type": "Text", "id": "t", "value": value, **properties}
    return DynamicWidgetRoot.model_validate({"type": "Card", "children": [component]})


async def test_widget_appears_between_call_and_answer() -> None:
    sent = await events_of(
        CALLED,
        lambda context: context.stream_widget(card("21"), "21 degrees"),
        RETURNED,
        text("Sunny"),
    )
    workflow, widget, message = items_of(sent)
    assert (workflow.type, message.type) == ("workflow", "assistant_message")
    assert isinstance(widget, WidgetItem)
    assert widget.copy_text == "21 degrees"


async def test_widget_states_stream() -> None:
    async def states() -> Any:
        yield card("2", streaming=True)
        yield card("21", streaming=True)
        yield card("21", streaming=False)

    sent = await events_of(lambda context: context.stream_widget(states()))
    assert [event.type for event in sent] == [
        "thread.item.added",
        "thread.item.updated",
        "thread.item.updated",
        "thread.item.done",
    ]
    assert isinstance(sent[1].update, WidgetStreamingTextValueDelta)
    (item,) = items_of(sent)
    assert isinstance(item, WidgetItem)
    assert '"21"' in item.widget.model_dump_json()


async def test_widget_that_fails_midway_keeps_last_state() -> None:
    async def states() -> Any:
        yield card("2")
        yield card("21")
        raise RuntimeError("no thermometer")

    async def tool_that_copes(context: ThreadContext[Any]) -> None:
        with pytest.raises(RuntimeError, match="no thermometer"):
            await context.stream_widget(states())

    (item,) = items_of(await events_of(tool_that_copes))
    assert isinstance(item, WidgetItem)
    assert '"21"' in item.widget.model_dump_json()


def nested(depth: int) -> DynamicWidgetRoot:
    inner: dict[str, Any] = {"type": "Text", "value": "at the bottom"}
    for _ in range(depth - 2):
        inner = {"type": "Box", "children": [inner]}
    return DynamicWidgetRoot.model_validate({"type": "Card", "children": [inner]})


async def test_widget_that_cannot_be_loaded_is_not_shown() -> None:
    async def states() -> Any:
        yield card("2")
        yield nested(65)

    async def show(context: ThreadContext[Any]) -> None:
        await context.stream_widget(nested(64))
        with pytest.raises(ValueError, match="64"):
            await context.stream_widget(nested(65))
        with pytest.raises(ValueError, match="64"):
            await context.stream_widget(states())

    deep, kept = items_of(await events_of(show))
    read = WidgetItem.model_validate_json(deep.model_dump_json(exclude_none=True))
    assert "at the bottom" in read.model_dump_json()
    assert '"2"' in kept.model_dump_json()


async def test_widget_without_states_is_not_shown() -> None:
    async def states() -> Any:
        return
        yield

    assert await events_of(lambda context: context.stream_widget(states())) == []


async def test_tool_shows_workflow() -> None:
    async def search(context: ThreadContext[Any]) -> None:
        await context.start_workflow(Workflow(type="custom", tasks=[]))
        assert context.workflow_item is not None
        index = await context.add_workflow_task(CustomTask(title="A", status_indicator="loading"))
        await context.add_workflow_task(CustomTask(title="B"))
        await context.update_workflow_task(CustomTask(title="A!"), index)
        await context.end_workflow(summary=CustomSummary(title="Found"), expanded=True)
        assert context.workflow_item is None

    sent = await events_of(CALLED, search, RETURNED, text("Found it"))
    shown, workflow, _ = items_of(sent)
    assert isinstance(shown, WorkflowItem)
    assert isinstance(workflow, WorkflowItem)
    assert [task.model_dump()["title"] for task in workflow.workflow.tasks] == ["A!", "B"]
    assert workflow.workflow.summary == CustomSummary(title="Found")
    assert workflow.workflow.expanded
    # The workflow is added with its first task, so no empty workflow is shown.
    added = [event for event in sent if isinstance(event, ThreadItemAddedEvent)]
    assert [len(event.item.workflow.tasks) for event in added[:2]] == [1, 1]  # type: ignore[union-attr]


async def test_tasks_of_tool_join_agents_workflow() -> None:
    async def look(context: ThreadContext[Any]) -> None:
        index = await context.add_workflow_task(CustomTask(title="Ask the sky"))
        assert index == 1
        await context.update_workflow_task(CustomTask(title="Asked"), index)

    (workflow,) = items_of(await events_of(CALLED, look, RETURNED))
    assert isinstance(workflow, WorkflowItem)
    assert [
        (task.model_dump()["title"], task.status_indicator) for task in workflow.workflow.tasks
    ] == [("Get weather", "complete"), ("Asked", "none")]


async def test_text_closes_open_workflow_of_tool() -> None:
    async def forget(context: ThreadContext[Any]) -> None:
        await context.start_workflow(Workflow(type="custom", tasks=[]))
        await context.add_workflow_task(CustomTask(title="A", status_indicator="loading"))

    workflow, message = items_of(await events_of(forget, text("Hi")))
    assert isinstance(workflow, WorkflowItem)
    assert workflow.workflow.tasks[0].status_indicator == "none"
    assert message.type == "assistant_message"


async def test_widget_closes_workflow_of_tool() -> None:
    async def work(context: ThreadContext[Any]) -> None:
        await context.start_workflow(Workflow(type="custom", tasks=[CustomTask(title="A")]))
        await context.stream_widget(card("1"))
        await context.start_workflow(Workflow(type="custom", tasks=[CustomTask(title="B")]))
        await context.start_workflow(Workflow(type="custom", tasks=[CustomTask(title="C")]))

    shown = items_of(await events_of(work))
    assert [item.type for item in shown] == ["workflow", "widget", "workflow", "workflow"]


async def test_task_update_needs_workflow() -> None:
    async def confused(context: ThreadContext[Any]) -> None:
        await context.end_workflow()
        with pytest.raises(ValueError, match="start_workflow"):
            await context.update_workflow_task(CustomTask(title="A"), 0)
        await context.add_workflow_task(CustomTask(title="A"))
        with pytest.raises(IndexError, match="1 tasks"):
            await context.update_workflow_task(CustomTask(title="A"), 1)

    assert len(items_of(await events_of(confused))) == 1


async def test_workflow_without_tasks_is_removed() -> None:
    async def idle(context: ThreadContext[Any]) -> None:
        await context.start_workflow(Workflow(type="custom", tasks=[]))
        await context.end_workflow()
        await context.start_workflow(Workflow(type="reasoning", tasks=[]))
        await context.end_workflow()

    sent = await events_of(idle)
    assert [type(event) for event in sent] == [ThreadItemAddedEvent, ThreadItemRemovedEvent]
    assert items_of(sent) == []


async def test_progress_and_effects() -> None:
    async def show(context: ThreadContext[Any]) -> None:
        await context.stream_progress("Looking", icon="search")
        await context.stream_client_effect("confetti", {"amount": 3})
        await context.stream_client_effect("beep")

    assert await events_of(show) == [
        ProgressUpdateEvent(text="Looking", icon="search"),
        ClientEffectEvent(name="confetti", data={"amount": 3}),
        ClientEffectEvent(name="beep"),
    ]


async def test_client_tool_is_called_at_end_of_turn() -> None:
    async def locate(context: ThreadContext[Any]) -> None:
        context.client_tool_call = ClientToolCall(name="locate", arguments={"fine": True})

    context = make_context()
    shown = items_of(await events_of(locate, text("One moment."), context=context))
    call = shown[-1]
    assert isinstance(call, ClientToolCallItem)
    assert (call.name, call.arguments, call.status) == ("locate", {"fine": True}, "pending")
    assert context.client_tool_call is None


async def test_ids_come_from_the_store() -> None:
    context = make_context()
    assert context.generate_id("task") == "task_1"
    assert context.generate_id("thread").startswith("thr_")
    (item,) = items_of(await events_of(text("Hi"), context=context))
    assert item.id == "message_2"


async def test_caller_can_generate_ids() -> None:
    context = make_context()
    events = stream_agent_response(
        stream_of([text("Hi")]), "thr_1", lambda kind: f"mine_{kind}", context=context
    )
    (item,) = items_of(await collect(events))
    assert item.id == "mine_msg"


async def test_context_belongs_to_one_thread() -> None:
    with pytest.raises(ValueError, match="thr_1"):
        stream_agent_response(stream_of([]), "thr_2", context=make_context())


async def respond(agent: Agent[Any], context: ThreadContext[Any] | None) -> list[Any]:
    kwargs = context.function_invocation_kwargs if context else {}
    run = agent.run([Message("user", ["Go"])], stream=True, function_invocation_kwargs=kwargs)
    return await collect(stream_agent_response(run, "thr_1", context=context))


@tool(approval_mode="never_require")
async def show_weather(ctx: FunctionInvocationContext, city: str) -> str:
    """Show the weather."""
    context = ThreadContext.of(ctx)
    assert context.request_context == "me"
    await context.start_workflow(Workflow(type="custom", tasks=[]))
    for step in (1, 2):
        await context.add_workflow_task(CustomTask(title=f"{city} {step}"))
        await asyncio.sleep(0)
    await context.end_workflow()
    return f"Sunny in {city}"


async def test_tool_finds_the_context() -> None:
    sent = await respond(
        agent(
            [call("show_weather", city="Paris")], [Content.from_text("Done")], tools=[show_weather]
        ),
        make_context(),
    )
    called, workflow, answer = items_of(sent)
    assert isinstance(called, WorkflowItem)
    assert isinstance(workflow, WorkflowItem)
    assert isinstance(answer, AssistantMessageItem)
    assert [task.model_dump()["title"] for task in workflow.workflow.tasks] == [
        "Paris 1",
        "Paris 2",
    ]


async def test_parallel_tools_have_a_workflow_each() -> None:
    calls = [call("show_weather", "c1", city="Paris"), call("show_weather", "c2", city="Rome")]
    sent = await respond(
        agent(calls, [Content.from_text("Done")], tools=[show_weather]), make_context()
    )
    workflows = [item for item in items_of(sent) if isinstance(item, WorkflowItem)]
    assert [
        [task.model_dump()["title"] for task in each.workflow.tasks] for each in workflows[1:]
    ] == [["Paris 1", "Paris 2"], ["Rome 1", "Rome 2"]]


async def test_tool_of_sub_agent_finds_context() -> None:
    helper = agent(
        [call("show_weather", city="Oslo")],
        [Content.from_text("Sunny")],
        tools=[show_weather],
        name="helper",
    )
    sent = await respond(
        agent(
            [call("helper", task="weather in Oslo")],
            [Content.from_text("Done")],
            tools=[helper.as_tool()],
        ),
        make_context(),
    )
    titles = [
        task.model_dump()["title"]
        for item in items_of(sent)
        if isinstance(item, WorkflowItem)
        for task in item.workflow.tasks
    ]
    assert titles == ["Helper", "Oslo 1", "Oslo 2"]


async def test_tool_of_an_agent_in_a_workflow_finds_the_context() -> None:
    member = agent(
        [call("show_weather", city="Rome")],
        [Content.from_text("Sunny")],
        tools=[show_weather],
        name="member",
    )
    workflow: Any = WorkflowBuilder(start_executor=member).build().as_agent()
    titles = [
        task.model_dump()["title"]
        for item in items_of(await respond(workflow, make_context()))
        if isinstance(item, WorkflowItem)
        for task in item.workflow.tasks
    ]
    # A workflow passes an agent's output on only when the agent's step ends.
    assert titles == ["Rome 1", "Rome 2", "Show weather"]


async def test_missing_context_error_says_what_to_do() -> None:
    problems: list[str] = []

    @tool(approval_mode="never_require")
    async def look(ctx: FunctionInvocationContext) -> str:
        """Look."""
        with pytest.raises(LookupError) as error:
            ThreadContext.of(ctx)
        problems.append(str(error.value))
        return "ok"

    await respond(agent([call("look")], [Content.from_text("Done")], tools=[look]), None)
    assert "function_invocation_kwargs" in problems[0]


async def test_tool_that_fails_is_shown_as_failed() -> None:
    @tool(approval_mode="never_require")
    async def look() -> str:
        """Look."""
        raise RuntimeError("password=1")

    sent = await respond(
        agent([call("look")], [Content.from_text("Sorry")], tools=[look]), make_context()
    )
    workflow, _ = items_of(sent)
    assert isinstance(workflow, WorkflowItem)
    assert workflow.workflow.tasks[0].model_dump()["content"] == "Failed"
    assert "password" not in "".join(event.model_dump_json() for event in sent)
