"""The store's behavior on any database. Each database has a test class that inherits these."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from agent_framework_chatkit.stores import SQLStore

from .deletion_contract import DeletionContract
from .items_contract import ItemsContract
from .memory_contract import MemoryContract
from .model import check_store
from .owners_contract import OwnersContract
from .search_contract import SearchContract
from .tables_contract import TablesContract
from .turns_contract import TurnsContract


class StoreContract(
    ItemsContract,
    OwnersContract,
    DeletionContract,
    MemoryContract,
    TurnsContract,
    SearchContract,
    TablesContract,
):
    """Requires a fixture `url` of an empty database that nothing else uses."""

    @pytest.fixture
    async def store(self, url: str) -> AsyncIterator[SQLStore]:
        async with SQLStore(url) as store:
            yield store

    def test_store_behaves_like_model(self, url: str) -> None:
        loop = asyncio.new_event_loop()
        store = SQLStore(url)
        try:
            check_store(store, loop, examples=60)
        finally:
            loop.run_until_complete(store.close())
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()
