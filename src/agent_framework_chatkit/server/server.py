"""One agent behind the ChatKit protocol."""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncIterator,
    Collection,
    Coroutine,
    Mapping,
    Sequence,
)
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Generic

from agent_framework import Message
from chatkit.actions import Action
from chatkit.server import ChatKitServer, NonStreamingResult, StreamingResult
from chatkit.store import NotFoundError
from chatkit.types import (
    FeedbackKind,
    SyncCustomActionResponse,
    ThreadItem,
    ThreadItemDoneEvent,
    ThreadMetadata,
    ThreadStreamEvent,
    UserMessageItem,
    WidgetItem,
    is_streaming_req,
)
from typing_extensions import TypeVar

from ..bridge.overrides import MaybeAwaitable
from ..bridge.response_converter import AgentResponseConverter
from ..bridge.thread_items import ThreadItemConverter
from ..stores import SQLStore
from ..stores.owners import owner_of, value_of
from ..stores.sql.turn_rows import Writes
from ..widgets.actions import ActionHandler
from .agent_runner import AgentRunner, Emit, emitted
from .agents import AgentFactory, Agents, AnyAgent, TurnAgent
from .answers import Answering
from .custom_actions import CustomActions
from .dispatch import Dispatcher
from .publish import publish
from .quotas import QuotaKeeper, Quotas
from .requests import ThreadsFollowReq, check_complexity, parse_request
from .run import current_run
from .run_end import close_items
from .service_failures import service_failure
from .streams import EventsResult
from .threads import shown
from .unfinished import kept
from .worker import Worker

if TYPE_CHECKING:
    from ..stores import AttachmentStore

TContext = TypeVar("TContext", default=Any)


LONG = 1024 * 1024
"""Bytes of a request that is read in steps."""


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
        self.runner = AgentRunner(self)
        """Runs the agents."""
        self._dispatcher = Dispatcher(self)
        self._actions = CustomActions(self, actions)
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

    @property
    def has_own_respond(self) -> bool:
        """Whether the app answers by code of its own."""
        return type(self).respond is not AgentChatKitServer.respond

    async def respond(
        self, thread: ThreadMetadata, input_user_message: UserMessageItem | None, context: TContext
    ) -> AsyncIterator[ThreadStreamEvent]:
        """Run the agent on what is new in the thread, and stream its answer."""

        async def answer(emit: Emit) -> None:
            await self.runner.answer(thread, input_user_message, context, emit)

        async with aclosing(emitted(answer)) as events:
            async for event in events:
                yield event

    async def handle_stream_cancelled(
        self, thread: ThreadMetadata, pending_items: list[ThreadItem], context: TContext
    ) -> None:
        """Keep what was shown when a person stops an answer, or goes away.

        Items that show nothing yet are not kept. What was running is marked as neither running
        nor complete.
        """
        run = current_run.get()
        if run is not None:
            close_items(run, pending_items)
            return
        for item in pending_items:
            as_kept = kept(item)
            if as_kept is not None:
                await self.store.add_thread_item(thread.id, as_kept, context=context)

    async def agent_of(self, thread: ThreadMetadata, context: TContext) -> TurnAgent:
        """Return who answers in a thread."""
        return await self.agents.of(thread, context)

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
        async with aclosing(self._actions.stream(thread, action, sender, context)) as events:
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
        return await self._actions.answer(thread, action, sender, context)

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

    def in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside the answers, such as to find a title."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

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
