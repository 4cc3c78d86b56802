from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from typer.testing import CliRunner

from agent_framework_chatkit.cli import address, serving
from agent_framework_chatkit.cli import commands as cli
from agent_framework_chatkit.stores import AttachmentStore, SQLStore

from ..chat_client import Browser
from ..stores.files import let_age

RUNNER = CliRunner()
AGENT = """
from tests.fakes.scripted_agent import agent, text

helper = agent([text("Hi")])
other = agent([text("Other")])
"""
TOOL = """
from agent_framework import tool

@tool
def look_up(word: str) -> str:
    return word
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a temporary folder with an agent, and forget its modules afterwards."""
    (tmp_path / "my_agent.py").write_text(AGENT)
    (tmp_path / "my_tool.py").write_text(TOOL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(uvicorn, "run", lambda *args, **kwargs: None)
    names = ("AGENT", "STORE", "HOST", "PORT", "ALLOWED_HOSTS")
    for name in (f"CHATKIT_{name}" for name in names):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def run(*arguments: str) -> tuple[int, str]:
    result = RUNNER.invoke(cli.app, arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, " ".join(result.output.replace("│", " ").split())


async def test_several_agents_are_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uvicorn, "run", lambda *args, **kwargs: None)
    names = ("my_agent:helper", "my_agent:other")
    code, output = await asyncio.to_thread(
        run, "serve", *names, "--port", "0", "--store", "sqlite:///my.db"
    )
    assert (code, output) == (0, f"Serving {', '.join(names)} at http://127.0.0.1:0")
    app = serving.make_app()
    async with app.router.lifespan_context(app):
        browser = Browser(app)
        await browser.ask("Hello", inference_options={"model": "my_agent:other"})
        assert ("assistant_message", "Other") in await browser.transcript()
        await browser.http.aclose()


def test_agents_must_be_distinct_and_exist() -> None:
    code, output = run("serve", "my_agent:helper", "my_agent:helper")
    assert (code, "Name 'my_agent:helper' only once." in output) == (2, True)
    code, output = run("serve", "my_agent:helper", "my_agent:nobody")
    assert (code, "has no 'nobody'" in output) == (2, True)


async def test_agent_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[Any] = []
    monkeypatch.setattr(uvicorn, "run", lambda *args, **kwargs: served.append((args, kwargs)))
    code, output = await asyncio.to_thread(
        run, "serve", "my_agent:helper", "--port", "0", "--store", "sqlite:///my.db"
    )
    assert (code, output) == (0, "Serving my_agent:helper at http://127.0.0.1:0")
    ((args, kwargs),) = served
    assert args == ("agent_framework_chatkit.cli.serving:make_app",)
    assert kwargs["factory"] is True
    app = serving.make_app()
    async with app.router.lifespan_context(app):
        browser = Browser(app)
        await browser.ask("Hello")
        assert ("assistant_message", "Hi") in await browser.transcript()
        await browser.http.aclose()
    assert "my.db" in os.listdir()


@pytest.mark.parametrize(
    ("arguments", "allowed", "refused"),
    [
        (
            (),
            ["localhost:8001", "127.0.0.1", "[::1]:8001", "a.localhost", "chat.example.com"],
            ["evil.test:8001", "evil.test:9000", "127.0.0.2:8001", "localhost.evil.test:8001"],
        ),
        # Browsers omit the default port, so listening on it does not imply a proxy.
        (("--port", "80"), ["localhost"], ["evil.test", "evil.test:80"]),
        (("--host", "127.0.0.2"), ["127.0.0.2:8001"], ["evil.test:8001"]),
        (("--host", "::1"), ["[::1]:8001"], ["evil.test:8001"]),
        (("--host", "127.1"), ["127.0.0.1:8001"], ["evil.test:8001"]),
        (("--host", "Localhost."), ["localhost:8001"], ["evil.test:8001"]),
        (
            ("--allowed-hosts", "chat.example.com,*.example.org"),
            ["chat.example.com:8001", "a.example.org"],
            ["localhost:8001", "evil.test", "evil.test:8001"],
        ),
        (("--host", "10.0.0.7"), ["any.test", "any.test:8001"], []),
    ],
    ids=str,
)
async def test_serve_allows_names_of_its_address(
    arguments: tuple[str, ...],
    allowed: list[str],
    refused: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(uvicorn, "run", lambda *args, **kwargs: None)
    monkeypatch.setattr(address, "check_address", lambda *args: None)
    code, output = await asyncio.to_thread(
        run, "serve", "my_agent:helper", "--port", "8001", *arguments
    )
    assert code == 0
    assert ("Every host name is allowed" in output) == (not refused)
    app = serving.make_app()
    async with app.router.lifespan_context(app):
        for host in [*allowed, *refused]:
            browser = Browser(app, headers={"host": host})
            response = await browser.post("threads.list")
            assert response.status_code == (403 if host in refused else 200), host
            if host in refused:
                assert "--allowed-hosts" in response.json()["error"]
            await browser.http.aclose()


def test_invalid_host_name_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[Any] = []
    monkeypatch.setattr(uvicorn, "run", lambda *args, **kwargs: served.append(kwargs))
    code, output = run("serve", "my_agent:helper", "--port", "0", "--allowed-hosts", "https://a.b")
    assert code == 2
    assert "Not a host name" in output
    code, output = run("serve", "my_agent:helper", "--port", "0", "--root-path", "chat")
    assert code == 2
    assert "Start the root path with a slash: /chat" in output
    assert run("serve", "my_agent:helper", "--port", "0", "--root-path", "/chat/")[0] == 0
    assert served[0]["root_path"] == "/chat"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("my_agent", "module:name"),
        ("no_such_module:helper", "no module 'no_such_module'"),
        ("my_agent.py:helper", "Did you mean my_agent:helper?"),
        ("my_agnt:helper", "Did you mean my_agent:helper?"),
        ("folder/my_agent.py:helper", "Did you mean folder.my_agent:helper?"),
        ("my_agent:nobody", "has no 'nobody'."),
        ("my_agent:helpr", "has no 'helpr'. Did you mean my_agent:helper?"),
        ("my_tool:look_up", "my_tool:look_up: Expected an agent, not a FunctionTool."),
    ],
)
def test_missing_agent_gives_one_line_error(name: str, problem: str) -> None:
    code, output = run("serve", name)
    assert code == 2
    assert problem in output
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("import nothing_like_it", "broken.py, line 1: ModuleNotFoundError: No module named"),
        ("\nraise KeyError('a_key')", "broken.py, line 2: KeyError: 'a_key'"),
        ("import json; json.loads('{')", "broken.py, line 1: JSONDecodeError: Expecting"),
        ("def helper(:", "The module 'broken': SyntaxError: "),
    ],
)
def test_import_error_says_why_and_where(tmp_path: Path, code: str, problem: str) -> None:
    (tmp_path / "broken.py").write_text(code)
    exit_code, output = run("serve", "broken:helper")
    assert exit_code == 2
    assert problem in output


