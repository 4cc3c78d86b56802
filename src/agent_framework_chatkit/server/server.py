"""One agent behind the ChatKit protocol."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Iterator
from contextlib import AsyncExitStack, aclosing, contextmanager
from datetime import datetime, timezone
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias, cast

import anyio
from agent_framework import SupportsAgentRun, Workflow, WorkflowAgent
from chatkit.actions import Action
from chatkit.errors import CustomStreamError, ErrorCode
from chatkit.server import ChatKitServer
from chatkit.store import NotFoundError
from chatkit.types import (
    AssistantMessageContent,  # noqa: F401 pydantic resolves the fields of _PendingMessage with it
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    ErrorEvent,
    FeedbackKind,
    GeneratedImageItem,
    ItemsListReq,
    NonStreamingReq,
    NoticeEvent,
    Page,
    ProgressUpdateEvent,
    StreamingReq,
    SyncCustomActionResponse,
    Thread,
    ThreadCreatedEvent,
    ThreadItem,
    ThreadItemDoneEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdate,
    ThreadItemUpdatedEvent,
    ThreadMetadata,
    ThreadsAddUserMessageReq,
    ThreadsDeleteReq,
    ThreadsGetByIdReq,
    ThreadsRetryAfterItemReq,
    ThreadsSyncCustomActionReq,
    ThreadStreamEvent,
    UserMessageInput,
    UserMessageItem,
    WidgetItem,
    WorkflowItem,
)
from pydantic import PrivateAttr
from typing_extensions import TypeVar

from ..bridge.context import AgentContext
from ..bridge.item_updates import apply_update
from ..bridge.open_items import settle
from ..bridge.overrides import MaybeAwaitable, resolve
from ..bridge.response_converter import AgentResponseConverter
from ..bridge.thread_items import ThreadItemConverter
from ..interrupts.client_tools import client_tool_names
from ..stores import SQLStore, ThreadBusyError
from ..stores.owners import owner_of, value_of
from ..widgets.actions import ActionHandler, Actions, RefusedActionError
from .answers import OUR_ACTIONS, Answered, Answering, RefusedAnswerError
from .outbox import Outbox

if TYPE_CHECKING:
    from ..stores import AttachmentStore

from ..bridge.streaming import stream_agent_response
from ..telemetry import request_span, turn_span
from ..workflows.runner import ThreadWorkflow
from .turn import Turn, TurnAgent
from .turn_start import TurnStart

logger = logging.getLogger(__name__)

TContext = TypeVar("TContext", default=Any)


class BuildsWorkflow(Protocol):
    """A `WorkflowBuilder`, or a builder of an orchestration."""

    def build(self) -> Workflow:
        """Return a workflow."""


AnyAgent: TypeAlias = "SupportsAgentRun | Workflow | BuildsWorkflow"
"""What can answer: an agent, a workflow, or a builder of one."""

AgentFactory: TypeAlias = "Callable[[ThreadMetadata, TContext], MaybeAwaitable[AnyAgent]]"
"""Returns who answers in a thread, given the thread and the request's context."""


BUSY = (
    "An answer is still being written in this chat. Wait until it is finished, or stop it, and "
    "try again."
)
"""What a person is told who does something else in the meantime."""

STOPPING = 3.0
"""Seconds that a turn which has been stopped may take to end, while the next waits for it."""

HEARTBEAT = 15.0
"""Seconds between the comments in a stream that keep proxies from closing its connection."""


