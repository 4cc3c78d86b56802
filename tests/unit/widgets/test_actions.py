"""Declaration of action handlers."""

from __future__ import annotations

from typing import Any

import pytest

from agent_framework_chatkit import (
    APPROVAL_ACTION,
    AgentChatKitServer,
    ThreadContext,
    action,
)
from agent_framework_chatkit.stores import SQLStore

from ...fakes.scripted_agent import agent
from ..offering import Trip, book


@pytest.mark.parametrize("kind", ["book", APPROVAL_ACTION])
def test_type_has_one_handler(kind: str) -> None:
    @action(kind)
    async def other(payload: Any, context: ThreadContext[Any]) -> None: ...

    store = SQLStore[Any]("sqlite://")
    with pytest.raises(ValueError, match=kind):
        AgentChatKitServer(agent(), store, actions=[book, other])


def test_handler_must_declare_payload_type() -> None:
    def bare(payload, context):  # type: ignore[no-untyped-def]
        pass

    def alone(payload: Trip) -> None: ...

    for function in (bare, alone):
        with pytest.raises(TypeError, match="two arguments"):
            action("x")(function)  # type: ignore[arg-type]
