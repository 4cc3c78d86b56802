"""Reads lists of events as lines of JSON, and prints the items that Python applies them to."""

import json
import sys
import warnings
from collections.abc import Iterable
from typing import Any

warnings.simplefilter("ignore")

from chatkit.types import ThreadItem, ThreadStreamEvent  # noqa: E402
from pydantic import TypeAdapter  # noqa: E402

from agent_framework_chatkit.bridge.item_updates import apply_update  # noqa: E402

EVENT: TypeAdapter[ThreadStreamEvent] = TypeAdapter(ThreadStreamEvent)
ITEM: TypeAdapter[ThreadItem] = TypeAdapter(ThreadItem)


def example_of(events: Iterable[ThreadStreamEvent]) -> dict[str, Any]:
    """Return events as they are sent, and the resulting items."""
    items: dict[str, Any] = {}
    sent: list[Any] = []
    for event in events:
        sent.append(EVENT.dump_python(event, mode="json", exclude_none=True))
        if event.type in ("thread.item.added", "thread.item.done", "thread.item.replaced"):
            items[event.item.id] = event.item.model_copy(deep=True)
        elif event.type == "thread.item.updated" and event.item_id in items:
            apply_update(items[event.item_id], event.update)
        elif event.type == "thread.item.removed":
            items.pop(event.item_id, None)
    made = [ITEM.dump_python(item, mode="json", exclude_none=True) for item in items.values()]
    return {"events": sent, "items": made}


if __name__ == "__main__":
    for line in sys.stdin:
        events = [EVENT.validate_python(event) for event in json.loads(line)]
        print(json.dumps(example_of(events)))
