"""Every request of the protocol over HTTP, with real databases and a real object store."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import product
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest
from agent_framework import FunctionTool
from chatkit.types import ChatKitReq, StructuredInputFreeform, StructuredInputItem, WidgetItem
from chatkit.widgets import DynamicWidgetRoot

from agent_framework_chatkit import AgentResponseConverter, create_app
from agent_framework_chatkit.stores import AttachmentStore, SQLStore

from ..fakes.scripted_agent import agent, call, text
from ..unit.chat_client import Browser, message, of_type
from ..unit.full_server import FullServer
from ..unit.stores.files import PNG

KINDS = {
    get_args(model.model_fields["type"].annotation)[0]
    for model in get_args(get_args(ChatKitReq)[0])
}


@pytest.fixture(params=["SQLite and a folder", "PostgreSQL and S3"])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """The URLs of the database and the attachment store."""
    if request.param == "SQLite and a folder":
        return f"sqlite:///{tmp_path}/chat.db", str(tmp_path / "files")
    url = request.getfixturevalue("postgres").create_database()
    return url, f"s3://{request.getfixturevalue('bucket').rpartition('/')[2]}"


class Person(Browser):
    """A browser that authenticates, and records its requests."""

    def __init__(self, app: Any, name: str) -> None:
        super().__init__(app, headers={"x-owner": name})
        self.context = {"user_id": name}
        self.sent: set[str] = set()
        self.shown: list[str] = []

    async def post(self, kind: str, /, **params: Any) -> httpx.Response:
        self.sent.add(kind)
        return await super().post(kind, **params)

    async def upload(self, name: str) -> dict[str, Any]:
        """Upload a file in two phases, the second to the URL from the first."""
        created = await self.get(
            "attachments.create", name=name, size=len(PNG), mime_type="image/png"
        )
        descriptor = created["upload_descriptor"]
        url, headers = descriptor["url"], descriptor.get("headers", {})
        if url.startswith("http://chat"):
            response = await self.http.request(
                descriptor["method"], url, content=PNG, headers=headers
            )
        else:
            async with httpx.AsyncClient(trust_env=False) as cloud:
                response = await cloud.request(
                    descriptor["method"], url, content=PNG, headers=headers
                )
        assert response.is_success, response.text
        return dict(created)


@asynccontextmanager
async def people(
    places: tuple[str, str], answering: Any
) -> AsyncIterator[tuple[SQLStore[Any], Person, Person]]:
    async with SQLStore[Any](places[0]) as store:
        files = AttachmentStore[Any](places[1], metadata=store, secret="not a secret")
        converter = AgentResponseConverter(client_tools=["where"])
        server = FullServer(answering, store, files, response_converter=converter)
        app = create_app(server, authenticate=lambda request: request.headers.get("x-owner"))
        ann, bob = Person(app, "ann"), Person(app, "bob")
        async with ann.http, bob.http:
            yield store, ann, bob
        await server.settle()


async def show(store: SQLStore[Any], person: Person, marker: str) -> None:
    """Add a widget and a question to a user's thread."""
    base: Any = {"thread_id": person.thread_id, "created_at": "2026-01-01T00:00:00"}
    texts = [{"type": "Text", "value": marker}]
    widget = DynamicWidgetRoot.model_validate({"type": "Card", "children": texts})
    questions: list[Any] = [StructuredInputFreeform(id="q", question=marker)]
    ids = (f"widget_{person.thread_id}", f"questions_{person.thread_id}")
    await store.add_thread_item(
        person.thread_id, WidgetItem(id=ids[0], widget=widget, **base), person.context
    )
    await store.add_thread_item(
        person.thread_id,
        StructuredInputItem(id=ids[1], inputs=questions, **base),
        person.context,
    )
    person.shown.extend(ids)


