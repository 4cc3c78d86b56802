"""Runs a thread's agent: on a message, on input from code, or after an action."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeAlias

from agent_framework import Message
from chatkit.errors import CustomStreamError
from chatkit.types import (
    NoticeEvent,
    ThreadMetadata,
    ThreadStreamEvent,
    UserMessageItem,
    WidgetItem,
)
from typing_extensions import TypeVar

from ..bridge.context import ThreadContext
from ..bridge.item_stream import ItemStream
from ..bridge.overrides import contained
from ..bridge.response_writer import ResponseWriter
from ..bridge.thread_items import ThreadItemConverter
from ..stores.owners import owner_of
from ..stores.sql.turn_rows import ReadRows, StoredThread, UnreadItem, Writes
from ..telemetry import RecordedSpan, turn_span
from .agent_turn import AgentTurn
from .agents import TurnAgent, client_tools_of, describe_tool_of
from .attached_files import AttachedFiles
from .call_recorder import CallRecorder
from .history import HistoryCache, extended
from .run import Run, current_run
from .service_failures import log_failure
from .titles import give_title

if TYPE_CHECKING:
    from .server import AgentChatKitServer

TContext = TypeVar("TContext", default=Any)

Emit: TypeAlias = Callable[[ThreadStreamEvent], None]
"""Emits an event of a turn."""


class AgentRunner(Generic[TContext]):
    """Runs agents within the current run, or without one when an app calls `respond` itself.

    Args:
        server: The server that owns the agents.
    """

    def __init__(self, server: AgentChatKitServer[TContext]) -> None:
        self._server = server
        self._histories = HistoryCache()

    async def execute(self, run: Run, message: UserMessageItem | None) -> None:
        """Run the agent, or the app's own `respond`, within a run.

        Args:
            run: The run.
            message: The user's message, or `None` to continue the last turn.
        """
        if self._server.has_own_respond:
            await run.emit_all(self._server.respond(run.thread, message, run.context))
            return
        run.message = message
        await self.answer(run.thread, message, run.context, run.emit)

    async def answer(
        self,
        thread: ThreadMetadata,
        message: UserMessageItem | None,
        context: TContext,
        emit: Emit,
    ) -> None:
        """Run the agent on a message, or continue the last turn if there is none.

        Raises:
            CustomStreamError: If the agent fails. The message is for the user.
        """
        options = self._options(message)
        agents = self._server.agents
        if message is not None and agents.by_name:
            chosen = message.inference_options.model
            notice = agents.check(thread, chosen)
            if notice is not None:
                emit(NoticeEvent(level="info", message=notice))
            agents.assign(thread, chosen)
        agent = await self._server.agent_of(thread, context)

        async def begin(turn: AgentTurn[TContext]) -> bool:
            if message is None:
                return await turn.without_message()
            await turn.with_message()
            if thread.title is None:
                give_title(self._server, thread, message, context)
            return True

        agent_context = self._agent_context(thread, agent, context)
        await self._run(agent, agent_context, begin, options, emit)

    async def answer_input(
        self,
        thread: ThreadMetadata,
        given: Sequence[Message],
        context: TContext,
        emit: Emit,
        *,
        sender: WidgetItem | None = None,
        is_stored: asyncio.Event | None = None,
    ) -> None:
        """Run the agent on messages from code.

        Args:
            thread: The thread.
            given: The messages.
            context: The request's context.
            emit: Emits the events.
            sender: The widget whose action led to the messages.
            is_stored: Set once the messages are stored.

        Raises:
            CustomStreamError: If the agent fails. The message is for the user.
        """
        agent = await self._server.agent_of(thread, context)

        async def begin(turn: AgentTurn[TContext]) -> bool:
            await turn.with_input(given)
            return True

        agent_context = self._agent_context(thread, agent, context, sender)
        await self._run(agent, agent_context, begin, {}, emit, is_stored)

    def _agent_context(
        self,
        thread: ThreadMetadata,
        agent: TurnAgent,
        context: TContext,
        sender: WidgetItem | None = None,
    ) -> ThreadContext[TContext]:
        return ThreadContext(
            thread=thread,
            store=self._server.store,
            request_context=context,
            client_tools=client_tools_of(agent),
            sender=sender,
        )

    async def _run(
        self,
        agent: TurnAgent,
        context: ThreadContext[TContext],
        begin: Callable[[AgentTurn[TContext]], Awaitable[bool]],
        options: dict[str, Any],
        emit: Emit,
        is_stored: asyncio.Event | None = None,
    ) -> None:
        thread, store = context.thread, self._server.store
        run = current_run.get()
        turn = await self._turn(agent, context, run)
        if not await begin(turn):
            return
        checkpoint = None if run is None else run.writer.checkpoint
        context.recorder = CallRecorder(turn.exchange, checkpoint)
        context.items.send = emit
        withdrawn = [
            event
            async for event in self._server.answers.withdraw(
                thread, turn.pause, context.request_context
            )
        ]
        # No await until the input is stored: the input and the withdrawal of the requests that it
        # leaves unanswered belong in one commit.
        if run is not None:
            run.remember(turn)
        for event in withdrawn:
            (emit if run is None else run.emit)(event)
        if run is not None:
            await _store_input(run, turn, is_stored)
        writer = ResponseWriter(
            context.items,
            self._server.response_converter,
            context.pause,
            client_tools=context.client_tools,
        )
        try:
            await self._watch(turn, writer, context, options, emit, run)
        finally:
            context.items.end()
            # The framework keeps the context of a tool until the next garbage collection.
            context.recorder = None
        owner = owner_of(context.request_context)
        for interrupt in context.pause.interrupts:
            if interrupt.kind == "approval":
                await store.audit.record(
                    "approval.asked", owner, thread.id, item=interrupt.item_id, hmac=interrupt.seal
                )
        if run is None:
            remembered = await turn.finish("completed")
            writes = Writes(messages=remembered.messages, session=remembered.session)
            await store.turns.add(thread.id, owner, "", writes)
        elif run.state != "failed" or turn.state != "completed":
            # The agent or a tool may have shown an error, and gone on.
            run.state = turn.state

    async def _turn(
        self, agent: TurnAgent, context: ThreadContext[TContext], run: Run | None
    ) -> AgentTurn[TContext]:
        """Return the agent's part of a turn, with the thread's stored data."""
        thread, store = context.thread, self._server.store
        if run is None:
            key = await store.log.key_of(thread.id, owner_of(context.request_context))
        else:
            key = run.lease.key
        known = self._histories.take(key)
        if run is not None and run.is_first and run.message is not None:
            stored = _first_message(run.message)
        else:
            stored = await store.log.read_stored(key, thread.id, known.read if known else None)
        context.pause.key = await store.secret()
        context.pause.describe = partial(describe_tool_of, agent)
        files = AttachedFiles(self._server.attachment_store, context.request_context)
        is_complete = await files.fill(stored)
        history = extended(known, stored)
        if is_complete:
            self._histories.put(key, history)
        converter = self._server.item_converter or ThreadItemConverter()
        if run is None:
            return AgentTurn(
                agent, context, _last_message(stored), stored, history, converter, files
            )
        return AgentTurn(
            agent,
            context,
            run.turn_id or _last_message(stored),
            stored,
            history,
            converter,
            files,
            ended=run.ended,
            is_retry=run.is_retry,
            tried=run.tried,
        )

    async def _watch(
        self,
        turn: AgentTurn[TContext],
        writer: ResponseWriter,
        context: ThreadContext[TContext],
        options: dict[str, Any],
        emit: Emit,
        run: Run | None,
    ) -> None:
        """Run an agent, trace and time its turn, and close open items if it fails."""
        thread = context.thread
        with turn_span(thread.id, turn.id) as span:
            _send_texts(context.items, span, emit, run)
            try:
                with span.current():
                    await turn.run(writer, options, run)
            except asyncio.CancelledError:
                writer.show_widgets()
                raise
            except CustomStreamError:
                writer.abort()
                raise
            except Exception as error:
                log_failure(error, "A turn in thread %r failed.", thread.id)
                writer.abort()
                message = self._server.error_message(error)
                raise CustomStreamError(message, allow_retry=True) from error

    def _options(self, message: UserMessageItem | None) -> dict[str, Any]:
        """Return the user's choices in the composer as options for a run.

        Raises:
            CustomStreamError: If the app does not offer the model or tool.
        """
        options: dict[str, Any] = {}
        if message is None:
            return options
        chosen = message.inference_options
        if chosen.model and not self._server.agents.by_name:
            if chosen.model not in self._server.models:
                raise CustomStreamError("This model is not available here. Choose another one.")
            options["model"] = chosen.model
        if chosen.tool_choice:
            if chosen.tool_choice.id not in self._server.tools:
                raise CustomStreamError("This tool is not available here. Choose another one.")
            options["tool_choice"] = {
                "mode": "required",
                "required_function_name": chosen.tool_choice.id,
            }
        return options


async def _store_input(run: Run, turn: AgentTurn[Any], is_stored: asyncio.Event | None) -> None:
    """Store the agent's input before the run, if the agent must not receive it twice."""
    if turn.is_resumed:
        run.writer.writes.session = turn.resumed_session()
    if turn.is_resumed or is_stored is not None:
        await run.writer.checkpoint()
    if is_stored is not None:
        is_stored.set()


