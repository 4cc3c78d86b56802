from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from agent_framework import Agent, WorkflowBuilder
from chatkit.types import AudioInput, TranscriptionResult

from agent_framework_chatkit import AgentChatKitServer, create_app
from agent_framework_chatkit.http import web_ui
from agent_framework_chatkit.stores import AttachmentStore, SQLStore

from ...fakes.scripted_agent import ScriptedClient, agent
from ..chat_client import Browser, chat


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A built web UI."""
    (tmp_path / "ui").mkdir()
    for name in ("index.html", "page.js", "ui/chatkit-abc.js", "ui/app-def.css"):
        (tmp_path / name).write_text(name)
    (tmp_path.parent / "secret").write_text("secret")
    monkeypatch.setattr(web_ui, "FILES", tmp_path)
    return tmp_path


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("path", "text", "kind", "cached"),
    [
        ("/", "index.html", "text/html", "no-cache"),
        ("/page.js", "page.js", "text/javascript", "no-cache"),
        ("/chatkit.js", "ui/chatkit-abc.js", "text/javascript", "no-cache"),
        ("/ui/chatkit-abc.js", "ui/chatkit-abc.js", "text/javascript", "immutable"),
        ("/ui/app-def.css", "ui/app-def.css", "text/css", "immutable"),
    ],
)
async def test_ui_is_served(path: str, text: str, kind: str, cached: str) -> None:
    async with chat(agent()) as browser:
        response = await browser.http.get(path)
    assert (response.status_code, response.text) == (200, text)
    assert kind in response.headers["content-type"]
    assert cached in response.headers["cache-control"]
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.usefixtures("files")
async def test_page_loads_nothing_from_other_hosts() -> None:
    async with chat(agent()) as browser:
        policy = (await browser.http.get("/")).headers["content-security-policy"]
    rules: dict[str, Any] = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert {rules[name] for name in ("script-src", "style-src", "connect-src")} == {"'self'"}
    guide = Path(__file__).parents[3] / "docs/security.md"
    assert policy in " ".join(guide.read_text().split())


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(("images", "allowed"), [("https", True), ("self", False), ("sefl", False)])
async def test_page_can_forbid_external_images(images: str, allowed: bool) -> None:
    async with SQLStore[Any]("sqlite://") as store:
        app = create_app(AgentChatKitServer(agent(), store), page={"widgets": {"images": images}})
        async with Browser(app).http as http:
            policy = (await http.get("/")).headers["content-security-policy"]
    (rule,) = [rule for rule in policy.split("; ") if rule.startswith("img-src")]
    assert rule.split()[1:] == ["'self'", "data:", "blob:", *(["https:"] if allowed else [])]


async def test_page_offers_features_of_server(tmp_path: Path) -> None:
    class Server(AgentChatKitServer[Any]):
        async def transcribe(self, audio_input: AudioInput, context: Any) -> TranscriptionResult:
            raise NotImplementedError

    async with SQLStore[Any]("sqlite://") as store:
        files = AttachmentStore(tmp_path.as_uri(), metadata=store, secret="x", accept=["image/*"])
        server = Server(agent(), store, files, models=["small", "large"], tools=["look_up"])
        page = {"startScreen": {"greeting": "Hi"}, "composer": {"placeholder": "Ask", "models": []}}
        browser = Browser(create_app(server, page=page))
        async with browser.http:
            response = await browser.http.get("/page.json")
    assert response.headers["cache-control"] == "no-cache"
    assert response.json() == {
        "api": {"uploadStrategy": {"type": "direct", "uploadUrl": "attachments"}},
        "composer": {
            "attachments": {
                "enabled": True,
                "maxSize": 20 * 1024 * 1024,
                "accept": {"image/*": []},
            },
            "dictation": {"enabled": True},
            "models": [],
            "placeholder": "Ask",
            "tools": [{"id": "look_up", "label": "Look up", "icon": "settings-slider"}],
        },
        "startScreen": {"greeting": "Hi"},
    }


async def test_page_of_plain_server_offers_no_features() -> None:
    async with chat(agent(), models=["small", "large"]) as browser:
        options = (await browser.http.get("/page.json")).json()
    models = [{"id": "small", "label": "small"}, {"id": "large", "label": "large"}]
    assert options == {"composer": {"models": models}}


def _workflow(**given: Any) -> Any:
    return WorkflowBuilder(start_executor=agent(), **given).build()


@pytest.mark.parametrize(
    ("answering", "page", "expected"),
    [
        (
            Agent(client=ScriptedClient([]), name="Desk", description="Helps with orders."),
            {},
            ("Desk", {"greeting": "Desk", "description": "Helps with orders."}),
        ),
        (
            Agent(client=ScriptedClient([]), name="Desk", description="Helps with orders."),
            {"startScreen": {"greeting": "Hello", "description": "Ask."}, "frameTitle": "Help"},
            ("Help", {"greeting": "Hello", "description": "Ask."}),
        ),
        (
            Agent(client=ScriptedClient([]), name=" ", description="Helps."),
            {},
            (None, {"description": "Helps."}),
        ),
        (
            Agent(client=ScriptedClient([]), name="Desk"),
            {"header": {"title": {"text": "Orders"}}},
            ("Orders", {"greeting": "Desk"}),
        ),
        (_workflow(name="Triage"), {}, ("Triage", {"greeting": "Triage"})),
        (_workflow(), {}, (None, None)),
        (lambda thread, context: agent(), {}, (None, None)),
    ],
)
async def test_start_screen_shows_agents_name_and_description(
    answering: Any, page: dict[str, Any], expected: tuple[str | None, dict[str, str] | None]
) -> None:
    async with SQLStore[Any]("sqlite://") as store:
        browser = Browser(create_app(AgentChatKitServer(answering, store), page=page))
        async with browser.http:
            options = (await browser.http.get("/page.json")).json()
    assert (options.get("frameTitle"), options.get("startScreen")) == expected


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("path", ["/ui/none.js", "/ui/..%2Findex.html", "/ui/%2e%2e%2fsecret"])
async def test_no_other_file_is_served(path: str) -> None:
    async with chat(agent()) as browser:
        assert (await browser.http.get(path)).status_code == 404


async def test_missing_build_error_says_how_to_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_ui, "FILES", tmp_path / "none")
    async with chat(agent()) as browser:
        for path in ("/", "/chatkit.js", "/ui/app.js"):
            response = await browser.http.get(path)
            assert response.status_code == 404
            assert "make frontend" in response.json()["error"]


@pytest.mark.parametrize("name", ["x" * 300, "x" * 5_000, ".env", "a%00b", "a\\b", "%2e%2e"])
async def test_unknown_file_is_not_found(name: str) -> None:
    async with chat(agent()) as browser:
        assert (await browser.http.get(f"/ui/{name}")).status_code == 404
