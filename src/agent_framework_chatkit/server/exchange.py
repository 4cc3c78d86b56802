"""What a run, its model and its tools have exchanged: the messages that are remembered.

It is built from the run's updates, not from what was shown. While the run goes on, what is new is
written with the event log, so that a turn whose worker dies can be remembered too.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent_framework import AgentResponse, AgentResponseUpdate, Content, Message

from ..interrupts.client_tools import error_result

logger = logging.getLogger(__name__)

NOT_STARTED = "This call was not started."
UNKNOWN_EFFECT = (
    "This call was started; its effect is unknown. Find out, or ask the user, before you make it "
    "again."
)

_RESPONSE_EVENTS = frozenset(
    {"response.created", "response.completed", "response.incomplete", "response.failed"}
)
"""The events of the Responses API that say how far a response is."""

_TOLD = "told"
_STARTED = "call_started"
_RETURNED = "call_returned"


class Exchange:
    """Collects what a run exchanges.

    Args:
        inputs: The messages that the agent is given.
        calls: Calls of an earlier run that this one makes.
        read_to: The position up to which the agent has been told of the thread's items with these.
        is_workflow: Whether it is a workflow's.
    """

    def __init__(
        self,
        inputs: Sequence[Message],
        calls: Sequence[Content] = (),
        read_to: int = 0,
        *,
        is_workflow: bool = False,
    ) -> None:
        self.inputs = list(inputs)
        self._calls = list(calls)
        self.finish_reason: str | None = None
        """Why the model stopped, as far as it has said."""
        self.is_refused = False
        """Whether the model has refused to answer."""
        self.service_state = ""
        """How far a service is with its response that says so: the last kind of event."""
        self._updates: list[AgentResponseUpdate | dict[str, Any]] = []
        self._text: list[str] = []
        """Text that goes on where the last of the updates ends."""
        self._text_update: AgentResponseUpdate | None = None
        self._started: set[str] = set()
        self._returned: dict[str, Content] = {}
        self._new: list[dict[str, Any]] = [_told(inputs, calls, read_to, is_workflow)]
        """What was not yet taken for the log, but for text that may grow."""

    def add(self, update: AgentResponseUpdate) -> None:
        """Take in what the agent sends."""
        contents = update.contents
        if len(contents) == 1 and contents[0].type == "text" and self._goes_on(update):
            self._text.append(contents[0].text or "")
            return
        if update.finish_reason is not None:
            self.finish_reason = str(update.finish_reason)
        self._note_service(update)
        self._end_text()
        if not contents and update.merge_mode != "replace":
            return
        if _is_plain_text(update):
            self._text_update = update
            self._text = [contents[0].text or ""]
        else:
            self._keep(update)

    def start_call(self, call_id: str) -> None:
        """Note that a tool is about to run."""
        self._end_text()
        self._started.add(call_id)
        self._new.append({"type": _STARTED, "call_id": call_id})

    def end_call(self, call_id: str, result: Any) -> None:
        """Note what a tool has returned, in case others that run beside it are cut short."""
        content = Content.from_function_result(call_id, result=result)
        self._returned[call_id] = content
        self._new.append({"type": _RETURNED, "content": content.to_dict()})

    @property
    def has_new(self) -> bool:
        """Whether something is new since `take_new` was called last."""
        return bool(self._new) or self._text_update is not None

    def take_new(self) -> str | None:
        """Return as JSON what is new since this was called last, if anything is."""
        self._end_text()
        if not self._new:
            return None
        new, self._new = self._new, []
        return json.dumps(new, default=str)

    @property
    def is_empty(self) -> bool:
        """Whether the agent has sent nothing yet."""
        return not self._updates and self._text_update is None

    def messages(self, pending: Iterable[str] = ()) -> list[Message]:
        """Return the messages that were exchanged, without the inputs.

        Args:
            pending: Ids of the calls that wait for a person. Every other call has a result.
        """
        self._end_text()
        updates = [
            AgentResponseUpdate.from_dict(each) if isinstance(each, dict) else each
            for each in self._updates
        ]
        return _messages(updates, self._calls, self._started, self._returned, frozenset(pending))

    def _note_service(self, update: AgentResponseUpdate) -> None:
        """Note what only the service's own event says."""
        event = getattr(update.raw_representation, "raw_representation", None)
        if "type" in getattr(type(event), "__pydantic_fields__", ()):
            kind = getattr(event, "type", None)
            if isinstance(kind, str) and kind in _RESPONSE_EVENTS:
                self.service_state = kind
        for content in update.contents:
            properties = content.additional_properties
            if properties and _is_refusal(properties):
                self.is_refused = True

    def _goes_on(self, update: AgentResponseUpdate) -> bool:
        """Return whether an update is more of the same text."""
        last = self._text_update
        return (
            last is not None
            and update.finish_reason is None
            and update.message_id == last.message_id
            and update.author_name == last.author_name
            and update.role == last.role
            and _is_plain_text(update)
            and update.contents[0].additional_properties == last.contents[0].additional_properties
        )

    def _end_text(self) -> None:
        update, self._text_update = self._text_update, None
        if update is None:
            return
        # By hand: there are many of these.
        content: dict[str, Any] = {"type": "text", "text": "".join(self._text)}
        if update.contents[0].additional_properties:
            content["additional_properties"] = update.contents[0].additional_properties
        piece = {
            "type": "agent_response_update",
            "contents": [content],
            "role": update.role,
            "author_name": update.author_name,
            "message_id": update.message_id,
            "response_id": update.response_id,
        }
        self._text = []
        self._updates.append(piece)
        self._new.append(piece)

    def _keep(self, update: AgentResponseUpdate) -> None:
        self._updates.append(update)
        self._new.append(update.to_dict())


