"""The services, each with the framework's client."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from agent_framework import Agent, AgentSession
from agent_framework.anthropic import AnthropicClient
from agent_framework.ollama import OllamaChatClient
from agent_framework.openai import OpenAIChatClient, OpenAIChatCompletionClient
from anthropic import AsyncAnthropic
from ollama import AsyncClient
from openai import AsyncOpenAI

from .anthropic_endpoint import Messages
from .endpoint import Endpoint
from .ollama_endpoint import OllamaChat
from .openai_endpoints import ChatCompletions, Responses


@dataclass(frozen=True)
class Service:
    """A service, and its use by an agent."""

    name: str
    endpoint: Callable[[], Endpoint]
    client: Callable[[str], Any]
    options: Mapping[str, Any] = field(default_factory=dict)
    has_conversations: bool = False
    """Whether the app creates a conversation in the service for each thread."""

    @asynccontextmanager
    async def agent(
        self, endpoint: Endpoint, url: str, **properties: Any
    ) -> AsyncIterator[Agent[Any]]:
        """Return an agent that uses the endpoint at a URL."""
        client = self.client(url)
        agent_class: Any = _with_conversations(endpoint) if self.has_conversations else Agent
        try:
            yield agent_class(client=client, default_options={**self.options}, **properties)
        finally:
            if isinstance(client, OllamaChatClient):
                await client.client._client.aclose()
            elif isinstance(client, AnthropicClient):
                await client.anthropic_client.close()
            else:
                await client.client.close()


def _with_conversations(endpoint: Endpoint) -> type[Agent[Any]]:
    assert isinstance(endpoint, Responses)
    create_conversation = endpoint.create_conversation

    class ConversationAgent(Agent[Any]):
        """An agent whose sessions each have a conversation in the service."""

        def create_session(self, *, session_id: str | None = None) -> AgentSession:
            session = super().create_session(session_id=session_id)
            session.service_session_id = create_conversation()
            return session

    return ConversationAgent


TLS = ssl.create_default_context()
"""Shared by all clients, because creating one takes longer than most tests."""


def _openai(url: str) -> AsyncOpenAI:
    http = httpx2.AsyncClient(verify=TLS)
    return AsyncOpenAI(base_url=f"{url}/v1", api_key="none", http_client=http, max_retries=0)


def _chat_completions(url: str) -> OpenAIChatCompletionClient:
    return OpenAIChatCompletionClient(model="gpt", async_client=_openai(url))


def _responses(url: str) -> OpenAIChatClient:
    return OpenAIChatClient(model="gpt", async_client=_openai(url))


def _anthropic(url: str) -> AnthropicClient:
    http = httpx2.AsyncClient(verify=TLS)
    client = AsyncAnthropic(base_url=url, api_key="none", http_client=http, max_retries=0)
    return AnthropicClient(model="claude", anthropic_client=client)


def _ollama(url: str) -> OllamaChatClient:
    return OllamaChatClient(model="qwen3", client=AsyncClient(url, verify=TLS))


CHAT = Service("Chat Completions", ChatCompletions, _chat_completions)
STRICT_CHAT = Service(
    "a strict chat template", lambda: ChatCompletions(strict_template=True), _chat_completions
)
RESPONSES = Service("Responses", Responses, _responses)
STATELESS = Service("Responses without a store", Responses, _responses, {"store": False})
CONVERSATIONS = Service("conversations", Responses, _responses, has_conversations=True)
ANTHROPIC = Service("Anthropic", Messages, _anthropic)
OLLAMA = Service("Ollama", OllamaChat, _ollama)

SERVICES = [CHAT, STRICT_CHAT, RESPONSES, STATELESS, CONVERSATIONS, ANTHROPIC, OLLAMA]
