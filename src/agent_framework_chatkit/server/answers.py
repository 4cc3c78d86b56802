"""Checks, stores and shows the answers to an agent's requests."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeGuard

from agent_framework import (
    Content,
    create_always_approve_tool_response,
)
from chatkit.store import NotFoundError
from chatkit.types import (
    ClientToolCallItem,
    StreamingReq,
    StructuredInputAnswer,
    StructuredInputAnswerSubmission,
    StructuredInputItem,
    StructuredInputMultipleChoice,
    StructuredInputSubmission,
    ThreadItem,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadMetadata,
    ThreadsAddClientToolOutputReq,
    ThreadsAddStructuredInputReq,
    ThreadsCustomActionReq,
    ThreadStreamEvent,
    WidgetItem,
)
from pydantic import BaseModel, ConfigDict, ValidationError
from typing_extensions import TypeVar

from ..bridge.cards import APPROVAL_ACTION, CONSENT_ACTION
from ..bridge.overrides import resolve
from ..interrupts.client_tools import client_tool_call_fields, error_result
from ..interrupts.forms import AnswerInvalidError, value_of_answers
from ..interrupts.pause import Decision, Interrupt, Pause
from ..interrupts.questions import answers_to_result
from ..stores.owners import owner_of
from ..text import mend_surrogates
from ..workflows.runner import ThreadWorkflow, input_answer
from .agent_turn import CALL_CHANGED
from .remembered import dump_session

if TYPE_CHECKING:
    from .run import Run
    from .server import AgentChatKitServer

TContext = TypeVar("TContext", default=Any)

AnswerReq: TypeAlias = (
    ThreadsCustomActionReq | ThreadsAddClientToolOutputReq | ThreadsAddStructuredInputReq
)
"""Requests that may answer an agent's request."""

OUR_ACTIONS = frozenset({APPROVAL_ACTION, CONSENT_ACTION})
"""Action types that apps cannot use."""

CLOSED = "This was answered already or is no longer open. Reload the page to see its current state."
_UNREACHABLE = "The workflow that asked can no longer receive an answer. Write a message instead."
_FORGED = "This answer does not match the request. Reload the page and try again."


class RefusedAnswerError(Exception):
    """An answer was refused. The message is for the user."""


@dataclass(frozen=True)
class Answered:
    """The outcome of an answer.

    Attributes:
        is_complete: Whether the agent can continue.
    """

    is_complete: bool


