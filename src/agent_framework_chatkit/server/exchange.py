"""The messages that an agent, its model and its tools exchange in a run, for the history.

They come from the run's updates, not from the items shown. During the run, new parts are written
with the event log, so that the history includes a turn whose worker died.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from agent_framework import AgentResponse, AgentResponseUpdate, Content, Message
from chatkit.types import ThreadItem

from ..interrupts.client_tools import result_in_item
from ..stores.sql.json_text import dump_any
from ..stores.sql.messages import message_from_dict, message_to_dict
from .call_ids import needs_result
from .call_outcomes import CallOutcomes
from .update_contents import is_plain_text, is_refusal, with_sound_contents

_RESPONSE_EVENTS = frozenset(
    {"response.created", "response.completed", "response.incomplete", "response.failed"}
)
"""The events of the Responses API that report the state of a response."""

_START = "told"
_STARTED = "call_started"
_RETURNED = "call_returned"


class _Text:
    """A text that grows while the model writes it.

    Args:
        update: The update with its beginning.
    """

    def __init__(self, update: AgentResponseUpdate) -> None:
        content = update.contents[0]
        self._properties = content.additional_properties
        self._role = update.role
        self._author_name = update.author_name
        self._message_id = update.message_id
        self._response_id = update.response_id
        self._taken: list[str] = []
        self.deltas = [content.text or ""]
        """The deltas since the last call of `take`."""

    def continues_with(self, update: AgentResponseUpdate) -> bool:
        """Return whether an update of one plain text continues this one."""
        return (
            update.message_id == self._message_id
            and update.author_name == self._author_name
            and update.role == self._role
            and update.contents[0].additional_properties == self._properties
        )

    def take(self) -> dict[str, Any] | str:
        """Return what is new: the first time an update, then the text that continues it."""
        text = "".join(self.deltas)
        self.deltas.clear()
        self._taken.append(text)
        return text if len(self._taken) > 1 else self._update(text)

    def update(self) -> AgentResponseUpdate:
        """Return the whole text as an update."""
        return AgentResponseUpdate.from_dict(self._update("".join([*self._taken, *self.deltas])))

    def _update(self, text: str) -> dict[str, Any]:
        content: dict[str, Any] = {"type": "text", "text": text}
        if self._properties:
            content["additional_properties"] = self._properties
        return {
            "type": "agent_response_update",
            "contents": [content],
            "role": self._role,
            "author_name": self._author_name,
            "message_id": self._message_id,
            "response_id": self._response_id,
        }


class Exchange:
    """Collects the messages of a run.

    Args:
        inputs: The agent's input.
        calls: Calls of an earlier run that this run makes; all that it resumes, if it is a
            workflow.
        read_to: The position of the last thread item that the input includes.
        is_workflow: Whether a workflow runs.
        outputs: The IDs of the items that hold results in the input, by the calls' IDs.
        is_recorded: Whether all started calls are recorded. They are not if an agent or executor
            does not use the framework's middleware.
    """

    def __init__(
        self,
        inputs: Sequence[Message],
        calls: Sequence[Content] = (),
        read_to: int = 0,
        *,
        is_workflow: bool = False,
        outputs: Mapping[str, str] | None = None,
        is_recorded: bool = True,
    ) -> None:
        self.inputs = list(inputs)
        self._calls = list(calls)
        self._is_workflow = is_workflow
        self._is_recorded = is_recorded
        self.finish_reason: str | None = None
        """The reason why the model stopped, if known."""
        self.is_refused = False
        """Whether the model refused to answer."""
        self.service_state = ""
        """The last state that the Responses API reported; empty for other services."""
        self._updates: list[AgentResponseUpdate | _Text] = []
        self._text: _Text | None = None
        """The last of the updates, if it is a text that may continue."""
        self._started: dict[str, Content | None] = {}
        self._returned: dict[str, Content] = {}
        self._new: list[dict[str, Any] | str] = [
            {
                **_start_record(inputs, calls, read_to, outputs or {}),
                "is_workflow": is_workflow,
                "is_recorded": is_recorded,
            }
        ]
        """Parts not yet taken for the log, except the current text."""

    def add(self, update: AgentResponseUpdate) -> None:
        """Add an update from the agent, without what is not a content."""
        is_text = is_plain_text(update)
        if not is_text:
            update = with_sound_contents(update)
        text = self._text
        if (
            is_text
            and text is not None
            and update.finish_reason is None
            and text.continues_with(update)
        ):
            text.deltas.append(update.contents[0].text or "")
            return
        if update.finish_reason is not None:
            self.finish_reason = str(update.finish_reason)
        self._record_service_state(update)
        self._end_text()
        if not update.contents and update.merge_mode != "replace":
            return
        if is_text:
            self._text = _Text(update)
            self._updates.append(self._text)
        else:
            self._updates.append(update)
            self._new.append(update.to_dict())

    def start_call(self, call: Content) -> None:
        """Record that a tool is about to run. A workflow may send the call itself later."""
        self._end_text()
        call_id = str(call.call_id)
        is_known = any(each.call_id == call_id for each in chain(self._calls, self._sent_calls()))
        self._started[call_id] = None if is_known else call
        record = {"call_id": call_id} if is_known else {"call": call.to_dict()}
        self._new.append({"type": _STARTED, **record})

    def _sent_calls(self) -> Iterator[Content]:
        """Yield the calls that the agent has sent, newest first."""
        for update in reversed(self._updates):
            if isinstance(update, AgentResponseUpdate):
                yield from (each for each in update.contents if each.type == "function_call")

    def end_call(self, call_id: str, result: Any) -> None:
        """Record a tool's result, in case the run is cut short before the agent sends it."""
        content = Content.from_function_result(call_id, result=result)
        self._returned[call_id] = content
        self._new.append({"type": _RETURNED, "content": content.to_dict()})

    @property
    def has_new(self) -> bool:
        """Whether there are new parts since the last call of `take_new`."""
        return bool(self._new) or (self._text is not None and bool(self._text.deltas))

    def take_new(self) -> str | None:
        """Return the new parts since the last call as JSON, or `None` if there are none."""
        self._take_text()
        if not self._new:
            return None
        new, self._new = self._new, []
        return dump_any(new)

    @property
    def is_empty(self) -> bool:
        """Whether the agent has not sent anything yet."""
        return not self._updates

    def messages(self, pending: Iterable[str] = ()) -> list[Message]:
        """Return the exchanged messages, without the inputs.

        Args:
            pending: IDs of the calls that wait for a person. Every other call gets a result.
        """
        updates = [each.update() if isinstance(each, _Text) else each for each in self._updates]
        outcomes = CallOutcomes(self._started, self._returned, self._is_recorded)
        return _messages(
            updates, self._calls, outcomes, frozenset(pending), is_workflow=self._is_workflow
        )

    def _record_service_state(self, update: AgentResponseUpdate) -> None:
        """Record the response's state and refusals, which only the service's own event reports."""
        event = getattr(update.raw_representation, "raw_representation", None)
        if "type" in getattr(type(event), "__pydantic_fields__", ()):
            kind = getattr(event, "type", None)
            if isinstance(kind, str) and kind in _RESPONSE_EVENTS:
                self.service_state = kind
        for content in update.contents:
            properties = content.additional_properties
            if properties and is_refusal(properties):
                self.is_refused = True

    def _take_text(self) -> None:
        if self._text is not None and self._text.deltas:
            self._new.append(self._text.take())

    def _end_text(self) -> None:
        self._take_text()
        self._text = None