@pytest.mark.parametrize("client", ["OpenAIChatClient", "OpenAIChatCompletionClient"])
@pytest.mark.parametrize(
    ("arguments", "variable", "advice"),
    [
        ("", "OPENAI_API_KEY", "For your own model, any key works"),
        ("api_key='key'", "OPENAI_MODEL", "to the name of the model"),
    ],
)
def test_missing_setting_is_named(
    client: str,
    arguments: str,
    variable: str,
    advice: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in [name for name in os.environ if name.startswith(("OPENAI_", "AZURE_"))]:
        monkeypatch.delenv(name)
    code = f"from agent_framework.openai import {client}\n{client}({arguments})"
    (tmp_path / "broken.py").write_text(code)
    exit_code, output = run("serve", "broken:helper")
    assert exit_code == 2
    assert "broken.py, line 2: " in output
    assert f"Set the environment variable {variable} before you start af-chatkit" in output
    assert advice in output


def test_variable_read_by_module_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WEATHER_REGION", raising=False)
    (tmp_path / "broken.py").write_text("import os; os.environ['WEATHER_REGION']")
    _, output = run("serve", "broken:helper")
    assert "Set the environment variable WEATHER_REGION before you start af-chatkit" in output


@pytest.mark.parametrize("error", ["KeyError('A_KEY')", "ValueError('A_KEY is bad')"])
def test_unrelated_error_names_no_setting(error: str, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(f"raise {error}")
    _, output = run("serve", "broken:helper")
    assert "A_KEY" in output
    assert "environment variable" not in output


def test_setting_without_variable_is_passed_on(tmp_path: Path) -> None:
    code = "from agent_framework.exceptions import SettingNotFoundError as E; raise E('No luck')"
    (tmp_path / "broken.py").write_text(code)
    _, output = run("serve", "broken:helper")
    assert "No luck" in output
    assert "environment variable" not in output


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (
            ["serve", "my_agent:helper", "--store", "mysql://host/chat"],
            "mysql:// databases are not supported",
        ),
        (
            ["serve", "my_agent:helper", "--attachments", "ftp://host/files"],
            "Cannot store attachments",
        ),
        (["serve", "my_agent:helper", "--store", "sqlite:///no/such/chat.db"], "Create its folder"),
        (["serve", "my_agent:helper", "--attachments", "/proc/files"], "/proc/files"),
        (["serve", "my_agent:helper", "--workers", "0"], "'--workers'"),
        (["serve", "my_agent:helper", "--port", "70000"], "'--port'"),
        (["migrate", "--store", "chat.db"], "Not a database URL"),
        (["migrate", "--store", "sqlite:///no/such/folder/chat.db"], "unable to open"),
        (["migrate", "--store", "postgresql://nobody@127.0.0.1:1/chat"], "refused"),
        (["purge", "30", "--store", "sqlite:///no/such/chat.db"], "no database at no/such/chat.db"),
        (["audit", "--store", "sqlite:///other.db"], "There is no database at other.db"),
        (["migrate", "--store", "sqlite://chat.db"], "three slashes: sqlite:///chat.db"),
        (["migrate", "--store", "sqlite:///my_agent.py"], "file is not a database"),
        (["serve", "my_agent:helper", "--host", "no.invalid"], "Choose another --host."),
        (["serve", "my_agent:helper", "--host", "192.0.2.1"], "Choose another --host."),
    ],
)
def test_unusable_store_gives_one_line_error(options: list[str], problem: str) -> None:
    code, output = run(*options)
    assert code == 2
    assert problem in output


