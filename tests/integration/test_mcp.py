"""A tool of a real MCP server that asks for approval."""

from __future__ import annotations

import sys
from pathlib import Path

from agent_framework import MCPStdioTool

from ..fakes.scripted_agent import agent, call, text
from ..unit.answering import asked, cards, click
from ..unit.chat_client import chat

SERVER = """
from mcp.server.mcpserver import MCPServer

server = MCPServer("notes")

@server.tool()
def write_note(note: str) -> str:
    "Write a note."
    with open("notes", "a") as notes:
        notes.write(note)
    return f"wrote {note}"

server.run()
"""


async def test_mcp_tool_runs_after_approval(tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text(SERVER)
    notes = MCPStdioTool(
        "notes",
        sys.executable,
        args=["server.py"],
        cwd=str(tmp_path),
        approval_mode="always_require",
    )
    async with notes:
        answering = agent([call("write_note", note="milk")], [text("Done.")], tools=[notes])
        async with chat(answering) as browser:
            await browser.ask("Note milk")
            (card,) = await cards(browser)
            assert (
                card["copy_text"]
                == "Approval needed: Write note (write_note)\n> Write a note.\nnote: milk"
            )
            assert not (tmp_path / "notes").exists()
            await click(browser, card)
            assert (tmp_path / "notes").read_text() == "milk"
            assert (await browser.transcript())[-1] == ("assistant_message", "Done.")
    assert "wrote milk" in asked(answering)[-1][1]
