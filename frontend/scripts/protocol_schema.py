"""Prints the JSON schema of the requests and responses of ChatKit, for `src/protocol/types.ts`."""

import json
import sys
import warnings
from typing import Any

warnings.simplefilter("ignore")

from chatkit.types import (  # noqa: E402
    Attachment,
    ChatKitReq,
    Page,
    StructuredInputSubmission,
    SyncCustomActionResponse,
    Thread,
    ThreadItem,
    ThreadMetadata,
    ThreadStreamEvent,
    TranscriptionResult,
)
from pydantic import TypeAdapter  # noqa: E402

ROOTS: dict[str, Any] = {
    "ChatKitReq": ChatKitReq,
    "ThreadStreamEvent": ThreadStreamEvent,
    "Thread": Thread,
    "ThreadMetadata": ThreadMetadata,
    "ThreadItem": ThreadItem,
    "ThreadPage": Page[ThreadMetadata],
    "ItemPage": Page[ThreadItem],
    "Attachment": Attachment,
    "StructuredInputSubmission": StructuredInputSubmission,
    "SyncCustomActionResponse": SyncCustomActionResponse,
    "TranscriptionResult": TranscriptionResult,
}
WIDGET = {
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "id": {"type": "string"},
        "key": {"type": "string"},
    },
    "required": ["type"],
    "additionalProperties": True,
}


def tidy(value: Any) -> Any:
    """Simplify a schema for TypeScript."""
    if isinstance(value, list):
        return [tidy(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "default" in value and value.keys() <= {"default", "title", "description"}:
        # Without a type, a default would turn "any" into an object.
        return {}
    if isinstance(value.get("properties"), dict):
        properties = {name: tidy(each) for name, each in value["properties"].items()}
        for name in ("widget", "component"):
            if name in properties:
                properties[name] = {"$ref": "#/$defs/Widget"}
        # The server omits empty values, and accepts missing ones as empty. Discriminators are
        # always present.
        required = list(value.get("required", []))
        required += [name for name in ("type",) if name in properties and name not in required]
        return {
            **{key: each for key, each in value.items() if key not in ("title", "description")},
            "properties": properties,
            "required": required,
            "additionalProperties": value.get("additionalProperties", False) is True,
        }
    return {key: tidy(each) for key, each in value.items() if key not in ("title", "description")}


definitions: dict[str, Any] = {"Widget": WIDGET}
for name, root in ROOTS.items():
    schema = TypeAdapter(root).json_schema(mode="serialization")
    definitions |= schema.pop("$defs", {})
    definitions[name] = schema


def used(value: Any, found: set[str]) -> set[str]:
    """Collect the definitions that a schema needs."""
    if isinstance(value, dict):
        reference = value.get("$ref", "")
        if isinstance(reference, str) and reference.startswith("#/$defs/"):
            name = reference.removeprefix("#/$defs/")
            if name not in found:
                found.add(name)
                used(definitions[name], found)
        for each in value.values():
            used(each, found)
    elif isinstance(value, list):
        for each in value:
            used(each, found)
    return found


# Pydantic's names of generic types contain all their parameters.
definitions["Action"] = definitions.pop("Action_str_Any_")
long_names = {name: "ItemPage" for name in definitions if name.startswith("Page_")}
text = json.dumps(definitions)
for name, short_name in (long_names | {"Action_str_Any_": "Action"}).items():
    text = text.replace(f"#/$defs/{name}", f"#/$defs/{short_name}")
definitions = json.loads(text)
definitions = {name: tidy(each) for name, each in definitions.items()}
definitions["Widget"] = WIDGET
wanted = used({"roots": [{"$ref": f"#/$defs/{name}"} for name in ROOTS]}, set())
document = {
    "title": "Protocol",
    "type": "object",
    "properties": {name: {"$ref": f"#/$defs/{name}"} for name in ROOTS},
    "required": list(ROOTS),
    "additionalProperties": False,
    "$defs": {name: definitions[name] for name in sorted(wanted)},
}
json.dump(document, sys.stdout)