@dataclass
class Recovered:
    """What the log has of a run whose worker has died.

    Attributes:
        inputs: The messages that the agent was given.
        messages: The messages that were exchanged then.
        read_to: The position up to which the agent has been told of the thread's items.
        is_workflow: Whether it was a workflow's.
    """

    inputs: list[Message]
    messages: list[Message]
    read_to: int
    is_workflow: bool


def recover(pieces: Iterable[str]) -> Recovered | None:
    """Return what a run had exchanged, or `None` if the agent was told nothing yet.

    Args:
        pieces: What `Exchange.take_new` returned, in order.
    """
    told: dict[str, Any] | None = None
    updates: list[AgentResponseUpdate] = []
    started: set[str] = set()
    returned: dict[str, Content] = {}
    for each in (each for piece in pieces for each in json.loads(piece)):
        if each["type"] == _TOLD:
            told = each
        elif each["type"] == _STARTED:
            started.add(each["call_id"])
        elif each["type"] == _RETURNED:
            content = Content.from_dict(each["content"])
            returned[str(content.call_id)] = content
        else:
            updates.append(AgentResponseUpdate.from_dict(each))
    if told is None:
        return None
    calls = [Content.from_dict(call) for call in told["calls"]]
    return Recovered(
        [Message.from_dict(message) for message in told["messages"]],
        _messages(updates, calls, started, returned, frozenset()),
        told["read_to"],
        told["is_workflow"],
    )


def _told(
    messages: Sequence[Message], calls: Sequence[Content], read_to: int, is_workflow: bool
) -> dict[str, Any]:
    return {
        "type": _TOLD,
        "messages": [message.to_dict() for message in messages],
        "calls": [call.to_dict() for call in calls],
        "read_to": read_to,
        "is_workflow": is_workflow,
    }


def _is_refusal(properties: Mapping[str, Any]) -> bool:
    core = properties.get("core")
    kind = (core if isinstance(core, Mapping) else properties).get("model_output_kind")
    return bool(kind == "refusal")


def _is_plain_text(update: AgentResponseUpdate) -> bool:
    if len(update.contents) != 1 or update.merge_mode == "replace":
        return False
    content = update.contents[0]
    return content.type == "text" and not content.annotations and content.merge_mode != "replace"


def _messages(
    updates: Sequence[AgentResponseUpdate],
    calls: Sequence[Content],
    started: set[str],
    returned: dict[str, Content],
    pending: frozenset[str],
) -> list[Message]:
    messages = AgentResponse.from_updates(updates).messages if updates else []
    answered = {
        content.call_id
        for message in messages
        for content in message.contents
        if content.type == "function_result"
    }
    closed: list[Message] = []
    unanswered = [
        _result(call, started, returned)
        for call in calls
        if not call.hosted and call.call_id not in answered and call.call_id not in pending
    ]
    if unanswered:
        closed.append(Message("tool", unanswered))
    for message in messages:
        contents = []
        results = []
        for content in message.contents:
            if (
                content.type == "function_call"
                and not (content.hosted or content.informational_only)
                and content.call_id not in answered
                and content.call_id not in pending
            ):
                if not has_arguments(content) and content.call_id not in started:
                    continue
                results.append(_result(content, started, returned))
            contents.append(content)
        if contents:
            message.contents = contents
            closed.append(message)
        if results:
            closed.append(Message("tool", results))
    return closed


def has_arguments(call: Content) -> bool:
    """Return whether all arguments of a call have arrived."""
    if not isinstance(call.arguments, str):
        return True
    try:
        return isinstance(json.loads(call.arguments or "{}"), dict)
    except ValueError:
        return False


def _result(call: Content, started: set[str], returned: dict[str, Content]) -> Content:
    call_id = str(call.call_id)
    if call_id in returned:
        result = returned[call_id]
        result.id = call.id
        return result
    return error_result(call, UNKNOWN_EFFECT if call_id in started else NOT_STARTED)
