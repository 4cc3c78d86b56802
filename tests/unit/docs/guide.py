"""The code in the guide's pages, to be run by tests."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
_BLOCK = re.compile(r"^```python\b[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks_of(page: str | Path) -> list[str]:
    """Return the Python code of a page, block by block."""
    return _BLOCK.findall((ROOT / page).read_text())


def run(block: str) -> dict[str, Any]:
    """Run a block, and return what it defines."""
    names: dict[str, Any] = {}
    exec(compile(block, "documentation", "exec", dont_inherit=True), names)  # noqa: S102 our own
    return names


def defined_in(page: str, name: str) -> Any:
    """Return what a block of a page defines under a name."""
    (block,) = (
        block
        for block in blocks_of(page)
        if re.search(rf"^(class|(async )?def) {name}\b", block, re.M)
    )
    return run(block)[name]
