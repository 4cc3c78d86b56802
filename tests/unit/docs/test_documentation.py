"""The documentation's code runs, and its lists are complete."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from agent_framework import Content
from chatkit.types import EndOfTurnItem, FileAttachment, Page, ThreadItem, ThreadMetadata

import agent_framework_chatkit.stores
from agent_framework_chatkit import AgentResponseConverter, ThreadItemConverter, create_app
from agent_framework_chatkit.stores import SQLStore

from ...fakes.scripted_agent import ScriptedClient, agent, call, text
from ..answering import act, cards, click, output, reply
from ..chat_client import Browser, chat, of_type
from ..thread_client import IdStore, collect, items_of
from .guide import PAGES, ROOT, blocks_of, defined_in, run

BLOCKS = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in PAGES
    for number, block in enumerate(blocks_of(page), 1)
]


@pytest.fixture
def _model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the variables that the quickstart tells readers to set."""
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.setenv("OPENAI_MODEL", "none")


@pytest.mark.usefixtures("_model")
@pytest.mark.parametrize("block", BLOCKS)
def test_every_block_runs(block: str) -> None:
    run(block)


def test_reference_lists_every_public_name() -> None:
    pages = "".join(page.read_text() for page in (ROOT / "docs/reference").glob("*.md"))
    listed = set(re.findall(r"^::: ([\w.]+)$", pages, re.M))
    for module in (agent_framework_chatkit, agent_framework_chatkit.stores):
        assert {f"{module.__name__}.{name}" for name in module.__all__} <= listed


class EmptyStore(IdStore):
    async def load_thread_items(self, *args: Any, **kwargs: Any) -> Page[ThreadItem]:
        return Page(data=[])


async def events_of(tool: Any) -> list[Any]:
    """Return the events of the guide's server when its agent calls a tool."""
    messages = [[call(tool.name, city="Oslo")], [Content.from_text("Done.")]]
    server_class = defined_in("docs/bridge.md", "AgentServer")
    server = server_class(EmptyStore(), agent(*messages, tools=[tool]))
    thread = ThreadMetadata(id="thr_1", created_at=datetime(2026, 1, 1))
    return await collect(server.respond(thread, None, None))


@pytest.mark.usefixtures("_model")
async def test_readme_tool_shows_progress() -> None:
    sent = await events_of(defined_in("README.md", "find_flights"))
    assert [item.type for item in items_of(sent)] == ["workflow", "assistant_message"]
    assert any(getattr(event, "text", "").endswith("Oslo") for event in sent)


async def test_guide_tool_shows_widget() -> None:
    sent = await events_of(defined_in("docs/bridge.md", "weather"))
    assert [item.type for item in items_of(sent)] == ["workflow", "widget", "assistant_message"]


async def test_guide_converter_sends_text_files_as_data() -> None:
    async def fetch(attachment_id: str) -> bytes:
        return b"a,b"

    converter = defined_in("docs/migration/microsoft.md", "FilesAsData")(fetch)
    file = FileAttachment(id="atc_1", name="a.csv", mime_type="text/csv")
    sent = await converter.attachment_to_message_content(file)
    assert (sent.type, sent.media_type) == ("data", "text/csv")


async def test_guide_moves_threads_of_another_store() -> None:
    context = {"user_id": "ann"}
    async with SQLStore[Any]("sqlite://") as old, SQLStore[Any]("sqlite://") as new:
        thread = ThreadMetadata(id="thr_1", created_at=datetime(2026, 1, 1))
        await old.save_thread(thread, context)
        items = [
            EndOfTurnItem(id=f"eot_{number}", thread_id="thr_1", created_at=thread.created_at)
            for number in range(101)
        ]
        for item in items:
            await old.add_thread_item("thr_1", item, context)
        move = defined_in("docs/migration/agents-sdk.md", "move")
        await move(old, new, "thr_1", context)
        assert await new.load_thread("thr_1", context) == thread
        moved = await new.load_thread_items("thr_1", None, 200, "asc", context)
        assert moved.data == items


ASKING = "docs/asking.md"


@asynccontextmanager
async def visiting(name: str, *messages: list[Any]) -> AsyncIterator[Browser]:
    """Yield a browser at an app of the page `asking.md`, with these answers of the model."""
    build = defined_in(ASKING, name)
    app = build(ScriptedClient(*messages)) if messages else build()
    browser = Browser(app)
    async with app.router.lifespan_context(app), browser.http:
        yield browser


