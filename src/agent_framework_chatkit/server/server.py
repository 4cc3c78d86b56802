"""One agent behind the ChatKit protocol."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import aclosing, contextmanager
from functools import partial
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Generic, cast

from agent_framework import Message
from chatkit.actions import Action
from chatkit.errors import CustomStreamError
from chatkit.server import ChatKitServer, NonStreamingResult, StreamingResult
from chatkit.store import NotFoundError
from chatkit.types import (
    FeedbackKind,
    NoticeEvent,
    ProgressUpdateEvent,
    SyncCustomActionResponse,
    ThreadItem,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    ThreadMetadata,
    ThreadStreamEvent,
    UserMessageItem,
    WidgetItem,
    is_streaming_req,
)
from typing_extensions import TypeVar

from ..bridge.context import AgentContext
from ..bridge.overrides import MaybeAwaitable
from ..bridge.response_converter import AgentResponseConverter
from ..bridge.response_writer import ResponseWriter
from ..bridge.thread_items import ThreadItemConverter
from ..stores import SQLStore
from ..stores.owners import owner_of, value_of
from ..stores.sql.turn_rows import ReadRows, StoredThread, ThreadChange, UnreadItem, Writes
from ..telemetry import turn_span
from ..widgets.actions import ActionHandler, Actions
from .agent_turn import AgentTurn
from .agents import (
    AgentFactory,
    Agents,
    AnyAgent,
    TurnAgent,
    client_tools_of,
    describe_tool_of,
)
from .answers import OUR_ACTIONS, Answering
from .call_recorder import CallRecorder
from .dispatch import Dispatcher
from .history import HistoryCache, read_history
from .publish import publish, set_title
from .quotas import QuotaKeeper, Quotas
from .requests import ThreadsFollowReq, check_complexity, parse_request
from .run import Run, current_run
from .service_failures import log_failure, service_failure
from .streams import EventsResult
from .threads import shown
from .turn_state import TurnState
from .unfinished import kept
from .worker import Worker

if TYPE_CHECKING:
    from ..stores import AttachmentStore

logger = logging.getLogger(__name__)

TContext = TypeVar("TContext", default=Any)


LONG = 1024 * 1024
"""Bytes of a request that is read in steps."""

TITLE_WITHIN = 60.0
"""Seconds that a title may take to come."""

CANCELLED_WITHIN = 10.0
"""Seconds that an app's own clean-up after a stop may take."""


