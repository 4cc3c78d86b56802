"""Runs a workflow as the agent of a thread."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from inspect import getclosurevars, isfunction, unwrap
from typing import Any, TypeAlias
from uuid import uuid4

from agent_framework import (
    AgentExecutor,
    AgentMiddlewareLayer,
    AgentResponse,
    AgentResponseUpdate,
    AgentSession,
    ChatMiddleware,
    Content,
    Executor,
    FunctionMiddleware,
    FunctionTool,
    InMemoryCheckpointStorage,
    Message,
    SupportsAgentRun,
    Workflow,
    WorkflowAgent,
    WorkflowEvent,
    WorkflowExecutor,
    WorkflowMessage,
)

from ..bridge.context import AGENT_CONTEXT
from ..interrupts.calls import ToolDescription, describe_tool
from ..interrupts.client_tools import client_tool_names
from ..interrupts.forms import Answers, value_of_answers
from ..interrupts.pause import Interrupt, Pause
from ..interrupts.request_info import REQUEST_INFO
from ..text import mend_json
from .checkpoints import dump_checkpoint, load_checkpoint

_Middleware: TypeAlias = "Sequence[FunctionMiddleware | ChatMiddleware]"

_SHOWN = ("output", "intermediate", "data")
_STEPS = ("executor_invoked", "executor_completed", "executor_failed")


class ThreadWorkflow:
    """Runs a workflow on the new messages of a thread.

    A workflow keeps the state of its executors between runs. Each turn therefore runs a copy, so
    that threads never see each other's data. Parts of agents that have no thread state, such as
    models and tools, are shared.

    A workflow that sends a request leaves a checkpoint, from which the answer resumes it.
    Otherwise, it starts from the beginning with each message and receives the whole conversation.

    Args:
        workflow: The workflow.
        is_shared: Whether other threads use the same object. If so, only copies of it run.
        middleware: Added to the workflow's agents.

    Raises:
        TypeError: If the workflow cannot be copied.
    """

    def __init__(self, workflow: Workflow, *, is_shared: bool, middleware: _Middleware) -> None:
        self.id = workflow.id
        self.name: str | None = workflow.name
        self.description: str | None = workflow.description
        self._workflow = workflow
        if not is_shared:
            for executor in _executors(workflow):
                for name, agent in _agents(executor).items():
                    setattr(executor, name, _with_middleware(copy.copy(agent), middleware))
            return
        try:
            self._workflow = _copied(workflow, middleware)
        except Exception as error:
            raise TypeError(
                f"Each thread needs a copy of the workflow {workflow.name!r}, but it cannot be "
                f"copied: {error}. Pass AgentChatKitServer a function that builds it: "
                "AgentChatKitServer(lambda thread, context: build_workflow(), store)."
            ) from error

    def create_session(self, *, session_id: str | None = None) -> AgentSession:
        """Return a new session."""
        return AgentSession(session_id=session_id)

    @property
    def client_tools(self) -> set[str]:
        """The names of the client tools of the workflow's agents."""
        return {
            name
            for executor in _executors(self._workflow)
            if isinstance(executor, AgentExecutor)
            for name in client_tool_names(executor.agent)
        }

    def describe_tool(self, name: str) -> ToolDescription | None:
        """Return the description of a tool of the workflow's agents that people see.

        Agents may have different tools with the same name. These have no description.
        """
        described = {
            describe_tool(executor.agent, name)
            for executor in _executors(self._workflow)
            if isinstance(executor, AgentExecutor)
        } - {None}
        return described.pop() if len(described) == 1 else None

    def response_types(self, pause: Pause) -> dict[str, Any]:
        """Return the expected types of the answers, by request ID."""
        if pause.checkpoint is None:
            return {}
        checkpoint = load_checkpoint(pause.checkpoint, self._workflow)
        return {
            request_id: event.response_type
            for request_id, event in checkpoint.pending_request_info_events.items()
        }

    async def run(
        self,
        messages: list[Message],
        *,
        pause: Pause,
        resumed: Pause | None,
        history: Sequence[Message],
        function_invocation_kwargs: dict[str, Any],
    ) -> AsyncGenerator[AgentResponseUpdate, None]:
        """Run the workflow.

        Args:
            messages: The new messages.
            pause: Receives the checkpoint if the workflow sends a request.
            resumed: The answered pause to resume from, if any.
            history: The conversation so far.
            function_invocation_kwargs: Values that its tools receive besides their arguments.

        Yields:
            The output of its agents and executors, its requests, and an update without content
            for each step, whose raw representation is the step's event.
        """
        storage = InMemoryCheckpointStorage()
        if resumed is not None and resumed.checkpoint is not None:
            context = function_invocation_kwargs.get(AGENT_CONTEXT)
            checkpoint = load_checkpoint(resumed.checkpoint, self._workflow, context)
            types = self.response_types(resumed)
            start: dict[str, Any] = {
                "responses": {
                    request_id: _response(interrupt, types[request_id])
                    for interrupt in resumed.interrupts
                    if (request_id := _request_id(interrupt)) in types
                },
                "checkpoint_id": await storage.save(checkpoint),
            }
        else:
            start = {"message": self._input([*history, *messages])}
        events = self._workflow.run(
            stream=True,
            checkpoint_storage=storage,
            function_invocation_kwargs=function_invocation_kwargs,
            **start,
        )
        async for event in events:
            for update in self._updates(event):
                yield update
        await self._keep(storage, pause)

    def _input(self, messages: list[Message]) -> Any:
        """Return the conversation in the form that the workflow's start executor accepts."""
        start = self._workflow.get_start_executor()
        texts = "\n\n".join(f"{message.role}: {message.text}" for message in messages)
        last = messages[-1].text if messages else ""
        whole = texts if len(messages) > 1 else last
        if type(start).__name__ == "MagenticOrchestrator":
            # It does not accept a conversation, only one message: the task.
            return [Message("user", [whole])]
        for data in (messages, Message("user", [whole]), whole):
            message = WorkflowMessage(data=data, source_id="", target_id=start.id)
            if start.can_handle(message):
                return data
        raise TypeError(
            f"The workflow {self.name!r} must start with an executor that takes messages or text; "
            f"{start.id!r} takes {start.input_types}."
        )

    async def _keep(self, storage: InMemoryCheckpointStorage, pause: Pause) -> None:
        """Store the checkpoint in the pause, if the workflow waits for an answer."""
        checkpoint_id = self._workflow.get_last_checkpoint_id()
        if checkpoint_id is None:
            return
        checkpoint = await storage.load(checkpoint_id)
        if checkpoint.pending_request_info_events:
            pause.checkpoint = dump_checkpoint(checkpoint, self._workflow)

    def _updates(self, event: WorkflowEvent[Any]) -> list[AgentResponseUpdate]:
        if event.type == "request_info":
            request = AgentResponseUpdate(contents=[_request(event)], role="assistant")
            return [request]
        if event.type in _SHOWN:
            return _output_updates(event.data, event.executor_id)
        if event.type in _STEPS and self._is_step(event):
            return [AgentResponseUpdate(contents=[], raw_representation=event)]
        return []

    def _is_step(self, event: WorkflowEvent[Any]) -> bool:
        """Return whether an event is a step that users should see, rather than internal."""
        executors = {each.id: each for each in self._workflow.get_executors_list()}
        executor = executors.get(event.executor_id or "")
        if isinstance(executor, AgentExecutor):
            # It may just receive the messages of other agents.
            return getattr(event.data, "should_respond", True) is not False
        is_plumbing = type(executor).__module__.startswith("agent_framework")
        return executor is not None and (isinstance(executor, WorkflowExecutor) or not is_plumbing)