async def test_every_request_type(places: tuple[str, str]) -> None:
    where = FunctionTool(name="where", description="Where the browser is.", func=None)
    helper = agent(
        [text("A picture.")],
        [text("The same picture.")],
        [call("where")],
        [text("In Oslo.")],
        [text("So be it.")],
        tools=[where],
    )
    async with people(places, helper) as (store, ann, _):
        picture = await ann.upload("a.png")
        await ann.ask("What is it?", attachments=[picture["id"]])
        thread = {"thread_id": ann.thread_id}
        asked, answered = await ann.items()
        assert asked["attachments"][0]["id"] == picture["id"]
        assert (await ann.http.get(f"/attachments/{picture['id']}")).content == PNG

        await ann.stream("threads.retry_after_item", **thread, item_id=asked["id"])
        assert (await ann.transcript())[1:] == [("assistant_message", "The same picture.")]
        await ann.ask("Where am I?")
        await ann.stream("threads.add_client_tool_output", **thread, result={"city": "Oslo"})
        assert (await ann.transcript())[-1] == ("assistant_message", "In Oslo.")

        await show(store, ann, "Look")
        widget, questions = ann.shown
        clicked = {**thread, "item_id": widget, "action": {"type": "click", "payload": None}}
        (notice,) = of_type(await ann.stream("threads.custom_action", **clicked), "notice")
        assert notice.message == f"click {widget}"
        synced = await ann.get("threads.sync_custom_action", **clicked)
        assert synced["updated_item"]["id"] == widget
        given = {"answers": {"q": {"values": ["Because"]}}}
        await ann.stream("threads.add_structured_input", **thread, item_id=questions, input=given)
        assert (await ann.transcript())[-1] == ("assistant_message", "So be it.")

        await ann.get("items.feedback", **thread, item_ids=[answered["id"]], kind="positive")
        await ann.get("threads.update", **thread, title="A picture of Oslo")
        found = await ann.get("threads.get_by_id", **thread)
        assert found["title"] == "A picture of Oslo"
        assert [each["id"] for each in (await ann.get("threads.list"))["data"]] == [ann.thread_id]
        transcribed = await ann.get("input.transcribe", audio_base64="AAAA", mime_type="audio/webm")
        assert transcribed == {"text": "3 bytes"}
        page = await ann.get("items.list", **thread, limit=2, order="asc")
        assert (len(page["data"]), page["has_more"]) == (2, True)

        spare = await ann.upload("b.png")
        await ann.get("attachments.delete", attachment_id=spare["id"])
        assert (await ann.http.get(f"/attachments/{spare['id']}")).status_code == 404
        await ann.get("threads.delete", **thread)
        assert (await ann.post("threads.get_by_id", **thread)).status_code == 404
        assert (await ann.http.get(f"/attachments/{picture['id']}")).status_code == 404
        assert ann.sent == KINDS


def requests(thread: str, item: str, attachment: str) -> list[tuple[str, dict[str, Any]]]:
    """Return a request of each type, with all IDs that it accepts."""
    action = {"type": "click", "payload": {"id": item}}
    given = {"answers": {"q": {"values": ["Because"]}}}
    asked = message("Hello", attachments=[attachment], quoted_text=item)
    return [
        ("threads.get_by_id", {"thread_id": thread}),
        ("threads.list", {"after": thread}),
        ("threads.create", {"input": asked}),
        ("threads.add_user_message", {"thread_id": thread, "input": asked}),
        ("threads.add_client_tool_output", {"thread_id": thread, "result": item}),
        (
            "threads.add_structured_input",
            {"thread_id": thread, "item_id": item, "input": given},
        ),
        ("threads.retry_after_item", {"thread_id": thread, "item_id": item}),
        ("threads.custom_action", {"thread_id": thread, "item_id": item, "action": action}),
        ("threads.sync_custom_action", {"thread_id": thread, "item_id": item, "action": action}),
        ("items.list", {"thread_id": thread, "after": item}),
        ("items.list", {"thread_id": thread}),
        ("items.feedback", {"thread_id": thread, "item_ids": [item], "kind": "negative"}),
        ("attachments.create", {"name": attachment, "size": 1, "mime_type": "image/png"}),
        ("attachments.delete", {"attachment_id": attachment}),
        ("input.transcribe", {"audio_base64": "AAAA", "mime_type": "audio/webm"}),
        ("threads.update", {"thread_id": thread, "title": item}),
        ("threads.delete", {"thread_id": thread}),
    ]


async def test_no_request_finds_another_owners_data(places: tuple[str, str]) -> None:
    marker = "only Ann knows"
    assert {kind for kind, _ in requests("", "", "")} == KINDS
    async with people(places, agent([text(marker)], [text("Hi Bob")])) as (store, ann, bob):
        picture = await ann.upload("a.png")
        await ann.ask(marker, attachments=[picture["id"]])
        await show(store, ann, marker)
        await bob.ask("Hello")

        async def everything() -> Any:
            image = await ann.http.get(f"/attachments/{picture['id']}")
            thread = await ann.get("threads.get_by_id", thread_id=ann.thread_id)
            # Links are signed again each time.
            stored = re.sub(r'"preview_url": "[^"]*"', "", repr(thread).replace("'", '"'))
            return stored, await ann.get("threads.list"), image.content

        before = await everything()
        ids = [item["id"] for item in await ann.items()]
        assert len(ids) == 4
        threads = ((ann.thread_id, "thr_none"), (bob.thread_id, bob.thread_id))
        for (thread, no_thread), item in product(threads, ids):
            theirs = requests(thread, item, picture["id"])
            nobodys = requests(no_thread, "msg_none", "atc_none")
            for (kind, params), (_, same) in zip(theirs, nobodys, strict=True):
                if thread == bob.thread_id and kind in ("threads.update", "threads.delete"):
                    continue
                found = await bob.post(kind, **params)
                absent = await bob.post(kind, **same)
                assert marker not in found.text
                assert found.status_code == absent.status_code, (kind, found.text, absent.text)
                if found.status_code >= 400:
                    assert found.json() == absent.json()
        for path in (f"/attachments/{picture['id']}", f"/attachments/{picture['id']}?token=x"):
            assert (await bob.http.get(path)).status_code == 404
        assert await everything() == before
        assert marker not in repr(await bob.items())
