"""The code in the guide's pages, for tests to run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
_BLOCK = re.compile(r"^```python\b[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks_of(page: str | Path) -> list[str]:
    """Return the blocks of Python code in a page."""
    return _BLOCK.findall((ROOT / page).read_text())


def run(block: str) -> dict[str, Any]:
    """Run a block, and return the names that it defines."""
    names: dict[str, Any] = {}
    exec(compile(block, "documentation", "exec", dont_inherit=True), names)  # noqa: S102 our own
    return names


def defined_in(page: str, name: str) -> Any:
    """Return the function or class of this name in a page's code."""
    (block,) = (
        block
        for block in blocks_of(page)
        if re.search(rf"^(class|(async )?def) {name}\b", block, re.M)
    )
    return run(block)[name]