def is_message_wanted(pause: Pause) -> bool:
    """Return whether the user's next message is the answer that a workflow waits for."""
    return len(pause.interrupts) == 1 and bool(
        pause.interrupts[0].kind == "input"
        and (pause.interrupts[0].request.parse_arguments() or {}).get("takes_text")
    )


def answer_with(pause: Pause, text: str) -> None:
    """Answer the only request of a pause with a text."""
    (interrupt,) = pause.interrupts
    interrupt.answer = input_answer(interrupt, {"": [text]})


def input_answer(interrupt: Interrupt, answers: Answers) -> Content:
    """Return the answer to a `request_info` in the form that is stored."""
    return Content.from_function_result(
        call_id=str(interrupt.request.call_id), result=json.dumps(dict(answers))
    )


def _response(interrupt: Interrupt, response_type: Any) -> Any:
    answer = interrupt.answer
    if interrupt.kind != "input" or answer is None:
        return answer
    return value_of_answers(response_type, json.loads(str(answer.result)))


def _request_id(interrupt: Interrupt) -> str:
    request = interrupt.request
    return str(request.call_id if interrupt.kind == "input" else request.id)


def _request(event: WorkflowEvent[Any]) -> Content:
    """Return a workflow's request as content."""
    data = event.data
    if isinstance(data, Content) and data.user_input_request and data.type != "text":
        return data
    arguments = {
        "request_id": event.request_id,
        "data": mend_json(_plain(data)),
        "takes_text": event.response_type in (str, Message, list[Message], Any, object),
    }
    return Content.from_function_call(
        call_id=event.request_id,
        name=REQUEST_INFO,
        arguments=arguments,
        raw_representation=event,
    )