class AgentChatKitServer(ChatKitServer[TContext], Generic[TContext]):
    """Puts an agent behind the ChatKit protocol, with a store that keeps what was said.

    A turn belongs to its thread, not to the request that started it: it runs as a task of this
    process, and clients come and go. Each turn starts from the `AgentSession` of the turn before
    it and stores its own; the messages that the agent, its model and its tools really exchanged
    are known in later turns, after a restart and on another worker, however the turn ended. One
    turn runs in a thread at a time, also across workers.

    Override `title`, `add_feedback`, `transcribe` and the rest of `ChatKitServer` as an app needs
    them.

    Args:
        agent: Who answers: an agent, a workflow, a builder of one, or a function that returns
            one of these, given the thread and the request's context. Each turn runs a copy of a
            workflow; one that cannot be copied must come from a function that builds it. Or a
            mapping of names to these: a person chooses one in the composer, where the menu of
            models lists them by the agents' own names, and the thread's first message fixes it.
        store: Keeps threads, items, sessions and messages.
        attachment_store: Keeps uploaded files; without one, uploads are refused.
        item_converter: What thread items become for the agent. By default uploaded files reach
            it with their bytes.
        response_converter: What the agent's content becomes in the thread.
        models: Models that a person may choose in the composer, by the id the agent's client
            knows them by. Not together with several agents.
        tools: Tools that a person may choose in the composer, by name.
        actions: What people may do in widgets: functions made handlers by `action`.
        text_interval: Seconds between two text deltas on the wire. Text that comes faster is
            joined; 0 sends every delta by itself.
        detached: Whether clients may follow threads, and turns go on when they go away.
        time_limit: Seconds that a turn may run, not counting the time it waits for people; 0 for
            no limit.
        quotas: How much each owner may ask of a worker.
    """

    store: SQLStore[TContext]
    attachment_store: AttachmentStore[TContext] | None
    shutdown_grace = 20.0
    """Seconds that running turns have to end when the process is asked to stop."""

    def __init__(
        self,
        agent: AnyAgent | AgentFactory[TContext] | Mapping[str, AnyAgent | AgentFactory[TContext]],
        store: SQLStore[TContext],
        attachment_store: AttachmentStore[TContext] | None = None,
        *,
        item_converter: ThreadItemConverter | None = None,
        response_converter: AgentResponseConverter | None = None,
        models: Collection[str] = (),
        tools: Collection[str] = (),
        actions: Collection[ActionHandler] = (),
        text_interval: float = 0.03,
        detached: bool = True,
        time_limit: float = 30 * 60,
        quotas: Quotas | None = None,
    ) -> None:
        super().__init__(store, attachment_store)
        self.agent = agent
        self.agents: Agents[TContext] = Agents(agent)
        """The agents of which a thread's first message chooses one, if there are several."""
        if self.agents.by_name and models:
            raise ValueError("Give several agents or models, not both: one menu lists them.")
        self.item_converter = item_converter
        self.response_converter = response_converter or AgentResponseConverter()
        self.models = tuple(models)
        self.tools = tuple(tools)
        self.detached = detached
        self.time_limit = time_limit
        self.quotas = QuotaKeeper(quotas or Quotas())
        """Counts what owners ask of this process."""
        self.worker = Worker(self, store, text_interval)
        """Executes the turns of this process."""
        self.answering = Answering(self)
        """Takes the answers to the agent's requests."""
        self._dispatcher = Dispatcher(self)
        self._actions = Actions(actions, reserved=OUR_ACTIONS)
        self._histories = HistoryCache()
        self._background: set[asyncio.Task[None]] = set()

    # What an app may override

    def title(
        self, thread: ThreadMetadata, message: UserMessageItem, context: TContext
    ) -> MaybeAwaitable[str | None]:
        """Return a title for a new thread, given its first message.

        A coroutine runs beside the answer and never delays it.
        """
        text = " ".join(" ".join(part.text for part in message.content).split())
        return text if len(text) <= 60 else f"{text[:59].rstrip()}…"

    def error_message(self, error: Exception) -> str:
        """Return what a person is told of a run or an action that failed; the log has the rest."""
        failure = service_failure(error)
        return "Something went wrong. Try again." if failure is None else failure.told

    def name_of(self, context: TContext) -> str | None:
        """Return who a person is, for what they decide to be shown with; `None` for a visitor.

        By default the context's `user_id`, unless its `is_visitor` says that it is made up.
        """
        return None if value_of(context, "is_visitor") else owner_of(context)

    def detached_context(self, context: TContext) -> TContext:
        """Return the context of a turn that outlives its request, given the request's.

        Override it where the context holds what ends with the request, such as a session of a
        database.
        """
        return context

    async def add_feedback(
        self, thread_id: str, item_ids: list[str], feedback: FeedbackKind, context: TContext
    ) -> None:
        """Keep what a person thinks of items."""
        await self.store.save_feedback(thread_id, item_ids, feedback, context)

    # Requests

    async def process(
        self, request: str | bytes | bytearray, context: TContext
    ) -> StreamingResult | NonStreamingResult:
        """Answer a request.

        Args:
            request: The request's body, JSON.
            context: What the app knows of the request. Its `user_id` names the owner.

        Returns:
            Server-sent events, or JSON.

        Raises:
            RequestTooComplexError: If the request holds too many values, or nests them too deep.
            ValidationError: If the request is not one that ChatKit or this server knows.
            NotFoundError: If the owner has no such thread, item or attachment. Streams raise it
                when they are read.
        """
        check_complexity(request)
        if len(request) > LONG:
            await asyncio.sleep(0)  # Others go first.
        parsed = parse_request(request)
        await self.worker.start()
        if isinstance(parsed, ThreadsFollowReq) or is_streaming_req(parsed):
            return EventsResult(self._dispatcher.stream(parsed, context))
        return NonStreamingResult(await self._dispatcher.replies.answer(parsed, context))

    async def start_turn(
        self, thread_id: str, messages: str | Message | Sequence[Message], context: TContext
    ) -> str:
        """Start a turn that no client has asked for, such as a scheduler's.

        Args:
            thread_id: The thread.
            messages: What the agent is told. People do not see it.
            context: Names the owner.

        Returns:
            The turn's id.

        Raises:
            NotFoundError: If the owner has no such thread.
            RuntimeError: If the turn ends before the agent is told, since it was stopped or its
                agent could not be made.
            ThreadBusyError: If a turn of the thread is running.
        """
        if isinstance(messages, str):
            messages = Message("user", [messages])
        given = [messages] if isinstance(messages, Message) else list(messages)
        return await self._dispatcher.turns.start_turn(thread_id, given, context)

    async def add_items(
        self, thread_id: str, items: Sequence[ThreadItem], context: TContext
    ) -> None:
        """Add items to the end of a thread, whether a turn is running or not.

        Clients that follow the thread see them at once. The agent reads them with the next
        message.

        Args:
            thread_id: The thread.
            items: The items.
            context: Names the owner.

        Raises:
            NotFoundError: If the owner has no such thread.
        """
        events = [ThreadItemDoneEvent(item=item) for item in shown(items, with_ends=False)]
        writes = Writes(items=list(items), is_news=True)
        await publish(self, thread_id, events, writes, context)

    # A turn

    async def respond(
        self, thread: ThreadMetadata, input_user_message: UserMessageItem | None, context: TContext
    ) -> AsyncIterator[ThreadStreamEvent]:
        """Run the agent on what is new in the thread, and stream its answer."""

        async def answer(emit: Callable[[ThreadStreamEvent], None]) -> None:
            await self._answer(thread, input_user_message, context, emit)

        async with aclosing(_events_of(answer)) as events:
            async for event in events:
                yield event

    async def execute_respond(self, run: Run, message: UserMessageItem | None) -> None:
        """Have the agent, or the app's own `respond`, answer within a run."""
        if type(self).respond is AgentChatKitServer.respond:
            run.message = message
            await self._answer(run.thread, message, run.context, run.emit)
            return
        await run.emit_all(self.respond(run.thread, message, run.context))

    async def execute_input(
        self, run: Run, given: Sequence[Message], is_told: asyncio.Event
    ) -> None:
        """Have the agent answer, within a run, what it is given by code.

        Args:
            run: The run.
            given: What the agent is told.
            is_told: Set when it is stored that the agent is told so.
        """
        agent = await self.agent_of(run.thread, run.context)
        agent_context = self._agent_context(run.thread, agent, run.context, None)

        async def begin(turn: AgentTurn[TContext]) -> bool:
            await turn.with_input(given)
            return True

        await self._run_agent(agent, agent_context, begin, {}, run.emit, is_told)

    async def _answer(
        self,
        thread: ThreadMetadata,
        message: UserMessageItem | None,
        context: TContext,
        emit: Callable[[ThreadStreamEvent], None],
    ) -> None:
        options = self._options(message)
        if message is not None and self.agents.by_name:
            chosen = message.inference_options.model
            notice = self.agents.check(thread, chosen)
            if notice is not None:
                emit(NoticeEvent(level="info", message=notice))
            self.agents.assign(thread, chosen)
        agent = await self.agent_of(thread, context)
        agent_context = self._agent_context(thread, agent, context, None)

        async def begin(turn: AgentTurn[TContext]) -> bool:
            if message is None:
                return await turn.without_message()
            await turn.with_message()
            if thread.title is None:
                self._give_title(thread, message, context)
            return True

        await self._run_agent(agent, agent_context, begin, options, emit)

    async def _run_agent(
        self,
        agent: TurnAgent,
        context: AgentContext[TContext],
        begin: Callable[[AgentTurn[TContext]], Awaitable[bool]],
        options: dict[str, Any],
        emit: Callable[[ThreadStreamEvent], None],
        is_told: asyncio.Event | None = None,
    ) -> None:
        """Run an agent in the current run's turn, or in one of its own if there is none."""
        thread, request_context = context.thread, context.request_context
        run = current_run.get()
        owner = owner_of(request_context)
        log = self.store.log
        key = run.lease.key if run is not None else await log.key_of(thread.id, owner)
        known = self._histories.get(key)
        stored = (
            _first_message(run)
            if run is not None and run.is_first and run.message is not None
            else await log.read_stored(key, known.read if known else None)
        )
        context.pause.key = await self.store.secret()
        context.pause.describe = partial(describe_tool_of, agent)
        history = read_history(self._histories, key, stored, thread.id)
        turn_id = (run.turn_id if run is not None else "") or _last_message(stored)
        turn: AgentTurn[TContext] = AgentTurn(
            agent,
            context,
            turn_id,
            stored,
            history,
            run.ended if run is not None else "",
            self.converter(request_context),
            is_retry=run is not None and run.is_retry,
            tried=run.tried if run is not None else (),
        )
        if not await begin(turn):
            return
        context.recorder = CallRecorder(
            turn.exchange, None if run is None else run.writer.checkpoint
        )
        context.items.send = emit
        withdrawn = [
            event async for event in self.answering.withdraw(thread, turn.pause, request_context)
        ]
        # From here to the next await, so that it is stored together: what the agent is told, and
        # that nobody is asked any more what it was told is not answered.
        if run is not None:
            run.remember(turn)
        for event in withdrawn:
            (emit if run is None else run.emit)(event)
        if run is not None and turn.is_resumed:
            # Before the run: whatever becomes of it, no answer is given to the agent twice.
            run.writer.writes.session = turn.resumed_session()
            await run.writer.checkpoint()
        if run is not None and is_told is not None:
            await run.writer.checkpoint()
            is_told.set()
        writer = ResponseWriter(
            context.items,
            self.response_converter,
            context.pause,
            client_tools=context.client_tools,
        )
        await self._watch(turn, writer, context, options, emit, run)
        for interrupt in context.pause.interrupts:
            if interrupt.kind == "approval":
                await self.store.audit.record(
                    "approval.asked", owner, thread.id, item=interrupt.item_id, hmac=interrupt.seal
                )
        if run is None:
            remembered = await turn.finish("completed")
            writes = Writes(messages=remembered.messages, session=remembered.session)
            await self.store.turns.add(thread.id, owner, "", writes)
        else:
            run.state = turn.state

    async def _watch(
        self,
        turn: AgentTurn[TContext],
        writer: ResponseWriter,
        context: AgentContext[TContext],
        options: dict[str, Any],
        emit: Callable[[ThreadStreamEvent], None],
        run: Run | None,
    ) -> None:
        """Run an agent while its turn is traced and timed, and close what it leaves open."""
        thread = context.thread
        with turn_span(thread.id, turn.id) as span:
            context.items.send = span.until_first_text(emit, context.items)
            try:
                with span.current():
                    await turn.run(writer, options, run)
            except asyncio.CancelledError:
                writer.show_widgets()
                raise
            except Exception as error:
                log_failure(error, "A turn in thread %r failed.", thread.id)
                writer.abort()
                raise CustomStreamError(self.error_message(error), allow_retry=True) from error

    def _agent_context(
        self,
        thread: ThreadMetadata,
        agent: TurnAgent | None,
        context: TContext,
        sender: WidgetItem | None,
    ) -> AgentContext[TContext]:
        return AgentContext(
            thread=thread,
            store=self.store,
            request_context=context,
            client_tools=() if agent is None else client_tools_of(agent),
            sender=sender,
        )

    async def agent_of(self, thread: ThreadMetadata, context: TContext) -> TurnAgent:
        """Return who answers in a thread."""
        return await self.agents.of(thread, context)

    def converter(self, context: TContext) -> ThreadItemConverter:
        """Return what makes an agent's messages of thread items."""
        if self.item_converter is not None:
            return self.item_converter
        store = self.attachment_store
        if store is None:
            return ThreadItemConverter()
        files: dict[str, bytes] = {}

        async def read_once(attachment_id: str) -> bytes:
            if attachment_id not in files:
                files[attachment_id] = await store.read_bytes(attachment_id, context)
            return files[attachment_id]

        return ThreadItemConverter(read_once)

    def _options(self, message: UserMessageItem | None) -> dict[str, Any]:
        """Return what the person chose in the composer, as options of a run.

        Raises:
            CustomStreamError: If the app does not offer it.
        """
        options: dict[str, Any] = {}
        if message is None:
            return options
        chosen = message.inference_options
        if chosen.model and not self.agents.by_name:
            if chosen.model not in self.models:
                raise CustomStreamError("This model is not available here. Choose another one.")
            options["model"] = chosen.model
        if chosen.tool_choice:
            if chosen.tool_choice.id not in self.tools:
                raise CustomStreamError("This tool is not available here. Choose another one.")
            options["tool_choice"] = {
                "mode": "required",
                "required_function_name": chosen.tool_choice.id,
            }
        return options

    def _give_title(
        self, thread: ThreadMetadata, message: UserMessageItem, context: TContext
    ) -> None:
        async def give(coming: Awaitable[str | None]) -> None:
            try:
                title = await asyncio.wait_for(coming, TITLE_WITHIN)
                if title and thread.title is None:
                    await set_title(self, thread, _title(title), context)
            except Exception as error:
                log_failure(error, "Thread %r could not be given a title.", thread.id)

        try:
            title = self.title(thread, message, context)
            if isawaitable(title):
                self._in_background(give(title))
            elif title:
                thread.title = _title(title)
        except Exception as error:
            log_failure(error, "Thread %r could not be given a title.", thread.id)

    def _in_background(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    # The end of a turn

    async def finish_turn(self, run: Run, state: TurnState) -> None:
        """Close what a run has left open, and keep how its turn has ended."""
        if run.is_lost:
            return
        run.note_thread()
        unfinished = await run.settle()
        if state in ("stopped", "interrupted", "timed_out"):
            try:
                await asyncio.wait_for(
                    self.handle_stream_cancelled(run.thread, unfinished, run.context),
                    CANCELLED_WITHIN,
                )
            except Exception:
                logger.exception("The clean-up after a stop in thread %r failed.", run.thread.id)
            for item in unfinished:
                if not run.has_finished(item.id):
                    run.emit(await self._left_by_app(item, run))
        else:
            _close(run, unfinished)
        remembered = None if run.agent_turn is None else await run.agent_turn.finish(state)
        await run.end(state, remembered)

    async def handle_stream_cancelled(
        self, thread: ThreadMetadata, pending_items: list[ThreadItem], context: TContext
    ) -> None:
        """Keep what was shown when a person stops an answer, or goes away.

        Items that show nothing yet are not kept. What was running is marked as neither running
        nor complete.
        """
        run = current_run.get()
        if run is not None:
            _close(run, pending_items)
            return
        for item in pending_items:
            as_kept = kept(item)
            if as_kept is not None:
                await self.store.add_thread_item(thread.id, as_kept, context=context)

    async def _left_by_app(self, item: ThreadItem, run: Run) -> ThreadStreamEvent:
        """Return how an item ends that an app's `handle_stream_cancelled` may have stored."""
        try:
            stored = await self.store.load_item(run.thread.id, item.id, run.context)
        except NotFoundError:
            return ThreadItemRemovedEvent(item_id=item.id)
        return ThreadItemDoneEvent(item=stored)

    # Actions

    async def action(
        self,
        thread: ThreadMetadata,
        action: Action[str, Any],
        sender: WidgetItem | None,
        context: TContext,
    ) -> AsyncIterator[ThreadStreamEvent]:
        """Have the handler of its type take an action, and the agent answer if it says so.

        Raises:
            RefusedActionError: If the action changes nothing; the message is for the person.
        """
        handled = self._actions.take(action, sender)
        agent_context = self._agent_context(thread, None, context, sender)
        with self._failing_safely(action):
            async with aclosing(handled.stream(agent_context)) as events:
                async for event in events:
                    yield event
        if not handled.for_agent:
            return
        agent = await self.agent_of(thread, context)
        answering = self._agent_context(thread, agent, context, agent_context.sender)

        async def begin(turn: AgentTurn[TContext]) -> bool:
            await turn.with_input(handled.for_agent)
            return True

        async def answer(emit: Callable[[ThreadStreamEvent], None]) -> None:
            await self._run_agent(agent, answering, begin, {}, emit)

        async with aclosing(_events_of(answer)) as events:
            async for event in events:
                yield event

    async def sync_action(
        self,
        thread: ThreadMetadata,
        action: Action[str, Any],
        sender: WidgetItem | None,
        context: TContext,
    ) -> SyncCustomActionResponse:
        """Have the handler of its type take an action that changes nothing but its widget.

        Raises:
            CustomStreamError: If the handler fails; the message is for the person.
            NotImplementedError: If the handler shows more; nothing of it is kept.
            RefusedActionError: If the action changes nothing.
        """
        run = self._actions.take(action, sender)
        agent_context = self._agent_context(thread, None, context, sender)
        before = thread.model_copy(deep=True)
        with self._failing_safely(action):
            events = [event async for event in run.stream(agent_context)]
        updated = agent_context.sender
        shown = [event for event in events if not _is_passing(event, updated)]
        if run.for_agent or shown:
            raise NotImplementedError(
                f"The handler of {action.type!r} does more than replace its widget, so its action "
                "must stream: do not set `streaming` to false where a widget names it."
            )
        writes = Writes()
        changed: list[ThreadStreamEvent] = []
        if thread != before:
            writes.thread = ThreadChange(before, thread)
        if updated is not None and updated is not sender:
            writes.items.append(updated)
            changed.append(ThreadItemReplacedEvent(item=updated))
        if writes.thread or writes.items:
            await publish(self, thread.id, changed, writes, context)
        if updated is None or updated is sender:
            return SyncCustomActionResponse()
        return SyncCustomActionResponse(updated_item=updated)

    @contextmanager
    def _failing_safely(self, action: Action[str, Any]) -> Iterator[None]:
        """Turn what a handler raises into what a person may read."""
        try:
            yield
        except CustomStreamError:
            raise
        except Exception as error:
            logger.exception("The handler of an action of type %r failed.", action.type)
            raise CustomStreamError(self.error_message(error)) from error

    # Attachments

    def attachments(self) -> AttachmentStore[TContext]:
        """Return what keeps files.

        Raises:
            NotFoundError: If nothing does.
        """
        if self.attachment_store is None:
            raise NotFoundError("This chat takes no files.")
        return self.attachment_store

    def with_new_links(self, items: Sequence[ThreadItem], context: TContext) -> list[ThreadItem]:
        """Return items with new signed links to images, since those that are stored expire."""
        if self.attachment_store is not None:
            for item in items:
                if isinstance(item, UserMessageItem):
                    item.attachments = [
                        self.attachment_store.refresh(attachment, context)
                        for attachment in item.attachments
                    ]
        return list(items)

    # The server's life

    async def settle(self) -> None:
        """Wait for background tasks, such as titles."""
        await asyncio.gather(*self._background)

    async def close(self, grace: float | None = None) -> None:
        """Let running turns end, stop those that do not, and close the store.

        Args:
            grace: Seconds that running turns and background tasks are given; by default
                `shutdown_grace`.
        """
        grace = self.shutdown_grace if grace is None else grace
        await self.worker.close(grace)
        if self._background:
            await asyncio.wait(self._background, timeout=grace)
            for task in self._background:
                task.cancel()
            await asyncio.gather(*self._background, return_exceptions=True)
        await self.store.close()

    async def clean_up(self) -> None:
        """Delete the files of threads that are gone, and uploads never finished or sent.

        `create_app` calls it every hour; call it yourself where its lifespan is not run.
        """
        await self.store.audit.purge()
        if self.attachment_store is not None:
            await self.attachment_store.delete_doomed(self.store)
            await self.attachment_store.clean_up()


def _is_passing(event: ThreadStreamEvent, updated: WidgetItem | None) -> bool:
    """Return whether nothing of an event is lost if only the updated widget is told."""
    if isinstance(event, ThreadItemReplacedEvent):
        return updated is not None and event.item.id == updated.id
    return isinstance(event, (ThreadItemUpdatedEvent, ProgressUpdateEvent))


async def _events_of(
    work: Callable[[Callable[[ThreadStreamEvent], None]], Awaitable[None]],
) -> AsyncGenerator[ThreadStreamEvent, None]:
    """Yield the events that work emits, as it does."""
    events: asyncio.Queue[ThreadStreamEvent | None] = asyncio.Queue()
    working = asyncio.ensure_future(work(events.put_nowait))
    working.add_done_callback(lambda _: events.put_nowait(None))
    try:
        while (event := await events.get()) is not None:
            yield event
        await working
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


def _close(run: Run, unfinished: Sequence[ThreadItem]) -> None:
    """End items that are not done: as they are, if they show something."""
    for item in unfinished:
        as_kept = kept(item)
        if as_kept is None:
            run.emit(ThreadItemRemovedEvent(item_id=item.id))
        else:
            run.emit(ThreadItemDoneEvent(item=as_kept))


def _title(title: object) -> str:
    """Return what an app calls a thread.

    Raises:
        TypeError: If that is no text.
    """
    if not isinstance(title, str):
        raise TypeError(f"A title must be a string, not {title!r}.")
    return title


def _first_message(run: Run) -> StoredThread:
    """Return what is stored of a thread that a turn has begun, which need not be read."""
    item = cast("UserMessageItem", run.message)
    return StoredThread(None, False, [], ReadRows(0, 0, 0), [UnreadItem(1, item, False)])


def _last_message(stored: StoredThread) -> str:
    """Return the id of the newest message of the user's that the agent has not read."""
    ids = [each.item.id for each in stored.unread if isinstance(each.item, UserMessageItem)]
    return ids[-1] if ids else ""
