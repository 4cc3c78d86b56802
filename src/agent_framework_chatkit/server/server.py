"""The ChatKit server that answers with agents."""

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
from .answers import AnswerHandler
from .custom_actions import CustomActions
from .dispatch import Dispatcher
from .publish import publish
from .quotas import QuotaKeeper, Quotas
from .requests import ThreadsFollowReq, check_complexity, parse_request
from .run import current_run
from .run_end import close_items
from .service_failures import service_failure
from .streams import EventsResult
from .threads import visible_items
from .unfinished import settled_item
from .worker import Worker

if TYPE_CHECKING:
    from ..stores import AttachmentStore

TContext = TypeVar("TContext", default=Any)


LONG = 1024 * 1024
"""The size in bytes above which a request lets other tasks run before it is parsed."""


class AgentChatKitServer(ChatKitServer[TContext], Generic[TContext]):
    """A ChatKit server that answers with an agent and stores the conversation.

    A turn belongs to its thread, not to the request that started it: it runs as a task of this
    process, and clients may disconnect and return. Each turn starts from the `AgentSession` of
    the previous turn and stores its own. Later turns know the messages that the agent, its model
    and its tools really exchanged, even after a restart, on another worker, or if the turn failed.
    A thread runs one turn at a time, across all workers.

    Override `title`, `add_feedback`, `transcribe` and other methods of `ChatKitServer` as needed.

    Args:
        agent: An agent, a workflow, a workflow builder, or a function that takes the thread and
            the request's context and returns one of these. Each turn runs a copy of a workflow;
            a workflow that cannot be copied must come from a function that builds it. To offer
            several agents, pass a mapping of names to these. The composer's model menu then lists
            them by their own names, and the choice made with a thread's first message is final.
        store: Stores threads, items, sessions and messages.
        attachment_store: Stores uploaded files. Without one, uploads are refused.
        item_converter: Converts thread items to the agent's input. The agent receives the bytes of
            uploaded files, unless it has an `attachment_data_fetcher` that finds others.
        response_converter: Converts the agent's content to thread items.
        models: The IDs of the models that users may choose in the composer, as the agent's client
            knows them. Cannot be combined with several agents.
        tools: The names of the tools that users may choose in the composer.
        actions: Handlers of widget actions: functions decorated with `action`.
        text_interval: Minimum seconds between two text deltas on the wire. Faster deltas are
            joined; 0 sends each delta separately.
        detached: Whether clients may follow threads, and turns continue after clients disconnect.
        time_limit: Maximum seconds that a turn may run, not counting the time it waits for people;
            0 for no limit.
        quotas: Limits on each owner's use of a worker.

    Raises:
        TypeError: If the agent or the store is something else.
        ValueError: If there are several agents and several models.
    """

    store: SQLStore[TContext]
    attachment_store: AttachmentStore[TContext] | None
    shutdown_grace = 20.0
    """Seconds that running turns have to finish after the process is told to stop."""

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
        if not isinstance(store, SQLStore):
            raise TypeError("Not a store. Pass one: SQLStore('sqlite:///chat.db').")
        super().__init__(store, attachment_store)
        self.agent = agent
        self.agents: Agents[TContext] = Agents(agent)
        """The available agents. If there are several, a thread's first message chooses one."""
        if self.agents.by_name and models:
            raise ValueError("Pass several agents or models, not both: they share one menu.")
        self.item_converter = item_converter
        self.response_converter = response_converter or AgentResponseConverter()
        self.models = tuple(models)
        self.tools = tuple(tools)
        self.detached = detached
        self.time_limit = time_limit
        self.quotas = QuotaKeeper(quotas or Quotas())
        """Enforces the quotas in this process."""
        self.worker = Worker(self, store, text_interval)
        """Executes the turns of this process."""
        self.answers = AnswerHandler(self)
        """Handles the answers to the agent's requests."""
        self.runner = AgentRunner(self)
        """Runs the agents."""
        self._dispatcher = Dispatcher(self)
        self._actions = CustomActions(self, actions)
        self._background: set[asyncio.Task[None]] = set()

    # Methods that an app may override

    def title(
        self, thread: ThreadMetadata, message: UserMessageItem, context: TContext
    ) -> MaybeAwaitable[str | None]:
        """Return a title for a new thread, given its first message.

        By default, this is the beginning of the message's text or, if it has none, of the names of
        its files. A coroutine runs in the background and never delays the answer.
        """
        text = " ".join(" ".join(part.text for part in message.content).split())
        text = text or ", ".join(file.name for file in message.attachments)
        return text if len(text) <= 60 else f"{text[:59].rstrip()}…"

    def error_message(self, error: Exception) -> str:
        """Return the message to show for a run or an action that failed; the log has details."""
        failure = service_failure(error)
        return "Something went wrong. Try again." if failure is None else failure.message

    def name_of(self, context: TContext) -> str | None:
        """Return the name to show with a person's decisions, or `None` for a visitor.

        By default, this is the context's `user_id`, unless `is_visitor` is set.
        """
        return None if value_of(context, "is_visitor") else owner_of(context)

    def detached_context(self, context: TContext) -> TContext:
        """Return the context for a turn that outlives its request, given the request's context.

        Override this if the context holds something that ends with the request, such as a database
        session.
        """
        return context

    async def add_feedback(
        self, thread_id: str, item_ids: list[str], feedback: FeedbackKind, context: TContext
    ) -> None:
        """Store a person's feedback on items."""
        await self.store.save_feedback(thread_id, item_ids, feedback, context)

    # Requests

    async def process(
        self, request: str | bytes | bytearray, context: TContext
    ) -> StreamingResult | NonStreamingResult:
        """Handle a request.

        Args:
            request: The request's JSON body.
            context: The app's context for the request. Its `user_id` names the owner.

        Returns:
            Server-sent events or JSON.

        Raises:
            RequestTooComplexError: If the request holds too many values, or nests them too deeply.
            ValidationError: If neither ChatKit nor this server knows the request.
            NotFoundError: If the owner has no such thread, item or attachment. Streams raise it
                when they are read.
        """
        check_complexity(request)
        if len(request) > LONG:
            await asyncio.sleep(0)  # Let other tasks run first.
        parsed = parse_request(request)
        del request  # A large body is not needed while the request is answered.
        await self.worker.start()
        if isinstance(parsed, ThreadsFollowReq) or is_streaming_req(parsed):
            return EventsResult(self._dispatcher.stream(parsed, context))
        return NonStreamingResult(await self._dispatcher.replies.answer(parsed, context))

    async def start_turn(
        self, thread_id: str, messages: str | Message | Sequence[Message], context: TContext
    ) -> str:
        """Start a turn without a client's request, for example from a scheduler.

        Args:
            thread_id: The thread.
            messages: The agent's input, which the user does not see.
            context: Names the owner.

        Returns:
            The turn's ID.

        Raises:
            NotFoundError: If the owner has no such thread.
            RuntimeError: If the turn ends before the agent receives the messages, because it was
                stopped or the agent could not be created.
            ThreadBusyError: If the thread is running a turn.
        """
        if isinstance(messages, str):
            messages = Message("user", [messages])
        given = [messages] if isinstance(messages, Message) else list(messages)
        return await self._dispatcher.turns.start_turn(thread_id, given, context)

    async def add_items(
        self, thread_id: str, items: Sequence[ThreadItem], context: TContext
    ) -> None:
        """Add items to the end of a thread, even while a turn is running.

        Clients that follow the thread see them immediately. The agent reads them with the next
        message.

        Args:
            thread_id: The thread.
            items: The items.
            context: Names the owner.

        Raises:
            NotFoundError: If the owner has no such thread.
        """
        events = [ThreadItemDoneEvent(item=item) for item in visible_items(items, with_ends=False)]
        writes = Writes(items=list(items), is_news=True)
        await publish(self, thread_id, events, writes, context)

    # A turn

    @property
    def has_own_respond(self) -> bool:
        """Whether the app overrides `respond`."""
        return type(self).respond is not AgentChatKitServer.respond

    async def respond(
        self, thread: ThreadMetadata, input_user_message: UserMessageItem | None, context: TContext
    ) -> AsyncIterator[ThreadStreamEvent]:
        """Run the agent on the new items of the thread and stream its answer."""

        async def answer(emit: Emit) -> None:
            await self.runner.answer(thread, input_user_message, context, emit)

        async with aclosing(emitted(answer)) as events:
            async for event in events:
                yield event

    async def handle_stream_cancelled(
        self, thread: ThreadMetadata, pending_items: list[ThreadItem], context: TContext
    ) -> None:
        """Store the items already shown when the user stops an answer or disconnects.

        Items that show nothing yet are dropped. Tasks still running are marked as neither running
        nor complete.
        """
        run = current_run.get()
        if run is not None:
            close_items(run, pending_items)
            return
        for item in pending_items:
            settled = settled_item(item)
            if settled is not None:
                await self.store.add_thread_item(thread.id, settled, context=context)

    async def agent_of(self, thread: ThreadMetadata, context: TContext) -> TurnAgent:
        """Return the agent that answers in a thread."""
        return await self.agents.of(thread, context)

    # Actions

    async def action(
        self,
        thread: ThreadMetadata,
        action: Action[str, Any],
        sender: WidgetItem | None,
        context: TContext,
    ) -> AsyncIterator[ThreadStreamEvent]:
        """Handle a widget's action, and run the agent if the handler asks for it.

        Raises:
            RefusedActionError: If the action is refused. The message is for the user.
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
        """Handle an action that changes only its widget.

        Raises:
            CustomStreamError: If the handler fails. The message is for the user.
            NotImplementedError: If the handler shows anything else. None of it is stored.
            RefusedActionError: If the action is refused. The message is for the user.
        """
        return await self._actions.answer(thread, action, sender, context)

    # Attachments

    def attachments(self) -> AttachmentStore[TContext]:
        """Return the attachment store.

        Raises:
            NotFoundError: If the server has none.
        """
        if self.attachment_store is None:
            raise NotFoundError("This chat does not accept files.")
        return self.attachment_store

    def with_new_links(self, items: Sequence[ThreadItem], context: TContext) -> list[ThreadItem]:
        """Return items with fresh signed links to images: stored links expire."""
        if self.attachment_store is not None:
            for item in items:
                if isinstance(item, UserMessageItem):
                    item.attachments = [
                        self.attachment_store.refresh(attachment, context)
                        for attachment in item.attachments
                    ]
        return list(items)

    # Lifecycle

    def in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a background task, such as finding a title."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def settle(self) -> None:
        """Wait for background tasks, such as titles."""
        await asyncio.gather(*self._background)

    async def close(self, grace: float | None = None) -> None:
        """Wait for running turns, stop those that do not finish, and close the store.

        Args:
            grace: Seconds that running turns and background tasks have to finish; by default,
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
        """Delete the files of deleted threads, and uploads that were never finished or sent.

        `create_app` calls this every hour. Call it yourself if the app's lifespan does not run.
        """
        await self.store.audit.purge()
        if self.attachment_store is not None:
            await self.attachment_store.delete_doomed(self.store)
            await self.attachment_store.clean_up()
