"""Approval and consent cards, which show exactly what the user decides about."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from agent_framework import Content
from chatkit.widgets import DynamicWidgetRoot, WidgetRoot

from ..interrupts.calls import ToolDescription, shown_arguments
from ..interrupts.pause import Decision
from ..text import mend_surrogates, readable_name, visible

APPROVAL_ACTION = "approval.answer"
"""The type of the action that an approval card's buttons send."""

CONSENT_ACTION = "consent.answer"
"""The type of the action that a consent card's buttons send."""

FAILED_ICON = "lucide:circle-x"

VERBATIM = "verbatim"
"""The key of a text that the page shows like code, in a scrollable box."""

TIME = "time:"
"""The prefix of the key of a text that ends with a time, which the page shows in local time.

This is a key because ChatKit's types drop other properties. Other clients show the text as it is.
"""

_ALWAYS = "Always approves every later call of this tool in this chat, with any arguments."
_NOT_IN_SCHEMA = "not a parameter of this tool"
_NAME = re.compile(r"\w[\w.-]*")
_LAYOUT = "\n\t"
"""Control characters that are shown as they are."""


class WidgetForm(NamedTuple):
    """A widget and its plain text.

    Attributes:
        widget: The widget.
        text: The widget's content as plain text, for the clipboard and for screen readers.
    """

    widget: WidgetRoot
    text: str


def exact_text(value: Any) -> str:
    """Return an argument's value as shown, so that no two values look the same.

    An unambiguous string is shown as it is. A string with hidden characters or surrounding space,
    or that is JSON itself, is shown in quotes, with escapes. All other values are shown as JSON.
    """
    if not isinstance(value, str):
        text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    elif _is_plain(value):
        return value
    else:
        quoted = json.dumps(value, ensure_ascii=False)
        text = re.sub(
            r"\\(.)", lambda match: {"n": "\n", "t": "\t"}.get(match[1], match[0]), quoted
        )
    return visible(text, keep=_LAYOUT)


def approval_card(
    request: Content, tool: ToolDescription | None, *, always_approve: bool
) -> WidgetForm:
    """Return a card with Approve and Decline.

    Args:
        request: The request.
        tool: The tool, if the agent has it.
        always_approve: Whether to offer approval of all later calls.
    """
    call = _Call(request, tool)
    # The answer must have the same ID.
    request_id = mend_surrogates(request.id or "")

    def action(**answer: bool) -> dict[str, Any]:
        return {"type": APPROVAL_ACTION, "payload": {"request_id": request_id, **answer}}

    def button(label: str, **answer: bool) -> dict[str, Any]:
        return {"label": label, "action": action(**answer)}

    always: list[dict[str, Any]] = [
        {
            "type": "Button",
            "label": "Always approve",
            "onClickAction": action(approved=True, always=True),
            "variant": "ghost",
            "size": "sm",
        },
        {"type": "Caption", "value": _ALWAYS},
    ]
    return WidgetForm(
        _card(
            *call.heading(),
            {
                "type": "Text",
                "value": "The assistant asks for your approval to do this.",
                "size": "sm",
            },
            *call.fields(),
            *(always if always_approve else []),
            confirm=button("Approve", approved=True),
            cancel=button("Decline", approved=False),
        ),
        call.text("Approval needed: "),
    )


def approval_decision_card(
    request: Content, tool: ToolDescription | None, decision: Decision
) -> WidgetForm:
    """Return the card of a decided request.

    Args:
        request: The request.
        tool: The tool, if the agent has it.
        decision: The user's decision.
    """
    call = _Call(request, tool)
    approved = "Always approved" if decision.always else "Approved"
    what = approved if decision.approved else "Declined"
    icon = {"type": "Icon", "name": "check" if decision.approved else FAILED_ICON}
    return WidgetForm(
        _card(
            *call.heading(),
            *call.fields(),
            _row(icon, _outcome(what, decision)),
        ),
        f"{call.text()}\n{_outcome_text(what, decision)}",
    )