@pytest.fixture
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("_in_a_folder")
class TestAsking:
    async def test_guide_refund_is_approved(self) -> None:
        refund = call("refund", order="A1", amount=5)
        async with visiting("refunds_app", [refund], [text("Done.")]) as browser:
            await browser.ask("Refund it")
            (card,) = await cards(browser)
            assert card["copy_text"].splitlines()[2:] == ["order: A1", "amount: 5"]
            await click(browser, card)
            assert (await browser.transcript())[-1] == ("assistant_message", "Done.")

    async def test_guide_reminder_is_always_approved(self) -> None:
        calls = [call("send_reminder", f"c{number}", to="Ann") for number in (1, 2)]
        messages = ([calls[0]], [calls[1]], [text("Done.")])
        async with visiting("reminders_app", *messages) as browser:
            await browser.ask("Remind Ann, twice")
            (card,) = await cards(browser)
            (always,) = [each for each in card["widget"]["children"] if each["type"] == "Button"]
            await act(browser, card["id"], always["onClickAction"])
            assert (await browser.transcript())[-1] == ("assistant_message", "Done.")

    async def test_guide_page_returns_selection(self) -> None:
        asking = call("get_selection", sheet="1")
        async with visiting("sheets_app", [asking], [text("Two cells.")]) as browser:
            await browser.ask("How many?")
            assert (await browser.items())[-1]["arguments"] == {"sheet": "1"}
            await output(browser, {"cells": ["A1", "A2"]})
            assert (await browser.transcript())[-1] == ("assistant_message", "Two cells.")

    async def test_guide_asks_about_trip(self) -> None:
        asking = call("ask_user", questions=[{"question": "Where to?"}])
        async with visiting("trips_app", [asking], [text("Oslo it is.")]) as browser:
            await browser.ask("Plan")
            form = (await browser.items())[-1]
            answers = {form["inputs"][0]["id"]: {"values": ["Oslo"]}}
            await reply(browser, form, {"answers": answers})
            assert (await browser.transcript())[-1] == ("assistant_message", "Oslo it is.")

    async def test_guide_hosted_search_is_approved(self) -> None:
        searching = Content.from_function_call("h1", "search", hosted=True, server_name="documents")
        request = Content.from_function_approval_request("h1", searching)
        async with visiting("documents_app", [request], [text("Found.")]) as browser:
            await browser.ask("Search")
            await click(browser, (await cards(browser))[0])
            assert (await browser.transcript())[-1] == ("assistant_message", "Found.")

    async def test_guide_mail_is_read_with_consent(self) -> None:
        messages = [[call("read_mail", "c1")], [text("You consented.")]]
        async with visiting("mail_app", *messages) as browser:
            await browser.ask("Read my mail")
            await click(browser, (await cards(browser))[0])
            assert (await browser.transcript())[-1] == ("assistant_message", "You consented.")

    async def test_guide_room_is_booked(self) -> None:
        async with visiting("hotel_app") as browser:
            await browser.ask("A room")
            form = (await browser.items())[-1]
            given = {"nights": {"values": ["3"]}, "breakfast": {"values": ["Yes"]}}
            await reply(browser, form, {"answers": given})
            said = ("assistant_message", "Booked: 3 nights.")
            assert (await browser.transcript())[-1] == said


WIDGETS = "docs/widgets.md"


async def test_guide_shows_and_streams_widgets() -> None:
    flight = call("show_flight", number="SK 263")
    letter = call("write_letter", to="Ann")
    for name, asking in {"show_flight": flight, "write_letter": letter}.items():
        messages = [[asking], [text("Done.")]]
        answering = agent(*messages, tools=[defined_in(WIDGETS, name)])
        async with chat(answering) as browser:
            events = await browser.ask("Go")
            (widget,) = await cards(browser)
            if name == "write_letter":
                assert widget["widget"]["children"][0]["value"] == "Dear Ann,\n\nthank you."
                deltas = [event.update for event in of_type(events, "thread.item.updated")]
                assert "widget.streaming_text.value_delta" in [each.type for each in deltas]


@pytest.mark.usefixtures("_in_a_folder")
async def test_guide_books_a_flight() -> None:
    make_server = defined_in(WIDGETS, "make_server")
    show_flight = defined_in(WIDGETS, "show_flight")
    messages = [[call("show_flight", number="SK 263")], [text("Here.")], [text("Bye.")]]
    app = create_app(make_server(agent(*messages, tools=[show_flight])))
    browser = Browser(app)
    async with app.router.lifespan_context(app), browser.http:
        await browser.ask("Book")
        (card,) = await cards(browser)
        await act(browser, card["id"], card["widget"]["children"][2]["onClickAction"])
        (booked,) = await cards(browser)
        assert booked["copy_text"] == "Flight SK 263: booked"
        assert (await browser.transcript())[-1] == ("assistant_message", "Bye.")