class AgentChatKitServer(ChatKitServer[TContext], Generic[TContext]):
    """Puts an agent behind the ChatKit protocol, with a store that keeps what was said.

    Each turn starts from the `AgentSession` of the turn before it and stores its own, so tool
    calls and their results are known in later turns, after a restart and on another worker.
    One turn runs in a thread at a time, also across workers.

    Override `title`, `add_feedback`, `transcribe` and the rest of `ChatKitServer` as an app needs
    them.

    Args:
        agent: Who answers: an agent, a workflow, a builder of one, or a function that returns
            one of these, given the thread and the request's context. Each turn runs a copy of a
            workflow; one that cannot be copied must come from a function that builds it.
        store: Keeps threads, items, sessions and messages.
        attachment_store: Keeps uploaded files; without one, uploads are refused.
        item_converter: What thread items become for the agent. By default uploaded files reach
            it with their bytes.
        response_converter: What the agent's content becomes in the thread.
        models: Models that a person may choose in the composer, by the id the agent's client
            knows them by.
        tools: Tools that a person may choose in the composer, by name.
        actions: What people may do in widgets: functions made handlers by `action`.
        text_interval: Seconds between two text deltas on the wire. Text that comes faster is
            joined; 0 sends every delta by itself.
    """

    store: SQLStore[TContext]
    attachment_store: AttachmentStore[TContext] | None

    def __init__(
        self,
        agent: AnyAgent | AgentFactory[TContext],
        store: SQLStore[TContext],
        attachment_store: AttachmentStore[TContext] | None = None,
        *,
        item_converter: ThreadItemConverter | None = None,
        response_converter: AgentResponseConverter | None = None,
        models: Collection[str] = (),
        tools: Collection[str] = (),
        actions: Collection[ActionHandler] = (),
        text_interval: float = 0.03,
    ) -> None:
        super().__init__(store, attachment_store)
        self.agent = agent
        if not _is_factory(agent):
            # Says at once what is wrong with it.
            _runnable(agent, is_shared=True)
        self.item_converter = item_converter
        self.response_converter = response_converter or AgentResponseConverter()
        self.models = tuple(models)
        self.tools = tuple(tools)
        self.text_interval = text_interval
        self._actions = Actions(actions, reserved=OUR_ACTIONS)
        self._answering = Answering(self)
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
        return "Something went wrong. Try again."

    def name_of(self, context: TContext) -> str | None:
        """Return who a person is, for what they decide to be shown with; `None` for a visitor.

        By default the context's `user_id`, unless its `is_visitor` says that it is made up.
        """
        return None if value_of(context, "is_visitor") else owner_of(context)

    async def add_feedback(
        self, thread_id: str, item_ids: list[str], feedback: FeedbackKind, context: TContext
    ) -> None:
        """Keep what a person thinks of items."""
        await self.store.save_feedback(thread_id, item_ids, feedback, context)

    # A turn

    async def respond(
        self, thread: ThreadMetadata, input_user_message: UserMessageItem | None, context: TContext
    ) -> AsyncIterator[ThreadStreamEvent]:
        """Run the agent on what is new in the thread, and stream its answer."""
        options = self._options(input_user_message)
        agent = await self.agent_of(thread, context)
        start = self._turn_start(agent, thread, context)
        turn = (
            await start.without_message()
            if input_user_message is None
            else await start.with_message(input_user_message)
        )
        if turn is None:
            return
        if input_user_message is not None and thread.title is None:
            self._give_title(thread, input_user_message, context)
        async with aclosing(self._run(thread, agent, turn, context, options)) as events:
            async for event in events:
                yield event

    async def _run(
        self,
        thread: ThreadMetadata,
        agent: TurnAgent,
        turn: Turn[TContext],
        context: TContext,
        options: dict[str, Any],
        sender: WidgetItem | None = None,
    ) -> AsyncGenerator[ThreadStreamEvent, None]:
        """Run a turn, stream what it shows, and keep it."""
        agent_context = AgentContext(
            thread=thread,
            store=self.store,
            request_context=context,
            client_tools=_client_tools(agent),
            resumed=turn.resumed,
            sender=sender,
        )
        with turn_span(thread.id, turn.turn_id) as span:
            try:
                with span.current():
                    run = turn.run(agent_context, options)
                events = stream_agent_response(
                    run, thread.id, context=agent_context, converter=self.response_converter
                )
                if turn.withdrawn is not None:
                    async for event in self._answering.withdraw(thread, turn.withdrawn, context):
                        yield event
                async with aclosing(span.follow(events)) as following:
                    async for event in following:
                        turn.note(event)
                        yield event
            except BaseException as error:
                # The reader may have gone; what was asked and said is kept all the same.
                with anyio.CancelScope(shield=True):
                    await turn.keep_unfinished()
                    for interrupt in agent_context.pause.interrupts:
                        await self.store.delete_thread_item(thread.id, interrupt.item_id, context)
                if isinstance(error, Exception):
                    logger.exception("A turn in thread %r failed.", thread.id)
                    message = self.error_message(error)
                    raise CustomStreamError(message, allow_retry=True) from error
                raise
            await turn.keep()

    def _turn_start(
        self, agent: TurnAgent, thread: ThreadMetadata, context: TContext
    ) -> TurnStart[TContext]:
        converter = self.item_converter or self._converter(context)
        return TurnStart(agent, self.store, thread.id, context, converter)

    async def agent_of(self, thread: ThreadMetadata, context: TContext) -> TurnAgent:
        """Return who answers in a thread."""
        agent: Any = self.agent
        if _is_factory(agent):
            return _runnable(await resolve(agent(thread, context)), is_shared=False)
        return _runnable(agent, is_shared=True)

    def _converter(self, context: TContext) -> ThreadItemConverter:
        store = self.attachment_store
        if store is None:
            return ThreadItemConverter()
        return ThreadItemConverter(lambda attachment_id: store.read_bytes(attachment_id, context))

    def _options(self, message: UserMessageItem | None) -> dict[str, Any]:
        """Return what the person chose in the composer, as options of a run.

        Raises:
            CustomStreamError: If the app does not offer it.
        """
        options: dict[str, Any] = {}
        if message is None:
            return options
        chosen = message.inference_options
        if chosen.model:
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
                title = await coming
                current = await self.store.load_thread(thread.id, context)
                if title and current.title is None:
                    # Set here too: as long as the answer streams, ChatKit tells the client.
                    current.title = thread.title = title
                    await self.store.save_thread(current, context)
            except Exception:
                logger.exception("Thread %r could not be given a title.", thread.id)

        title = self.title(thread, message, context)
        if isawaitable(title):
            task = asyncio.ensure_future(give(title))
            self._background.add(task)
            task.add_done_callback(self._background.discard)
        else:
            thread.title = title

    # The protocol

    def _get_attachment_store(self) -> AttachmentStore[TContext]:
        if self.attachment_store is None:
            raise NotFoundError("This chat takes no files.")
        return self.attachment_store

    def _to_thread_response(self, thread: ThreadMetadata | Thread) -> Thread:
        answer = super()._to_thread_response(thread)
        # ChatKit takes the local time without saying so, which browsers would take for theirs.
        answer.created_at = answer.created_at.astimezone(timezone.utc)
        return answer

    async def _process_non_streaming(self, request: NonStreamingReq, context: TContext) -> bytes:
        with request_span(request.type, getattr(request.params, "thread_id", None)):
            answer = await super()._process_non_streaming(request, context)
        if isinstance(request, ThreadsDeleteReq) and self.attachment_store is not None:
            try:
                await self.attachment_store.delete_doomed(self.store)
            except Exception:
                logger.exception("The files of a deleted thread remain until they are cleaned up.")
        return self._with_new_links(request, answer, context)

    def _with_new_links(self, request: NonStreamingReq, answer: bytes, context: TContext) -> bytes:
        """Renew the signed links to images, since those that are stored expire."""
        if self.attachment_store is None or b'"preview_url"' not in answer:
            return answer
        listed: Thread | Page[ThreadItem]
        if isinstance(request, ThreadsGetByIdReq):
            listed = Thread.model_validate_json(answer)
            items = listed.items.data
        elif isinstance(request, ItemsListReq):
            listed = Page[ThreadItem].model_validate_json(answer)
            items = listed.data
        else:
            return answer
        for item in items:
            if isinstance(item, UserMessageItem):
                self._with_new_link(item, context)
        return self._serialize(listed)

    def _with_new_link(self, item: UserMessageItem, context: TContext) -> UserMessageItem:
        if self.attachment_store is not None:
            item.attachments = [
                self.attachment_store.refresh(attachment, context)
                for attachment in item.attachments
            ]
        return item

    async def _process_streaming(
        self, request: StreamingReq, context: TContext
    ) -> AsyncGenerator[bytes, None]:
        """Answer a request in a task of its own.

        A client that goes away is then a cancellation of that task, wherever the answer is at
        the time, which `ChatKitServer` handles by keeping what was shown.
        """
        outbox = Outbox(self.text_interval)
        answering = asyncio.create_task(self._answer(request, context, outbox))
        beating = asyncio.create_task(_beat(outbox))
        try:
            async for event in outbox.events():
                if event is None:
                    yield b":\n\n"
                else:
                    yield b"data: " + self._serialize(event) + b"\n\n"
            await answering
        finally:
            beating.cancel()
            answering.cancel()
            with anyio.CancelScope(shield=True):
                await asyncio.wait([answering, beating])

    async def _answer(self, request: StreamingReq, context: TContext, outbox: Outbox) -> None:
        has_begun = False
        thread_id = getattr(request.params, "thread_id", None)
        try:
            async with AsyncExitStack() as turns:
                turns.enter_context(request_span(request.type, thread_id))
                if thread_id is not None:
                    await self._begin(turns, thread_id, request, context)
                await self._confirm_attachments(request, context)
                async for event in self._process_streaming_impl(request, context):
                    if isinstance(event, ThreadCreatedEvent):
                        await turns.enter_async_context(self.store.turn(event.thread.id, context))
                    has_begun = True
                    outbox.put(event)
        except ThreadBusyError:
            outbox.put(
                NoticeEvent(
                    level="warning",
                    message=BUSY,
                )
            )
        except Exception:
            if not has_begun:
                raise
            # Too late for an HTTP status.
            logger.exception("A stream could not be finished.")
            outbox.put(ErrorEvent(code=ErrorCode.STREAM_ERROR, allow_retry=True))
        finally:
            outbox.close()

    async def _begin(
        self, turns: AsyncExitStack, thread_id: str, request: StreamingReq, context: TContext
    ) -> None:
        """Begin a turn; what a person says waits for one that may just have been stopped."""
        # Not so actions, of which the second may be the second half of a double click.
        may_wait = isinstance(request, (ThreadsAddUserMessageReq, ThreadsRetryAfterItemReq))
        deadline = anyio.current_time() + (STOPPING if may_wait else 0)
        while True:
            try:
                return await turns.enter_async_context(self.store.turn(thread_id, context))
            except ThreadBusyError:
                if anyio.current_time() >= deadline:
                    raise
            await asyncio.sleep(0.1)

    async def _process_streaming_impl(
        self, request: StreamingReq, context: TContext
    ) -> AsyncGenerator[ThreadStreamEvent, None]:
        if isinstance(request, (ThreadsAddUserMessageReq, ThreadsRetryAfterItemReq)):
            status = (await self.store.load_thread(request.params.thread_id, context)).status
            if status.type != "active":
                yield NoticeEvent(
                    level="warning", message=status.reason or f"This chat is {status.type}."
                )
                return
        if isinstance(request, ThreadsRetryAfterItemReq) and "input" in request.metadata:
            yield await self._edit(request, context)
        try:
            answered = await self._answering.take(request, context)
        except RefusedAnswerError as refusal:
            yield NoticeEvent(level="warning", message=str(refusal))
            return
        events = (
            super()._process_streaming_impl(request, context)
            if answered is None
            else self._go_on(answered, context)
        )
        async with aclosing(events):
            async for event in events:
                yield event

    async def _edit(
        self, request: ThreadsRetryAfterItemReq, context: TContext
    ) -> ThreadItemReplacedEvent:
        """Replace what a message says before it is answered anew.

        The protocol has no request for it; a client that knows ours sends the new message in the
        metadata of a retry.
        """
        thread_id, item_id = request.params.thread_id, request.params.item_id
        new = UserMessageInput.model_validate(request.metadata["input"])
        thread = await self.store.load_thread(thread_id, context)
        old = await self.store.load_item(thread_id, item_id, context)
        if not isinstance(old, UserMessageItem):
            raise ValueError(f"Item {item_id} is not a user message.")
        known = {attachment.id for attachment in old.attachments}
        for attachment_id in new.attachments:
            if attachment_id not in known:
                await self._get_attachment_store().confirm(attachment_id, context)
        built = await self._build_user_message_item(new, thread, context)
        edited = built.model_copy(update={"id": old.id, "created_at": old.created_at})
        await self.store.save_item(thread_id, edited, context)
        return ThreadItemReplacedEvent(item=self._with_new_link(edited, context))

    async def _go_on(
        self, answered: Answered, context: TContext
    ) -> AsyncGenerator[ThreadStreamEvent, None]:
        """Show an answer, and go on with the turn if it was the last that is missing."""
        thread = await self.store.load_thread(answered.thread_id, context)

        async def stream() -> AsyncIterator[ThreadStreamEvent]:
            if answered.item is not None:
                yield ThreadItemReplacedEvent(item=answered.item)
            if answered.next_call is not None:
                yield ThreadItemDoneEvent(item=answered.next_call)
            if answered.is_complete:
                async for event in self.respond(thread, None, context):
                    yield event

        async for event in self._process_events(thread, context, stream):
            yield event

    # Actions

    async def action(
        self,
        thread: ThreadMetadata,
        action: Action[str, Any],
        sender: WidgetItem | None,
        context: TContext,
    ) -> AsyncIterator[ThreadStreamEvent]:
        """Have the handler of its type take an action, and the agent answer if it says so."""
        try:
            run = self._actions.take(action, sender)
        except RefusedActionError as refusal:
            yield NoticeEvent(level="warning", message=str(refusal))
            return
        agent_context = self._action_context(thread, sender, context)
        with self._failing_safely(action):
            async with aclosing(run.stream(agent_context)) as events:
                async for event in events:
                    yield event
        if not run.for_agent:
            return
        agent = await self.agent_of(thread, context)
        start = self._turn_start(agent, thread, context)
        new_id = self.store.generate_item_id("message", thread, context)
        turn = await start.with_input(run.for_agent, new_id)
        answer = self._run(thread, agent, turn, context, {}, agent_context.sender)
        async with aclosing(answer) as events:
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
        agent_context = self._action_context(thread, sender, context)
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
        if thread != before:
            await self.store.save_thread(thread, context)
        if updated is None or updated is sender:
            return SyncCustomActionResponse()
        await self.store.save_item(thread.id, updated, context)
        return SyncCustomActionResponse(updated_item=updated)

    def _action_context(
        self, thread: ThreadMetadata, sender: WidgetItem | None, context: TContext
    ) -> AgentContext[TContext]:
        return AgentContext(thread=thread, store=self.store, request_context=context, sender=sender)

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

    async def _process_sync_custom_action(
        self, request: ThreadsSyncCustomActionReq, context: TContext
    ) -> bytes:
        if request.params.action.type in OUR_ACTIONS:
            raise ValueError("What the agent asks is answered by threads.custom_action.")
        async with self.store.turn(request.params.thread_id, context):
            return await super()._process_sync_custom_action(request, context)

    async def _confirm_attachments(self, request: StreamingReq, context: TContext) -> None:
        """Check the files of a message before anything is stored."""
        message = getattr(request.params, "input", None)
        if isinstance(message, UserMessageInput):
            for attachment_id in message.attachments:
                await self._get_attachment_store().confirm(attachment_id, context)

    def _update_pending_items(
        self, pending_items: dict[str, ThreadItem], event: ThreadItemUpdatedEvent
    ) -> None:
        """Keep an item up to date in case it is never finished.

        The library copies the whole text at every delta, so that a long answer costs ever more.
        """
        item = pending_items.get(event.item_id)
        if isinstance(item, AssistantMessageItem):
            if not isinstance(item, _PendingMessage):
                item = pending_items[item.id] = _PendingMessage(**dict(item))
            item.add(event.update)
        elif item is not None:
            apply_update(item, event.update)

    async def handle_stream_cancelled(
        self, thread: ThreadMetadata, pending_items: list[ThreadItem], context: TContext
    ) -> None:
        """Keep what was shown when a person stops an answer, or goes away.

        Items that show nothing yet are not kept. What was running is marked as neither running
        nor complete.
        """
        with anyio.CancelScope(shield=True):
            shown = [item for item in map(_kept, pending_items) if item is not None]
            for item in shown:
                await self.store.add_thread_item(thread.id, item, context=context)
            await super().handle_stream_cancelled(thread, [], context)

    async def settle(self) -> None:
        """Wait for what goes on behind answers, such as titles."""
        await asyncio.gather(*self._background)

    async def close(self) -> None:
        """Wait for what goes on behind answers, and close the store."""
        await self.settle()
        await self.store.close()

    async def clean_up(self) -> None:
        """Delete the files of threads that are gone, and uploads never finished or sent.

        `create_app` calls it every hour; call it yourself where its lifespan is not run.
        """
        if self.attachment_store is not None:
            await self.attachment_store.delete_doomed(self.store)
            await self.attachment_store.clean_up()


