"""An agent behind FastAPI, with the app's own login: `python -m samples.login`.

The login identifies the user, and both the chat and the tool use it to separate users' data. No
code here trusts a model or a browser about a user's identity.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated

from agent_framework import Agent, Content, FunctionInvocationContext, tool
from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.middleware.sessions import SessionMiddleware

from agent_framework_chatkit import AgentChatKitServer, RequestContext, ThreadContext, create_app
from agent_framework_chatkit.stores import SQLStore
from samples.models import ChatModel, load_model
from samples.scripted import ScriptedClient, Turn, call
from samples.serving import serve

# In your app: a table of password hashes, or an identity provider.
PASSWORDS = {"ann": "spring", "bob": "autumn"}
ORDERS = {"ann": ["two kilos of tea"], "bob": ["a kettle", "a clock"]}


@tool
def my_orders(ctx: FunctionInvocationContext) -> list[str]:
    """List the current user's orders."""
    return ORDERS[ThreadContext.of(ctx).request_context.user_id]


def orders_app(model: ChatModel, database: str = "sqlite:///login.db") -> FastAPI:
    """Return the app: a login, and the chat at `/chat/` behind it."""
    agent = Agent(client=model.client, instructions="You know people's orders.", tools=[my_orders])
    server = AgentChatKitServer(agent, SQLStore[RequestContext](database))

    def current_user(request: Request) -> str | None:
        user: str | None = request.session.get("user")
        return user

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        # A mounted app is not notified when its parent shuts down.
        await server.close()

    app = FastAPI(title="Orders", lifespan=lifespan)
    app.add_middleware(SessionMiddleware, secret_key=secrets.token_hex(), same_site="lax")

    @app.get("/")
    def home(request: Request) -> Response:
        return RedirectResponse("/chat/") if current_user(request) else HTMLResponse(LOGIN)

    @app.post("/login")
    def login(
        request: Request, name: Annotated[str, Form()], password: Annotated[str, Form()]
    ) -> Response:
        if not secrets.compare_digest(PASSWORDS.get(name, ""), password) or not password:
            return HTMLResponse(LOGIN, status_code=401)
        request.session["user"] = name
        return RedirectResponse("/chat/", status_code=303)

    @app.post("/logout")
    def logout(request: Request) -> Response:
        request.session.clear()
        return RedirectResponse("/", status_code=303)

    app.mount("/chat", create_app(server, authenticate=current_user))
    return app


LOGIN = """\
<!doctype html>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Orders</title>
<form method="post" action="/login">
  <p>Ann's password is <code>spring</code>, Bob's is <code>autumn</code>.</p>
  <label>Name <input name="name" value="ann"></label>
  <label>Password <input name="password" type="password"></label>
  <button>Log in</button>
</form>
"""


def answer(turn: Turn) -> Iterator[Content]:
    """Answer without a model: always look up the orders."""
    orders = turn.result("my_orders")
    if orders is None:
        yield call("my_orders")
    else:
        yield Content.from_text(f"(A script answers.) You have ordered: {orders}")


def main() -> None:
    model = load_model(lambda: ChatModel("A script", ScriptedClient(answer), is_script=True))
    serve(orders_app(model))


if __name__ == "__main__":
    main()
