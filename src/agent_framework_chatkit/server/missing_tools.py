"""Gives results to approved calls whose tools do not exist, because the framework gives none.

A model may call such a tool together with one that requires approval. The framework then requests
approval of both calls. It sends the approval of the missing tool to the model, instead of a result,
and strict services refuse that.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable

from agent_framework import AgentResponseUpdate, ChatContext, ChatMiddleware, Content, Message

from ..interrupts.client_tools import error_result


class MissingTools(ChatMiddleware):
    """Replaces the approvals among the messages to a model by results."""

    async def process(self, context: ChatContext, call_next: Callable[[], Awaitable[None]]) -> None:
        """Give the model the results."""
        context.messages = self.with_results(context.messages)
        await call_next()

    def with_results(self, messages: Iterable[Message]) -> list[Message]:
        """Return messages with the results."""
        return [
            Message("tool", [self._result_in(each) for each in message.contents])
            if has_approvals([message])
            else message
            for message in messages
        ]

    def result_of(self, call: Content) -> Content:
        """Return the result of an approved call."""
        return error_result(call, "This tool is not available here.")

    def _result_in(self, content: Content) -> Content:
        call = _approved_call(content)
        return content if call is None else self.result_of(call)


class ReportedMissingTools(MissingTools):
    """Adds the results to the updates of one run, too."""

    def __init__(self) -> None:
        self._called: set[str | None] = set()
        self._unsent: list[Content] = []
        """Results that are not among the run's updates yet."""

    def result_of(self, call: Content) -> Content:
        """Return the result of an approved call, and report it once."""
        result = super().result_of(call)
        if call.call_id not in self._called:
            self._called.add(call.call_id)
            self._unsent.append(result)
        return result

    async def updates(
        self, updates: AsyncIterable[AgentResponseUpdate]
    ) -> AsyncIterator[AgentResponseUpdate]:
        """Yield the run's updates, with the results."""
        async for update in updates:
            if self._unsent:
                contents, self._unsent = self._unsent, []
                yield AgentResponseUpdate(contents=contents, role="tool")
            yield update


def has_approvals(messages: Iterable[Message]) -> bool:
    """Return whether messages contain answers to approval requests of the framework."""
    contents = (content for message in messages for content in message.contents)
    return any(_approved_call(content) is not None for content in contents)


def _approved_call(content: Content) -> Content | None:
    """Return the call that a content approves or declines, unless a service executes it."""
    call = content.function_call if content.type == "function_approval_response" else None
    return None if call is None or call.hosted else call