def _plain(data: Any) -> Any:
    """Return the readable part of a request's data."""
    if isinstance(data, (str, int, float, type(None), list, Mapping)):
        return data
    text = getattr(data, "text", None)
    if isinstance(text, str):
        return text
    return {name: _plain(value) for name, value in getattr(data, "__dict__", {}).items()}


def _output_updates(data: Any, executor_id: str | None) -> list[AgentResponseUpdate]:
    """Return an executor's output as updates."""
    if isinstance(data, AgentResponseUpdate):
        update = copy.copy(data)
        update.author_name = executor_id
        return [update]
    if isinstance(data, AgentResponse):
        return _output_updates(data.messages, executor_id)
    if isinstance(data, Message):
        return [
            AgentResponseUpdate(
                contents=list(data.contents),
                role=data.role,
                author_name=executor_id,
                message_id=data.message_id or uuid4().hex,
            )
        ]
    if isinstance(data, list):
        return [update for each in data for update in _output_updates(each, executor_id)]
    if data is None:
        return []
    content = data if isinstance(data, Content) else Content.from_text(str(data))
    return [
        AgentResponseUpdate(
            contents=[content],
            role="assistant",
            author_name=executor_id,
            message_id=uuid4().hex,
        )
    ]


def conversation(exchanged: Iterable[Message]) -> list[Message]:
    """Return the messages of a workflow's agents, without their tool calls."""
    messages = []
    for message in exchanged:
        contents = [each for each in message.contents if each.type in ("text", "data", "uri")]
        if message.role == "assistant" and contents:
            messages.append(Message("assistant", contents, author_name=message.author_name))
    return messages


def _executors(workflow: Workflow) -> list[Executor]:
    """Return all executors, including those of nested workflows."""
    executors = []
    for executor in workflow.get_executors_list():
        executors.append(executor)
        for part in (executor, *_agents(executor).values()):
            if isinstance(part, (WorkflowExecutor, WorkflowAgent)):
                executors.extend(_executors(part.workflow))
    return executors


def _agents(executor: Executor) -> dict[str, Any]:
    """Return an executor's agents by the names of its attributes."""
    return {
        name: value for name, value in vars(executor).items() if isinstance(value, SupportsAgentRun)
    }


def _copied(workflow: Workflow, middleware: _Middleware) -> Workflow:
    """Return a copy of a workflow that shares its agents' models, tools and providers."""
    memo: dict[int, Any] = {}
    for executor in _executors(workflow):
        for agent in _agents(executor).values():
            if isinstance(agent, WorkflowAgent):
                # Its workflow has a state, so all of it is copied.
                memo |= {id(each): each for each in agent.context_providers}
            elif id(agent) not in memo:
                check_tools(agent)
                copied = _copied_agent(agent, memo)
                memo[id(agent)] = _with_middleware(copied, middleware)
    return copy.deepcopy(workflow, memo)


def check_tools(agent: Any) -> None:
    """Check that no tool of an agent runs a workflow, which keeps its state between runs.

    Raises:
        TypeError: If one does.
    """
    for each in (getattr(agent, "default_options", None) or {}).get("tools") or ():
        function = unwrap(each.func) if isinstance(each, FunctionTool) and each.func else None
        values = getclosurevars(function).nonlocals.values() if isfunction(function) else ()
        if any(isinstance(value, WorkflowAgent) for value in values):
            raise TypeError(
                f"The tool {each.name!r} runs a workflow, whose state all threads would share. "
                "Pass AgentChatKitServer a function that builds the workflow and the agent: "
                "AgentChatKitServer(lambda thread, context: build_agent(), store)."
            )


def _copied_agent(agent: Any, memo: dict[int, Any]) -> Any:
    """Return a copy of an agent.

    Providers and middleware from the app are shared by all threads. Those that an orchestration
    added belong to one of its executors, and are copied with it.
    """
    copied = copy.copy(agent)
    for name in ("context_providers", "middleware"):
        given = getattr(agent, name, None)
        if isinstance(given, list):
            setattr(
                copied,
                name,
                [
                    copy.deepcopy(each, memo)
                    if type(each).__module__.startswith("agent_framework_orchestrations")
                    else each
                    for each in given
                ],
            )
    return copied


def _with_middleware(agent: Any, middleware: _Middleware) -> Any:
    """Add middleware to an agent, unless it has it."""
    if isinstance(agent, AgentMiddlewareLayer):
        given = getattr(agent, "middleware", None) or ()
        added = [each for each in middleware if each not in given]
        setattr(agent, "middleware", [*given, *added])  # noqa: B010 not in its type
    return agent
