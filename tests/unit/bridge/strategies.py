"""Strategies for an agent's output, in any order."""

from __future__ import annotations

from typing import Any

from agent_framework import AgentResponseUpdate, Content, WorkflowEvent
from chatkit.widgets import DynamicWidgetRoot
from hypothesis import strategies as st

from agent_framework_chatkit import (
    AgentResponseConverter,
    WidgetForm,
)

PNG = "data:image/png;base64,iVBORw0KGgo="

# Few IDs, so that they are repeated: in one update, in two, or after an end.
ids = st.sampled_from(["1", "2", "", "\ud83d"])
# This includes halves of surrogate pairs.
strings = st.text(st.characters(codec=None), max_size=8) | st.sampled_from(
    ["\ud83d", "\ude00", "a", ""]
)
maybe_strings = st.none() | strings
merge_modes = st.sampled_from([None, "append", "replace"])
statuses = st.sampled_from([None, "in_progress", "completed", "failed"])
arguments = (
    st.none()
    | strings
    | st.dictionaries(strings, strings | st.datetimes(), max_size=2)
    | st.just('{"a": "\\ud83d"}')
    | st.just({"request_id": "\ud83d", "request_event": {"data": "\ud83d"}})
)
citations = st.fixed_dictionaries(
    {"type": st.just("citation")},
    optional={
        "url": st.sampled_from(["https://a.test", "javascript:x", "\ud83d"]),
        "title": strings,
        "file_id": strings,
        "annotated_regions": st.lists(
            st.fixed_dictionaries({"type": st.just("text_span"), "end_index": st.integers(-5, 99)}),
            max_size=2,
        ),
    },
)


def content(kind: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Content]:
    return st.builds(Content, st.just(kind), **fields)


leaves = (
    content("text", text=maybe_strings)
    | st.builds(Content.from_uri, st.just(PNG))
    | content("uri", uri=maybe_strings, media_type=st.sampled_from([None, "image/png", "a/b"]))
)
leaf_lists = st.none() | st.lists(leaves, max_size=2)
outputs = content(
    "shell_command_output", stdout=maybe_strings, exit_code=st.none() | st.integers(0, 1)
)
function_calls = content(
    "function_call",
    call_id=ids,
    name=st.sampled_from(["get_weather", "locate", "", "request_info", "ask_user", "\ud83d"]),
    arguments=arguments,
    merge_mode=merge_modes,
)
images = st.builds(
    lambda index: Content.from_uri(
        PNG,
        additional_properties=(
            {} if index is None else {"is_partial_image": True, "partial_image_index": index}
        ),
    ),
    st.none() | st.integers(-1, 5),
)


def card(value: str) -> DynamicWidgetRoot:
    return DynamicWidgetRoot.model_validate(
        {"type": "Card", "children": [{"type": "Text", "id": "t", "value": value}]}
    )


shown_data = Content.from_text("{}", raw_representation=WidgetForm(card("21"), "21"))
contents = st.one_of(
    content(
        "text",
        text=maybe_strings,
        merge_mode=merge_modes,
        annotations=st.none() | st.lists(citations, max_size=2),
        additional_properties=st.sampled_from([{}, {"model_output_kind": "refusal"}]),
    ),
    content("text", text=maybe_strings),
    content("text_reasoning", id=ids, text=maybe_strings, merge_mode=merge_modes),
    content("data", uri=st.just(PNG), media_type=st.sampled_from(["image/png", "a/b"])),
    content("uri", uri=maybe_strings, media_type=st.sampled_from([None, "image/png"])),
    content("error", message=maybe_strings, error_code=maybe_strings),
    function_calls,
    content("function_result", call_id=ids, result=maybe_strings, exception=maybe_strings),
    content("function_result", call_id=ids, items=st.just([shown_data])),
    content("usage", usage_details=st.just({"input_token_count": 1}), merge_mode=merge_modes),
    content("hosted_file", file_id=maybe_strings, name=maybe_strings),
    content("hosted_vector_store", vector_store_id=maybe_strings),
    content("code_interpreter_tool_call", call_id=ids, inputs=leaf_lists, merge_mode=merge_modes),
    content(
        "code_interpreter_tool_result",
        call_id=ids,
        outputs=leaf_lists,
        status=statuses,
        merge_mode=merge_modes,
    ),
    content("image_generation_tool_call", image_id=ids),
    content("image_generation_tool_result", image_id=ids, outputs=st.none() | images),
    content("mcp_server_tool_call", call_id=ids, tool_name=strings, arguments=arguments),
    content("mcp_server_tool_result", call_id=ids, output=maybe_strings | leaf_lists),
    content("search_tool_call", call_id=ids, tool_name=maybe_strings, arguments=arguments),
    content("search_tool_result", call_id=ids, status=statuses, items=leaf_lists),
    content("shell_tool_call", call_id=ids, commands=st.none() | st.lists(strings, max_size=2)),
    content("shell_tool_result", call_id=ids, outputs=st.none() | st.lists(outputs, max_size=2)),
    outputs,
    content("computer_tool_call", call_id=ids, actions=st.just([{"type": "click"}])),
    content("computer_tool_result", call_id=ids, screenshot=st.none() | leaves),
    content("function_approval_request", id=ids, function_call=st.none() | function_calls),
    content("function_approval_response", id=ids, approved=st.booleans()),
    content("oauth_consent_request", consent_link=maybe_strings),
    content("hologram"),  # a kind that no version knows
)
updates = st.builds(
    AgentResponseUpdate,
    contents=st.none() | st.lists(contents, max_size=4),
    role=st.sampled_from([None, "assistant", "tool"]),
    message_id=st.none() | ids,
    author_name=st.sampled_from([None, None, "Writer", "Critic"]),
    response_id=st.none() | ids,
    merge_mode=merge_modes,
)
workflow_steps = st.builds(
    AgentResponseUpdate,
    contents=st.just([]),
    raw_representation=st.builds(
        WorkflowEvent,
        st.sampled_from(["executor_invoked", "executor_completed", "executor_failed"]),
        executor_id=st.sampled_from(["Writer", "Critic"]),
    ),
)
runs = st.lists(updates, max_size=12) | st.lists(updates | workflow_steps, max_size=12)
converters = st.builds(
    AgentResponseConverter,
    client_tools=st.sampled_from([(), ("locate",)]),
    show_tool_details=st.booleans(),
    partial_images=st.sampled_from([None, 0, 2]),
)
endings = st.sampled_from([None, RuntimeError("the model is gone")])
