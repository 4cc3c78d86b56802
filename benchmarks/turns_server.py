"""The contestants of `turns.py`, each as a server in a separate process and environment.

    python turns_server.py {ours,served,microsoft,ag-ui} --port PORT --store STORE [--profile FILE]

SIGHUP runs a full garbage collection. With `--profile`, SIGUSR1 starts the profiler in the event
loop's thread, and SIGUSR2 stops it and writes the file.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import signal
from importlib import import_module
from typing import Any

import uvicorn
from agent_framework import Agent

from turns_model import agent


def our_server(agent: Agent, store: str) -> Any:
    """Return this project's server, for a single visitor who makes all requests."""
    from agent_framework_chatkit import AgentChatKitServer, Quotas
    from agent_framework_chatkit.stores import SQLStore

    quotas = Quotas(**dict.fromkeys(Quotas.__dataclass_fields__))
    return AgentChatKitServer(agent, SQLStore[Any](store), quotas=quotas)


def chatkit_server(contestant: str, store: str) -> Any:
    """Return a contestant's `ChatKitServer`.

    Args:
        contestant: `ours` or `microsoft`.
        store: A database URL for `ours`, a file for `microsoft`.
    """
    if contestant == "ours":
        return our_server(agent, store)
    from reference_server import ReferenceServer, ReferenceStore

    return ReferenceServer(agent, ReferenceStore(store))


def our_app(store: str) -> Any:
    """Return this project's app with default settings."""
    from agent_framework_chatkit import create_app

    return create_app(chatkit_server("ours", store))


def served_app(store: str) -> Any:
    """Return this project's app in a process with the settings of `af-chatkit serve`."""
    from agent_framework_chatkit.cli.collector import tune_collector

    app = our_app(store)
    tune_collector()
    return app


def microsoft_app(store: str) -> Any:
    """Return an app like the one in the README of Microsoft's package."""
    from chatkit.server import StreamingResult
    from fastapi import FastAPI, Request
    from fastapi.responses import Response, StreamingResponse

    server = chatkit_server("microsoft", store)
    app = FastAPI()

    async def chat(request: Request) -> Response:
        result = await server.process(await request.body(), {})
        if isinstance(result, StreamingResult):
            return StreamingResponse(result, media_type="text/event-stream")
        return Response(content=result.json, media_type="application/json")

    # FastAPI reads annotations by name, and these names are local.
    chat.__annotations__ = {"request": Request, "return": Response}
    app.post("/chatkit")(chat)
    return app


def ag_ui_app(store: str) -> Any:
    """Return an app with Microsoft's AG-UI endpoint, which stores nothing."""
    from fastapi import FastAPI

    app = FastAPI()
    # This package is not in the project's environment.
    ag_ui: Any = import_module("agent_framework_ag_ui")
    ag_ui.add_agent_framework_fastapi_endpoint(app, agent, "/", single_user=True)
    return app


APPS = {"ours": our_app, "served": served_app, "microsoft": microsoft_app, "ag-ui": ag_ui_app}


def profile_on_signal(path: str) -> None:
    """Profile this thread between two signals."""
    profiler = cProfile.Profile()

    def start(*_: object) -> None:
        profiler.enable()

    def stop(*_: object) -> None:
        profiler.disable()
        profiler.dump_stats(path)

    signal.signal(signal.SIGUSR1, start)
    signal.signal(signal.SIGUSR2, stop)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("contestant", choices=APPS)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--store", required=True)
    parser.add_argument("--profile")
    arguments = parser.parse_args()
    signal.signal(signal.SIGHUP, lambda *_: gc.collect())
    if arguments.profile:
        profile_on_signal(arguments.profile)
    app = APPS[arguments.contestant](arguments.store)
    uvicorn.run(app, port=arguments.port, log_level="warning")


if __name__ == "__main__":
    main()
