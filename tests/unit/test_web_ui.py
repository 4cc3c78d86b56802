from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent_framework_chatkit import web_ui

from .scripted_agent import agent
from .test_server import chat


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A web UI as it is built."""
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
async def test_the_ui_is_served(path: str, text: str, kind: str, cached: str) -> None:
    async with chat(agent()) as browser:
        response = await browser.http.get(path)
    assert (response.status_code, response.text) == (200, text)
    assert kind in response.headers["content-type"]
    assert cached in response.headers["cache-control"]
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.usefixtures("files")
async def test_the_page_may_load_nothing_from_elsewhere() -> None:
    async with chat(agent()) as browser:
        policy = (await browser.http.get("/")).headers["content-security-policy"]
    rules: dict[str, Any] = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert {rules[name] for name in ("script-src", "style-src", "connect-src")} == {"'self'"}


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("path", ["/ui/none.js", "/ui/..%2Findex.html", "/ui/%2e%2e%2fsecret"])
async def test_no_other_file_is_served(path: str) -> None:
    async with chat(agent()) as browser:
        assert (await browser.http.get(path)).status_code == 404


async def test_a_ui_that_is_not_built_says_how(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_ui, "FILES", tmp_path / "none")
    async with chat(agent()) as browser:
        for path in ("/", "/chatkit.js", "/ui/app.js"):
            response = await browser.http.get(path)
            assert response.status_code == 404
            assert "make frontend" in response.json()["error"]