@dataclass
class Recovered:
    """The exchange of a run whose worker died, recovered from the log.

    Attributes:
        inputs: The agent's input.
        messages: The messages exchanged after it.
        read_to: The position of the last thread item that the input includes.
        is_workflow: Whether a workflow ran.
    """

    inputs: list[Message]
    messages: list[Message]
    read_to: int
    is_workflow: bool


def recover(pieces: Iterable[str], items: Mapping[str, ThreadItem]) -> Recovered | None:
    """Return the exchange of a run, or `None` if the agent had received no input yet.

    Args:
        pieces: The results of `Exchange.take_new`, in order.
        items: The items that may hold results in the input, by their IDs.
    """
    start: dict[str, Any] | None = None
    updates: list[AgentResponseUpdate] = []
    started: dict[str, Content | None] = {}
    returned: dict[str, Content] = {}
    for each in _joined(each for piece in pieces for each in json.loads(piece)):
        if each["type"] == _START:
            start = each
        elif each["type"] == _STARTED:
            call = Content.from_dict(each["call"]) if "call" in each else None
            started[each["call_id"] if call is None else str(call.call_id)] = call
        elif each["type"] == _RETURNED:
            content = Content.from_dict(each["content"])
            returned[str(content.call_id)] = content
        else:
            updates.append(AgentResponseUpdate.from_dict(each))
    if start is None:
        return None
    calls = [Content.from_dict(call) for call in start["calls"]]
    inputs = [message_from_dict(message) for message in start["messages"]]
    outputs = start.get("outputs", {})
    for message in inputs:
        message.contents = [
            result_in_item(content, items.get(outputs[content.call_id]))
            if content.type == "function_result" and content.call_id in outputs
            else content
            for content in message.contents
        ]
    outcomes = CallOutcomes(started, returned, start.get("is_recorded", True))
    is_workflow = start["is_workflow"]
    exchanged = _messages(updates, calls, outcomes, frozenset(), is_workflow=is_workflow)
    return Recovered(inputs, exchanged, start["read_to"], is_workflow)


