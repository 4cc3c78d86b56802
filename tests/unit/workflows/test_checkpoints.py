from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from agent_framework import (
    Executor,
    InMemoryCheckpointStorage,
    Message,
    Workflow,
    WorkflowBuilder,
    WorkflowCheckpoint,
    WorkflowCheckpointException,
    WorkflowContext,
    handler,
    register_checkpoint_type,
    response_handler,
)

from agent_framework_chatkit.workflows.checkpoints import dump_checkpoint, load_checkpoint


@dataclass
class Detail:
    text: str


@dataclass
class Question:
    detail: Detail


@dataclass
class Unnamed:
    number: int


class Asking(Executor):
    def __init__(self, state: Any) -> None:
        super().__init__("asking")
        self.state = state

    @handler
    async def start(self, messages: list[Message], ctx: WorkflowContext) -> None:
        await ctx.request_info(Question(Detail("Why?")), list[Detail])

    @response_handler
    async def answer(
        self, request: Question, response: list[Detail], ctx: WorkflowContext
    ) -> None: ...

    async def on_checkpoint_save(self) -> dict[str, Any]:
        return {"state": self.state}


async def paused(state: Any) -> tuple[WorkflowCheckpoint, Workflow]:
    workflow = WorkflowBuilder(start_executor=Asking(state)).build()
    storage = InMemoryCheckpointStorage()
    message = Message("user", ["Hi"], raw_representation=object)
    async for _ in workflow.run([message], stream=True, checkpoint_storage=storage):
        pass
    checkpoint_id = workflow.get_last_checkpoint_id()
    assert checkpoint_id is not None
    return await storage.load(checkpoint_id), workflow


async def test_checkpoint_survives_json_round_trip() -> None:
    checkpoint, workflow = await paused({"count": 1})
    data = json.loads(json.dumps(dump_checkpoint(checkpoint, workflow)))
    loaded = load_checkpoint(data, workflow)
    (event,) = loaded.pending_request_info_events.values()
    assert event.data == Question(Detail("Why?"))
    assert (event.request_type, event.response_type) == (Question, list[Detail])
    assert loaded.checkpoint_id == checkpoint.checkpoint_id


async def test_unregistered_type_is_rejected_on_save() -> None:
    checkpoint, workflow = await paused(Unnamed(1))
    with pytest.raises(WorkflowCheckpointException, match="Unnamed"):
        dump_checkpoint(checkpoint, workflow)


async def test_type_can_be_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass
    class Registered:
        number: int

    Registered.__qualname__ = "Registered"
    monkeypatch.setitem(globals(), "Registered", Registered)
    register_checkpoint_type(Registered)
    checkpoint, workflow = await paused(Registered(1))
    loaded = load_checkpoint(dump_checkpoint(checkpoint, workflow), workflow)
    assert "Registered" in repr(loaded.state)


async def test_workflow_without_matching_request() -> None:
    class Other(Executor):
        @handler
        async def start(self, messages: list[Message], ctx: WorkflowContext) -> None: ...

        @response_handler
        async def answer(self, request: Question, response: str, ctx: WorkflowContext) -> None: ...

    checkpoint, workflow = await paused(None)
    data = dump_checkpoint(checkpoint, workflow)
    changed = WorkflowBuilder(start_executor=Other("asking")).build()
    with pytest.raises(WorkflowCheckpointException, match="no longer has a handler"):
        load_checkpoint(data, changed)
