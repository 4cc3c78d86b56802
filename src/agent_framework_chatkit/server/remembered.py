"""The messages and the session that a turn stores for the agent's next turns."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass

from agent_framework import AgentSession, Message

from ..interrupts.request_info import is_request_info
from ..stores.sql.messages import dump_messages, load_messages
from ..stores.sql.turn_rows import StoredMessages
from ..text import without_markup
from ..workflows.runner import conversation
from .call_ids import results_of_calls

logger = logging.getLogger(__name__)

_DELETED = (
    "An earlier answer to this was deleted. It called these tools, and what they did is still in "
    "effect. Do not repeat a call that changes anything:"
)
_CALLED = "These tools were called before that:"
_NOTED = re.compile(
    rf"<HIDDEN_CONTEXT>(?:{re.escape(_DELETED)}|{_CALLED})\n(.*?)</HIDDEN_CONTEXT>", re.DOTALL
)
"""Matches an earlier note on tool calls."""


@dataclass(frozen=True)
class RememberedTurn:
    """A run's result to store.

    Attributes:
        messages: The exchanged messages.
        session: The turn's ID and the session's JSON, if an agent ran.
        forgotten: The IDs of items whose requests are not stored, so nobody can answer them.
    """

    messages: list[StoredMessages]
    session: tuple[str, str] | None
    forgotten: list[str]


def dump_session(session: AgentSession, thread_id: str) -> str:
    """Return a session as JSON, without state that cannot be stored."""
    try:
        return json.dumps(session.to_dict())
    except Exception:  # noqa: S110 reported below
        pass
    sound = AgentSession(
        session_id=session.session_id, service_session_id=session.service_session_id
    )
    for name, value in session.state.items():
        sound.state[name] = value
        try:
            json.dumps(sound.to_dict())
        except Exception as error:
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
        text = "\n".join([_CALLED, *called])
        messages.append(Message("user", [f"<HIDDEN_CONTEXT>{text}</HIDDEN_CONTEXT>"]))
    return messages


def _called(messages: Sequence[Message]) -> list[str]:
    """Return a line of text for each tool call that has a result."""
    called = []
    for (index, at), result in sorted(results_of_calls(messages).items()):
        call = messages[index].contents[at]
        if is_request_info(call):
            continue
        called.append(without_markup(f"{call.name}({call.arguments}): {result.result}"))
    return called


def remembered_without_agent(
    turn_id: str, tried: Sequence[str], thread_id: str
) -> RememberedTurn | None:
    """Return what to store of a turn that ended before its agent started.

    Args:
        turn_id: The turn's ID.
        tried: The deleted messages of earlier attempts, as JSON.
        thread_id: The thread's ID, for log messages.
    """
    note = earlier_attempts(tried, thread_id)
    if not note:
        return None
    message = Message("user", [f"<HIDDEN_CONTEXT>{note}</HIDDEN_CONTEXT>"])
    return RememberedTurn([StoredMessages(turn_id, dump_messages([message]))], None, [])


def earlier_attempts(rows: Sequence[str], thread_id: str) -> str:
    """Return a note for the agent on the tool calls of deleted answers, if they made any."""
    messages = [message for row in rows for message in load_messages(row, thread_id)]
    noted = [found for each in messages for found in _NOTED.findall(each.text)]
    called = [*noted, *_called(messages)]
    return "\n".join([_DELETED, *called]) if called else ""
