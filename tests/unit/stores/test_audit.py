"""The audit trail, which contains IDs and digests, but no content."""

from __future__ import annotations

import asyncio
import json
import logging
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from agent_framework import Content
from chatkit.types import AttachmentCreateParams
from starlette.applications import Starlette
from typer.testing import CliRunner

from agent_framework_chatkit import AgentChatKitServer, chat_routes, create_app
from agent_framework_chatkit.cli.commands import app
from agent_framework_chatkit.stores import AttachmentStore, SQLStore
from agent_framework_chatkit.stores.sql.audit import AuditTrail

from ...fakes.scripted_agent import agent, call, text
from ..answering import Bank, cards, click
from ..chat_client import Browser, chat
from ..offering import book, offering, use
from .files import ANN


async def kinds(store: SQLStore[Any]) -> list[str]:
    return [each["kind"] async for each in store.audit.records()]


async def test_approvals_are_recorded_with_hmac_of_call(tmp_path: Path) -> None:
    bank = Bank()
    url = f"sqlite:///{tmp_path}/chat.db"
    answering = agent([call("pay", amount=77)], [text("Done.")], tools=[bank.pay])
    async with chat(answering, url) as browser:
        await browser.ask("Pay 77")
        (card,) = await cards(browser)
        await click(browser, card)
        await browser.get("threads.delete", thread_id=browser.thread_id)
    printed = await asyncio.to_thread(CliRunner().invoke, app, ["audit", "--store", url])
    assert printed.exit_code == 0
    asked, decided, deleted = map(json.loads, printed.stdout.splitlines())
    assert [each["kind"] for each in (asked, decided, deleted)] == [
        "approval.asked",
        "approval.decided",
        "thread.deleted",
    ]
    assert asked["hmac"] == decided["hmac"]
    assert len(asked["hmac"]) == 64
    assert decided["approved"] is True
    assert asked["item"] == decided["item"] == card["id"]
    assert asked["owner"] == decided["owner"] == deleted["owner"]
    assert {each["thread"] for each in (asked, decided, deleted)} == {browser.thread_id}
    assert set(asked) == {"at", "kind", "owner", "thread", "item", "hmac"}


async def test_withdrawn_approval_is_recorded() -> None:
    bank = Bank()
    answering = agent([call("pay", amount=5)], [text("Then not.")], tools=[bank.pay])
    async with SQLStore[Any]("sqlite://") as store:
        server = AgentChatKitServer[Any](answering, store)
        browser = Browser(create_app(server))
        await browser.ask("Pay 5")
        await browser.ask("No")
        records = [each async for each in store.audit.records()]
        assert [each["kind"] for each in records] == ["approval.asked", "approval.decided"]
        assert records[1]["approved"] is False
        await server.close()


@pytest.mark.parametrize(
    ("button", "decisions"), [("cancel", [False, False]), ("confirm", [True, False, False])]
)
async def test_message_declines_only_what_was_not_declined(
    button: str, decisions: list[bool]
) -> None:
    async with SQLStore[Any]("sqlite://") as store:
        both = [Content.from_function_call(f"c{i}", "pay", arguments={"amount": i}) for i in (1, 2)]
        server = AgentChatKitServer[Any](agent(both, [text("Ok.")], tools=[Bank().pay]), store)
        browser = Browser(create_app(server))
        await browser.ask("Pay both")
        first, _ = await cards(browser)
        await click(browser, first, button)
        await browser.ask("No")
        records = [each async for each in store.audit.records()]
        decided = [each for each in records if each["kind"] == "approval.decided"]
        assert [each["approved"] for each in decided] == decisions
        await server.close()