class _Payload(BaseModel):
    """The payload of a card's buttons. Other types and extra fields are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)

    approved: bool
    request_id: str | None = None
    always: bool = False


class AnswerHandler(Generic[TContext]):
    """Handles the answers to agents' requests, within a run that holds the thread.

    Args:
        server: The server that owns the threads.
    """

    def __init__(self, server: AgentChatKitServer[TContext]) -> None:
        self._server = server

    async def is_call_open(self, thread_id: str, context: TContext) -> bool:
        """Return whether an agent is waiting for the result of a client tool."""
        stored = await self._server.store.sessions(thread_id, context).latest()
        pause = None if stored is None else Pause.of(stored.session)
        return pause is not None and not pause.is_resumed and bool(pause.next_client_call())

    async def take(self, request: StreamingReq, run: Run) -> Answered | None:
        """Handle the answer in a request, and write the changes.

        Returns:
            The outcome, or `None` if the request does not answer an agent's request.

        Raises:
            NotFoundError: If the owner has no such item.
            RefusedAnswerError: If the answer is refused. Nothing changes.
        """
        if not may_answer(request):
            return None
        context = run.context
        stored = await self._server.store.sessions(run.thread.id, context).latest()
        pause = None if stored is None else Pause.of(stored.session)
        answered = await self._answer(request, pause or Pause(), run)
        if answered is not None and stored is not None and pause is not None:
            pause.store_in(stored.session)
            run.writer.writes.session = (
                stored.id,
                dump_session(stored.session, run.thread.id),
            )
        return answered

    async def _answer(self, request: AnswerReq, pause: Pause, run: Run) -> Answered | None:
        context = run.context
        if isinstance(request, ThreadsCustomActionReq):
            run.emit(ThreadItemReplacedEvent(item=await self._decide(request, pause, context)))
        elif isinstance(request, ThreadsAddStructuredInputReq):
            item = await self._reply(request, pause, context)
            if item is None:
                return None
            run.emit(ThreadItemReplacedEvent(item=item))
        else:
            called = pause.next_client_call()
            if called is None or pause.is_resumed:
                return None
            await self._return(request, called, pause, run)
        return Answered(not pause.is_open)

    async def _decide(
        self, request: ThreadsCustomActionReq, pause: Pause, context: TContext
    ) -> ThreadItem:
        """Handle a click on a card's button."""
        params = request.params
        interrupt = pause.of_item(params.item_id or "")
        if interrupt is None:
            raise RefusedAnswerError(CLOSED)
        wanted = {"approval": APPROVAL_ACTION, "consent": CONSENT_ACTION}.get(interrupt.kind)
        try:
            payload = _Payload.model_validate(params.action.payload)
        except ValidationError as error:
            raise RefusedAnswerError(_FORGED) from error
        if params.action.type != wanted or payload.request_id != (
            mend_surrogates(interrupt.request.id or "") if interrupt.kind == "approval" else None
        ):
            raise RefusedAnswerError(_FORGED)
        if not interrupt.matches_seal(await self._server.store.secret()):
            raise RefusedAnswerError(CALL_CHANGED)
        if payload.always and not (payload.approved and self._converter.always_approve):
            raise RefusedAnswerError(_FORGED)
        item = await self._server.store.load_item(params.thread_id, interrupt.item_id, context)
        if interrupt.is_open:
            if not is_asking(item):
                # A message withdrew the request, and its turn ended before the agent read it.
                raise RefusedAnswerError(CLOSED)
            interrupt.decision = self._decision(payload.approved, context, payload.always)
            interrupt.answer = _decided(interrupt, payload)
            if interrupt.kind == "approval":
                await self._record(
                    params.thread_id, interrupt, payload.approved, payload.always, context
                )
        elif pause.is_open:
            raise RefusedAnswerError(CLOSED)
        # Otherwise everything is answered, but a worker died before the agent continued.
        return await self._decided_item(item, interrupt)

    async def _reply(
        self, request: ThreadsAddStructuredInputReq, pause: Pause, context: TContext
    ) -> ThreadItem | None:
        """Handle the answers to questions."""
        params = request.params
        interrupt = pause.of_item(params.item_id)
        item = await self._server.store.load_item(params.thread_id, params.item_id, context)
        if not isinstance(item, StructuredInputItem):
            raise RefusedAnswerError(_FORGED)
        if interrupt is None and item.status == "pending":
            return None
        if interrupt is None or (item.status != "pending" and pause.is_open):
            raise RefusedAnswerError(CLOSED)
        if item.status == "pending":
            item = submitted(item, params.input)
        call = interrupt.request
        if interrupt.kind == "input":
            interrupt.answer = await self._checked_input(
                interrupt, pause, item, params.thread_id, context
            )
        else:
            interrupt.answer = Content.from_function_result(
                call_id=str(call.call_id), id=call.id, result=answers_to_result(item.inputs)
            )
        return item

    async def _checked_input(
        self,
        interrupt: Interrupt,
        pause: Pause,
        item: StructuredInputItem,
        thread_id: str,
        context: TContext,
    ) -> Content:
        """Return the answer to a workflow's request, checked against the type that it expects."""
        thread = await self._server.store.load_thread(thread_id, context)
        agent = await self._server.agent_of(thread, context)
        answers = {
            each.id: None if each.answer is None or each.answer.skipped else each.answer.values
            for each in item.inputs
        }
        types = agent.response_types(pause) if isinstance(agent, ThreadWorkflow) else {}
        request_id = str(interrupt.request.call_id)
        if request_id not in types:
            raise RefusedAnswerError(_UNREACHABLE)
        try:
            value_of_answers(types[request_id], answers)
        except AnswerInvalidError as error:
            raise RefusedAnswerError(str(error)) from error
        return input_answer(interrupt, answers)

    async def _return(
        self, request: ThreadsAddClientToolOutputReq, called: Interrupt, pause: Pause, run: Run
    ) -> None:
        """Handle the result of a client tool, and make the next call."""
        params, context = request.params, run.context
        # The protocol does not say which call is answered. A client may name it, so that a second
        # tab's result of the first call does not become the result of the next.
        meant = request.metadata.get("call_id")
        if meant is not None and meant != mend_surrogates(called.request.call_id or ""):
            raise RefusedAnswerError(CLOSED)
        item = await self._server.store.load_item(params.thread_id, called.item_id, context)
        if not isinstance(item, ClientToolCallItem):
            raise RefusedAnswerError(CLOSED)
        called.answer_in_item()
        item.status, item.output = "completed", params.result
        # The request outlives the run, and the output may be large.
        params.result = None
        # The page that made the call knows this already.
        run.emit(ThreadItemReplacedEvent(item=item), is_addition=True)
        following = pause.next_client_call()
        if following is None:
            return
        next_call = ClientToolCallItem(
            id=self._server.store.generate_item_id("tool_call", run.thread, context),
            thread_id=run.thread.id,
            created_at=datetime.now(),
            **client_tool_call_fields(following.request),
        )
        following.item_id = next_call.id
        run.emit(ThreadItemDoneEvent(item=next_call))

    async def withdraw(
        self, thread: ThreadMetadata, pause: Pause | None, context: TContext
    ) -> AsyncIterator[ThreadStreamEvent]:
        """Close the open requests, because the user sent another message instead."""
        for interrupt in () if pause is None or pause.is_resumed else pause.interrupts:
            try:
                item = await self._server.store.load_item(thread.id, interrupt.item_id, context)
            except NotFoundError:
                continue
            if isinstance(item, ClientToolCallItem):
                if item.status == "pending":
                    yield ThreadItemRemovedEvent(item_id=item.id)
            elif isinstance(item, StructuredInputItem):
                if item.status == "pending":
                    item = submitted(item, _submission(interrupt, item))
                    yield ThreadItemReplacedEvent(item=item)
            elif interrupt.decision is None or interrupt.decision.approved:
                interrupt.decision = self._decision(approved=False, context=context)
                if interrupt.kind == "approval":
                    await self._record(thread.id, interrupt, False, False, context)
                yield ThreadItemReplacedEvent(item=await self._decided_item(item, interrupt))

    async def _record(
        self, thread: str, interrupt: Interrupt, approved: bool, always: bool, context: TContext
    ) -> None:
        await self._server.store.audit.record(
            "approval.decided",
            owner_of(context),
            thread,
            item=interrupt.item_id,
            hmac=interrupt.seal,
            approved=approved,
            always=always,
        )

    @property
    def _converter(self) -> Any:
        return self._server.response_converter

    def _decision(self, approved: bool, context: TContext, always: bool = False) -> Decision:
        by = self._server.name_of(context)
        return Decision(approved, by, datetime.now(timezone.utc), always)

    async def _decided_item(self, item: ThreadItem, interrupt: Interrupt) -> ThreadItem:
        to_form = (
            self._converter.approval_decision_to_form
            if interrupt.kind == "approval"
            else self._converter.consent_decision_to_form
        )
        form = await resolve(to_form(interrupt.described_request, interrupt.decision))
        if form is None or not isinstance(item, WidgetItem):
            return item
        return item.model_copy(update={"widget": form.widget, "copy_text": form.text})