def _send_texts(items: ItemStream, span: RecordedSpan, emit: Emit, run: Run | None) -> None:
    """Record the time of the first text, and add texts to a run without an event object for each.

    An app that overrides `respond` receives the events before the run does.
    """
    add = None if run is None or emit != run.emit else run.writer.text.add

    def send_first(item_id: str, content_index: int, delta: str) -> None:
        span.note_first_text()
        items.send_text = add
        items.add_text(item_id, content_index, delta)

    items.send_text = send_first


def _first_message(message: UserMessageItem) -> StoredThread:
    """Return the stored data of a thread that a message just started, without reading it."""
    return StoredThread(None, False, [], ReadRows(0, 0, 0), [UnreadItem(1, message, False)])


def _last_message(stored: StoredThread) -> str:
    """Return the ID of the newest user message that the agent has not read."""
    ids = [each.item.id for each in stored.unread if isinstance(each.item, UserMessageItem)]
    return ids[-1] if ids else ""


async def emitted(
    work: Callable[[Emit], Awaitable[None]],
) -> AsyncGenerator[ThreadStreamEvent, None]:
    """Yield the events that a coroutine emits, as it emits them."""
    events: asyncio.Queue[ThreadStreamEvent | None] = asyncio.Queue()
    working = asyncio.ensure_future(contained(work(events.put_nowait)))
    working.add_done_callback(lambda _: events.put_nowait(None))
    try:
        while (event := await events.get()) is not None:
            yield event
        await working
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        # The traceback of its error refers to this frame.
        del working