def test_newer_database_gives_one_line_error() -> None:
    assert run("migrate")[0] == 0
    with closing(sqlite3.connect("chat.db")) as database:
        database.execute("UPDATE chatkit_version SET version_num = 'v99'")
        database.commit()
    for command in (["serve", "my_agent:helper"], ["migrate"], ["audit"]):
        code, output = run(*command)
        assert code == 2
        assert "newer version (v99). Upgrade agent-framework-chatkit." in output


@pytest.mark.parametrize(
    ("value", "problem"),
    [("soon", "CHATKIT_LEASE: Input should be a valid number"), ("0", "greater")],
)
def test_invalid_setting_is_named(
    value: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHATKIT_LEASE", value)
    code, output = run("serve", "my_agent:helper")
    assert code == 2
    assert problem in output
    assert "pydantic" not in output


def test_commands_for_old_data_create_no_database() -> None:
    assert run("audit")[0] == 2
    assert run("purge", "30")[0] == 2
    assert not Path("chat.db").exists()


def test_unusable_folder_gives_its_cause(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files/incoming").write_text("A file where a folder should be.")
    code, output = run("serve", "my_agent:helper", "--attachments", "files")
    assert code == 2
    assert "Not a directory" in output
    assert "Debug" not in output


def test_help_and_typos_do_not_import_framework() -> None:
    code = """
import sys
from agent_framework_chatkit.cli.commands import app
try:
    app(sys.argv[1:])
finally:
    assert not {"agent_framework", "chatkit", "sqlalchemy", "starlette"} & set(sys.modules)
"""
    for arguments in (["--help"], ["serve", "--help"], ["serv"], ["serve", "--no-such-option"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
        )
        assert "AssertionError" not in done.stderr
        assert "Usage" in done.stdout + done.stderr


@pytest.mark.parametrize(
    "arguments", [["migrate"], ["purge", "9"], ["purge", "9", "--attachments", "files"], ["audit"]]
)
def test_maintenance_does_not_import_server(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    assert run("migrate")[0] == 0
    code = """
import sys
from agent_framework_chatkit.cli.commands import app
app(sys.argv[1:], standalone_mode=False)
assert not {"agents", "starlette", "agent_framework_chatkit.server"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code, *arguments], cwd=tmp_path, check=True)


def test_taken_port_gives_one_line_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, output = run("serve", "my_agent:helper", "--port", str(port))
    assert code == 2
    assert f"Cannot listen on 127.0.0.1:{port}" in output


def test_environment_names_the_store() -> None:
    result = RUNNER.invoke(cli.app, ["migrate"], env={"CHATKIT_STORE": "sqlite:///other.db"})
    assert result.exit_code == 0, result.output
    assert Path("other.db").exists()


def test_old_threads_are_deleted() -> None:
    assert run("migrate")[1] == "The database is up to date."
    assert run("purge", "30") == (0, "Deleted 0 threads and 0 attachments.")
    assert run("purge", "0")[0] == 2
    assert Path("chat.db").exists()


def test_files_of_deleted_threads_are_deleted(tmp_path: Path) -> None:
    async def old_upload() -> None:
        async with SQLStore[Any]("sqlite:///chat.db") as store:
            files = AttachmentStore[Any]("files", metadata=store, secret="s")
            await files.upload("a.csv", "text/csv", one_chunk(), {"user_id": "ann"}, 1)

    async def one_chunk() -> AsyncIterator[bytes]:
        yield b"1"

    asyncio.run(old_upload())
    stored = let_age(tmp_path / "files")
    assert run("purge", "30", "--attachments", "files")[0] == 0
    assert stored
    assert not any(file.exists() for file in stored)
