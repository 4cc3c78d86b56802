"""The widget gallery."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from samples.widgets import server as gallery
from samples.widgets.gallery import FAMILIES
from samples.widgets.states import COMPONENTS

from tests.unit.chat_client import Browser, of_type

from .processes import Service


@pytest.fixture
async def browser(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Browser]:
    monkeypatch.setattr(gallery, "PAUSE", 0)
    app = gallery.gallery_app()
    visitor = Browser(app)
    async with app.router.lifespan_context(app), visitor.http:
        yield visitor


def parts(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every object within a JSON value."""
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from parts(each)
    elif isinstance(value, list):
        for each in value:
            yield from parts(each)


def actions(widget: Any) -> list[dict[str, Any]]:
    found = {
        str(each): each
        for part in parts(widget)
        for name, each in part.items()
        if name.lower().endswith("action") and isinstance(each, dict)
    }
    return list(found.values())


async def widgets_of(browser: Browser, thread: str) -> list[dict[str, Any]]:
    page = await browser.get("items.list", thread_id=thread, order="asc", limit=100)
    items: list[dict[str, Any]] = page["data"]
    return items


async def test_gallery_shows_every_component(browser: Browser) -> None:
    threads = (await browser.get("threads.list", limit=100))["data"]
    assert [thread["title"] for thread in threads] == list(FAMILIES)
    kinds = set()
    for title in set(FAMILIES) - {"Bad input"}:
        kinds |= {str(part.get("type")) for part in parts(await widgets_of(browser, title))}
    assert kinds >= set(COMPONENTS)


@pytest.mark.parametrize("title", FAMILIES)
async def test_every_action_works(browser: Browser, title: str) -> None:
    for item in await widgets_of(browser, title):
        for action in actions(item["widget"]):
            kind = action["type"]
            if action.get("handler") == "client":
                continue
            # The action includes the form's values.
            of_form = {"seats": "2"} if kind == "gallery.book" else None
            payload = action.get("payload", of_form)
            params: dict[str, Any] = {
                "thread_id": title,
                "item_id": item["id"],
                "action": {"type": kind, "payload": payload},
            }
            if action.get("streaming") is False:
                answer = await browser.get("threads.sync_custom_action", **params)
                assert "Answered at once: 1" in str(answer["updated_item"]["widget"])
                continue
            events = await browser.stream("threads.custom_action", **params)
            fails = kind in ("gallery.fail", "gallery.refuse") or payload == "failing"
            assert len(of_type(events, "error")) == fails
            warned = [each for each in of_type(events, "notice") if each.level == "warning"]
            assert len(warned) == (kind == "gallery.unknown" or payload == {"seats": "many"})
            assert len(events) > 1


async def test_form_values_arrive(browser: Browser) -> None:
    form = (await widgets_of(browser, "Forms"))[0]
    params = {"thread_id": "Forms", "item_id": form["id"]}
    action = {"type": "gallery.tell", "payload": {"name": "Ånn"}}
    events = await browser.stream("threads.custom_action", **params, action=action)
    (notice,) = of_type(events, "notice")
    assert notice.message == '{"name": "Ånn"}'


async def test_agent_answers(browser: Browser) -> None:
    asking = next(
        item for item in await widgets_of(browser, "Actions") if "gallery.ask" in str(item)
    )
    action = {"type": "gallery.ask", "payload": "What is a widget?"}
    params = {"thread_id": "Actions", "item_id": asking["id"], "action": action}
    await browser.stream("threads.custom_action", **params)
    browser.thread_id = "Actions"
    assert "What is a widget?" in (await browser.transcript())[-1][1]


def test_gallery_starts_with_one_command(tmp_path: Path) -> None:
    with Service("widgets", tmp_path / "log") as service:
        url = service.wait_for(r"http://127\.0\.0\.1:\d+/")
        assert httpx.get(f"{url}healthz", trust_env=False).status_code == 200
        page = httpx.get(f"{url}page.json", trust_env=False).json()
        assert page["initialThread"] in FAMILIES
