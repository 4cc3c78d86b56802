"""Mends the messages to the models of a workflow's agents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from itertools import pairwise

from agent_framework import ChatContext, Message

from .acceptable import acceptable
from .call_ids import needs_result
from .missing_tools import MissingTools
from .run import current_run


class WorkflowInput(MissingTools):
    """Pairs calls with their results and joins adjacent answers, as strict services demand.

    If an agent resumes after an approval, the framework passes the results of its calls on to the
    next agent, but neither the calls nor the user's message. Nor does it remember a result for an
    approved call whose tool does not exist.
    """

    async def process(self, context: ChatContext, call_next: Callable[[], Awaitable[None]]) -> None:
        """Mend the messages, unless the service or the agent's history adds earlier ones."""
        messages = self.with_results(context.messages)
        has_earlier = bool((context.options or {}).get("conversation_id")) or all(
            message.role != "assistant" for message in messages
        )
        if not has_earlier and not (_are_paired(messages) and _alternate(messages)):
            messages = acceptable(messages, is_resumed=True)
            run = current_run.get()
            turn = None if run is None else run.agent_turn
            if turn is not None and all(message.role != "user" for message in messages):
                messages = [*turn.resumed_from, *messages]
        context.messages = messages
        await call_next()


def _are_paired(messages: Sequence[Message]) -> bool:
    """Return whether there are as many results as calls for each ID."""
    contents = [content for message in messages for content in message.contents]
    calls = Counter(each.call_id for each in contents if needs_result(each))
    return calls == Counter(each.call_id for each in contents if each.type == "function_result")


def _alternate(messages: Sequence[Message]) -> bool:
    """Return whether no agent speaks right after another, which strict chat templates refuse."""
    return all(
        not before.role == message.role == "assistant" for before, message in pairwise(messages)
    )


WORKFLOW_INPUT = WorkflowInput()
"""Shared by all agents of workflows."""
