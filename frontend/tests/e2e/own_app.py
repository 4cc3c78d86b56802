"""An app that uses ChatKit's own server, with its own store, upload routes and page.

It uses only the page's script and three names of the bridge from this project.
"""

import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import uvicorn
from agent_framework import Agent, ChatResponseUpdate, Message
from agent_framework.chatkit import ThreadItemConverter, stream_agent_response
from chatkit.server import ChatKitServer, StreamingResult
from chatkit.store import AttachmentStore, NotFoundError, Store
from chatkit.types import (
    Annotation,
    AssistantMessageContent,
    AssistantMessageItem,
    Attachment,
    AttachmentCreateParams,
    AttachmentUploadDescriptor,
    ClientEffectEvent,
    EntitySource,
    FileAttachment,
    FileSource,
    ImageAttachment,
    Page,
    ThreadItem,
    ThreadItemDoneEvent,
    ThreadMetadata,
    ThreadStreamEvent,
    UserMessageItem,
    WidgetItem,
)
from chatkit.widgets import Card, Image, Title
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from tests.fakes.models import FakeModel, update

from agent_framework_chatkit import ui_routes

Context = dict[str, Any]
HERE = Path(__file__).parent


class MemoryStore(Store[Context]):
    """Threads, items and attachments, as long as the process runs."""

    def __init__(self) -> None:
        self.threads: dict[str, ThreadMetadata] = {}
        self.items: dict[str, list[ThreadItem]] = defaultdict(list)
        self.attachments: dict[str, Attachment] = {}

    async def load_thread(self, thread_id: str, context: Context) -> ThreadMetadata:
        if thread_id not in self.threads:
            raise NotFoundError(thread_id)
        return self.threads[thread_id]

    async def save_thread(self, thread: ThreadMetadata, context: Context) -> None:
        self.threads[thread.id] = thread

    async def load_threads(
        self, limit: int, after: str | None, order: str, context: Context
    ) -> Page[ThreadMetadata]:
        return Page(data=list(self.threads.values())[-limit:])

    async def load_thread_items(
        self, thread_id: str, after: str | None, limit: int, order: str, context: Context
    ) -> Page[ThreadItem]:
        items = self.items[thread_id]
        return Page(data=items[::-1] if order == "desc" else list(items))

    async def add_thread_item(self, thread_id: str, item: ThreadItem, context: Context) -> None:
        self.items[thread_id].append(item)

    async def save_item(self, thread_id: str, item: ThreadItem, context: Context) -> None:
        items = self.items[thread_id]
        ids = [each.id for each in items]
        if item.id in ids:
            items[ids.index(item.id)] = item
        else:
            items.append(item)

    async def load_item(self, thread_id: str, item_id: str, context: Context) -> ThreadItem:
        return next(each for each in self.items[thread_id] if each.id == item_id)

    async def delete_thread(self, thread_id: str, context: Context) -> None:
        del self.threads[thread_id], self.items[thread_id]

    async def delete_thread_item(self, thread_id: str, item_id: str, context: Context) -> None:
        self.items[thread_id] = [each for each in self.items[thread_id] if each.id != item_id]

    async def save_attachment(self, attachment: Attachment, context: Context) -> None:
        self.attachments[attachment.id] = attachment

    async def load_attachment(self, attachment_id: str, context: Context) -> Attachment:
        return self.attachments[attachment_id]

    async def delete_attachment(self, attachment_id: str, context: Context) -> None:
        self.attachments.pop(attachment_id, None)


class Uploads(AttachmentStore[Context]):
    """Files that come to routes of the app's own, each as its name says."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.files: dict[str, bytes] = {}

    async def create_attachment(
        self, given: AttachmentCreateParams, context: Context
    ) -> Attachment:
        attachment_id = self.generate_attachment_id(given.mime_type, context)
        method: Any = "POST" if "post" in given.name else "PUT"
        route = "moved" if "moved" in given.name else "upload"
        url: Any = f"{self.base}/{route}/{attachment_id}"
        headers = {"X-Upload": attachment_id, "Content-Type": given.mime_type}
        if "forbidden" in given.name:
            headers |= {"Host": "elsewhere", "Content-Length": "7"}
        if "broken" in given.name:
            headers |= {"No header": "x"}
        fields: Any = {
            "id": attachment_id,
            "name": given.name,
            "mime_type": given.mime_type,
            "upload_descriptor": AttachmentUploadDescriptor(
                url=url, method=method, headers=headers
            ),
        }
        if given.mime_type.startswith("image/"):
            preview: Any = f"{self.base}/files/{attachment_id}"
            return ImageAttachment(**fields, preview_url=preview)
        return FileAttachment(**fields)

    async def delete_attachment(self, attachment_id: str, context: Context) -> None:
        self.files.pop(attachment_id, None)

    async def receive(self, request: Request) -> Response:
        attachment_id = request.path_params["id"]
        if request.headers.get("X-Upload") != attachment_id:
            return JSONResponse({"error": "The header is missing."}, 400)
        if request.method == "POST":
            async with request.form() as form:
                file: Any = form["file"]
                self.files[attachment_id] = await file.read()
        else:
            self.files[attachment_id] = await request.body()
        return Response()

    async def move(self, request: Request) -> Response:
        return RedirectResponse(f"{self.base}/upload/{request.path_params['id']}", 307)

    async def read(self, request: Request) -> Response:
        return Response(self.files[request.path_params["id"]], media_type="image/png")


class EchoModel(FakeModel):
    """A model that repeats the user's text and names the types of the files with it."""

    async def answer(
        self, messages: list[Message], options: dict[str, Any]
    ) -> AsyncIterator[ChatResponseUpdate]:
        contents = messages[-1].contents
        told = "".join(content.text or "" for content in contents if content.type == "text")
        files = [content.media_type or "" for content in contents if content.type == "data"]
        yield update(f"You said {told.strip()} with {', '.join(files) or 'no data'}", "m")


