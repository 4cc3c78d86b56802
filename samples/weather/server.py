"""The weather assistant behind the ChatKit protocol, and its page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from agent_framework import Message
from chatkit.types import ThreadMetadata, UserMessageItem
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from agent_framework_chatkit import AgentChatKitServer, RequestContext, chat_routes, ui_routes
from agent_framework_chatkit.stores import AttachmentStore, SQLStore
from samples.models import ChatModel

from .agent import ask, weather_agent
from .forecast import PLACES, Forecasts

PAGE = Path(__file__).with_name("page")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; frame-src 'self'; base-uri 'none'"
)


class WeatherServer(AgentChatKitServer[RequestContext]):
    """Answers with the assistant, and lets its model write the titles."""

    def __init__(
        self,
        model: ChatModel,
        forecasts: Forecasts,
        store: SQLStore[RequestContext],
        files: AttachmentStore[RequestContext],
    ) -> None:
        super().__init__(weather_agent(model, forecasts), store, files, actions=[ask])
        self._model = model

    async def title(
        self, thread: ThreadMetadata, message: UserMessageItem, context: RequestContext
    ) -> str | None:
        """Return a title from the model; the script only repeats the question."""
        text = " ".join(part.text for part in message.content)[:1000]
        if self._model.is_script:
            return text[:60]
        question = f"Name the subject of this message in at most five words, nothing else: {text}"
        return (await self._model.client.get_response([Message("user", [question])])).text.strip(
            ' ."'
        )[:60]


async def weather_app(model: ChatModel, forecasts: Forecasts, folder: Path) -> Starlette:
    """Return the app, which stores its threads and files in a folder."""
    store = SQLStore[RequestContext](f"sqlite:///{folder / 'weather.db'}")
    files = AttachmentStore(folder / "files", metadata=store, secret=await store.secret())
    server = WeatherServer(model, forecasts, store, files)

    async def page(request: Request) -> Response:
        return FileResponse(PAGE / "index.html", headers={"Content-Security-Policy": POLICY})

    async def script(request: Request) -> Response:
        return FileResponse(PAGE / "weather.js")

    async def style(request: Request) -> Response:
        return FileResponse(PAGE / "weather.css")

    async def about(request: Request) -> Response:
        """Return the names of the model and the weather source for the page."""
        # This request shows whether the service is reachable.
        await forecasts.place(PLACES[0].name)
        return JSONResponse(
            {
                "model": model.name,
                "isScript": model.is_script,
                "weather": forecasts.source,
                "cities": [
                    {"id": place.name, "title": place.name, "group": place.country}
                    for place in PLACES
                ],
            }
        )

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        await server.close()

    return Starlette(
        routes=[
            Route("/", page),
            Route("/weather.js", script),
            Route("/weather.css", style),
            Route("/about.json", about),
            *chat_routes(server),
            *ui_routes(),
        ],
        lifespan=lifespan,
    )