def consent_card(address: str, link: str) -> WidgetForm:
    """Return a card that links to a consent page.

    Args:
        address: The page's host.
        link: The page's URL.
    """
    target = link.translate({ord(char): f"%{ord(char):02X}" for char in "<>\\ "})
    text = f"Your consent is needed. Give it at {address}, then come back and continue."

    def button(label: str, approved: bool) -> dict[str, Any]:
        return {
            "label": label,
            "action": {"type": CONSENT_ACTION, "payload": {"approved": approved}},
        }

    return WidgetForm(
        _card(
            {"type": "Title", "value": "Consent needed", "size": "sm"},
            {"type": "Text", "value": text},
            {"type": "Markdown", "value": f"[Open the consent page](<{target}>)"},
            confirm=button("Continue", True),
            cancel=button("Decline", False),
        ),
        f"{text}\n{link}",
    )


def consent_decision_card(decision: Decision) -> WidgetForm:
    """Return the card of a given or declined consent."""
    what = "Consent given" if decision.approved else "Declined"
    return WidgetForm(
        _card(
            {"type": "Title", "value": "Consent needed", "size": "sm"},
            _outcome(what, decision),
        ),
        f"Consent needed\n{_outcome_text(what, decision)}",
    )


class _Call:
    """A call as shown to the user."""

    def __init__(self, request: Content, tool: ToolDescription | None) -> None:
        call = request.function_call
        self._name = (call.name if call else None) or "tool"
        self._title = readable_name(self._name) or visible(self._name)
        self._description = visible((tool.description if tool else "").strip(), keep=_LAYOUT)
        known = tool.parameters if tool else None
        values = shown_arguments(call) if call else {}
        self._exact_name = _exact_name(self._name)
        if call and call.hosted and call.server_name:
            self._exact_name += f" on the server {_exact_name(call.server_name)}"
        self._arguments = [
            (_exact_name(str(name)), exact_text(value), known is None or name in known)
            for name, value in values.items()
        ]

    def heading(self) -> list[dict[str, Any]]:
        heading: list[dict[str, Any]] = [
            {"type": "Title", "value": self._title, "size": "sm"},
            {"type": "Caption", "value": self._exact_name},
        ]
        if self._description:
            heading.append(
                {"type": "Text", "value": self._description, "size": "sm", "key": VERBATIM}
            )
        return heading

    def fields(self) -> list[dict[str, Any]]:
        return [
            {"type": "Col", "gap": 0, "children": [_name_line(name, is_known), _value(value)]}
            for name, value, is_known in self._arguments
        ]

    def text(self, before: str = "") -> str:
        """Return the call as plain text, in which only arguments can start a line."""
        lines = [f"{before}{self._title} ({self._exact_name})"]
        lines += [f"> {line}" for line in self._description.splitlines()]
        for name, value, is_known in self._arguments:
            mark = "" if is_known else f" ({_NOT_IN_SCHEMA})"
            lines.append(f"{name}{mark}: " + value.replace("\n", "\n    "))
        return "\n".join(lines)


def _name_line(name: str, is_known: bool) -> dict[str, Any]:
    caption = {"type": "Caption", "value": name}
    if is_known:
        return caption
    mark = {"type": "Badge", "label": _NOT_IN_SCHEMA, "color": "warning"}
    return _row(caption, mark)


def _value(value: str) -> dict[str, Any]:
    return {"type": "Text", "value": value, "key": VERBATIM}


def _exact_name(name: str) -> str:
    if _NAME.fullmatch(name) and visible(name) == name:
        return name
    return visible(json.dumps(name, ensure_ascii=False))


def _is_plain(value: str) -> bool:
    """Return whether a string is unambiguous."""
    if (
        not value
        or value != value.strip()
        or value[0] in '"[{'
        or visible(value, keep=_LAYOUT) != value
    ):
        return False
    try:
        json.loads(value)
    except ValueError:
        return True
    return False


def _outcome(what: str, decision: Decision) -> dict[str, Any]:
    key = TIME + decision.at.isoformat()
    return {"type": "Caption", "value": _outcome_text(what, decision), "key": key}


def _outcome_text(what: str, decision: Decision) -> str:
    by = f" by {visible(decision.by)}" if decision.by else ""
    return f"{what}{by}, {decision.at.day} {decision.at:%B %Y, %H:%M} UTC"


def _row(*children: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Row", "gap": 1, "wrap": "wrap", "children": list(children)}


def _card(*children: dict[str, Any], **properties: Any) -> WidgetRoot:
    return DynamicWidgetRoot.model_validate(
        {"type": "Card", "children": list(children), **properties}
    )
