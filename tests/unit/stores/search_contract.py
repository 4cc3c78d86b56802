"""Search for threads by words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chatkit.store import NotFoundError

from agent_framework_chatkit.stores import SQLStore
from agent_framework_chatkit.stores.sql.turn_rows import (
    NewTurn,
    ThreadChange,
    TurnEnd,
    Writes,
)

from .stored import ANN, BOB, answered, create_older, execute, item, said, thread


class SearchContract:
    """Requires the fixtures `store` and `url`, the URL of its database."""

    async def test_rows_of_older_version_are_found(self, url: str) -> None:
        create_older(url, "v2", thread(title="Trip"))
        rows = [
            ("msg_1", said("msg_1", "Rain in Oslo").model_dump_json()),
            ("x", item("x").model_dump_json()),
            ("broken", "["),
        ]
        execute(
            url,
            *(
                "INSERT INTO chatkit_items (thread, position, id, data)"
                f" SELECT key, {position}, '{name}', '{data}' FROM chatkit_threads"
                for position, (name, data) in enumerate(rows)
            ),
        )
        async with SQLStore(url) as store:
            assert await found(store, "oslo") == [("thr_1", "msg_1", "Rain in [Oslo]")]
            assert await found(store, "trip") == [("thr_1", None, "")]

    async def test_threads_are_found_by_words_newest_first(self, store: SQLStore) -> None:
        for number in (1, 2, 3):
            await store.save_thread(thread(f"thr_{number}"), ANN)
        await store.add_thread_item("thr_1", said("msg_1", "Wind and **rain** in Malmö"), ANN)
        await store.add_thread_item("thr_2", answered("msg_2", "No rain.\nNone at all"), ANN)
        await store.add_thread_item("thr_2", said("msg_3", "RAIN!"), ANN)
        await store.add_thread_item("thr_3", said("msg_4", "A train"), ANN)
        await store.add_thread_item("thr_3", item("msg_5", "hidden rain"), ANN)
        first = ("thr_1", "msg_1", "Wind and [rain] in Malmö")
        assert await found(store, "rain") == [("thr_2", "msg_3", "[RAIN]!"), first]
        assert await found(store, "malmo rai") == [("thr_1", "msg_1", "Wind and [rai]n in [Malmö]")]
        assert await found(store, "rain hail") == []
        page = await store.search_threads("rain", 1, None, ANN)
        assert page.has_more
        rest = await store.search_threads("rain", 1, page.after, ANN)
        assert [each.item_id for each in rest.data] == ["msg_1"]
        assert not rest.has_more
        with pytest.raises(NotFoundError):
            await store.search_threads("rain", 1, "thr_9", ANN)
        with pytest.raises(ValueError, match="at least one"):
            await store.search_threads("rain", 0, None, ANN)

    async def test_search_finds_current_text(self, store: SQLStore) -> None:
        await store.save_thread(thread(title="Alpha"), ANN)
        await store.add_thread_item("thr_1", said("msg_1", "beta"), ANN)
        await store.add_thread_item("thr_1", answered("msg_2", "gamma"), ANN)
        assert [row[1] for row in await found(store, "alpha")] == [None]
        await store.save_thread(thread(title="Delta"), ANN)
        await store.save_item("thr_1", said("msg_1", "epsilon"), ANN)
        await store.delete_thread_item("thr_1", "msg_2", ANN)
        assert [await found(store, word) for word in ("alpha", "beta", "gamma")] == [[], [], []]
        assert [row[1] for row in await found(store, "delta")] == [None]
        assert [row[1] for row in await found(store, "epsilon")] == ["msg_1"]
        await store.save_item("thr_1", said("msg_1", " "), ANN)
        await store.save_thread(thread(), ANN)
        assert await found(store, "epsilon") == await found(store, "delta") == []
        await store.save_item("thr_1", said("msg_1", "zeta"), ANN)
        await store.delete_thread("thr_1", ANN)
        await store.save_thread(thread(), ANN)
        assert await found(store, "zeta") == []

    async def test_turns_are_found_and_truncated(self, store: SQLStore) -> None:
        await store.save_thread(thread(), ANN)
        turns = store.turns
        await store.leases.start()
        new = NewTurn(
            "ann", "thr_1", "run", store.leases.worker, turn_id="m1", item=said("m1", "eins")
        )
        lease = (await turns.begin(new)).lease
        named = ThreadChange(thread(), thread(title="Zahlen"))
        await turns.commit(lease, Writes(items=[answered("m2", "zwei")], thread=named))
        assert [await found(store, word) for word in ("eins", "zwei", "zahlen")] == [
            [("thr_1", "m1", "[eins]")],
            [("thr_1", "m2", "[zwei]")],
            [("thr_1", None, "")],
        ]
        await turns.commit(lease, Writes(end=TurnEnd("completed")))
        await turns.begin(replace(new, run="again", item=None, retry_after="m1"))
        assert await found(store, "zwei") == []
        assert len(await found(store, "eins")) == 1

    async def test_search_does_not_find_other_owners_data(self, store: SQLStore) -> None:
        await store.save_thread(thread(title="Secret"), ANN)
        await store.add_thread_item("thr_1", said("msg_1", "secret"), ANN)
        assert (await store.search_threads("secret", 20, None, BOB)).data == []
        with pytest.raises(NotFoundError):
            await store.search_threads("secret", 20, "thr_1", BOB)

    @pytest.mark.parametrize(
        "query",
        [
            *[
                "",
                " ",
                '"',
                "'",
                "* OR *",
                "a:*",
                "NEAR(",
                "\\",
                "%",
                "_",
                "\0",
                "\ud800",
                ")(&|!<->",
            ],
            "x" * 100_000,
            "'; DROP TABLE chatkit_items; --",
            " ".join(map(str, range(5000))),
        ],
    )
    async def test_any_query_is_valid(self, store: SQLStore, query: str) -> None:
        await store.save_thread(thread(), ANN)
        text = 'What is "there" * \' is not\0 \ud800'
        await store.add_thread_item("thr_1", said("msg_1", text), ANN)
        assert await found(store, query) == []
        assert len(await found(store, "there")) == 1

    async def test_rest_of_very_long_query_is_ignored(self, store: SQLStore) -> None:
        await store.save_thread(thread(title="Tea"), ANN)
        assert await found(store, "tea" + " " * 2_000 + "coffee")
        assert not await found(store, "tea" + " " * 1_000 + "coffee")

    async def test_words_of_any_language_are_found(self, store: SQLStore) -> None:
        texts = [
            "明日の東京都の天気は晴れです",
            "พรุ่งนี้ฝนตก",
            "Погода в Осло",
            "الطقس في أوسلو",
            "서울 날씨가 좋다",
        ]
        for number, text in enumerate(texts):
            await store.save_thread(thread(f"thr_{number}"), ANN)
            await store.add_thread_item(f"thr_{number}", said("msg", text), ANN)
        for query, thread_id, marked in (
            ("東京", "thr_0", "[東京]"),
            ("京都の天気", "thr_0", "[京都の天気]"),
            ("す", "thr_0", "[す]"),
            ("ｶﾞ", None, ""),
            ("ฝนตก", "thr_1", "[ฝนตก]"),
            ("осл", "thr_2", "[Осл]"),
            ("الطقس", "thr_3", "[الطقس]"),
            ("날씨", "thr_4", "[날씨]"),
        ):
            rows = await found(store, query)
            assert [row[0] for row in rows] == ([] if thread_id is None else [thread_id]), query
            assert all(marked in row[2] for row in rows), rows

    async def test_search_shows_excerpt_of_long_message(self, store: SQLStore) -> None:
        await store.save_thread(thread(), ANN)
        text = "before " * 1000 + "needle " + "after " * 1000
        await store.add_thread_item("thr_1", said("msg_1", text), ANN)
        ((_, _, snippet),) = await found(store, "needle")
        assert snippet.startswith("…before ")
        assert "before [needle] after" in snippet
        assert snippet.endswith("…")
        assert len(snippet) < 250
        await store.add_thread_item(
            "thr_1", said("msg_2", "x" * 3_000_000 + " 漢字" * 300_000), ANN
        )
        assert len(await found(store, "xxx")) == 1

    async def test_long_messages_share_the_work_for_excerpts(self, store: SQLStore) -> None:
        for number in range(4):
            await store.save_thread(thread(f"thr_{number}"), ANN)
            text = f"begin{number} " + "before " * 4_000 + "needle"
            await store.add_thread_item(f"thr_{number}", said(f"msg_{number}", text), ANN)
            if number == 0:
                ((_, _, snippet),) = await found(store, "needle")
                assert snippet.endswith("before [needle]")
        snippets = [row[2].split() for row in await found(store, "needle")]
        assert [words[0] for words in snippets] == ["begin3", "begin2", "begin1", "begin0"]


async def found(store: SQLStore, query: str) -> list[tuple[str, str | None, str]]:
    """Return threads, messages and snippets, with the found words in brackets."""
    page = await store.search_threads(query, 20, None, ANN)
    return [
        (
            each.thread.id,
            each.item_id,
            "".join(f"[{text}]" if is_match else text for text, is_match in each.snippet),
        )
        for each in page.data
    ]