def _joined(parts: Iterable[dict[str, Any] | str]) -> list[dict[str, Any]]:
    """Join each update of a text with the text that continues it."""
    joined: list[dict[str, Any]] = []
    texts: list[str] = []
    for part in parts:
        if isinstance(part, str):
            texts.append(part)
            continue
        _add_text(joined, texts)
        joined.append(part)
    _add_text(joined, texts)
    return joined


def _add_text(joined: list[dict[str, Any]], texts: list[str]) -> None:
    if texts:
        joined[-1]["contents"][0]["text"] += "".join(texts)
        texts.clear()


def _start_record(
    inputs: Sequence[Message],
    calls: Sequence[Content],
    read_to: int,
    outputs: Mapping[str, str],
) -> dict[str, Any]:
    messages = [message_to_dict(message) for message in inputs]
    for content in (content for message in messages for content in message["contents"]):
        if content["type"] == "function_result" and content["call_id"] in outputs:
            # The output may be large, and is already stored.
            for name in ("result", "items", "exception"):
                content.pop(name, None)
    return {
        "type": _START,
        "messages": messages,
        "outputs": dict(outputs),
        "calls": [call.to_dict() for call in calls],
        "read_to": read_to,
    }


def _messages(
    updates: Sequence[AgentResponseUpdate],
    calls: Sequence[Content],
    outcomes: CallOutcomes,
    pending: frozenset[str],
    *,
    is_workflow: bool,
) -> list[Message]:
    messages = AgentResponse.from_updates(updates).messages if updates else []
    contents = [each for message in messages for each in message.contents]
    known = {each.call_id for each in [*contents, *calls] if each.type == "function_call"}
    early = [each for each in outcomes.started.values() if each and each.call_id not in known]
    messages += [Message("assistant", [call]) for call in early]
    answered = {content.call_id for content in contents if content.type == "function_result"}
    closed: list[Message] = []
    unanswered = [
        outcomes.of(call)
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
                needs_result(content)
                and content.call_id not in answered
                and content.call_id not in pending
            ):
                if not has_arguments(content) and content.call_id not in outcomes.started:
                    continue
                results.append(outcomes.of(content))
            contents.append(content)
        if contents:
            message.contents = contents
            closed.append(message)
        if results:
            closed.append(Message("tool", results))
    if is_workflow and calls:
        # No row contains a workflow's calls of an earlier run.
        closed.insert(0, Message("assistant", list(calls)))
    return closed


def has_arguments(call: Content) -> bool:
    """Return whether all arguments of a call have arrived."""
    if not isinstance(call.arguments, str):
        return True
    try:
        return isinstance(json.loads(call.arguments or "{}"), dict)
    except (ValueError, RecursionError):
        return False