class Server(ChatKitServer[Context]):
    def __init__(self, store: MemoryStore, uploads: Uploads) -> None:
        super().__init__(store, uploads)
        self.agent = Agent(client=EchoModel())
        self.converter = ThreadItemConverter(attachment_data_fetcher=self.fetch)
        self.uploads = uploads

    async def fetch(self, attachment_id: str) -> bytes:
        return self.uploads.files[attachment_id]

    async def respond(
        self, thread: ThreadMetadata, input_user_message: UserMessageItem | None, context: Context
    ) -> AsyncIterator[ThreadStreamEvent]:
        if input_user_message is None:
            return
        messages = await self.converter.to_agent_input(input_user_message)
        async for event in stream_agent_response(
            self.agent.run(messages, stream=True), thread_id=thread.id
        ):
            yield event
        said = "".join(part.text for part in input_user_message.content)
        if "shoes" in said:
            yield ThreadItemDoneEvent(item=self.shoes(thread))
            yield ClientEffectEvent(name="highlight", data={"aisle": 7})
        if "sources" in said:
            yield ThreadItemDoneEvent(item=self.sourced(thread))

    def shoes(self, thread: ThreadMetadata) -> WidgetItem:
        sources = ["https://images.example/shoe.png", "https://images.example/broken.png"]
        sources += ["https://images.example/page.png", "data:image/svg+xml;base64," + SVG]
        images = [Image(src=src, alt=f"Image {n}", size=80) for n, src in enumerate(sources)]
        images += [Image(src=f"https://images.example/{n}.svg", alt=n) for n in ("Huge", "Slow")]
        return WidgetItem(
            id=self.store.generate_item_id("message", thread, {}),
            thread_id=thread.id,
            created_at=datetime.now(),
            widget=Card(children=[Title(value="Shoes"), *images]),
        )

    def sourced(self, thread: ThreadMetadata) -> AssistantMessageItem:
        ada = EntitySource(id="ada", title="Ada Lovelace", interactive=True, data={"born": "1815"})
        plan = FileSource(title="The plan", filename="plan.pdf")
        annotations = [Annotation(source=source, index=3) for source in (ada, plan)]
        return AssistantMessageItem(
            id=self.store.generate_item_id("message", thread, {}),
            thread_id=thread.id,
            created_at=datetime.now(),
            content=[AssistantMessageContent(text="See these.", annotations=annotations)],
        )


SVG = (
    "PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHdpZHRoPSI4MCIgaGVpZ2h0PSI4MCI+"
    "PHJlY3Qgd2lkdGg9IjgwIiBoZWlnaHQ9IjgwIi8+PC9zdmc+"
)


def make_app(base: str) -> Starlette:
    uploads = Uploads(base)
    server = Server(MemoryStore(), uploads)

    async def chat(request: Request) -> Response:
        result = await server.process(await request.body(), {})
        if isinstance(result, StreamingResult):
            return StreamingResponse(result, media_type="text/event-stream")
        return Response(result.json, media_type="application/json")

    async def page(request: Request) -> Response:
        return Response((HERE / "own_app.html").read_text(), media_type="text/html")

    async def health(request: Request) -> Response:
        return Response()

    return Starlette(
        routes=[
            Route("/app", page),
            Route("/healthz", health),
            Route("/api/chat", chat, methods=["POST"]),
            Route("/upload/{id}", uploads.receive, methods=["PUT", "POST"]),
            Route("/moved/{id}", uploads.move, methods=["PUT", "POST"]),
            Route("/files/{id}", uploads.read),
            *ui_routes(),
        ]
    )


if __name__ == "__main__":
    port = int(sys.argv[1])
    uvicorn.run(make_app(f"http://127.0.0.1:{port}"), port=port, log_level="warning")
