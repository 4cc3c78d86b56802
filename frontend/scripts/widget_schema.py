"""Prints the JSON schema of each component of ChatKit's widgets, by its type."""

import inspect
import json
import sys
import warnings

warnings.simplefilter("ignore")

from chatkit import widgets  # noqa: E402
from pydantic import TypeAdapter  # noqa: E402

schemas = {}
for _, component in inspect.getmembers(widgets, inspect.isclass):
    if issubclass(component, widgets.WidgetComponentBase):
        schema = TypeAdapter(component).json_schema()
        definitions = schema.get("$defs", {})
        if "$ref" in schema:
            schema = definitions[schema["$ref"].removeprefix("#/$defs/")]
        name = schema["properties"]["type"].get("const")
        if name is not None:
            schemas[name] = {"properties": schema["properties"], "$defs": definitions}
json.dump(schemas, sys.stdout)
