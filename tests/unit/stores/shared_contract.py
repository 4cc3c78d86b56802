"""Data that workers share on any database: the storage per owner, and the audit trail."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from chatkit.store import NotFoundError
from chatkit.types import FileAttachment
from typer.testing import CliRunner

from agent_framework_chatkit.cli.commands import app
from agent_framework_chatkit.stores import SQLStore

from .stored import ANN, BOB, create_older, execute, numbers, thread


def file(attachment_id: str, size: Any = 2) -> FileAttachment:
    return FileAttachment(
        id=attachment_id, name="f", mime_type="text/plain", metadata={"size": size}
    )


class SharedContract:
    """Requires a fixture `url` of an empty database that nothing else uses."""

    async def test_concurrent_attachments_count_together(self, url: str) -> None:
        room: list[dict[str, Any]] = [
            {"max_files": 3, "max_stored": None},
            {"max_files": None, "max_stored": 7},
        ]
        for number, limits in enumerate(room):
            owner = {"user_id": f"new_{number}"}
            async with SQLStore[Any](url) as one, SQLStore[Any](url) as two:
                added = await asyncio.gather(
                    *(
                        store.reserve_attachment(file(f"atc_{number}_{i}_{j}"), owner, **limits)
                        for i, store in enumerate((one, two))
                        for j in range(10)
                    )
                )
                assert sum(added) == 3
                assert await one.reserve_attachment(file(f"atc_{number}"), BOB, **limits)

    async def test_deleted_attachment_is_not_replaced(self, url: str) -> None:
        async with SQLStore[Any](url) as store:
            await store.save_thread(thread(), ANN)
            await store.save_attachment(file("atc_1"), ANN)
            await store.save_attachment(
                file("atc_2").model_copy(update={"thread_id": "thr_1"}), ANN
            )
            for attachment_id in ("atc_1", "atc_2"):
                await store.replace_attachment(file(attachment_id, 3), ANN)
                replaced = await store.load_attachment(attachment_id, ANN)
                assert replaced.metadata == {"size": 3}
            assert replaced.thread_id == "thr_1"
            await store.delete_attachment("atc_1", ANN)
            for attachment_id, owner in (("atc_1", ANN), ("atc_2", BOB), ("none", ANN)):
                with pytest.raises(NotFoundError):
                    await store.replace_attachment(file(attachment_id), owner)

    async def test_sizes_from_older_version_count(self, url: str) -> None:
        create_older(url, "v4", thread())
        add = "INSERT INTO chatkit_attachments (id, owner, created_at, data) SELECT"
        execute(
            url,
            f"""{add} n, 'ann', 0, '{{"metadata": {{"size": 10}}}}' FROM {numbers(url, 1_000)}""",
            *(
                f"{add} 'odd {data}', 'ann', 0, '{data}'"
                for data in ("[", "{}", '{"metadata": {"size": "many"}}')
            ),
        )
        async with SQLStore(url) as store:
            for size, is_added in ((11, False), (10, True), (1, False)):
                assert is_added == await store.reserve_attachment(
                    file("atc_new", size), ANN, max_files=None, max_stored=10_010
                )

    async def test_audit_trail_is_printed(self, url: str) -> None:
        async with SQLStore(url) as one, SQLStore(url) as two:
            await one.audit.record("action", "nul\0 and \ud800", "thr_\0", item="\0\ud800é")
            await asyncio.gather(
                *(store.audit.record("action", "ann") for store in (one, two) for _ in range(300))
            )
            records = [each async for each in two.audit.records()]
            assert len(records) == 601
            assert records[0].pop("at")
            assert records[0] == {
                "kind": "action",
                "owner": "nul\0 and \ud800",
                "thread": "thr_\0",
                "item": "\0\ud800é",
            }
        printed = await asyncio.to_thread(CliRunner().invoke, app, ["audit", "--store", url])
        assert printed.exit_code == 0, printed.output
        lines = [json.loads(line) for line in printed.stdout.splitlines()]
        assert len(lines) == 601
        assert lines[0]["item"] == "\0\ud800é"

    async def test_old_records_are_deleted(self, url: str) -> None:
        async with SQLStore(url, audit_days=1) as store:
            await store.audit.record("action", "ann", item="old")
            execute(url, "UPDATE chatkit_audit SET at = at - 2 * 86400")
            await store.audit.record("action", "ann", item="new")
            await store.audit.purge()
            assert [each["item"] async for each in store.audit.records()] == ["new"]
