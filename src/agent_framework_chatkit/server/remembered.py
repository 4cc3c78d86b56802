"""The messages and the session that a turn stores for the agent's next turns."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from agent_framework import AgentSession, Message

from ..stores.sql.messages import load_messages
from ..stores.sql.turn_rows import StoredMessages
from ..text import without_markup
from ..workflows.runner import conversation

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RememberedTurn:
    """A run's result to store.

    Attributes:
        messages: The exchanged messages.
        session: The turn's ID and the session's JSON.
        forgotten: The IDs of items whose requests are not stored, so nobody can answer them.
    """

    messages: list[StoredMessages]
    session: tuple[str, str]
    forgotten: list[str]


def dump_session(session: AgentSession, thread_id: str) -> str:
    """Return a session as JSON, without state that cannot be stored."""
    try:
        return json.dumps(session.to_dict())
    except (TypeError, ValueError):
        pass
    sound = AgentSession(
        session_id=session.session_id, service_session_id=session.service_session_id
    )
    for name, value in session.state.items():
        sound.state[name] = value
        try:
            json.dumps(sound.to_dict())
        except (TypeError, ValueError) as error:
            del sound.state[name]
            logger.error(
                "The state %r of the session of thread %r is not stored: %s. Keep JSON values in "
                "it, or register its type with agent_framework.register_state_type.",
                name,
                thread_id,
                error,
            )
    return json.dumps(sound.to_dict())


def remembered_of_workflow(exchanged: Sequence[Message], *, is_whole: bool) -> list[Message]:
    """Return the messages of a workflow's run to store.

    These are its agents' texts. If the run was cut short or waits for an answer, which may never
    come, a note lists the tool calls made so far, as text, because the agents that continue may not
    have these tools.
    """
    messages = conversation(exchanged)
    if is_whole:
        return messages
    called = _called(exchanged)
    if called:
        text = "\n".join(["These tools were called before that:", *called])
        messages.append(Message("user", [f"<HIDDEN_CONTEXT>{text}</HIDDEN_CONTEXT>"]))
    return messages


def _called(messages: Sequence[Message]) -> list[str]:
    """Return a line of text for each tool call that has a result."""
    contents = [content for message in messages for content in message.contents]
    results = {each.call_id: each.result for each in contents if each.type == "function_result"}
    return [
        without_markup(f"{each.name}({each.arguments}): {results[each.call_id]}")
        for each in contents
        if each.type == "function_call" and each.call_id in results
    ]


def earlier_attempt(rows: Sequence[str], thread_id: str) -> str:
    """Return a note for the agent on the tool calls of an earlier attempt, if it made any."""
    called = _called([message for row in rows for message in load_messages(row, thread_id)])
    if not called:
        return ""
    lines = [
        "An earlier attempt at this answer was cut short. It called these tools; do not call them "
        "again for the same purpose:",
        *called,
    ]
    return "\n".join(lines)
