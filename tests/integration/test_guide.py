"""The built guide."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from .processes import PATIENCE, ROOT

LOADED = re.compile(
    r"""<(?:script|img|iframe|source|video|audio|embed|image)\b[^>]*?\s(?:src|srcset|href)=["']?(?P<source>[^"'\s>]+)
    |<link\b(?![^>]*\brel=["']?(?:canonical|prev|next))[^>]*?\shref=["']?(?P<link>[^"'\s>]+)
    |url\(["']?(?P<url>[^"')]+)
    |@import\s+["'](?P<imported>[^"']+)""",
    re.VERBOSE,
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    mkdocs = Path(sys.executable).with_name("mkdocs")
    command = [str(mkdocs), "--quiet", "build", "--strict", "--site-dir", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=PATIENCE)
    return folder


def loads(text: str) -> list[str]:
    return [found[found.lastgroup or 0] for found in LOADED.finditer(text)]


def test_guide_loads_nothing_from_other_hosts(site: Path) -> None:
    pages = [path for path in site.rglob("*") if path.suffix in (".html", ".css", ".svg")]
    loaded = {(path.name, address) for path in pages for address in loads(path.read_text())}
    assert any(path.endswith(".css") for _, path in loaded)
    assert any(path.endswith(".js") for _, path in loaded)
    abroad = re.compile(r"(?!data:)([a-z]+:)?//|(?!data:)[a-z]+:")
    assert {(name, address) for name, address in loaded if abroad.match(address)} == set()


@pytest.mark.parametrize(
    "code",
    [
        '<script src="https://cdn.example/a.js">',
        "<link rel=stylesheet href=//fonts.example/css>",
        "a{background:url(https://cdn.example/a.png)}",
        '@import "https://cdn.example/a.css"',
    ],
)
def test_check_detects_loaded_resources(code: str) -> None:
    assert [address.partition("//")[1] for address in loads(code)] == ["//"]


def test_guide_has_search_and_navigation(site: Path) -> None:
    assert "stream_agent_response" in (site / "search/search_index.json").read_text()
    reference = (site / "reference/server.html").read_text()
    assert "max_request_size" in reference
