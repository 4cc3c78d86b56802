"""The published packages contain what they should, and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

from .processes import PATIENCE, ROOT

PACKAGE = "agent_framework_chatkit"
STRAYS = ("node_modules", ".venv", "__pycache__", "_cache", ".hypothesis", ".db", ".demo", ".git")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source distribution, and the wheel built from it without Node.js."""
    folder = tmp_path_factory.mktemp("dist")
    uv = Path(sys.executable).with_name("uv")
    where = {**os.environ, "PATH": str(uv.parent)}
    command = [str(uv), "build", "--quiet", "--out-dir", str(folder), "--python", sys.executable]
    subprocess.run(command, cwd=ROOT, check=True, timeout=PATIENCE, env=where)
    return folder


@pytest.fixture(scope="module")
def wheel(folder: Path) -> zipfile.ZipFile:
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> Message:
    (name,) = (name for name in wheel.namelist() if name.endswith("/METADATA"))
    return Parser().parsestr(wheel.read(name).decode())


def test_wheel_contains_package_and_web_ui(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    assert {
        f"{PACKAGE}/py.typed",
        f"{PACKAGE}/stores/sql/migrations/env.py",
        f"{PACKAGE}/stores/sql/migrations/script.py.mako",
        f"{PACKAGE}/frontend/index.html",
        f"{PACKAGE}/frontend/page.js",
    } <= names
    script = json.loads(wheel.read(f"{PACKAGE}/frontend/manifest.json"))["script"]
    assert f"{PACKAGE}/frontend/{script}" in names
    sources = {
        path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src" / PACKAGE).rglob("*.py")
    }
    assert sources <= names
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {PACKAGE}
    assert any(name.endswith("/licenses/LICENSE") for name in names)


def test_sdist_contains_whole_project(folder: Path) -> None:
    (path,) = folder.glob("*.tar.gz")
    with tarfile.open(path) as source:
        names = {name.partition("/")[2] for name in source.getnames()}
    assert {
        "pyproject.toml",
        "Makefile",
        "mkdocs.yml",
        "LICENSE",
        "README.md",
        "docs/index.md",
        "frontend/package-lock.json",
        "frontend/src/main.tsx",
        "samples/weather/agent.py",
        "tests/integration/test_distribution.py",
        f"src/{PACKAGE}/frontend/manifest.json",
    } <= names
    assert [name for name in names if any(stray in name for stray in STRAYS)] == [".gitignore"]


def test_package_metadata(metadata: Message) -> None:
    assert metadata["Name"] == "agent-framework-chatkit"
    assert metadata["Requires-Python"] == ">=3.10"
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert set(metadata.get_all("Provides-Extra", [])) == {
        "all",
        "files",
        "postgres",
        "server",
        "sql",
    }
    core = [each for each in metadata.get_all("Requires-Dist", []) if "extra ==" not in each]
    assert sorted(each.partition("<")[0] for each in core) == [
        "agent-framework-core",
        "openai-chatkit",
    ]


def test_upgrade_keeps_this_package(folder: Path, wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    other = tmp_path / "agent_framework_chatkit-99.0.0-py3-none-any.whl"
    with zipfile.ZipFile(other, "w") as archive:
        info = "agent_framework_chatkit-99.0.0.dist-info"
        named = "Metadata-Version: 2.1\nName: agent-framework-chatkit\nVersion: 99.0.0\n"
        archive.writestr(f"{info}/METADATA", named)
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True, timeout=PATIENCE)

    def pip(*arguments: str) -> str:
        command = [str(venv / "bin/pip"), "install", "--no-index", "--no-deps", *arguments]
        done = subprocess.run(
            command, check=True, timeout=PATIENCE, capture_output=True, text=True, cwd=tmp_path
        )
        return done.stdout

    assert "Successfully installed" in pip(str(wheel.filename))
    assert "already satisfied" in pip("-U", f"--find-links={tmp_path}", "agent-framework-chatkit")