def may_answer(request: StreamingReq) -> TypeGuard[AnswerReq]:
    """Return whether a request may answer an agent's request."""
    if isinstance(request, ThreadsCustomActionReq):
        return request.params.action.type in OUR_ACTIONS
    return isinstance(request, (ThreadsAddClientToolOutputReq, ThreadsAddStructuredInputReq))


def is_asking(item: ThreadItem) -> bool:
    """Return whether an item asks the user or the page for an answer to the agent."""
    if isinstance(item, (ClientToolCallItem, StructuredInputItem)):
        return item.status == "pending"
    if not isinstance(item, WidgetItem):
        return False
    shown = item.widget.model_dump_json()
    return any(f'"type":"{action}"' in shown for action in OUR_ACTIONS)


def submitted(
    item: StructuredInputItem, submission: StructuredInputSubmission
) -> StructuredInputItem:
    """Return questions with the user's answers.

    Raises:
        ValueError: If the questions were answered before.
    """
    if item.status != "pending":
        raise ValueError(f"Structured input item {item.id} is not pending")
    answered = item.model_copy(deep=True)
    for question in answered.inputs:
        answer = submission.answers.get(question.id)
        if submission.status == "skipped" or answer is None or answer.skipped or not answer.values:
            question.answer = StructuredInputAnswer(skipped=True)
            continue
        takes_one = isinstance(question, StructuredInputMultipleChoice) and not question.multiple
        question.answer = StructuredInputAnswer(
            values=answer.values[:1] if takes_one else answer.values
        )
    answered.status = submission.status
    return answered


def _consented(request: Content, approved: bool) -> Content:
    """Return the agent's input for a decision on consent, which a tool may have asked for."""
    if request.call_id is None:
        given = "I have given my consent. Go on." if approved else "I do not consent."
        return Content.from_text(given)
    if not approved:
        return error_result(request, "The user did not consent.")
    return Content.from_function_result(
        call_id=request.call_id, result="The user has given their consent. Make this call again."
    )


def _submission(interrupt: Interrupt, item: StructuredInputItem) -> StructuredInputSubmission:
    """Return the submission for questions that the user did not answer in the form."""
    if interrupt.answer is None:
        return StructuredInputSubmission(status="skipped")
    # The user's message was the answer.
    (values,) = json.loads(str(interrupt.answer.result)).values()
    given = StructuredInputAnswerSubmission(values=values)
    return StructuredInputSubmission(answers={each.id: given for each in item.inputs})


def _decided(interrupt: Interrupt, payload: _Payload) -> Content:
    """Return the agent's input for a click on a card."""
    if interrupt.kind == "consent":
        return _consented(interrupt.request, payload.approved)
    if payload.always:
        return create_always_approve_tool_response(interrupt.request)
    return interrupt.request.to_function_approval_response(approved=payload.approved)
