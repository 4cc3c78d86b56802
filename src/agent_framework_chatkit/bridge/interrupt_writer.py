"""Writes the open requests of a run that ended as items that users can answer."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

from agent_framework import Content
from chatkit.types import (
    ClientToolCallItem,
    ErrorEvent,
    StructuredInput,
    StructuredInputItem,
    WidgetItem,
)

from ..interrupts.client_tools import client_tool_call_fields, error_result
from ..interrupts.pause import Interrupt, InterruptKind, Pause
from ..interrupts.questions import ASK_USER
from .item_stream import ItemStream
from .overrides import attempt, resolve
from .response_converter import AgentResponseConverter

logger = logging.getLogger(__name__)

_NOT_SHOWN = "The assistant's request cannot be shown, so nothing was done. Try again."


class InterruptWriter:
    """Writes the open requests as items, and adds them to the run's pause.

    Args:
        items: The stream to write to.
        converter: Converts each request.
        pause: Receives the requests. Without it, the run cannot resume.
        client_tools: Names of client tools.
    """

    def __init__(
        self,
        items: ItemStream,
        converter: AgentResponseConverter,
        pause: Pause | None,
        client_tools: Collection[str],
    ) -> None:
        self._items = items
        self._converter = converter
        self._pause = pause
        self._client_tools = client_tools
        self._requests: list[tuple[InterruptKind, Content]] = []
        """Requests to write when the run ends. Users cannot answer them earlier."""

    def add(self, kind: InterruptKind, request: Content) -> None:
        """Add a request."""
        self._requests.append((kind, request))

    def is_paused(self, calls: Sequence[Content]) -> bool:
        """Return whether the run pauses until the user answers.

        Args:
            calls: The calls without a result.
        """
        return bool(self._requests) or any(
            call.name == ASK_USER or call.name in self._client_tools for call in calls
        )

    async def write(self, calls: Sequence[Content]) -> None:
        """Write the requests, and the calls that users or their browsers answer.

        Args:
            calls: The calls without a result.
        """
        for kind, request in self._requests:
            step = (
                self._write_request_info(request)
                if kind == "input"
                else self._write_card(kind, request)
            )
            if not await attempt(step, "A request could not be shown."):
                self._items.write_error(ErrorEvent(message=_NOT_SHOWN, allow_retry=True))
        for call in calls:
            if call.name == ASK_USER:
                await attempt(self._write_questions(call), "Questions could not be shown.")
        if not self.is_paused(calls):
            for call in calls:
                await attempt(self._report_missing(call), "A missing tool could not be reported.")
        clients = [call for call in calls if call.name in self._client_tools]
        for number, call in enumerate(clients):
            self._call_client_tool(call, is_first=number == 0)
        if self._pause is not None:
            self._pause.calls = list(calls)

    async def _write_questions(self, call: Content) -> None:
        inputs = await resolve(self._converter.questions_to_inputs(call))
        if inputs:
            self._write_inputs("questions", call, inputs)

    async def _write_request_info(self, request: Content) -> None:
        inputs = await resolve(self._converter.request_info_to_inputs(request))
        if inputs:
            self._write_inputs("input", request, inputs)
            return
        question = (request.parse_arguments() or {}).get("data")
        if isinstance(question, str):
            self._items.message().append(question)
            self._items.close_current()
        self._wait("input", request)

    def _write_inputs(
        self, kind: InterruptKind, request: Content, inputs: list[StructuredInput]
    ) -> None:
        item = self._items.item(StructuredInputItem, "message", inputs=inputs)
        self._items.write_done(item)
        self._wait(kind, request, item.id)

    async def _write_card(self, kind: InterruptKind, request: Content) -> None:
        to_form = (
            self._converter.approval_request_to_form
            if kind == "approval"
            else self._converter.consent_request_to_form
        )
        # Seal the call before it is shown.
        interrupt = (self._pause or Pause()).interrupt(kind, request)
        form = await resolve(to_form(interrupt.described_request))
        if form is None:
            return
        item = self._items.item(WidgetItem, "message", widget=form.widget, copy_text=form.text)
        self._items.write_done(item)
        interrupt.item_id = item.id
        if self._pause is not None:
            self._pause.interrupts.append(interrupt)

    async def _report_missing(self, call: Content) -> None:
        """Report that a tool has no implementation."""
        self._wait("missing_tool", call, answer=error_result(call, "This tool is not available."))
        error = await resolve(self._converter.missing_tool_to_error(call))
        if error is not None:
            self._items.write_error(error)

    def _call_client_tool(self, call: Content, *, is_first: bool) -> None:
        """Let the browser make the call, unless it is making another one."""
        if is_first:
            fields = client_tool_call_fields(call)
            item = self._items.item(ClientToolCallItem, "tool_call", **fields)
            self._items.write_done(item)
            self._wait("client_tool", call, item.id)
        elif self._pause is None:
            logger.warning(
                "ChatKit makes one client tool call at a time; the call to %r is not made.",
                call.name,
            )
        else:
            self._wait("client_tool", call)

    def _wait(
        self,
        kind: InterruptKind,
        request: Content,
        item_id: str = "",
        answer: Content | None = None,
    ) -> None:
        if self._pause is not None:
            self._pause.interrupts.append(Interrupt(kind, request, item_id, answer))
