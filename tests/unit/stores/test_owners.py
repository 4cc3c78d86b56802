from __future__ import annotations

from agent_framework_chatkit.stores.owners import OwnerContext, owner_of, value_of


def test_owner_is_attribute_and_key() -> None:
    context = OwnerContext("ann")
    assert (context.user_id, context["user_id"], owner_of(context)) == ("ann", "ann", "ann")
    assert dict(context) == {"user_id": "ann"}
    assert len(context) == 1
    assert value_of(context, "base_url") is None