async def test_actions_are_recorded_without_their_content(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    async with SQLStore[Any]("sqlite://") as store:
        server = AgentChatKitServer[Any](offering([text("Bye.")]), store, actions=[book])
        browser = Browser(create_app(server))
        await browser.ask("Oslo")
        await use(browser, "book", {"to": "Oslo"})
        (record,) = [each async for each in store.audit.records()]
        assert (record["kind"], record["type"]) == ("action", "book")
        assert len(record["payload"]) == 64
        logged = [each.message for each in caplog.records if each.name.endswith(".audit")]
        assert len(logged) == 1
        assert "Oslo" not in logged[0]
        await server.close()


async def test_files_and_refused_requests_are_recorded(tmp_path: Path) -> None:
    async with SQLStore[Any]("sqlite://") as store:
        files: AttachmentStore[Any] = AttachmentStore(
            tmp_path, metadata=store, secret="s" * 32, base_url="http://chat"
        )
        server = AgentChatKitServer[Any](agent(), store, files)
        browser = Browser(create_app(server, authenticate=lambda r: r.headers.get("who")))
        browser.http.headers["who"] = "ada"
        sent = await browser.http.post(
            "/attachments", files={"file": ("a.txt", b"a", "text/plain")}
        )
        name = sent.json()["id"]
        assert (await browser.http.get(f"/attachments/{name}")).status_code == 200
        await browser.get("attachments.delete", attachment_id=name)
        records = [each async for each in store.audit.records()]
        assert [(each["kind"], each["owner"], each["attachment"]) for each in records] == [
            ("attachment.uploaded", "ada", name),
            ("attachment.downloaded", "ada", name),
            ("attachment.deleted", "ada", name),
        ]
        del browser.http.headers["who"]
        for _ in range(70):
            assert (await browser.post("threads.list")).status_code == 401
        refused = [each async for each in store.audit.records()][3:]
        assert len(refused) == 60
        assert (refused[0]["path"], refused[0]["status"]) == ("/chatkit", 401)
        await server.close()


async def test_upload_to_a_bucket_is_recorded_once(tmp_path: Path) -> None:
    async with SQLStore[Any]("sqlite://") as store:
        files = AttachmentStore[Any](
            tmp_path, metadata=store, secret="s" * 32, base_url="http://chat"
        )
        announced = AttachmentCreateParams(name="a.txt", size=1, mime_type="text/plain")
        created = await files.create_attachment(announced, ANN)
        # A bucket receives the bytes directly. Here, the test puts them there.
        (tmp_path / "incoming").mkdir()
        (tmp_path / "incoming" / created.id).write_bytes(b"a")
        await asyncio.gather(
            *(files.open(created.id, context=ANN) for _ in range(5)), files.confirm(created.id, ANN)
        )
        (record,) = [each async for each in store.audit.records()]
        assert (record["kind"], record["owner"], record["attachment"]) == (
            "attachment.uploaded",
            ANN.user_id,
            created.id,
        )


async def test_upload_with_a_signed_link_has_an_owner(tmp_path: Path) -> None:
    async with SQLStore[Any]("sqlite://") as store:
        files = AttachmentStore[Any](tmp_path, metadata=store, secret="s" * 32)
        server = AgentChatKitServer[Any](agent(), store, files)
        browser = Browser(create_app(server, authenticate=lambda _: "ada"))
        announced = {"name": "a.txt", "size": 1, "mime_type": "text/plain"}
        created = await browser.get("attachments.create", **announced)
        await browser.http.put(created["upload_descriptor"]["url"], content=b"a")
        (record,) = [each async for each in store.audit.records()]
        assert (record["kind"], record["owner"]) == ("attachment.uploaded", "ada")
        await server.close()


@pytest.mark.parametrize("routes_only", [False, True])
async def test_requests_with_another_host_name_are_recorded(routes_only: bool) -> None:
    async with SQLStore[Any]("sqlite://") as store:
        server = AgentChatKitServer[Any](agent(), store)
        hosts = ["chat.example.com"]
        routes = chat_routes(server, allowed_hosts=hosts)
        app = Starlette(routes=routes) if routes_only else create_app(server, allowed_hosts=hosts)
        browser = Browser(app)
        browser.http.headers["host"] = "evil.test"
        for _ in range(70):
            assert (await browser.post("threads.list")).status_code == 403
        records = [each async for each in store.audit.records()]
        assert [(each["kind"], each["path"], each["status"]) for each in records] == [
            ("request.refused", "/chatkit", 403)
        ] * 60
        await server.close()


async def test_files_of_a_deleted_thread_are_recorded(tmp_path: Path) -> None:
    async with SQLStore[Any]("sqlite://") as store:
        files: AttachmentStore[Any] = AttachmentStore(
            tmp_path, metadata=store, secret="s" * 32, base_url="http://chat"
        )
        server = AgentChatKitServer[Any](agent([text("Read.")]), store, files)
        browser = Browser(create_app(server))
        await browser.post("threads.list")
        form = {"file": ("a.txt", b"a", "text/plain")}
        name = (await browser.http.post("/attachments", files=form)).json()["id"]
        await browser.ask("Read it.", attachments=[name])
        await browser.get("threads.delete", thread_id=browser.thread_id)
        records = [each async for each in store.audit.records()]
        assert [(each["kind"], each.get("attachment")) for each in records] == [
            ("attachment.uploaded", name),
            ("thread.deleted", None),
            ("attachment.deleted", name),
        ]
        await server.close()


async def test_records_expire(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/chat.db"
    for days, left in ((1.0, 600), (-1.0, 0)):
        async with SQLStore[Any](url, audit_days=days) as store:
            if days:
                for _ in range(600):
                    await store.audit.record("action", "ada")
            await AgentChatKitServer[Any](agent(), store).clean_up()
            assert len(await kinds(store)) == left


async def test_reader_may_stop_early(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/chat.db"
    async with SQLStore[Any](url) as store:
        for _ in range(600):
            await store.audit.record("action", "ada", item="x" * 1_000)
    command = "from agent_framework_chatkit.cli.commands import app; app()"
    printing = await asyncio.create_subprocess_shell(
        f"{shlex.join([sys.executable, '-c', command, 'audit', '--store', url])} | head -n 1",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    printed, errors = await printing.communicate()
    assert printed.count(b"\n") == 1
    assert errors == b""


async def test_unstorable_record_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        async def write(self, work: Any) -> None:
            raise OSError("full")

    await AuditTrail(Broken(), 1).record("action", "ada", item="i")  # type: ignore[arg-type]
    assert "only in the log" in caplog.text
