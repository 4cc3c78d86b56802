"""The agent asks, a person answers, the agent goes on.

A run that needs a person ends early, with a pause: what it asks, and the tools that it has called
and that have no result yet. The pause is kept in the session of the run's turn. So it is there
after a restart and on another worker, it goes when the turn is retried, and what a tool is called
with comes from it and never from a browser.

When every request of a pause is answered, the turn goes on. It does so once: the pause is marked
as resumed before the run begins, and a run that is cut short is not begun again, since nobody
knows what its tools have done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hmac import compare_digest
from typing import Any, Literal

from agent_framework import AgentSession, Content, Message

from .calls import ToolDescription, seal_of, with_tool
from .client_tools import error_result

InterruptKind = Literal["approval", "client_tool", "questions", "input", "consent", "missing_tool"]

_STATE = "agent_framework_chatkit_pause"
_TOOL_APPROVAL = "tool_approval"
"""Where the framework, and its `ToolApprovalMiddleware`, keep approvals in a session."""


@dataclass(frozen=True)
class Decision:
    """What a person has decided.

    Attributes:
        approved: Whether they approved.
        by: Who they are, or `None` for a visitor without a login.
        at: When, in UTC.
    """

    approved: bool
    by: str | None
    at: datetime


@dataclass
class Interrupt:
    """A request of the agent that a person answers.

    Attributes:
        kind: What is asked for.
        request: What the agent has sent: a request for approval or consent, or a call.
        item_id: The thread item that asks; empty for a client tool whose turn has not come.
        answer: What the agent is given, once it is known.
        decision: What was decided, for an approval or consent.
        tool: The tool that would be called, if the agent was given it.
        seal: The HMAC of the call that was shown; `None` if an older version has shown it.
    """

    kind: InterruptKind
    request: Content
    item_id: str = ""
    answer: Content | None = None
    decision: Decision | None = None
    tool: ToolDescription | None = None
    seal: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is yet to be answered."""
        return self.answer is None

    @property
    def call(self) -> Content:
        """The call that is asked about."""
        return self.request.function_call or self.request

    @property
    def shown(self) -> Content:
        """The request as it is given to what shows it: `tool_of` it is the tool."""
        return self.request if self.tool is None else with_tool(self.request, self.tool)

    def is_as_shown(self, key: str) -> bool:
        """Return whether the call, also the one in the answer, is the one that was shown."""
        if self.seal is None:
            return True
        answered = None if self.answer is None else self.answer.function_call
        calls = [self.call] if answered is None else [self.call, answered]
        return all(compare_digest(self.seal, seal_of(call, key)) for call in calls)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        decision = self.decision
        return {
            "kind": self.kind,
            "request": self.request.to_dict(),
            "item_id": self.item_id,
            "answer": None if self.answer is None else self.answer.to_dict(),
            "decision": None
            if decision is None
            else [decision.approved, decision.by, decision.at.isoformat()],
            "tool": None
            if self.tool is None
            else [self.tool.description, list(self.tool.parameters)],
            "seal": self.seal,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Interrupt:
        """Return what `to_dict` was called on."""
        answer, decision = data["answer"], data["decision"]
        tool = data.get("tool")
        return cls(
            kind=data["kind"],
            request=Content.from_dict(data["request"]),
            item_id=data["item_id"],
            answer=None if answer is None else Content.from_dict(answer),
            decision=None
            if decision is None
            else Decision(decision[0], decision[1], datetime.fromisoformat(decision[2])),
            tool=None if tool is None else ToolDescription(tool[0], tuple(tool[1])),
            seal=data.get("seal"),
        )


@dataclass
class Pause:
    """What a run waits for.

    Attributes:
        interrupts: What it asks, in order.
        calls: The tools that it has called and that have no result yet.
        results: What calls of a run that went on, and was cut short, have returned.
        checkpoint: Where a workflow stands, if one waits.
        is_resumed: Whether the run has gone on.
        key: Seals the calls that people are shown. It is not stored; without one nothing is sealed.
        describe: Returns the tool of a name, if the agent was given it. It is not stored.
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
        """Return the pause that a session holds, if it holds one."""
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

    def keep_in(self, session: AgentSession) -> None:
        """Have a session hold the pause, or none if nothing waits."""
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
        """Whether something is yet to be answered."""
        return any(each.is_open for each in self.interrupts)

    def interrupt(self, kind: InterruptKind, request: Content) -> Interrupt:
        """Return a request that is about to be shown; a call that needs approval is sealed."""
        interrupt = Interrupt(kind, request)
        if kind == "approval":
            call = interrupt.call
            interrupt.tool = None if call.hosted else self.describe(call.name or "")
            interrupt.seal = seal_of(call, self.key) if self.key else None
        return interrupt

    def is_as_shown(self, key: str) -> bool:
        """Return whether every call that is asked about is the one that was shown."""
        return all(each.is_as_shown(key) for each in self.interrupts)

    def of_item(self, item_id: str) -> Interrupt | None:
        """Return what an item asks, if the pause still is to be answered."""
        if self.is_resumed or not item_id:
            return None
        return next((each for each in self.interrupts if each.item_id == item_id), None)

    def decision_on(self, call: Content) -> Decision | None:
        """Return what was decided on a call, if it was asked about."""
        asked = self._asked(call)
        return None if asked is None else asked.decision

    def next_client_call(self) -> Interrupt | None:
        """Return the client tool to call next; there is one call at a time."""
        calls = (each for each in self.interrupts if each.kind == "client_tool" and each.is_open)
        return next(calls, None)

    def calls_to_make(self) -> list[Content]:
        """Return the calls whose results nobody has given."""
        given = {each.call_id for each in self._answers() if each.type == "function_result"}
        return [call for call in self.calls if call.call_id not in given]

    def answers(self) -> list[Message]:
        """Return what the agent is given for its requests."""
        answers = self._answers()
        results = [answer for answer in answers if answer.type == "function_result"]
        others = [answer for answer in answers if answer.type != "function_result"]
        return _messages(("tool", results), ("user", others))

    def refusals(self) -> list[Message]:
        """Return what a service that asks for approvals itself is told when none is given."""
        refusals = [
            each.request.to_function_approval_response(approved=False)
            for each in self.interrupts
            if each.kind == "approval" and each.call.hosted and not self.is_resumed
        ]
        return _messages(("user", refusals))

    def closing(self) -> list[Message]:
        """Return results for the calls that will have none: a model must be told of each."""
        known = {result.call_id: result for result in self.results}
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
                "This call was cut short. It is not known whether it has taken effect: find out, "
                "or ask the user, before you make it again."
            )
        if asked is None:
            return "This call was not made, since the user did not agree to what else was asked."
        if asked.kind == "missing_tool":
            return "This tool is not available here."
        if asked.decision is not None and asked.decision.approved:
            return "The user approved this call, and then wrote something else. It was not made."
        if asked.kind == "approval":
            return "The user did not approve this call, and wrote something else. It was not made."
        if asked.kind == "client_tool":
            return "The user's browser did not answer this call."
        return "The user did not answer, and wrote something else."


def release(session: AgentSession) -> None:
    """Have a session wait for nothing.

    Standing approvals stay; all else that the framework keeps of approvals is of the pause.
    """
    session.state.pop(_STATE, None)
    approvals = session.state.pop(_TOOL_APPROVAL, None)
    if approvals is not None:
        kept = approvals if isinstance(approvals, Mapping) else approvals.to_dict()
        if kept.get("rules"):
            session.state[_TOOL_APPROVAL] = {"rules": kept["rules"]}


def _messages(*contents: tuple[str, Iterable[Content]]) -> list[Message]:
    return [Message(role, listed) for role, each in contents if (listed := list(each))]
