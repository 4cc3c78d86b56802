"""An app with `@openai/chatkit-react` and this project's script: `python -m samples.react`.

It needs Node.js 20.19 or newer to build the app when it first starts.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from agent_framework import Agent, Content
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from agent_framework_chatkit import (
    AgentChatKitServer,
    RequestContext,
    chat_routes,
    client_tool,
    ui_routes,
)
from agent_framework_chatkit.stores import SQLStore
from samples.models import ChatModel, load_model
from samples.scripted import ScriptedClient, Turn, call
from samples.serving import serve, step

FOLDER = Path(__file__).parent


@client_tool
def list_orders() -> None:
    """List the user's orders, with their IDs and states."""


@client_tool
def mark_order(id: str) -> None:
    """Highlight an order in the page for the user."""


def shop_app(model: ChatModel, database: str = "sqlite:///react.db") -> Starlette:
    """Return the app: the page, the chat endpoint and the script."""
    agent = Agent(
        client=model.client,
        instructions="Get the user's orders with list_orders. Mark the order that you talk about.",
        tools=[list_orders, mark_order],
    )
    server = AgentChatKitServer(agent, SQLStore[RequestContext](database))
    scripts = [route for route in ui_routes() if getattr(route, "path", "") != "/"]
    page = Mount("/", StaticFiles(directory=FOLDER / "dist", html=True, check_dir=False))

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        await server.close()

    return Starlette(routes=[*chat_routes(server), *scripts, page], lifespan=lifespan)


def build() -> None:
    """Build the page, unless it is already built."""
    if (FOLDER / "dist").is_dir():
        return
    # Node.js may be in Python's environment, installed from the package index.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    npm = shutil.which("npm", path=path)
    if npm is None:
        raise SystemExit("Building this app requires npm. Install Node.js, which includes it.")
    for arguments in (["install", "--no-audit", "--no-fund"], ["run", "build"]):
        with step(f"npm {arguments[0]}"):
            done = subprocess.run(
                [npm, *arguments],
                cwd=FOLDER,
                env={**os.environ, "PATH": path},
                capture_output=True,
                text=True,
                check=False,
            )
        if done.returncode != 0:
            raise SystemExit(f"The app could not be built:\n{done.stderr or done.stdout}")


def answer(turn: Turn) -> Iterator[Content]:
    """Answer without a model: find the order in the message, and mark it."""
    orders = turn.result("list_orders")
    number = next((word for word in turn.text.strip("?").split() if word.isdigit()), None)
    if orders is None:
        yield call("list_orders")
    elif number is not None and turn.result("mark_order") is None:
        yield call("mark_order", id=number)
    else:
        found = [each for each in json.loads(orders)["orders"] if each["id"] == number]
        text = f"Order {number}, {found[0]['what']}, is {found[0]['state']}." if found else orders
        yield Content.from_text(f"(A script answers.) {text}")


def main() -> None:
    build()
    model = load_model(lambda: ChatModel("A script", ScriptedClient(answer), is_script=True))
    serve(shop_app(model))


if __name__ == "__main__":
    main()