@pytest.mark.usefixtures("_in_a_folder")
async def test_guide_fills_a_template(tmp_path: Path) -> None:
    (template,) = re.findall(r"^```json\n(.*?)^```", (ROOT / WIDGETS).read_text(), re.M | re.S)
    (tmp_path / "flight.widget").write_text(template)
    client = ScriptedClient([call("find_flight", number="SK 263")], [text("Here.")])
    async with chat(defined_in(WIDGETS, "make_agent")(client)) as browser:
        await browser.ask("Which flight?")
        (card,) = await cards(browser)
        assert card["copy_text"] == "SK 263\nOslo to Bergen"


def test_guide_names_every_method_of_the_converters() -> None:
    guide = (ROOT / "docs/bridge.md").read_text()
    for converter in (AgentResponseConverter, ThreadItemConverter):
        for name in vars(converter):
            if not name.startswith("_") and name != "to_agent_input":
                assert name in guide, name


def test_guide_quotes_only_existing_messages() -> None:
    sources = [*(ROOT / "src").rglob("*.py"), *(ROOT / "frontend/src").rglob("*.ts")]
    said = "\n".join(path.read_text() for path in [*sources, ROOT / "Makefile"])
    # Join strings that are split across lines.
    said = re.sub(r"""["'`] *\+?\n\s*f?["'`]""", "", said).replace('\\"', '"')
    page = (ROOT / "docs/troubleshooting.md").read_text()
    messages = re.findall(r"`([^`]+)`", "\n".join(re.findall(r"^### (`.*)$", page, re.M)))
    assert len(messages) > 30
    theirs = ("cannot import name", "…, line …")
    for message in messages:
        for piece in message.split("…"):
            # The operating system's message says why an address cannot be used.
            piece = piece.replace("Address already in use", "").strip(" (),.:")
            assert message.startswith(theirs) or piece in said, message


def test_guide_names_every_option_method_and_event_of_the_web_ui() -> None:
    guide = (ROOT / "docs/options.md").read_text()
    web = ROOT / "frontend/src"
    checks = (web / "chat/checkOptions.ts").read_text()
    rules = checks[checks.index("const headerButton") : checks.index("/** Check an app's options")]
    options = set(re.findall(r"(\w+): ?(?:\w|$)", rules, re.M)) - {"Rule"}
    assert {"uploadUrl", "highContrast", "hue", "onAction"} <= options
    methods = re.findall(r"^  \| '(\w+)'", (web / "element/host.ts").read_text(), re.M)
    code = "".join(path.read_text() for path in web.rglob("*.ts*"))
    events = re.findall(r"emit\('(chatkit[\w.]+)'", code)
    assert methods
    assert events
    for name in {*options, *methods, *events}:
        assert re.search(rf"\b{re.escape(name)}\b", guide), name


def test_contributors_map_names_every_module() -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text()
    named = set(re.findall(r"^ {4,}(\w+\.py) ", guide, re.M))
    package = ROOT / "src/agent_framework_chatkit"
    modules = {
        path.name
        for path in package.rglob("*.py")
        if "stores" not in path.parts and path.name != "__init__.py"
    }
    assert modules - named == set()


def test_documented_oldest_versions_are_tested() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    page = (ROOT / "docs/versions.md").read_text()
    (python,) = re.findall(r'requires-python = ">=([\d.]+)"', project)
    assert f"| Python | {python} |" in page
    for name in ("agent-framework-core", "openai-chatkit"):
        (oldest,) = re.findall(rf'"{name}>=([\d.]+),<2"', project)
        assert re.search(rf"\| `{name}` \| {oldest} \| [\d.]+ \| below 2 \|", page)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_has_only_markdown_that_github_renders(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
    only_in_mkdocs = r"\)\{ ?[:.#\w]|^(?:!!!|\?\?\?|===) |#only-(?:light|dark)|^\{[:.#]"
    assert re.findall(only_in_mkdocs, text, re.M) == []


PICTURE = re.compile(r'(?:src|srcset)="([^"]+)"|!\[[^\]]*\]\(([^)]+)\)')


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_picture_exists(page: Path) -> None:
    for groups in PICTURE.findall(page.read_text()):
        source = "".join(groups)
        if not re.match(r"[a-z]+:|/", source):
            assert (page.parent / source).is_file(), source


def test_no_test_imports_another() -> None:
    """Code that tests share is in separate modules."""
    for path in (ROOT / "tests").rglob("*.py"):
        assert not re.search(r"^from \S*\.test_", path.read_text(), re.M), path