def _is_passing(event: ThreadStreamEvent, updated: WidgetItem | None) -> bool:
    """Return whether nothing of an event is lost if only the updated widget is told."""
    if isinstance(event, ThreadItemReplacedEvent):
        return updated is not None and event.item.id == updated.id
    return isinstance(event, (ThreadItemUpdatedEvent, ProgressUpdateEvent))


def _client_tools(agent: TurnAgent) -> set[str]:
    if isinstance(agent, ThreadWorkflow):
        return agent.client_tools
    return client_tool_names(agent)


def _is_factory(agent: Any) -> bool:
    return callable(agent) and not hasattr(agent, "run")


def _runnable(agent: Any, *, is_shared: bool) -> TurnAgent:
    """Return what runs a turn.

    Args:
        agent: What the app has given.
        is_shared: Whether it is the same for all threads.
    """
    if isinstance(agent, WorkflowAgent):
        agent = agent.workflow
    if hasattr(agent, "build") and not hasattr(agent, "run"):
        agent = agent.build()
    if isinstance(agent, Workflow):
        return ThreadWorkflow(agent, is_shared=is_shared)
    return cast("SupportsAgentRun", agent)


async def _beat(outbox: Outbox) -> None:
    while True:
        await asyncio.sleep(HEARTBEAT)
        outbox.beat()


class _PendingMessage(AssistantMessageItem):
    """A message whose text is joined only when it is needed."""

    _texts: dict[int, list[str]] = PrivateAttr(default_factory=dict)

    def add(self, update: ThreadItemUpdate) -> None:
        if isinstance(update, AssistantMessageContentPartTextDelta):
            self._texts.setdefault(update.content_index, []).append(update.delta)
        else:
            self.join()
            apply_update(self, update)

    def join(self) -> None:
        texts, self._texts = self._texts, {}
        for index, deltas in texts.items():
            delta = AssistantMessageContentPartTextDelta(content_index=index, delta="".join(deltas))
            apply_update(self, delta)


def _kept(item: ThreadItem) -> ThreadItem | None:
    """Return an unfinished item as it is kept, or `None` if it shows nothing."""
    if isinstance(item, _PendingMessage):
        item.join()
    if isinstance(item, AssistantMessageItem):
        item = AssistantMessageItem(**dict(item))
        return item if any(part.text.strip() for part in item.content) else None
    if isinstance(item, GeneratedImageItem):
        return item if item.image is not None else None
    if isinstance(item, WorkflowItem):
        settle(item.workflow, (datetime.now() - item.created_at).total_seconds())
        return item if item.workflow.tasks else None
    return item
