"""Pauses a run for a person's answers, and resumes it.

A run that needs a person ends early, with a pause: its requests, and the tool calls that have no
result yet. The pause is stored in the session of the run's turn. It therefore survives a restart,
works on another worker, and disappears when the turn is retried; and the arguments of a call come
from the pause, never from a browser.

When every request of a pause is answered, the turn continues, but only once: the pause is marked
as resumed before the run starts, and a run that is cut short is not started again, because the
effects of its tools are unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hmac import compare_digest
from typing import Any, Literal

from agent_framework import AgentSession, Content, Message
from chatkit.types import ThreadItem

from .calls import ToolDescription, seal_of, tool_from_json, with_tool
from .client_tools import client_tool_result, error_result, result_in_item

InterruptKind = Literal["approval", "client_tool", "questions", "input", "consent", "missing_tool"]

_STATE = "agent_framework_chatkit_pause"
_IN_ITEM = "item"
_TOOL_APPROVAL = "tool_approval"
"""The key in a session's state for the framework's own approvals (`ToolApprovalMiddleware`)."""


@dataclass(frozen=True)
class Decision:
    """A person's decision.

    Attributes:
        approved: Whether they approved.
        by: The person, as `AgentChatKitServer.name_of` names them; `None` for a visitor without a
            login.
        at: The time, in UTC.
        always: Whether they also approved every later call of the tool in the thread.
    """

    approved: bool
    by: str | None
    at: datetime
    always: bool = False


@dataclass
class Interrupt:
    """An agent's request that a person or the page answers.

    Attributes:
        kind: The kind of request.
        request: The agent's content: a request for approval or consent, or a call.
        item_id: The ID of the request's thread item; empty for a client tool call not shown yet.
        answer: The agent's input for the answer, once it is known.
        is_answer_in_item: Whether the answer is stored only as the output of the item, a client
            tool call, and must be read from there: it may be large.
        decision: The decision on an approval or consent.
        tool: The description of the called tool, if the agent has that tool.
        seal: The HMAC of the call that was shown; `None` if an older version showed it.
    """

    kind: InterruptKind
    request: Content
    item_id: str = ""
    answer: Content | None = None
    is_answer_in_item: bool = False
    decision: Decision | None = None
    tool: ToolDescription | None = None
    seal: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether the request is not answered yet."""
        return self.answer is None

    @property
    def call(self) -> Content:
        """The call that the request is about."""
        return self.request.function_call or self.request

    @property
    def described_request(self) -> Content:
        """The request to show, which carries its tool's description for `tool_of`."""
        return self.request if self.tool is None else with_tool(self.request, self.tool)

    def answer_in_item(self) -> None:
        """Mark a client tool call as answered by the output of its item."""
        self.answer = client_tool_result(self.request, None)
        self.is_answer_in_item = True

    def read_answer(self, item: ThreadItem | None) -> None:
        """Read the answer from the item, if it is stored there."""
        if self.is_answer_in_item:
            self.answer = result_in_item(self.request, item)

    def matches_seal(self, key: str) -> bool:
        """Return whether the calls in the request and its answer are the one that was shown."""
        if self.seal is None:
            return True
        answered = None if self.answer is None else self.answer.function_call
        calls = [self.call] if answered is None else [self.call, answered]
        return all(compare_digest(self.seal, seal_of(call, key)) for call in calls)

    def to_dict(self) -> dict[str, Any]:
        """Return the request as JSON."""
        decision = self.decision
        answer: str | dict[str, Any] | None = None
        if self.is_answer_in_item:
            answer = _IN_ITEM
        elif self.answer is not None:
            answer = self.answer.to_dict()
        return {
            "kind": self.kind,
            "request": self.request.to_dict(),
            "item_id": self.item_id,
            "answer": answer,
            "decision": None
            if decision is None
            else [decision.approved, decision.by, decision.at.isoformat(), decision.always],
            "tool": None if self.tool is None else [self.tool.description, self.tool.parameters],
            "seal": self.seal,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Interrupt:
        """Return the request from the JSON of `to_dict`."""
        answer, decision = data["answer"], data["decision"]
        tool = data.get("tool")
        interrupt = cls(
            kind=data["kind"],
            request=Content.from_dict(data["request"]),
            item_id=data["item_id"],
            answer=None if answer in (None, _IN_ITEM) else Content.from_dict(answer),
            decision=None
            if decision is None
            else Decision(
                decision[0], decision[1], datetime.fromisoformat(decision[2]), *decision[3:]
            ),
            tool=None if tool is None else tool_from_json(tool),
            seal=data.get("seal"),
        )
        if answer == _IN_ITEM:
            interrupt.answer_in_item()
        return interrupt


@dataclass
class Pause:
    """The open requests of a run, and the state to resume it with.

    Attributes:
        interrupts: The requests, in order.
        calls: The tool calls that have no result yet.
        results: Results of calls from a resumed run that was cut short.
        checkpoint: The checkpoint of a waiting workflow.
        is_resumed: Whether the run has been resumed.
        key: The secret that seals the calls shown. It is not stored; without it, nothing is sealed.
        describe: Returns the description of a tool by name, if the agent has it. It is not stored.
    """

    interrupts: list[Interrupt] = field(default_factory=list)
    calls: list[Content] = field(default_factory=list)
    results: list[Content] = field(default_factory=list)
    checkpoint: dict[str, Any] | None = None
    is_resumed: bool = False
    key: str = ""
    describe: Callable[[str], ToolDescription | None] = lambda name: None

    @classmethod
    def of(cls, session: AgentSession) -> Pause | None:
        """Return a session's pause, if it has one."""
        data = session.state.get(_STATE)
        if data is None:
            return None
        return cls(
            interrupts=[Interrupt.from_dict(each) for each in data["interrupts"]],
            calls=[Content.from_dict(each) for each in data["calls"]],
            results=[Content.from_dict(each) for each in data["results"]],
            checkpoint=data["checkpoint"],
            is_resumed=data["is_resumed"],
        )

    def store_in(self, session: AgentSession) -> None:
        """Store the pause in a session, or remove it if it is empty."""
        if not self.interrupts and not self.calls:
            session.state.pop(_STATE, None)
            return
        session.state[_STATE] = {
            "interrupts": [each.to_dict() for each in self.interrupts],
            "calls": [each.to_dict() for each in self.calls],
            "results": [each.to_dict() for each in self.results],
            "checkpoint": self.checkpoint,
            "is_resumed": self.is_resumed,
        }

    @property
    def is_open(self) -> bool:
        """Whether a request is not answered yet."""
        return any(each.is_open for each in self.interrupts)

    def interrupt(self, kind: InterruptKind, request: Content) -> Interrupt:
        """Return a request to show; the call of an approval is sealed."""
        interrupt = Interrupt(kind, request)
        if kind == "approval":
            call = interrupt.call
            interrupt.tool = None if call.hosted else self.describe(call.name or "")
            interrupt.seal = seal_of(call, self.key) if self.key else None
        return interrupt

    def matches_seal(self, key: str) -> bool:
        """Return whether every call is the one that was shown."""
        return all(each.matches_seal(key) for each in self.interrupts)

    def of_item(self, item_id: str) -> Interrupt | None:
        """Return the request of an item, unless the pause is resumed."""
        if self.is_resumed or not item_id:
            return None
        return next((each for each in self.interrupts if each.item_id == item_id), None)

    def decision_on(self, call: Content) -> Decision | None:
        """Return the decision on a call, if there is one."""
        asked = self._asked(call)
        return None if asked is None else asked.decision

    def read_answers(self, items: Iterable[ThreadItem]) -> None:
        """Read the answers that are stored in items."""
        by_id = {item.id: item for item in items}
        for each in self.interrupts:
            each.read_answer(by_id.get(each.item_id))

    def next_client_call(self) -> Interrupt | None:
        """Return the next client tool call; there is one at a time."""
        calls = (each for each in self.interrupts if each.kind == "client_tool" and each.is_open)
        return next(calls, None)

    def calls_to_make(self) -> list[Content]:
        """Return the calls without a result in the answers."""
        given = {each.call_id for each in self.results_given()}
        return [call for call in self.calls if call.call_id not in given]

    def results_given(self) -> list[Content]:
        """Return the results in the answers."""
        return [each for each in self._answers() if each.type == "function_result"]

    def outputs(self) -> dict[str, str]:
        """Return the IDs of the items that contain the results of calls, by call ID."""
        return {
            str(each.request.call_id): each.item_id
            for each in self.interrupts
            if each.is_answer_in_item
        }

    def answers(self) -> list[Message]:
        """Return the agent's input for the answers."""
        others = [answer for answer in self._answers() if answer.type != "function_result"]
        return _messages(("tool", self.results_given()), ("user", others))

    def refusals(self) -> list[Message]:
        """Return refusals for a service that requests approvals itself."""
        refusals = [
            each.request.to_function_approval_response(approved=False)
            for each in self.interrupts
            if each.kind == "approval" and each.call.hosted and not self.is_resumed
        ]
        return _messages(("user", refusals))

    def closing(self) -> list[Message]:
        """Return results for the calls that will not run: models expect a result for each."""
        known = {result.call_id: result for result in self.results}
        if not self.is_resumed:
            known |= {
                each.request.call_id: each.answer
                for each in self.interrupts
                if each.kind in ("client_tool", "questions") and each.answer is not None
            }
        results = [
            known.get(call.call_id) or error_result(call, self._outcome(call))
            for call in self.calls
            if not call.hosted
        ]
        return _messages(("tool", results))

    def _answers(self) -> list[Content]:
        return [each.answer for each in self.interrupts if each.answer is not None]

    def _asked(self, call: Content) -> Interrupt | None:
        return next((each for each in self.interrupts if each.call.call_id == call.call_id), None)

    def _outcome(self, call: Content) -> str:
        asked = self._asked(call)
        if self.is_resumed:
            if asked is not None and asked.decision is not None and not asked.decision.approved:
                return "The user declined this call. It was not made."
            return (
                "This call was cut short. It is not known whether it took effect: find out, "
                "or ask the user, before you make it again."
            )
        if asked is None:
            return "This call was not made, because the user did not agree to another request."
        if asked.kind == "missing_tool":
            return "This tool is not available here."
        if asked.decision is not None and asked.decision.approved:
            return "The user approved this call, but then wrote something else. It was not made."
        if asked.kind == "approval":
            return "The user did not approve this call, but wrote something else. It was not made."
        if asked.kind == "client_tool":
            return "The user's browser did not answer this call."
        return "The user did not answer, but wrote something else."


def release(session: AgentSession) -> None:
    """Remove the pause from a session.

    Standing approvals stay; the framework's other approval state belongs to the pause.
    """
    session.state.pop(_STATE, None)
    approvals = session.state.pop(_TOOL_APPROVAL, None)
    if approvals is not None:
        state = approvals if isinstance(approvals, Mapping) else approvals.to_dict()
        if state.get("rules"):
            session.state[_TOOL_APPROVAL] = {"rules": state["rules"]}


def _messages(*contents: tuple[str, Iterable[Content]]) -> list[Message]:
    return [Message(role, listed) for role, each in contents if (listed := list(each))]
