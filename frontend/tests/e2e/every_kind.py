"""Threads that show every kind of item, finished and while it is written."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Any
from zlib import compress, crc32

from chatkit.types import (
    Annotation,
    AssistantMessageContent,
    AssistantMessageItem,
    ClientToolCallItem,
    CustomSummary,
    CustomTask,
    DurationSummary,
    EndOfTurnItem,
    ErrorEvent,
    FileSource,
    FileTask,
    GeneratedImage,
    GeneratedImageItem,
    GeneratedImageUpdated,
    HiddenContextItem,
    ImageTask,
    NoticeEvent,
    ProgressUpdateEvent,
    SDKHiddenContextItem,
    SearchTask,
    StructuredInput,
    StructuredInputAnswer,
    StructuredInputFreeform,
    StructuredInputItem,
    StructuredInputMultipleChoice,
    StructuredInputMultipleChoiceOption,
    Task,
    TaskItem,
    ThoughtTask,
    ThreadItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemUpdatedEvent,
    ThreadMetadata,
    ThreadStreamEvent,
    URLSource,
    WidgetItem,
    Workflow,
    WorkflowItem,
)
from chatkit.widgets import Card, Text

FAILED: Any = "lucide:circle-x"


def picture(width: int = 320, height: int = 200) -> str:
    """Return a PNG of a sunset, as a data URL."""
    rows = b"".join(
        b"\0" + bytes((255 - y // 2, 140 - y // 4, 60 + y // 2)) * width for y in range(height)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        size, checksum = len(data).to_bytes(4, "big"), crc32(kind + data).to_bytes(4, "big")
        return size + kind + data + checksum

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes((8, 2, 0, 0, 0))
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", compress(rows)), chunk(b"IEND", b"")]
    return "data:image/png;base64," + b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(parts)).decode()


def sources(count: int) -> list[URLSource]:
    return [
        URLSource(title=f"Weather report {number}", url=f"https://met.test/{number}")
        for number in range(count)
    ]


def reasoning(**properties: Any) -> Workflow:
    thoughts = ["The person asks for rain.", "**Two** sources agree, so I can answer."]
    return Workflow(
        type="reasoning", tasks=[ThoughtTask(content=each) for each in thoughts], **properties
    )


def questions(*, is_answered: bool) -> list[StructuredInput]:
    options = [StructuredInputMultipleChoiceOption(value=each) for each in ("Train", "Boat", "Bus")]
    answers: list[Any] = [
        StructuredInputAnswer(values=["Train", "On foot"]),
        StructuredInputAnswer(skipped=True),
        StructuredInputAnswer(values=["Two adults,\none child"]),
    ]
    given = answers if is_answered else [None] * 3
    return [
        StructuredInputMultipleChoice(
            id="how", question="How do you travel?", options=options, multiple=True, answer=given[0]
        ),
        StructuredInputMultipleChoice(
            id="when", question="When?", options=options[:2], answer=given[1]
        ),
        StructuredInputFreeform(
            id="who", question="Who comes along?", description="Names or a number", answer=given[2]
        ),
    ]


class Kinds:
    """Makes items of a thread."""

    def __init__(self, thread: ThreadMetadata, prefix: str) -> None:
        self._thread = thread
        self._prefix = prefix
        self._count = 0

    def make(self, kind: Any, **fields: Any) -> Any:
        self._count += 1
        name = f"{self._prefix}_{self._count}"
        return kind(id=name, thread_id=self._thread.id, created_at=datetime.now(), **fields)

    def finished(self) -> Iterator[ThreadItem]:
        make = self.make
        yield make(WorkflowItem, workflow=reasoning(summary=DurationSummary(duration=75)))
        yield make(
            WorkflowItem,
            workflow=Workflow(
                type="custom",
                expanded=True,
                summary=CustomSummary(title="Looked into the weather", icon="compass"),
                tasks=[
                    SearchTask(
                        title="Searched the web",
                        title_query="rain in Oslo",
                        queries=["rain in Oslo", "weather Oslo June"],
                        sources=sources(8),
                        status_indicator="complete",
                    ),
                    FileTask(
                        title="Read files",
                        sources=[FileSource(title="Port log", filename="port-log.pdf")],
                        status_indicator="complete",
                    ),
                    ImageTask(title="Screenshot", status_indicator="complete"),
                    CustomTask(
                        title="Run code",
                        icon="square-code",
                        content="```python\nprint(12 + 14)\n```",
                        status_indicator="complete",
                    ),
                    CustomTask(title="Find my way", icon="lucide:map-pinned"),
                    CustomTask(title="Get forecast", status_indicator="complete"),
                    CustomTask(title="Ask the harbor", icon=FAILED, content="Failed"),
                ],
            ),
        )
        yield make(TaskItem, task=CustomTask(title="Saved the report", icon="check-circle"))
        text = "It rains in **Oslo** on most days. Take a coat."
        cited = Annotation(source=sources(1)[0], index=34)
        yield make(
            AssistantMessageItem, content=[AssistantMessageContent(text=text, annotations=[cited])]
        )
        yield make(GeneratedImageItem, image=GeneratedImage(id="i", url=picture()))
        yield make(
            ClientToolCallItem, status="completed", call_id="c", name="get_location", arguments={}
        )
        yield make(HiddenContextItem, content="A secret")
        yield make(SDKHiddenContextItem, content="A secret")
        answered = questions(is_answered=True)
        yield make(StructuredInputItem, status="answered", inputs=answered)
        yield make(WidgetItem, widget=Card(children=[Text(value="A card")]), copy_text="A card")
        yield make(AssistantMessageItem, content=[AssistantMessageContent(text="That is all.")])
        yield make(EndOfTurnItem)

    async def everything(self) -> AsyncIterator[ThreadStreamEvent]:
        for item in self.finished():
            yield ThreadItemDoneEvent(item=item)
        yield NoticeEvent(level="info", message="The forecast is [an hour old](https://met.test).")
        yield NoticeEvent(level="warning", title="Almost full", message="Two chats are left.")
        yield NoticeEvent(level="danger", title="No more", message="The harbor is closed.")
        yield ErrorEvent(message="The model is busy at the moment.", allow_retry=True)

    async def unfinished(self) -> AsyncIterator[ThreadStreamEvent]:
        make = self.make
        tasks: list[Task] = [
            CustomTask(title="Get forecast", status_indicator="complete"),
            SearchTask(title="Search the web", queries=["rain"], status_indicator="loading"),
            CustomTask(title="Ask the harbor", status_indicator="loading"),
        ]
        thinking = reasoning().model_copy(update={"tasks": reasoning().tasks[:1]})
        yield ThreadItemAddedEvent(item=make(WorkflowItem, workflow=thinking))
        working = Workflow(type="custom", tasks=tasks)
        yield ThreadItemAddedEvent(item=make(WorkflowItem, workflow=working))
        call = make(ClientToolCallItem, call_id="c", name="get_location", arguments={})
        yield ThreadItemAddedEvent(item=call)
        yield ThreadItemAddedEvent(item=make(GeneratedImageItem))
        image = make(GeneratedImageItem)
        yield ThreadItemAddedEvent(item=image)
        update = GeneratedImageUpdated(image=GeneratedImage(id="i", url=picture()), progress=0.4)
        yield ThreadItemUpdatedEvent(item_id=image.id, update=update)
        yield ProgressUpdateEvent(text="Asking the harbor", icon="compass")
        await asyncio.sleep(60)

    async def asking(self) -> AsyncIterator[ThreadStreamEvent]:
        inputs = questions(is_answered=False)
        yield ThreadItemDoneEvent(item=self.make(StructuredInputItem, inputs=inputs))

    async def long(self) -> AsyncIterator[ThreadStreamEvent]:
        """Give more than what is loaded at once, in messages of many heights."""
        for number in range(160):
            text = f"Message {number}. " + "It rains in Oslo. " * (number * 7 % 60)
            content = [AssistantMessageContent(text=text)]
            yield ThreadItemDoneEvent(item=self.make(AssistantMessageItem, content=content))
