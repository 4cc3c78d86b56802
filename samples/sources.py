"""Answers from documents, with inline citations: `python -m samples.sources`.

The documents are this project's guide. The sample searches them with SQLite's full-text index; you
can use any other index. The instructions tell the model to cite its sources as [1], and a
middleware converts these marks to citations, so this works with every model.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from agent_framework import (
    Agent,
    AgentMiddleware,
    AgentResponseUpdate,
    Content,
    FunctionInvocationContext,
    tool,
)
from agent_framework import (
    AgentContext as AgentRun,
)
from chatkit.types import FileSource, FileTask
from starlette.applications import Starlette

from agent_framework_chatkit import AgentChatKitServer, RequestContext, ThreadContext, create_app
from agent_framework_chatkit.stores import SQLStore
from samples.models import ChatModel, load_model
from samples.scripted import ScriptedClient, Turn, call
from samples.serving import serve

DOCUMENTS = Path(__file__).parents[1] / "docs"
MARK = re.compile(r" ?\[(\d+)\]")
OPEN_MARK = re.compile(r" ?(?:\[\d*)?$")
"""The start of a possible mark, which the next words may complete."""


class Library:
    """Passages of documents in a full-text index."""

    def __init__(self, folder: Path) -> None:
        self._index = sqlite3.connect(":memory:", check_same_thread=False)
        self._index.execute("CREATE VIRTUAL TABLE passages USING fts5(file, title, text)")
        for path in sorted(folder.glob("*.md")):
            page = path.read_text()
            for section in re.split(r"^(?=#)", page, flags=re.MULTILINE):
                title, _, text = section.partition("\n")
                row = (path.name, title.strip("# "), text.strip())
                self._index.execute("INSERT INTO passages VALUES (?, ?, ?)", row)

    def search(self, query: str, limit: int = 3) -> list[tuple[str, str, str]]:
        """Return the best matches, each as file, title and text."""
        words = " OR ".join(re.findall(r"\w{3,}", query)) or '""'
        return self._index.execute(
            "SELECT file, title, text FROM passages WHERE passages MATCH ? ORDER BY rank LIMIT ?",
            (words, limit),
        ).fetchall()


def guide_agent(model: ChatModel, library: Library) -> Agent[Any]:
    """Return an agent that answers from the library."""

    @tool
    async def search_guide(query: str, ctx: FunctionInvocationContext) -> str:
        """Find passages of the guide. Each is numbered; name them as [1] where you use them."""
        found = library.search(query)
        sources = [FileSource(title=f"{title} ({file})", filename=file) for file, title, _ in found]
        chat = ThreadContext.of(ctx)
        await chat.add_workflow_task(
            FileTask(
                title=f"Search the guide: {query}",
                sources=sources,
                status_indicator="complete",
            )
        )
        return "\n\n".join(
            f"[{number}] {title} ({file})\n{text[:1500]}"
            for number, (file, title, text) in enumerate(found, 1)
        )

    return Agent(
        client=model.client,
        instructions="Answer from the guide alone. Search it first; cite passages as [1].",
        tools=[search_guide],
        middleware=[Citations()],
    )


class Citations(AgentMiddleware):
    """Converts marks such as [1] to citations while the model streams."""

    async def process(self, context: AgentRun, call_next: Callable[[], Awaitable[None]]) -> None:
        """Convert the marks of one run."""
        titles: dict[str, str] = {}
        waiting, length = "", 0

        def cite(update: AgentResponseUpdate) -> AgentResponseUpdate:
            nonlocal waiting, length
            for content in update.contents:
                if content.type == "function_result":
                    passages = re.findall(r"^\[(\d+)\] (.+)$", str(content.result), re.MULTILINE)
                    titles.update(passages)
                    waiting, length = "", 0
            texts = [content for content in update.contents if content.type == "text"]
            if not texts:
                return update
            text = waiting + "".join(content.text or "" for content in texts)
            waiting = OPEN_MARK.search(text)[0]  # type: ignore[index] # it may be empty
            text = text.removesuffix(waiting)
            annotations: list[Any] = []
            plain = ""
            start = 0
            for mark in MARK.finditer(text):
                plain += text[start : mark.start()]
                start = mark.end()
                if title := titles.get(mark[1]):
                    region = {
                        "type": "text_span",
                        "start_index": length,
                        "end_index": length + len(plain),
                    }
                    file = title.rpartition("(")[2].rstrip(")")
                    annotations.append(
                        {
                            "type": "citation",
                            "title": title,
                            "file_id": file,
                            "annotated_regions": [region],
                        }
                    )
            plain += text[start:]
            length += len(plain)
            others = [content for content in update.contents if content.type != "text"]
            update.contents = [*others, Content.from_text(plain, annotations=annotations)]
            return update

        context.stream_transform_hooks.append(cite)
        await call_next()


def guide_app(agent: Agent[Any], database: str = "sqlite:///sources.db") -> Starlette:
    """Return the app."""
    page = {
        "header": {"title": {"text": "The guide"}},
        "startScreen": {
            "greeting": "What would you like to know?",
            "prompts": [
                {"label": "Approvals", "prompt": "How do I have a tool approved?"},
                {"label": "Many machines", "prompt": "How do I run it on many machines?"},
            ],
        },
    }
    return create_app(AgentChatKitServer(agent, SQLStore[RequestContext](database)), page=page)


def answer(turn: Turn) -> Iterator[Content]:
    """Answer without a model: quote the first line of each passage."""
    found = turn.result("search_guide")
    if found is None:
        yield call("search_guide", query=turn.text)
        return
    passages = re.findall(r"^\[(\d+)\] .+\n(.+)$", found, re.MULTILINE)
    yield Content.from_text("(A script answers. It can only quote the guide.)\n\n")
    yield Content.from_text("\n\n".join(f"> {text} [{number}]" for number, text in passages))


def main() -> None:
    model = load_model(lambda: ChatModel("A script", ScriptedClient(answer), is_script=True))
    serve(guide_app(guide_agent(model, Library(DOCUMENTS))))


if __name__ == "__main__":
    main()
